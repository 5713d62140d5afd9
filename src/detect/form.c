#include "detect/form.h"

#include "detect/window.h"

#include <errno.h>

/* ---- The system's metrics ---- */

typedef bool source_fn(const struct report *report, struct value *ret);

static bool ports_count(const struct report_ports *block, struct value *ret)
{
	ret->count = block->has_total ? block->total : block->n_listed;
	return block->is_present && (block->has_total || block->has_list);
}

static bool ports_list(const struct report_ports *block, struct value *ret)
{
	ret->n = block->n;
	ret->ports = block->ports;
	return block->is_present && block->has_list;
}

static bool num_listening_tcp_ports(const struct report *report, struct value *ret)
{
	return ports_count(&report->tcp, ret);
}

static bool num_listening_udp_ports(const struct report *report, struct value *ret)
{
	return ports_count(&report->udp, ret);
}

static bool listening_tcp_ports(const struct report *report, struct value *ret)
{
	return ports_list(&report->tcp, ret);
}

static bool listening_udp_ports(const struct report *report, struct value *ret)
{
	return ports_list(&report->udp, ret);
}

static bool num_established(const struct report *report, struct value *ret)
{
	const struct report_connections *block = &report->established;
	ret->count = block->has_total ? block->total : block->n_listed;
	return block->is_present && (block->has_total || block->has_list);
}

static bool destination_addresses(const struct report *report, struct value *ret)
{
	ret->n = report->established.n;
	ret->addrs = report->established.remote;
	return report->established.is_present && report->established.has_list;
}

static source_fn *const sources[METRIC_COUNT] = {
	[METRIC_NUM_LISTENING_TCP_PORTS] = num_listening_tcp_ports,
	[METRIC_NUM_LISTENING_UDP_PORTS] = num_listening_udp_ports,
	[METRIC_NUM_ESTABLISHED_TCP] = num_established,
	[METRIC_LISTENING_TCP_PORTS] = listening_tcp_ports,
	[METRIC_LISTENING_UDP_PORTS] = listening_udp_ports,
	[METRIC_DESTINATION_ADDRESSES] = destination_addresses,
};

enum report_counter metric_counter(enum metric_id id)
{
	static const struct {
		enum metric_id id;
		enum report_counter counter;
	} rows[] = {
		{METRIC_ALL_BYTES_IN,    REPORT_BYTES_IN   },
		{METRIC_ALL_BYTES_OUT,   REPORT_BYTES_OUT  },
		{METRIC_ALL_PACKETS_IN,  REPORT_PACKETS_IN },
		{METRIC_ALL_PACKETS_OUT, REPORT_PACKETS_OUT},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].id == id)
			return rows[i].counter;
	return REPORT_COUNTERS;
}

/* The first behavior that asks for a counter puts the report into its window. */
static int form_counter(struct form *f, enum report_counter counter, const struct behavior *b,
			struct value *ret)
{
	if (!f->report->has_counter[counter])
		return 0;
	uint32_t *window = &f->device->windows[counter];
	if (!(f->taken & 1U << counter)) {
		f->taken |= 1U << counter;
		if (!window_add(&f->shard->arena, window, f->report->counter[counter], f->cover_ms,
				f->config->counter_duration_s[counter]))
			return -ENOMEM;
	}
	ret->count = window_sum(&f->shard->arena, *window, b->duration_s);
	return 1;
}

/* ---- Custom metrics ---- */

static const struct report_custom *custom_find(const struct report *report, struct view name)
{
	for (uint32_t i = 0; i < report->n_custom; i++)
		if (view_eq(report->custom[i].name, name))
			return &report->custom[i];
	return NULL;
}

/* A value of another type than the behavior compares is no datapoint (spec/device-reports.md
 * section 3); a number can be compared with a count. */
static int form_custom(const struct form *f, const struct behavior *b, struct value *ret)
{
	static const enum value_kind kinds[] = {
		[REPORT_NUMBER] = VALUE_NUMBER,
		[REPORT_NUMBER_LIST] = VALUE_NUMBERS,
		[REPORT_STRING_LIST] = VALUE_STRINGS,
		[REPORT_IP_LIST] = VALUE_ADDRS,
	};
	const struct report_custom *custom = custom_find(f->report, b->metric_name);
	if (!custom || !custom->is_storable)
		return 0;
	*ret = (struct value){.kind = kinds[custom->kind],
			      .n = custom->n,
			      .number = custom->number,
			      .numbers = custom->numbers,
			      .addrs = custom->addrs,
			      .strings = custom->strings};
	bool is_number_as_count = ret->kind == VALUE_NUMBER && b->kind == VALUE_COUNT;
	return ret->kind == b->kind || is_number_as_count;
}

int form_value(struct form *f, const struct behavior *b, struct value *ret)
{
	if (!b->metric)
		return form_custom(f, b, ret);
	*ret = (struct value){.kind = b->kind};
	enum report_counter counter = metric_counter(b->metric->id);
	if (counter < REPORT_COUNTERS)
		return form_counter(f, counter, b, ret);
	return sources[b->metric->id](f->report, ret);
}

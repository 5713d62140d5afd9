/* The document of spec/device-reports.md, section 2, as tables, and the rules of its members
 * (section 5). */
#include "report/report.h"

#include "report/address.h"
#include "report/decoder.h"

#include <inttypes.h>
#include <stddef.h>

#define NAMES(long_name, short_name) VIEW_INIT(long_name), VIEW_INIT(short_name)

#define PORT_MAX UINT16_MAX

/* ---- header ---- */

static bool read_report_id(struct decoder *d, const struct field *field, const struct value *v)
{
	(void)field;
	return decode_whole(d, v, 1, INT64_MAX, &d->out->report_id);
}

/* Takes one to three digits off the front. */
static bool take_version_number(struct view *s, uint16_t *ret)
{
	unsigned v = 0;
	size_t n = 0;
	for (; n < s->n && n < 3 && s->p[n] >= '0' && s->p[n] <= '9'; n++)
		v = 10 * v + (unsigned)(s->p[n] - '0');
	*s = (struct view){s->p + n, s->n - n};
	*ret = (uint16_t)v;
	return n > 0;
}

static bool read_version(struct decoder *d, const struct field *field, const struct value *v)
{
	static const char must[] = "must be a string as \"1.0\"; major version 1 is understood";
	(void)field;
	if (v->kind != VALUE_STRING)
		return decoder_refuse(d, v, must);
	struct view s = v->s;
	if (!take_version_number(&s, &d->out->version_major) || s.n == 0 || s.p[0] != '.')
		return decoder_refuse(d, v, must);
	s = (struct view){s.p + 1, s.n - 1};
	if (!take_version_number(&s, &d->out->version_minor) || s.n > 0 ||
	    d->out->version_major != 1)
		return decoder_refuse(d, v, must);
	return true;
}

static const struct field header_fields[] = {
	{NAMES("report_id", "rid"), read_report_id, 0, true},
	{NAMES("version",   "v"),   read_version,   0, true},
};

static bool read_header(struct decoder *d, const struct field *field, const struct value *v)
{
	(void)field;
	return decode_object(d, v, SHAPE_OF(header_fields));
}

/* ---- what several blocks have ---- */

static bool read_text(struct decoder *d, const struct field *field, const struct value *v)
{
	(void)field;
	return v->kind == VALUE_STRING || decoder_refuse(d, v, "must be a string");
}

/* Reads a list of objects, one of the shape each; returns their number in *ret_listed. */
static bool read_entries(struct decoder *d, const struct value *v, struct shape shape,
			 uint32_t *ret_listed)
{
	struct value entry;
	uint32_t n = 0;
	if (v->kind != VALUE_ARRAY)
		return decoder_refuse(d, v, "must be a list of objects");
	decode_list_begin(d);
	for (; decode_element(d, &entry); n++) {
		if (!decode_object(d, &entry, shape))
			return false;
	}
	*ret_listed = n;
	return decode_ok(d);
}

/* ---- listening ports ---- */

static bool read_port(struct decoder *d, const struct field *field, const struct value *v)
{
	uint64_t port;
	(void)field;
	if (!decode_whole(d, v, 0, PORT_MAX, &port))
		return false;
	if (!port)
		return true;
	uint16_t *item = decode_list_add(d, sizeof(*item));
	if (item)
		*item = (uint16_t)port;
	return item;
}

static const struct field port_fields[] = {
	{NAMES("interface", "if"), read_text, 0, false},
	{NAMES("port",      "pt"), read_port, 0, false},
};

static int port_cmp(const void *a, const void *b)
{
	uint16_t x, y;
	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return x - y;
}

static bool read_port_list(struct decoder *d, const struct field *field, const struct value *v)
{
	struct report_ports *block = d->ports;
	(void)field;
	if (!read_entries(d, v, SHAPE_OF(port_fields), &block->n_listed))
		return false;
	void *ports = d->list.items;
	block->has_list = true;
	block->n = sort_distinct(ports, d->list.n, sizeof(uint16_t), port_cmp);
	block->ports = ports;
	return true;
}

static bool read_ports_total(struct decoder *d, const struct field *field, const struct value *v)
{
	(void)field;
	d->ports->has_total = true;
	return decode_whole(d, v, 0, UINT64_MAX, &d->ports->total);
}

static const struct field listening_fields[] = {
	{NAMES("ports", "pts"), read_port_list,   0, false},
	{NAMES("total", "t"),   read_ports_total, 0, false},
};

enum { TCP, UDP };

static bool read_listening(struct decoder *d, const struct field *field, const struct value *v)
{
	d->ports = field->which == TCP ? &d->out->tcp : &d->out->udp;
	d->ports->is_present = true;
	return decode_object(d, v, SHAPE_OF(listening_fields));
}

/* ---- connections ---- */

/* The C agent sends a CBOR text. */
static bool read_local_port(struct decoder *d, const struct field *field, const struct value *v)
{
	uint64_t port = 0;
	(void)field;
	if (v->kind != VALUE_STRING)
		return decode_whole(d, v, 0, PORT_MAX, &port);
	bool is_decimal = v->s.n > 0 && v->s.n <= 5;
	for (size_t i = 0; is_decimal && i < v->s.n; i++) {
		is_decimal = v->s.p[i] >= '0' && v->s.p[i] <= '9';
		port = 10 * port + (unsigned char)v->s.p[i] - '0';
	}
	return (is_decimal && port <= PORT_MAX) ||
	       decoder_refuse(d, v, "must be a whole number from 0 to 65535");
}

static bool read_remote(struct decoder *d, const struct field *field, const struct value *v)
{
	struct report_addr addr;
	if (!read_text(d, field, v))
		return false;
	if (!address_of_remote(v->s, &addr))
		return true;
	struct report_addr *item = decode_list_add(d, sizeof(*item));
	if (item)
		*item = addr;
	return item;
}

static const struct field connection_fields[] = {
	{NAMES("local_interface", "li"),  read_text,       0, false},
	{NAMES("local_port",      "lp"),  read_local_port, 0, false},
	{NAMES("remote_addr",     "rad"), read_remote,     0, true },
};

static int addr_cmp(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct report_addr));
}

static bool read_connection_list(struct decoder *d, const struct field *field,
				 const struct value *v)
{
	struct report_connections *block = &d->out->established;
	(void)field;
	if (!read_entries(d, v, SHAPE_OF(connection_fields), &block->n_listed))
		return false;
	void *remote = d->list.items;
	block->has_list = true;
	block->n = sort_distinct(remote, d->list.n, sizeof(struct report_addr), addr_cmp);
	block->remote = remote;
	return true;
}

static bool read_connections_total(struct decoder *d, const struct field *field,
				   const struct value *v)
{
	(void)field;
	d->out->established.has_total = true;
	return decode_whole(d, v, 0, UINT64_MAX, &d->out->established.total);
}

static const struct field established_fields[] = {
	{NAMES("connections", "cs"), read_connection_list,   0, false},
	{NAMES("total",       "t"),  read_connections_total, 0, false},
};

static bool read_established(struct decoder *d, const struct field *field, const struct value *v)
{
	(void)field;
	d->out->established.is_present = true;
	return decode_object(d, v, SHAPE_OF(established_fields));
}

static const struct field tcp_fields[] = {
	{NAMES("established_connections", "ec"), read_established, 0, false},
};

static bool read_tcp(struct decoder *d, const struct field *field, const struct value *v)
{
	(void)field;
	return decode_object(d, v, SHAPE_OF(tcp_fields));
}

/* ---- counters ---- */

static bool read_counter(struct decoder *d, const struct field *field, const struct value *v)
{
	d->out->has_counter[field->which] = true;
	return decode_whole(d, v, 0, UINT64_MAX, &d->out->counter[field->which]);
}

static const struct field network_fields[] = {
	{NAMES("bytes_in",    "bi"), read_counter, REPORT_BYTES_IN,    false},
	{NAMES("bytes_out",   "bo"), read_counter, REPORT_BYTES_OUT,   false},
	{NAMES("packets_in",  "pi"), read_counter, REPORT_PACKETS_IN,  false},
	{NAMES("packets_out", "po"), read_counter, REPORT_PACKETS_OUT, false},
};

static bool read_network(struct decoder *d, const struct field *field, const struct value *v)
{
	(void)field;
	return decode_object(d, v, SHAPE_OF(network_fields));
}

/* ---- the document ---- */

static const struct field metric_fields[] = {
	{NAMES("listening_tcp_ports", "tp"), read_listening, TCP, false},
	{NAMES("listening_udp_ports", "up"), read_listening, UDP, false},
	{NAMES("network_stats",       "ns"), read_network,   0,   false},
	{NAMES("tcp_connections",     "tc"), read_tcp,       0,   false},
};

static bool read_metrics(struct decoder *d, const struct field *field, const struct value *v)
{
	(void)field;
	d->out->has_metrics = true;
	return decode_object(d, v, SHAPE_OF(metric_fields));
}

/* The header stands first: find_report_id reads by the first row alone. */
static const struct field report_fields[] = {
	{NAMES("header",         "hed"),  read_header,           0, true },
	{NAMES("metrics",        "met"),  read_metrics,          0, false},
	{NAMES("custom_metrics", "cmet"), decode_custom_metrics, 0, false},
};

struct input {
	enum report_format format;
	struct view payload;
	struct report_arena *arena;
};

static bool decode(struct input in, struct shape shape, struct report *out,
		   struct report_refusal *refusal)
{
	struct decoder d = {.out = out, .refusal = refusal};
	struct value root;
	if (in.arena->cap < in.payload.n)
		return decoder_refuse(&d, NULL, "needs more memory than a report may take");
	uint8_t *scratch = in.arena->buf;
	d.room = (struct room){scratch + in.payload.n, scratch + in.arena->cap};
	source_open(&d.source, in.format, in.payload, scratch, in.payload.n);
	if (!source_value(&d.source, &root))
		return decode_ok(&d);
	if (!decode_object(&d, &root, shape) || !source_done(&d.source))
		return decode_ok(&d);
	if (!out->has_metrics && !out->has_custom)
		return decoder_refuse(&d, NULL, "must have metrics or custom_metrics");
	in.arena->used = (size_t)(d.room.front - in.arena->buf);
	return true;
}

/* A refused report's id, when its header comes behind what is wrong but can be read. */
static uint64_t find_report_id(struct input in)
{
	struct report report = {0};
	struct report_refusal unused;
	(void)decode(in, (struct shape){report_fields, 1}, &report, &unused);
	return report.report_id;
}

int report_read(enum report_format format, const void *payload, size_t n,
		struct report_arena *arena, struct report *ret, struct report_refusal *ret_refusal)
{
	if (n > REPORT_SIZE_MAX) {
		*ret_refusal = report_too_large;
		return -1;
	}
	struct input in = {
		format, {payload, n},
                 arena
        };
	struct report report = {0};
	if (decode(in, SHAPE_OF(report_fields), &report, ret_refusal)) {
		*ret = report;
		return 0;
	}
	if (!ret_refusal->report_id)
		ret_refusal->report_id = find_report_id(in);
	return -1;
}

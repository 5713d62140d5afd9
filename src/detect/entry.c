#include "detect/entry.h"

#include "base/compiler.h"

void entry_write_report(struct writer *w, const struct entry_report *e)
{
	write_str16(w, e->thing);
	write_raw(w, e->reporter, sizeof(e->reporter));
	write_u8(w, e->is_own);
	write_u8(w, (uint8_t)e->format);
	write_bytes32(w, e->payload);
}

int entry_read_report(struct view body, struct entry_report *ret)
{
	struct reader r = reader_of(body.p, body.n);
	struct entry_report e = {.thing = read_str16(&r)};
	const uint8_t *reporter = read_raw(&r, sizeof(e.reporter));
	if (reporter)
		memcpy(e.reporter, reporter, sizeof(e.reporter));
	uint8_t own = read_u8(&r), format = read_u8(&r);
	e.payload = read_bytes32(&r);
	if (!reader_done(&r) || own > 1 || format > REPORT_CBOR || !report_thing_valid(e.thing))
		return -1;
	e.is_own = own == 1;
	e.format = (enum report_format)format;
	*ret = e;
	return 0;
}

void entry_write_thing(struct writer *w, struct view name, bool is_registered,
		       const uint64_t *groups, uint32_t n)
{
	write_str16(w, name);
	write_u8(w, is_registered);
	write_u32(w, n);
	for (uint32_t i = 0; i < n; i++)
		write_u64(w, groups[i]);
}

/* Strictly ascending: the evaluator merges this list with the targets of a profile. */
static bool groups_ascend(struct reader groups, uint32_t n)
{
	uint64_t last = 0;
	for (uint32_t i = 0; i < n; i++) {
		uint64_t group = read_u64(&groups);
		if (i > 0 && group <= last)
			return false;
		last = group;
	}
	return reader_done(&groups);
}

int entry_read_thing(struct view body, struct entry_thing *ret)
{
	struct reader r = reader_of(body.p, body.n);
	struct entry_thing e = {.name = read_str16(&r)};
	uint8_t registered = read_u8(&r);
	e.n_groups = read_u32(&r);
	if (r.bad || registered > 1 || e.n_groups > ENTRY_GROUPS_MAX || !report_thing_valid(e.name))
		return -1;
	e.is_registered = registered == 1;
	e.groups = r;
	if (!groups_ascend(e.groups, e.n_groups))
		return -1;
	*ret = e;
	return 0;
}

void entry_write_mark(struct writer *w, const struct entry_mark *e)
{
	write_i64(w, e->t_ms);
}

int entry_read_mark(struct view body, struct entry_mark *ret)
{
	struct reader r = reader_of(body.p, body.n);
	struct entry_mark e = {.t_ms = read_i64(&r)};
	if (!reader_done(&r))
		return -1;
	*ret = e;
	return 0;
}

static struct view read_broker(struct reader *r)
{
	struct view broker = read_str16(r);
	r->bad |= broker.n == 0 || broker.n > ENTRY_BROKER_MAX;
	return broker;
}

void entry_write_broker(struct writer *w, const struct entry_broker *e)
{
	write_str16(w, e->broker);
	write_i64(w, e->t_ms);
}

int entry_read_broker(struct view body, struct entry_broker *ret)
{
	struct reader r = reader_of(body.p, body.n);
	struct entry_broker e = {.broker = read_broker(&r)};
	e.t_ms = read_i64(&r);
	if (!reader_done(&r))
		return -1;
	*ret = e;
	return 0;
}

bool entry_logs(enum event_kind kind)
{
	static const bool logged[] = {
		[EVENT_APPLIED] = true,    [EVENT_REFUSED] = true,  [EVENT_CONNECT] = true,
		[EVENT_DISCONNECT] = true, [EVENT_TAKEOVER] = true, [EVENT_COUNTERS] = true,
	};
	return (size_t)kind < ARRAY_LEN(logged) && logged[kind];
}

void entry_write_event(struct writer *w, struct view broker, enum event_kind kind,
		       struct view event)
{
	write_str16(w, broker);
	write_u8(w, (uint8_t)kind);
	write_raw(w, event.p, event.n);
}

int entry_read_event(struct view body, struct entry_event *ret)
{
	struct reader r = reader_of(body.p, body.n);
	struct entry_event e = {.broker = read_broker(&r)};
	enum event_kind kind = (enum event_kind)read_u8(&r);
	if (r.bad || !entry_logs(kind) || event_read(kind, &r, &e.event) != 0)
		return -1;
	*ret = e;
	return 0;
}

void entry_write_hello(struct writer *w, const struct entry_hello *e)
{
	write_str16(w, e->broker);
	write_str16(w, e->run);
	write_u64(w, e->generation);
}

int entry_read_hello(struct view body, struct entry_hello *ret)
{
	struct reader r = reader_of(body.p, body.n);
	struct entry_hello e = {.broker = read_broker(&r), .run = read_str16(&r)};
	e.generation = read_u64(&r);
	if (!reader_done(&r) || e.run.n == 0 || e.run.n > ENTRY_RUN_MAX)
		return -1;
	*ret = e;
	return 0;
}

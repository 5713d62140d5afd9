#include "event/event.h"

#include "policy/decide.h"

/* ---- Parts ---- */

struct view event_clip(struct view v, size_t max)
{
	if (v.n <= max)
		return v;
	while (max > 0 && ((uint8_t)v.p[max] & 0xC0) == 0x80)
		max--;
	return (struct view){v.p, max};
}

static void write_text(struct writer *w, struct view v, size_t max)
{
	write_str16(w, event_clip(v, max));
}

/* A text over its limit was not written by us. */
static struct view read_text(struct reader *r, size_t max)
{
	struct view v = read_str16(r);
	r->bad |= v.n > max;
	return v;
}

static bool read_bool(struct reader *r)
{
	uint8_t v = read_u8(r);
	r->bad |= v > 1;
	return v == 1;
}

/* A number below `limit`. */
static uint8_t read_below(struct reader *r, unsigned limit)
{
	uint8_t v = read_u8(r);
	r->bad |= v >= limit;
	return r->bad ? 0 : v;
}

static int64_t read_time(struct reader *r)
{
	int64_t ms = read_i64(r);
	r->bad |= ms < 0;
	return ms;
}

static void read_fingerprint(struct reader *r, uint8_t ret[EVENT_FINGERPRINT])
{
	const uint8_t *p = read_raw(r, EVENT_FINGERPRINT);
	if (p)
		memcpy(ret, p, EVENT_FINGERPRINT);
}

static void write_identity(struct writer *w, const struct event_identity *who)
{
	write_u64(w, who->session);
	write_raw(w, who->fingerprint, EVENT_FINGERPRINT);
	write_text(w, who->client_id, EVENT_CLIENT_ID_MAX);
	write_text(w, who->address, EVENT_ADDRESS_MAX);
	write_text(w, who->username, EVENT_USERNAME_MAX);
	write_u16(w, who->port);
}

static void read_identity(struct reader *r, struct event_identity *who)
{
	who->session = read_u64(r);
	r->bad |= who->session > INT64_MAX;
	read_fingerprint(r, who->fingerprint);
	who->client_id = read_text(r, EVENT_CLIENT_ID_MAX);
	who->address = read_text(r, EVENT_ADDRESS_MAX);
	who->username = read_text(r, EVENT_USERNAME_MAX);
	who->port = read_u16(r);
}

static void write_messages(struct writer *w, const struct event_messages *m)
{
	write_u64(w, m->sent);
	write_u64(w, m->sent_bytes);
	write_u64(w, m->sent_min);
	write_u64(w, m->sent_max);
	write_u64(w, m->received);
	write_u64(w, m->received_bytes);
}

static void read_messages(struct reader *r, struct event_messages *m)
{
	m->sent = read_u64(r);
	m->sent_bytes = read_u64(r);
	m->sent_min = read_u64(r);
	m->sent_max = read_u64(r);
	m->received = read_u64(r);
	m->received_bytes = read_u64(r);
	r->bad |= m->sent_min > m->sent_max || m->sent_max > m->sent_bytes;
}

void event_write_dimension(struct writer *w, const struct event_dimension *d)
{
	write_text(w, d->name, EVENT_NAME_MAX);
	write_messages(w, &d->messages);
	write_u64(w, d->refusals);
}

bool event_take_dimension(struct view *rest, struct event_dimension *ret)
{
	struct reader r = reader_of(rest->p, rest->n);
	struct event_dimension d = {.name = read_text(&r, EVENT_NAME_MAX)};
	read_messages(&r, &d.messages);
	d.refusals = read_u64(&r);
	if (r.bad)
		return false;
	*rest = (struct view){(const char *)r.at, reader_left(&r)};
	*ret = d;
	return true;
}

/* ---- Bodies ---- */

static void write_report(struct writer *w, const struct event *e)
{
	const struct event_report *v = &e->report;
	write_raw(w, v->fingerprint, EVENT_FINGERPRINT);
	write_u8(w, v->is_own);
	write_text(w, v->client_id, EVENT_CLIENT_ID_MAX);
	write_str16(w, v->topic);
	write_bytes32(w, v->payload);
	write_i64(w, v->at_ms);
}

static void read_report(struct reader *r, struct event *ret)
{
	struct event_report *v = &ret->report;
	read_fingerprint(r, v->fingerprint);
	v->is_own = read_bool(r);
	v->client_id = read_text(r, EVENT_CLIENT_ID_MAX);
	v->topic = read_str16(r);
	v->payload = read_bytes32(r);
	v->at_ms = read_time(r);
}

static void write_number(struct writer *w, const struct event *e)
{
	write_u64(w, e->number);
}

static void read_number(struct reader *r, struct event *ret)
{
	ret->number = read_u64(r);
}

static void write_connect(struct writer *w, const struct event *e)
{
	const struct event_connect *v = &e->connect;
	write_identity(w, &v->who);
	write_text(w, v->thing, EVENT_NAME_MAX);
	write_i64(w, v->at_ms);
	write_u16(w, v->keep_alive_s);
	write_u8(w, v->flags);
	write_u32(w, v->others);
	write_text(w, v->other_client_id, EVENT_CLIENT_ID_MAX);
	write_text(w, v->other_address, EVENT_ADDRESS_MAX);
}

static void read_connect(struct reader *r, struct event *ret)
{
	struct event_connect *v = &ret->connect;
	read_identity(r, &v->who);
	v->thing = read_text(r, EVENT_NAME_MAX);
	v->at_ms = read_time(r);
	v->keep_alive_s = read_u16(r);
	v->flags = read_below(r, EVENT_FLAGS + 1);
	v->others = read_u32(r);
	v->other_client_id = read_text(r, EVENT_CLIENT_ID_MAX);
	v->other_address = read_text(r, EVENT_ADDRESS_MAX);
	r->bad |= v->who.session == 0;
}

static void write_disconnect(struct writer *w, const struct event *e)
{
	const struct event_disconnect *v = &e->disconnect;
	write_identity(w, &v->who);
	write_i64(w, v->at_ms);
	write_u64(w, v->connected_ms);
	write_u8(w, (uint8_t)v->end);
	write_u8(w, (uint8_t)v->cause);
}

static void read_disconnect(struct reader *r, struct event *ret)
{
	struct event_disconnect *v = &ret->disconnect;
	read_identity(r, &v->who);
	v->at_ms = read_time(r);
	v->connected_ms = read_u64(r);
	v->end = (enum end)read_below(r, ENDS);
	v->cause = (enum cause)read_below(r, CAUSES);
	r->bad |= v->who.session == 0;
}

static void write_takeover(struct writer *w, const struct event *e)
{
	const struct event_takeover *v = &e->takeover;
	write_identity(w, &v->old_who);
	write_identity(w, &v->new_who);
	write_i64(w, v->at_ms);
	write_u64(w, v->old_connected_ms);
	write_u64(w, v->old_idle_ms);
	write_u16(w, v->old_keep_alive_s);
	write_u16(w, v->new_keep_alive_s);
	write_u8(w, v->old_flags);
	write_u8(w, v->new_flags);
}

static void read_takeover(struct reader *r, struct event *ret)
{
	struct event_takeover *v = &ret->takeover;
	read_identity(r, &v->old_who);
	read_identity(r, &v->new_who);
	v->at_ms = read_time(r);
	v->old_connected_ms = read_u64(r);
	v->old_idle_ms = read_u64(r);
	v->old_keep_alive_s = read_u16(r);
	v->new_keep_alive_s = read_u16(r);
	v->old_flags = read_below(r, EVENT_FLAGS + 1);
	v->new_flags = read_below(r, EVENT_FLAGS + 1);
}

static void write_refused(struct writer *w, const struct event *e)
{
	const struct event_refused *v = &e->refused;
	write_identity(w, &v->who);
	write_u8(w, v->action);
	write_u8(w, (uint8_t)v->cause);
	write_u8(w, v->is_observed);
	write_text(w, v->resource, EVENT_RESOURCE_MAX);
	write_text(w, v->policy, EVENT_NAME_MAX);
	write_u32(w, v->version);
	write_u32(w, (uint32_t)v->statement);
	write_text(w, v->missing, EVENT_NAME_MAX);
	write_u64(w, v->count);
	write_i64(w, v->first_ms);
	write_i64(w, v->last_ms);
}

static uint8_t read_action(struct reader *r)
{
	uint8_t action = read_u8(r);
	r->bad |= action >= POLICY_ACTIONS && action != EVENT_ACTION_TLS;
	return action;
}

/* -1 and up. */
static int32_t read_statement(struct reader *r)
{
	uint32_t v = read_u32(r);
	r->bad |= v > INT32_MAX && v != UINT32_MAX;
	return v == UINT32_MAX || r->bad ? -1 : (int32_t)v;
}

static void read_refused(struct reader *r, struct event *ret)
{
	struct event_refused *v = &ret->refused;
	read_identity(r, &v->who);
	v->action = read_action(r);
	v->cause = (enum cause)read_below(r, CAUSES);
	v->is_observed = read_bool(r);
	v->resource = read_text(r, EVENT_RESOURCE_MAX);
	v->policy = read_text(r, EVENT_NAME_MAX);
	v->version = read_u32(r);
	v->statement = read_statement(r);
	v->missing = read_text(r, EVENT_NAME_MAX);
	v->count = read_u64(r);
	v->first_ms = read_time(r);
	v->last_ms = read_time(r);
	r->bad |= v->count == 0 || v->count > INT64_MAX || v->first_ms > v->last_ms;
}

static void write_counters(struct writer *w, const struct event *e)
{
	const struct event_counters *v = &e->counters;
	write_identity(w, &v->who);
	write_text(w, v->thing, EVENT_NAME_MAX);
	write_i64(w, v->from_ms);
	write_i64(w, v->to_ms);
	write_messages(w, &v->messages);
	write_u64(w, v->refusals);
	write_u64(w, v->connects);
	write_u64(w, v->disconnects);
	write_u8(w, v->is_connected);
	write_u16(w, v->dimensions);
	write_raw(w, v->by_dimension.p, v->by_dimension.n);
}

static struct view read_dimensions(struct reader *r, uint16_t n)
{
	struct view all = {(const char *)r->at, reader_left(r)}, rest = all;
	struct event_dimension one;
	r->bad |= n > EVENT_DIMENSIONS_MAX;
	for (uint16_t i = 0; !r->bad && i < n; i++)
		r->bad |= !event_take_dimension(&rest, &one);
	all.n -= rest.n;
	(void)read_raw(r, all.n);
	return all;
}

static void read_counters(struct reader *r, struct event *ret)
{
	struct event_counters *v = &ret->counters;
	read_identity(r, &v->who);
	v->thing = read_text(r, EVENT_NAME_MAX);
	v->from_ms = read_time(r);
	v->to_ms = read_time(r);
	read_messages(r, &v->messages);
	v->refusals = read_u64(r);
	v->connects = read_u64(r);
	v->disconnects = read_u64(r);
	v->is_connected = read_bool(r);
	v->dimensions = read_u16(r);
	v->by_dimension = read_dimensions(r, v->dimensions);
	r->bad |= v->from_ms > v->to_ms;
}

static void write_table(struct writer *w, const struct event *e)
{
	const struct event_table *v = &e->table;
	write_text(w, v->name, EVENT_NAME_MAX);
	write_u64(w, v->n);
	write_u64(w, v->cap);
	write_u64(w, v->left_out);
}

static void read_table(struct reader *r, struct event *ret)
{
	struct event_table *v = &ret->table;
	v->name = read_text(r, EVENT_NAME_MAX);
	v->n = read_u64(r);
	v->cap = read_u64(r);
	v->left_out = read_u64(r);
	r->bad |= v->name.n == 0;
}

/* ---- Kinds ---- */

struct codec {
	void (*write)(struct writer *w, const struct event *e);
	void (*read)(struct reader *r, struct event *ret);
};

static const struct codec codecs[EVENT_KINDS] = {
#define EVENT(id, number, codec) [number] = {write_##codec, read_##codec},
#include "event/event.tbl.h"
#undef EVENT
};

bool event_kind_known(uint8_t kind)
{
	return kind < EVENT_KINDS && codecs[kind].read;
}

void event_write(struct writer *w, const struct event *e)
{
	codecs[e->kind].write(w, e);
}

int event_read(enum event_kind kind, struct reader *body, struct event *ret)
{
	struct event e = {.kind = kind};
	codecs[kind].read(body, &e);
	if (!reader_done(body))
		return -1;
	*ret = e;
	return 0;
}

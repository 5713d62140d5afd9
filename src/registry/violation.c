#include "registry/violation.h"

#include "detect/criteria.h"
#include "registry/rows.h"

#include <arpa/inet.h>
#include <glib.h>

/* ---- MetricValue ---- */

static json_t *count_json(const struct value *v)
{
	return json_integer(v->count < INT64_MAX ? (json_int_t)v->count : INT64_MAX);
}

static json_t *number_json(const struct value *v)
{
	return json_real(v->number);
}

static json_t *one_number(const struct value *v, uint32_t i)
{
	return json_real(v->numbers[i]);
}

static json_t *one_port(const struct value *v, uint32_t i)
{
	return json_integer(v->ports[i]);
}

static json_t *one_address(const struct value *v, uint32_t i)
{
	char text[INET6_ADDRSTRLEN];
	const uint8_t *bytes = v->addrs[i].b;
	bool is_v4 = addr_is_v4(&v->addrs[i]);
	return json_string(is_v4 ? inet_ntop(AF_INET, bytes + 12, text, sizeof(text))
				 : inet_ntop(AF_INET6, bytes, text, sizeof(text)));
}

static json_t *one_string(const struct value *v, uint32_t i)
{
	return json_stringn(v->strings[i].p, v->strings[i].n);
}

static json_t *list_json(const struct value *v)
{
	static json_t *(*const one_of_kind[])(const struct value *, uint32_t) = {
		[VALUE_NUMBERS] = one_number,
		[VALUE_PORTS] = one_port,
		[VALUE_ADDRS] = one_address,
		[VALUE_STRINGS] = one_string,
	};
	json_t *list = json_array();
	for (uint32_t i = 0; i < v->n; i++)
		(void)json_array_append_new(list, one_of_kind[v->kind](v, i));
	return list;
}

json_t *metric_value_json(const struct value *value)
{
	json_t *one = value->kind == VALUE_COUNT    ? count_json(value)
		      : value->kind == VALUE_NUMBER ? number_json(value)
						    : list_json(value);
	return json_pack("{s:o}", value_kind_member(value->kind), one);
}

/* ---- Effects ---- */

static struct sql_arg view_arg(struct view v)
{
	return sql_textn(v.p, v.n);
}

static int add_violation(struct sql_conn *txn, const struct effect *e, const char *value)
{
	return sql_exec(txn, SQL_violation_add,
			SQL_ARGS(sql_text(e->violation_id), view_arg(e->thing),
				 view_arg(e->profile), view_arg(e->behavior),
				 view_arg(e->behavior_json), sql_text(value), sql_int(e->criteria),
				 sql_int(e->is_suppressed), sql_int(e->is_own),
				 sql_int(e->start_ms), sql_int((int64_t)e->seq), sql_int(e->index)),
			NULL);
}

static int move_violation(struct sql_conn *txn, const struct effect *e, const char *value)
{
	return sql_exec(txn, SQL_violation_move,
			SQL_ARGS(sql_text(e->violation_id), sql_text(value),
				 sql_int(e->is_suppressed), sql_int(e->is_own), sql_int(e->at_ms),
				 sql_int((int64_t)e->seq), sql_int(e->index),
				 view_arg(e->behavior_json)),
			NULL);
}

static int end_violation(struct sql_conn *txn, const struct effect *e, const char *value)
{
	(void)value;
	return sql_exec(txn, SQL_violation_end, SQL_ARGS(sql_text(e->violation_id)), NULL);
}

static const struct {
	const char *event; /* violationEventType; NULL: leaves none */
	int (*apply)(struct sql_conn *txn, const struct effect *e, const char *value);
} effect_rows[] = {
	[EFFECT_IN_ALARM] = {"in-alarm",          add_violation },
	[EFFECT_STILL] = {NULL,                move_violation},
	[EFFECT_CLEARED] = {"alarm-cleared",     end_violation },
	[EFFECT_INVALIDATED] = {"alarm-invalidated", end_violation },
};

/* *ret_added: 0 when the event was there already. */
static int add_event(struct sql_conn *txn, unsigned part, const struct effect *e, const char *value,
		     int64_t *ret_added)
{
	return sql_exec(txn, SQL_violation_event_add,
			SQL_ARGS(sql_int(part), sql_int((int64_t)e->seq), sql_int(e->index),
				 sql_text(e->violation_id), sql_text(effect_rows[e->kind].event),
				 view_arg(e->thing), view_arg(e->profile),
				 view_arg(e->behavior_json), sql_text(value), sql_int(e->criteria),
				 sql_int(e->is_suppressed), sql_int(e->is_own), sql_int(e->at_ms)),
			ret_added);
}

int violation_apply(struct sql_conn *txn, unsigned part, const struct effect *effect)
{
	char *value = NULL;
	if (effect->kind != EFFECT_INVALIDATED) {
		json_t *json = metric_value_json(&effect->value);
		value = json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(15));
		json_decref(json);
	}
	int64_t is_new = 1;
	int rc = effect_rows[effect->kind].event
			 ? add_event(txn, part, effect, value ? value : "", &is_new)
			 : 0;
	if (rc == 0 && is_new)
		rc = effect_rows[effect->kind].apply(txn, effect, value ? value : "");
	free(value);
	return rc;
}

struct active {
	violation_active_fn *fn;
	void *ctx;
};

static int tell_active(struct sql_rows *row, void *ctx)
{
	const struct active *a = ctx;
	a->fn(sql_col_text(row, 0), sql_col_text(row, 1), sql_col_text(row, 2),
	      sql_col_text(row, 3), a->ctx);
	return 0;
}

int violation_each_active(struct sql_conn *conn, violation_active_fn *fn, void *ctx)
{
	struct active active = {fn, ctx};
	return rows_each(conn, SQL_violation_active, SQL_NO_ARGS, tell_active, &active);
}

#define FORGET_ROWS 5000

int violation_forget(struct sql_conn *txn, int64_t before_ms, bool *ret_more)
{
	int64_t n = 0;
	int rc = sql_exec(txn, SQL_violation_event_forget,
			  SQL_ARGS(sql_int(before_ms), sql_int(FORGET_ROWS)), &n);
	if (rc == 0)
		rc = sql_exec(txn, SQL_verification_forget, SQL_NO_ARGS, NULL);
	if (rc == 0 && ret_more)
		*ret_more = n == FORGET_ROWS;
	return rc;
}

/* ---- Lists ---- */

struct items {
	violation_item_fn *fn;
	void *ctx;
};

/* The first ten columns are the same in both lists, but for the eighth. */
static struct violation_item item_of(struct sql_rows *row)
{
	return (struct violation_item){
		.id = sql_col_text(row, 0),
		.thing = sql_col_text(row, 1),
		.profile = sql_col_text(row, 2),
		.behavior_json = sql_col_text(row, 3),
		.value_json = sql_col_text(row, 4),
		.state = sql_col_text(row, 5),
		.description = sql_col_text(row, 6),
		.at_ms = sql_col_int(row, 8),
		.is_own = sql_col_int(row, 9) != 0,
	};
}

static int take_violation(struct sql_rows *row, void *ctx)
{
	const struct items *items = ctx;
	struct violation_item item = item_of(row);
	item.last_ms = sql_col_int(row, 10);
	return items->fn(&item, items->ctx);
}

static int take_event(struct sql_rows *row, void *ctx)
{
	const struct items *items = ctx;
	struct violation_item item = item_of(row);
	item.type = sql_col_text(row, 7);
	item.seq = sql_col_int(row, 10);
	item.idx = sql_col_int(row, 11);
	return items->fn(&item, items->ctx);
}

static const char *any(const char *filter)
{
	return filter ? filter : "";
}

/* The statement whose index serves the filter. */
static enum sql_statement by_filter(const struct violation_filter *f, enum sql_statement by_thing,
				    enum sql_statement by_profile, enum sql_statement by_time)
{
	return f->thing ? by_thing : f->profile ? by_profile : by_time;
}

/* Behind the newest there is. */
static const struct violation_place top = {INT64_MAX, "", INT64_MAX, INT64_MAX};

int violation_list(struct registry *r, const struct violation_filter *filter,
		   const struct violation_place *place, int64_t limit, violation_item_fn *fn,
		   void *ctx)
{
	struct items items = {fn, ctx};
	const struct violation_place *from = place->id ? place : &top;
	return rows_each(r->db,
			 by_filter(filter, SQL_violation_list_thing, SQL_violation_list_profile,
				   SQL_violation_list),
			 SQL_ARGS(sql_int(from->at_ms), sql_text(from->id),
				  sql_text(any(filter->thing)), sql_text(any(filter->profile)),
				  sql_int(filter->criteria), sql_int(filter->is_suppressed),
				  sql_text(any(filter->verification)), sql_int(limit)),
			 take_violation, &items);
}

/* Where the last page ended, or the end of the span. */
static struct violation_place place_within(const struct violation_place *place, int64_t to_ms)
{
	if (place->id && place->at_ms < to_ms)
		return *place;
	return (struct violation_place){.at_ms = to_ms, .id = ""};
}

int violation_list_events(struct registry *r, const struct violation_filter *filter,
			  const struct violation_place *place, int64_t limit, violation_item_fn *fn,
			  void *ctx)
{
	struct items items = {fn, ctx};
	const struct violation_place from = place_within(place, filter->to_ms);
	return rows_each(r->db,
			 by_filter(filter, SQL_violation_event_list_thing,
				   SQL_violation_event_list_profile, SQL_violation_event_list),
			 SQL_ARGS(sql_int(from.at_ms), sql_text(from.id),
				  sql_text(any(filter->thing)), sql_text(any(filter->profile)),
				  sql_int(filter->criteria), sql_int(filter->is_suppressed),
				  sql_text(any(filter->verification)), sql_int(filter->from_ms),
				  sql_int(from.seq), sql_int(from.idx), sql_int(limit)),
			 take_event, &items);
}

/* ---- Verification ---- */

int violation_verify(struct registry *r, const char *id, const char *state, const char *description)
{
	int64_t n;
	int rc = rows_number(r->db, SQL_violation_known, SQL_ARGS(sql_text(id)), &n);
	if (rc != 0)
		return rc;
	if (n == 0)
		return fault_set(r->fault, FAULT_INVALID_REQUEST,
				 "violationId '%s' is unknown, or its events are past retention.",
				 id);
	return sql_exec(r->db, SQL_verification_set,
			SQL_ARGS(sql_text(id), sql_text(state), sql_text(any(description))), NULL);
}

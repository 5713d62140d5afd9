/* Violations and their events as the evaluator's effects leave them (spec/detect.md sections 7-9).
 *
 *     violation         the active ones, a row each; gone when cleared or invalidated
 *     violation_event   what happened, keyed (part, seq, idx) like the effect; kept 30 days
 *     verification      what people said about a violation; written by the API only
 *
 * The evaluator writes the first two and nobody else does. Functions over `struct registry` answer
 * as registry.h says. */
#ifndef REGISTRY_VIOLATION_H
#define REGISTRY_VIOLATION_H

#include "detect/detect.h"
#include "registry/registry.h"

#include <jansson.h>

/* ---- For the evaluator ---- */

/* Writes one effect in the evaluator's commit. Applying it again changes nothing: an event is there
 * once, an active violation moves only forward in (seq, index). 0, or a negative errno of the sql_
 * functions. */
int violation_apply(struct sql_conn *txn, unsigned part, const struct effect *effect) MUST_USE;

/* Calls fn for each active violation of the store, ordered by id, for comparison with the
 * evaluator's state after recovery. The texts live during the call. 0, or a negative errno. */
typedef void violation_active_fn(const char *violation_id, const char *thing, const char *profile,
				 const char *behavior, void *ctx);
int violation_each_active(struct sql_conn *conn, violation_active_fn *fn, void *ctx) MUST_USE;

/* Deletes events from before `before_ms`, and verifications of violations that nothing tells of any
 * longer. A few thousand rows a call: *ret_more (may be NULL) tells that some are left. */
int violation_forget(struct sql_conn *txn, int64_t before_ms, bool *ret_more) MUST_USE;

/* MetricValue of the API, the caller's. IPv4-mapped addresses are shown as IPv4; a count beyond
 * 2^63 - 1 is shown as that. */
json_t *metric_value_json(const struct value *value) MUST_USE;

/* ---- For the API ---- */

struct violation_filter {
	const char *thing, *profile; /* NULL: any */
	int64_t criteria;            /* enum criteria_type, -1: any */
	int64_t is_suppressed;       /* 0 or 1, -1: any */
	const char *verification;    /* NULL: any; a violation without one is UNKNOWN */
	int64_t from_ms, to_ms;      /* events only: from <= time < to */
};

/* A violation or an event. Texts live during the call. */
struct violation_item {
	const char *id, *thing, *profile;
	const char *behavior_json, *value_json; /* value "": none */
	const char *state, *description;        /* verification; "": none given */
	const char *type;                       /* events: "in-alarm", ... */
	int64_t at_ms;                          /* start, or the event's time */
	bool is_own;      /* false: another principal reported it, or one of its datapoints (S10) */
	int64_t last_ms;  /* violations only */
	int64_t seq, idx; /* events only */
};
typedef int violation_item_fn(const struct violation_item *item, void *ctx);

/* Where a page goes on: the item that was shown last; id NULL: from the newest. */
struct violation_place {
	int64_t at_ms;
	const char *id;
	int64_t seq, idx;
};

/* Newest first: active violations by start, events by time; ties by id. */
int violation_list(struct registry *r, const struct violation_filter *filter,
		   const struct violation_place *place, int64_t limit, violation_item_fn *fn,
		   void *ctx) MUST_USE;
int violation_list_events(struct registry *r, const struct violation_filter *filter,
			  const struct violation_place *place, int64_t limit, violation_item_fn *fn,
			  void *ctx) MUST_USE;

/* FAULT_INVALID_REQUEST when neither a violation nor an event has this id. */
int violation_verify(struct registry *r, const char *id, const char *state,
		     const char *description) MUST_USE;

#endif

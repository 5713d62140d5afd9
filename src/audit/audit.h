/* Audit: what is set up wrongly in the registry (spec/audit.md).
 *
 * A check (audit/check.h) judges resources one by one. An account enables checks; a task runs some
 * of them once, on a thread of its own, in slices: read a few hundred resources, judge them, write
 * findings and progress in one short transaction. So the writer is never held for long, memory is
 * bounded, a cancelled task ends at the next slice, and a task that was cut off by the end of the
 * process goes on behind its last slice when the next one starts.
 *
 * The functions over `struct registry` (registry/registry.h) are one API operation each: 0, -1 with
 * the fault filled, or another negative errno of the database. */
#ifndef AUDIT_AUDIT_H
#define AUDIT_AUDIT_H

#include "base/chance.h"
#include "base/clock.h"
#include "registry/registry.h"
#include "store/store.h"

#include <jansson.h>

/* ---- The worker ---- */

struct audit;

/* Starts the thread; tasks left in progress go on at once. Everything given is borrowed until
 * audit_free, which waits for the present slice. NULL with the fault filled when there is no reader
 * or no thread to be had. */
struct audit *audit_new(struct store *store, struct clock *clock, struct chance chance,
			const struct registry_settings *settings, struct fault *fault);
void audit_free(struct audit *audit);

/* Lets the worker look for tasks to run. Called within the write transaction that starts one: the
 * worker looks behind every writer that is now ahead of it, so it sees the task when and if it is
 * committed. */
void audit_wake(struct audit *audit);

/* ---- Account configuration (section 7.1) ---- */

/* Merges what is given: role_arn NULL, targets NULL or checks NULL leave theirs as they are. */
int audit_configuration_update(struct registry *r, const char *role_arn, json_t *targets,
			       json_t *checks) MUST_USE;
/* Sets the members of the operation's output. */
int audit_configuration_describe(struct registry *r, json_t *out) MUST_USE;
int audit_configuration_delete(struct registry *r) MUST_USE;

/* ---- Tasks (section 7.3) ---- */

/* Tasks and their findings are kept for settings->audit_retention_days after the start; the worker
 * deletes them when it runs another. */

/* check_names: a list of strings. */
int audit_task_start(struct registry *r, json_t *check_names, char ret_id[ID_HEX_SIZE]) MUST_USE;
int audit_task_cancel(struct registry *r, const char *id) MUST_USE;
int audit_task_describe(struct registry *r, const char *id, json_t *out) MUST_USE;

/* A place in a list that shows the newest first: what lies behind it comes next. At the start:
 * INT64_MAX and "". */
struct audit_place {
	int64_t at;
	const char *id;
};

/* Where the last page ended, or behind the last item of a span that ends with to_ms. */
static inline struct audit_place audit_place_within(struct audit_place place, int64_t to_ms)
{
	return place.at <= to_ms ? place : (struct audit_place){to_ms + 1, ""};
}

/* Gets an item of a list, to json_decref, and its place; non-zero ends the list. */
typedef int audit_item_fn(json_t *item, struct audit_place place, void *ctx);

struct audit_task_filter {
	int64_t from_ms, to_ms;
	const char *type, *status; /* "" for any */
};
int audit_task_list(struct registry *r, const struct audit_task_filter *filter,
		    struct audit_place after, int64_t limit, audit_item_fn *fn, void *ctx) MUST_USE;

/* ---- Findings (section 3) ---- */

/* On 0 the caller has *ret, to json_decref. */
int audit_finding_get(struct registry *r, const char *id, json_t **ret) MUST_USE;

struct audit_finding_filter {
	const char *task; /* NULL: by time */
	int64_t from_ms, to_ms;
	const char *check;                  /* "" for any */
	json_t *identifier;                 /* NULL for any */
	int suppressed_min, suppressed_max; /* 0-0, 1-1 or 0-1 */
};
int audit_finding_list(struct registry *r, const struct audit_finding_filter *filter,
		       struct audit_place after, int64_t limit, audit_item_fn *fn,
		       void *ctx) MUST_USE;

#endif

/* Violations and their events as the evaluator's effects leave them (spec/detect.md sections 7-9).
 *
 *     violation         the active ones, a row each; gone when cleared or invalidated
 *     violation_event   what happened, keyed (part, seq, idx) like the effect; kept 30 days
 *     verification      what people said about a violation; written by the API only
 *
 * The evaluator writes the first two and nobody else does. */
#ifndef REGISTRY_VIOLATION_H
#define REGISTRY_VIOLATION_H

#include "base/compiler.h"
#include "detect/detect.h"
#include "store/sql.h"

/* Writes one effect in the evaluator's commit. Applying it again changes nothing: an event is keyed
 * by (part, seq, index), an active violation moves only forward in seq. 0, or a negative errno of
 * the sql_ functions. */
int violation_apply(struct sql_conn *txn, unsigned part, const struct effect *effect) MUST_USE;

/* Calls fn for each active violation of the store, ordered by id, for comparison with the
 * evaluator's state after recovery. The texts live during the call. 0, or a negative errno. */
typedef void violation_active_fn(const char *violation_id, const char *thing, const char *profile,
				 const char *behavior, void *ctx);
int violation_each_active(struct sql_conn *conn, violation_active_fn *fn, void *ctx) MUST_USE;

/* Deletes events older than `before_ms` and the verifications whose violation has neither a row nor
 * an event left. At most a few thousand rows a call: *ret_more tells that some are left. */
#define VIOLATION_RETENTION_MS (30LL * 24 * 3600 * 1000)
int violation_forget(struct sql_conn *txn, int64_t before_ms, int *ret_more) MUST_USE;

#endif

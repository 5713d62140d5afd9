/* The administrator trail (S18): who changed what, and who was refused.
 *
 * A change's row is written in the change's own transaction: there is no change without its record.
 * Nothing updates a row; old ones are deleted by age only, and no operation of the API does either.
 */
#ifndef API_TRAIL_H
#define API_TRAIL_H

#include "api/model.h"

struct trail_row {
	const char *id; /* the request's */
	int64_t at_ms;
	const char *key_id, *address;
	const char *operation; /* "" when none was reached */
	const char *target;    /* the thing, policy, task ... that the call named or made */
	const char *result;    /* "ok" or the exception */
	const char *detail; /* JSON object: "in", "out" or "message"; secrets and long texts are cut
			       out */
};

/* Texts are borrowed. */
int trail_add(struct sql_conn *txn, const struct trail_row *row) MUST_USE;

/* Calls fn for each row not older than since_ms, oldest first, until it returns non-zero (which is
 * returned). */
typedef int trail_fn(const struct trail_row *row, void *ctx);
int trail_each(struct sql_conn *reader, int64_t since_ms, trail_fn *fn, void *ctx) MUST_USE;

/* Deletes rows older than before_ms: the end of their retention. */
int trail_forget(struct sql_conn *txn, int64_t before_ms) MUST_USE;

/* What the trail says of a call: the URI's members joined by '/', else the first text that names
 * something. `out` may be NULL. Freed with g_free. */
char *trail_target(const struct operation *op, const json_t *in, const json_t *out);
/* {"in": ..., "out": ...} without secret members; texts are cut at 256 code points, the whole at 8
 * KiB. Freed with g_free. */
char *trail_detail(const struct operation *op, const json_t *in, const json_t *out);
/* {"message": ...} */
char *trail_message(const char *message);

#endif

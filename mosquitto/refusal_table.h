/* Refusals on their way to the daemon, the same to the same counted together.
 *
 *     count ──► waiting ──► told ──► resting ──► waiting again, when it was counted meanwhile
 *               (first come, first told)   1 s └─► forgotten
 *
 * A row is who, what and why. A new one is told at once, the same again at most once a second, and
 * all rows together not more than so many a second. The table is bounded (S12), in all and by who
 * answers for it: the certificate, or for who has none that counts, the address. What is beyond is
 * counted by owner, action and cause, and beyond all bounds by action and cause: each refusal is
 * counted exactly once. */
#ifndef PLUGIN_REFUSAL_TABLE_H
#define PLUGIN_REFUSAL_TABLE_H

#include "base/compiler.h"
#include "event/event.h"

#define REFUSAL_REST_MS 1000

struct refusal_table;

struct refusal_setup {
	size_t rows_max, rows_an_owner_max;
	unsigned tells_a_second_max;
	uint64_t seed; /* from chance */
	/* Takes an EVENT_REFUSED; false when there is no room now. */
	bool (*tell)(void *ctx, const struct event *e);
	void *ctx;
};

/* NULL without memory. */
struct refusal_table *refusal_table_new(const struct refusal_setup *setup);
void refusal_table_free(struct refusal_table *t);

/* Counts one refusal at server time at_ms. Texts are cut to what an event holds, who->session,
 * count and times are not looked at. */
void refusal_count(struct refusal_table *t, const struct event_refused *e, int64_t at_ms);
/* Tells what waits, within the rate; now_ms: monotonic. */
void refusal_tell(struct refusal_table *t, int64_t now_ms);
/* Tells all that was counted and not told, whatever the rate. */
void refusal_tell_all(struct refusal_table *t, int64_t now_ms);

/* Fill of the table, for EVENT_TABLE. */
struct event_table refusal_fill(const struct refusal_table *t);

#endif

/* What one producer delivers in one turn: entries in order, and which of its frames they belong to.
 */
#ifndef DAEMON_LOT_H
#define DAEMON_LOT_H

#include "daemon/batch.h"
#include "store/plog.h"

struct lot {
	const char *producer; /* borrowed; NULL: no frames, never dropped as a repetition */
	uint64_t first, last; /* frames; first 0: none yet */
	GArray *entries;      /* of struct plog_entry; bodies live in the turn's pages */
	GArray *reports;      /* of const struct report *, as long as entries; NULL: none */
	GArray *ends;         /* of size_t: entries up to the end of each frame */
};

void lot_init(struct lot *lot, const char *producer);
void lot_clear(struct lot *lot); /* frees; lot_empty only forgets what is in it */
void lot_empty(struct lot *lot);

void lot_add(struct lot *lot, enum entry_kind kind, int64_t at_ms, struct view body,
	     const struct report *report);
/* What was added since the last call was frame `number`, one more than the last. */
void lot_end_frame(struct lot *lot, uint64_t number);

bool lot_has_news(const struct lot *lot);
struct plog_batch lot_batch(const struct lot *lot);
/* After the append: gives the entries with their numbers to the evaluator's batch. */
void lot_hand_over(const struct lot *lot, const struct plog_batch *appended, struct batch *batch);

#endif

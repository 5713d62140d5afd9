/* What the daemon does by server time: marks, the plugins' time, the end of retentions. Runs on the
 * main thread. */
#ifndef DAEMON_DEADLINES_H
#define DAEMON_DEADLINES_H

#include "daemon/evaluate.h"
#include "daemon/ingest.h"

struct deadlines;

struct deadlines_options {
	struct clock *clock;
	struct store *store;
	struct ingest *ingest;
	struct evaluator *evaluator;
	int64_t last_mark_ms; /* of the log, 0: none yet; the one that fell into our absence is due
				 at once */
	/* What is older is deleted, once a day. */
	int64_t trail_days, violation_days, denial_days, containment_days;
};

/* Sets them; with a real clock they run from the main loop, with a manual one from
 * deadlines_advance. */
struct deadlines *deadlines_new(const struct deadlines_options *options);
void deadlines_free(struct deadlines *d);

/* Manual clocks: server time moves on by ms. Returns when everything on the way has been done:
 * frames delivered, marks appended, the evaluator at the head of the log. */
void deadlines_advance(struct deadlines *d, int64_t ms);

#endif

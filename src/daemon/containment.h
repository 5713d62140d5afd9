/* The containments' thread: judges those that are under way (contain/contain.h) and tells what
 * became of them: a record, a log line, counters.
 *
 * It looks at tables only, which the evaluator's commits keep (ledger/contained.h), and at the
 * snapshot file as the brokers read it (daemon/containment_ask.h); so it may stop and start at any
 * time. */
#ifndef DAEMON_CONTAINMENT_H
#define DAEMON_CONTAINMENT_H

#include "base/chance.h"
#include "base/clock.h"
#include "contain/contain.h"
#include "daemon/ready.h"
#include "store/store.h"

struct containments;

struct containments_options {
	struct store *store;
	struct clock *clock;
	struct chance chance;
	struct ready *ready;
	const char *snapshot; /* path of the file */
	struct contain_limits limits;
};

int containments_new(const struct containments_options *options, struct containments **ret,
		     struct fault *fault) MUST_USE;
/* Ends the thread; takes NULL. */
void containments_free(struct containments *c);

#endif

/* Asks the policy engine about a containment: can a device still do what was taken away?
 *
 * contain/escape.h is the search for such a way out. What it needs is brought to it here: from the
 * store what was taken away and whom that concerns, and from the snapshot file what is in force.
 * That file holds the same bytes that the brokers read and is followed as they follow it, so a
 * fault on the way there shows.
 *
 * Loading it takes as long as the fleet is large: it is kept while round after round asks, and let
 * go after one that did not. For one thread. */
#ifndef DAEMON_CONTAINMENT_ASK_H
#define DAEMON_CONTAINMENT_ASK_H

#include "base/chance.h"
#include "contain/contain.h"
#include "store/store.h"

struct containment_asker;

/* snapshot: path of the file, borrowed. */
struct containment_asker *containment_asker_new(const char *snapshot, struct chance chance);
/* Takes NULL. */
void containment_asker_free(struct containment_asker *a);

/* Of a containment (registry/containment.h), what the answer depends on. */
struct containment_question {
	int64_t id;
	enum contain_kind kind;
	uint64_t generation; /* the snapshot has to have it, or a later one */
	const char *target, *detail;
	bool is_sample;
};

/* 0, or a negative errno: -EAGAIN while the file is not as needed. *ret_escape is what ret->escape
 * points to: NULL, or the first way out in words (g_free). */
int containment_ask(struct containment_asker *asker, struct sql_conn *reader,
		    const struct containment_question *question, struct contain_asked *ret,
		    char **ret_escape) MUST_USE;
/* All that are under way were judged once. */
void containment_asker_end_round(struct containment_asker *a);

#endif

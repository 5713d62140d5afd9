/* What one round of the publisher brings (daemon/publish.h): from the changes of the store, as one
 * view of it shows them, the entries for the log and the records for the snapshot.
 *
 * Each change row is one frame of producer "change", with as many entries as it has: none for what
 * only the snapshot knows. A key that changed twice is told once, as it is now. */
#ifndef DAEMON_PUBLISH_ROUND_H
#define DAEMON_PUBLISH_ROUND_H

#include "broker/snapshot_write.h"
#include "store/plog.h"

struct publish_round {
	/* Given. */
	struct sql_conn *reader;
	int64_t now_ms;
	uint64_t logged;  /* generation that the log has */
	uint64_t written; /* generation that the snapshot has */
	bool is_fresh;    /* the log is to get everything, not the changes alone */

	/* Found. */
	uint64_t g;                       /* newest generation of the view */
	GArray *entries;                  /* of struct plog_entry */
	GArray *ends;                     /* of size_t: for each frame, how many entries up to it */
	struct snapshot_builder *records; /* of changes behind `written` */
	struct fault fault;

	GPtrArray *bodies; /* of GByteArray: the entries' */
	GHashTable *told;  /* keys whose entry or record is there already */
};

/* The given members are set; takes nothing. */
void publish_round_init(struct publish_round *round);
void publish_round_clear(struct publish_round *round);

/* Looks at the store, in one view. 0, or a negative errno, perhaps with the fault filled. */
int publish_round_look(struct publish_round *round) MUST_USE;

#endif

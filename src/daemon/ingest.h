/* Ingest: the channel's thread, and the only one that appends to the log (architecture section 2).
 *
 * A turn reads what the plugins sent, takes what other threads want appended, makes all of it
 * durable in one transaction, and only then answers. The order of the durable steps:
 *   1. frames are read, judged and become entries; nothing is answered;
 *   2. one append: entries and the producers' last frames, or neither;
 *   3. answers and acknowledgements leave, a frame's acknowledgement with its last answer; the
 * doorbell rings;
 *   4. the evaluator gets the entries.
 * A crash before 2: the plugin sends the frames again and nothing is known of them. Between 2 and
 * 3: it sends them again, their numbers say that they are durable, and they are only answered
 * again. After 3: the evaluator reads the log. When the disk is full the turn waits as it is and is
 * tried again every second; nothing is read meanwhile, the plugins' queues fill, and what was
 * announced still goes down. */
#ifndef DAEMON_INGEST_H
#define DAEMON_INGEST_H

#include "base/chance.h"
#include "base/clock.h"
#include "broker/channel.h"
#include "daemon/admission.h"
#include "daemon/evaluate.h"
#include "daemon/ready.h"
#include "store/plog.h"

struct ingest;

struct ingest_options {
	struct store *store;
	unsigned part;
	struct clock *clock;
	struct chance chance;
	struct evaluator *evaluator;
	struct ready *ready;
	struct admission_limits limits; /* without its seed */
	struct channel_options channel; /* without its events */
	const char *doorbell;           /* path of the broker's local listener */
	uint64_t generation;            /* of the snapshot that is there */
};

/* Opens the channel, fills admission from the evaluator's state and the end of the log, starts the
 * thread. */
int ingest_new(const struct ingest_options *options, struct ingest **ret,
	       struct fault *fault) MUST_USE;
/* Finishes the turn under way, closes the channel, ends the thread. Requests of other threads must
 * have ended. */
void ingest_free(struct ingest *g);

/* The calls of other threads. */

/* Appends a batch and waits until it is durable: 0, or -ENOSPC when the disk is full: nothing of it
 * is taken. What the batch points to is borrowed until then. */
int ingest_append(struct ingest *g, const struct plog_batch *batch) MUST_USE;
/* Tells every plugin that a snapshot of this generation is there; on return it is in their sockets.
 */
void ingest_announce(struct ingest *g, uint64_t generation);
/* The generation that every connected plugin has applied; UINT64_MAX: none is connected. */
uint64_t ingest_applied(struct ingest *g);
/* Tells every plugin the server time. Does not wait. */
void ingest_tell_time(struct ingest *g);
/* Asks for a mark (marks.h). Does not wait. */
void ingest_mark(struct ingest *g, int64_t t_ms);
/* Tells the plugins the time, has them send what they hold, and waits until that and every pending
 * mark is durable; at most INGEST_FLUSH_MS for a plugin that does not answer. Returns the number of
 * the log's last entry. */
#define INGEST_FLUSH_MS 10000
uint64_t ingest_settle(struct ingest *g);

#endif

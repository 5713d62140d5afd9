/* The evaluator's thread: durable entries in, committed effects out (architecture sections 2.4
 * and 2.5).
 *
 * Order of the durable steps, and why a crash between any two loses and doubles nothing:
 *   1. entries are in the log before they come here (ingest.h);
 *   2. their effects and the new offset are committed in one transaction; entries without effects
 * only move the offset with the next commit: evaluated again, they are again without effects;
 *   3. a checkpoint is written only of a state whose offset is committed, so it never knows more
 * than the store;
 *   4. the log is cut only below the older of two checkpoints, and never below the last hour.
 * After a start: newest checkpoint not beyond the offset, then the log from there; effects up to
 * the offset are thrown away, those behind it are committed as if live. */
#ifndef DAEMON_EVALUATE_H
#define DAEMON_EVALUATE_H

#include "daemon/batch.h"
#include "daemon/ready.h"
#include "store/store.h"

struct evaluator;

/* Who writes tables of its own from what brokers told: entries of kind EVENT (but COUNTERS), HELLO,
 * BROKER_GONE and CUT, each once, in the commit that moves the offset over them. */
struct entry_consumer {
	/* 0, or a negative errno; the transaction may be run again with the same entries. */
	int (*take)(void *ctx, struct sql_conn *txn, const struct detect_entry *entries, size_t n);
	void (*committed)(void *ctx); /* what was taken last is */
	void *ctx;
};

struct evaluator_options {
	struct store *store;
	struct ready *ready;
	unsigned part;
	uint64_t epoch; /* of the lease */
	const char *state_dir;
	uint64_t checkpoint_entries; /* a checkpoint comes after so many, or with a mark */
	struct detect_limits limits;
	struct entry_consumer consumer; /* without `take`: nobody */
};

/* Recovers, on the caller's thread: on return 0 the state stands at the head of the log.
 * *ret_is_fresh: there was neither a checkpoint nor the whole log, so configuration and things must
 * be told anew. 0, or -1 with the reason. */
int evaluator_new(const struct evaluator_options *options, struct evaluator **ret,
		  bool *ret_is_fresh, struct fault *fault) MUST_USE;

/* The last report of every device, from the recovered state; before evaluator_start. */
void evaluator_each_device(const struct evaluator *e, detect_device_fn *fn, void *ctx);

/* The last mark of the log, 0: none yet; before evaluator_start. */
int64_t evaluator_last_mark(const struct evaluator *e);

int evaluator_start(struct evaluator *e, struct fault *fault) MUST_USE;
/* Takes everything pushed, commits, writes a checkpoint, ends the thread. */
void evaluator_free(struct evaluator *e);

/* Takes the batch. Waits while more than EVALUATOR_BEHIND_MAX bytes are waiting. */
#define EVALUATOR_BEHIND_MAX (256U << 20)
void evaluator_push(struct evaluator *e, struct batch *batch);

/* Waits until every entry up to seq is evaluated and its effects are committed. */
void evaluator_wait(struct evaluator *e, uint64_t seq);

#endif

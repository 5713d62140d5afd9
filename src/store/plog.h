/* The partition log: what is evaluated, in order, durable before it is acknowledged (architecture
 * section 4).
 *
 *   append   one durable transaction takes whatever is waiting, from any number of producers.
 * Frames that a producer already delivered are dropped; sequence numbers have no holes. read the
 * entries of a partition from a sequence number on. commit   moves the offset and writes all
 * effects of evaluation, or neither. lease    one owner at a time. (Embedded: the lock on the data
 * directory.)
 *
 * A row of table `log` holds the entries of one append, or of a part of a large one: (part, seq of
 * the first, at of the last, body). Entries are opaque here: kind, time and body; detect/entry.h
 * knows them. Every function may be called from any thread; appends wait for each other in FIFO
 * order. */
#ifndef STORE_PLOG_H
#define STORE_PLOG_H

#include "base/view.h"
#include "store/store.h"

struct plog_entry {
	uint64_t seq; /* given by append, told by read; from 1 */
	int64_t at_ms;
	uint8_t kind;
	struct view body; /* at most PLOG_BODY_MAX bytes */
};

#define PLOG_BODY_MAX     (64U << 20)
#define PLOG_PRODUCER_MAX 128

/* What one producer delivers: the entries of its frames first_frame..last_frame, contiguous,
 * numbered from 1. When part of that range was taken before, `frame_ends[i]` (how many entries
 * belong to frames up to first_frame + i) tells what to drop. */
struct plog_batch {
	const char *producer; /* NULL: the daemon's own entries, which have no frames and are always
				 taken */
	uint64_t first_frame, last_frame;
	const struct plog_entry *entries;
	size_t n_entries;
	const size_t *
		frame_ends; /* last_frame - first_frame + 1 numbers; NULL: the batch is one frame */
	/* Told by plog_append: how many entries were dropped from the front, and the first sequence
	 * number given (0 when none was). */
	size_t ret_dropped;
	uint64_t ret_first_seq;
};

/* Durable on return 0. first_frame above the producer's last + 1 is a gap: -EPROTO, nothing of any
 * batch is taken. -EINVAL: a producer's name is no UTF-8 or longer than PLOG_PRODUCER_MAX bytes.
 * -ENOSPC: the disk is full, nothing is taken. Other negative errno: the store failed, and whether
 * the append was done is unknown: the producers' last frames tell after a new start (the daemon
 * ends: an fsync error is final). */
int plog_append(struct store *store, unsigned part, struct plog_batch *batches,
		size_t n_batches) MUST_USE;

/* The last frame taken from a producer, 0 when it is unknown. */
int plog_last_frame(struct store *store, unsigned part, const char *producer,
		    uint64_t *ret_frame) MUST_USE;

/* The sequence number of the last entry, and the committed offset (every entry up to it has been
 * evaluated). */
int plog_head(struct store *store, unsigned part, uint64_t *ret_seq) MUST_USE;
int plog_offset(struct store *store, unsigned part, uint64_t *ret_seq) MUST_USE;

/* Calls fn for each entry with seq >= from, in order, until fn returns non-zero (which is returned)
 * or the head is reached. from 0: the oldest that is there. No transaction is open while fn runs;
 * entry bodies live during the call. -ENODATA: the entry `from` has been cut. -EIO: a row is
 * damaged or missing. */
typedef int plog_fn(const struct plog_entry *entry, void *ctx);
int plog_read(struct store *store, unsigned part, uint64_t from, plog_fn *fn, void *ctx) MUST_USE;

/* In one transaction of main: moves the offset from `from` to `to` and runs `effects` (as
 * store_write does). -ESTALE when the offset is not `from` or the lease is no longer ours: nothing
 * is written. */
int plog_commit(struct store *store, unsigned part, uint64_t epoch, uint64_t from, uint64_t to,
		store_write_fn *effects, void *ctx) MUST_USE;

/* Takes the partition for `owner` until `until_ms`, or takes it longer. Each running daemon has a
 * name of its own. *ret_epoch grows with every change of owner and fences the old owner's commits.
 * -EBUSY: somebody else's lease has not ended at now_ms. */
int plog_lease(struct store *store, unsigned part, const char *owner, int64_t now_ms,
	       int64_t until_ms, uint64_t *ret_epoch) MUST_USE;

/* Forgets rows whose entries all have seq < before, some at a time. Never beyond the offset; the
 * newest row stays. */
int plog_cut(struct store *store, unsigned part, uint64_t before) MUST_USE;

#endif

/* Checkpoints of the evaluator's state as files: DIR/state/checkpoint-SEQ, the two newest kept.
 *
 * A checkpoint is written under another name, fsynced, renamed, the directory fsynced: a file with
 * the right name is whole (and detect_load checks it). One is usable only up to the committed
 * offset: a state that is ahead of the store (the database was restored from a backup) would not
 * tell its alarms again. */
#ifndef DAEMON_CHECKPOINT_H
#define DAEMON_CHECKPOINT_H

#include "detect/detect.h"

/* The newest usable state, or a fresh one with *ret_seq 0. Unreadable files are logged and passed
 * over. 0, or a negative errno when memory or the directory failed. */
int checkpoint_load(const char *dir, const struct detect_limits *limits, uint64_t offset,
		    struct detect **ret, uint64_t *ret_seq) MUST_USE;

/* Writes one durably and removes those older than the two newest. *ret_oldest (on 0) is the
 * sequence number of the oldest that is left, 0 while there are less than two: the log is needed
 * from there on. 0, or a negative errno. */
int checkpoint_write(const char *dir, uint64_t seq, const void *bytes, size_t n,
		     uint64_t *ret_oldest) MUST_USE;

#endif

/* Writes checkpoints on a thread of its own, one at a time, so that evaluation does not wait for
 * the disk. */
#ifndef DAEMON_SAVER_H
#define DAEMON_SAVER_H

#include "daemon/ready.h"

#include <stddef.h>

struct saver;

struct saver *saver_new(const char *dir, struct ready *ready);
/* Waits for the one under way. */
void saver_free(struct saver *s);

bool saver_is_busy(struct saver *s);
/* Returns when it is not. */
void saver_wait(struct saver *s);
/* Takes `bytes` (malloc) and starts writing them as checkpoint `seq`. Only when it is not busy. */
void saver_start(struct saver *s, uint64_t seq, void *bytes, size_t n);
/* The sequence number from which on the log is needed, as of the last one written; 0: all of it. */
uint64_t saver_oldest(struct saver *s);

#endif

/* Server time and what is due by it (architecture section 7).
 *
 * A clock is the system's, or manual: then it stands still until clock_advance. Everything of the
 * daemon that speaks of time, data and schedules asks this clock; SigV4 and TLS ask the system's.
 * Deadlines are kept in one heap and run in the order (time, the order they were set in), on the
 * thread that calls clock_run or clock_advance: the main thread. clock_now_ms may be called from
 * any thread. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include "base/compiler.h"

#include <stdbool.h>
#include <stdint.h>

struct clock;

/* A clock that follows the system's, or a manual one that starts at start_ms. The caller frees. */
struct clock *clock_new_real(void);
struct clock *clock_new_manual(int64_t start_ms);
void clock_free(struct clock *c);

/* Milliseconds since the Unix epoch. Never goes backwards within a process. */
int64_t clock_now_ms(struct clock *c);
bool clock_is_manual(const struct clock *c);

/* Called when a deadline has come; `at_ms` is the time it was set for. It may set deadlines. */
typedef void clock_fn(void *ctx, int64_t at_ms);

/* Sets a deadline and returns its handle, never 0. clock_cancel takes it back; a handle that has
 * run or is 0 is ignored. Main thread only. */
uint64_t clock_at(struct clock *c, int64_t at_ms, clock_fn *fn, void *ctx);
void clock_cancel(struct clock *c, uint64_t handle);

/* Runs what is due. Returns the milliseconds until the next deadline, or -1 when there is none. */
int64_t clock_run(struct clock *c);

/* Manual clocks only: goes to now + ms, stopping at each deadline on the way to run it at its own
 * time. `settle` (may be NULL) is called after each deadline and at the end: it returns when all
 * that the deadline set off has been done (frames delivered, evaluator at the head of the log). */
void clock_advance(struct clock *c, int64_t ms, void (*settle)(void *ctx), void *ctx);

#endif

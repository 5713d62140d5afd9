/* What a device's newest reports said of one counter, as far back as a behavior looks.
 *
 * A counter is a delta: it covers the time since the previous accepted report. The value for a
 * duration d is the sum over the newest reports, walking back until they cover d - 60 s
 * (spec/detect.md section 5.6); with fewer reports it is the sum of those there are. Sums stop at
 * 2^64 - 1. */
#ifndef DETECT_WINDOW_H
#define DETECT_WINDOW_H

#include "base/cursor.h"
#include "detect/arena.h"

#define WINDOW_SLACK_S   60
#define WINDOW_STEPS_MAX 4096 /* reports remembered; beyond that the two oldest become one */

/* A window is an offset in the arena, 0 when nothing is remembered. Adds a report's value that
 * covers cover_ms, forgets what no duration up to longest_s needs. False when there is no memory.
 */
bool window_add(struct arena *a, uint32_t *window, uint64_t value, uint64_t cover_ms,
		uint32_t longest_s) MUST_USE;
uint64_t window_sum(const struct arena *a, uint32_t window, uint32_t duration_s);
void window_drop(struct arena *a, uint32_t *window);

/* Checkpoints. window_load: 0, -EBADMSG, -ENOMEM. */
void window_save(const struct arena *a, uint32_t window, struct writer *out);
int window_load(struct arena *a, uint32_t *window, struct reader *r) MUST_USE;

#endif

/* The second half of a step: datapoints move the state machine of each (thing, profile, behavior),
 * and what it does leaves as effects (spec/detect.md section 7). */
#ifndef DETECT_JUDGE_H
#define DETECT_JUDGE_H

#include "detect/config.h"
#include "detect/detect.h"
#include "detect/device.h"

#define SILENCE_MAX_MS (2LL * 24 * 3600 * 1000) /* without a datapoint, then an alarm lapses */

/* One entry's effects on their way out: they are numbered in the order they happen. */
struct outlet {
	uint64_t seq;
	uint32_t index;
	int64_t at_ms;
	effect_fn *fn;
	void *ctx;
};

/* A datapoint. 0, -ENOMEM, or what the effect's receiver returned. */
int judge(struct outlet *out, const struct config *config, struct shard *s, struct device *d,
	  struct track *t, const struct value *v, bool is_own) MUST_USE;

/* Ends an alarm that is open without a datapoint; nothing when none is. `behavior` as it was. */
int judge_invalidate(struct outlet *out, const struct config *config, struct shard *s,
		     struct device *d, struct track *t) MUST_USE;

#endif

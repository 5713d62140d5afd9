/* The body of struct detect: shared by the steps and the checkpoints, nobody else's business. */
#ifndef DETECT_STATE_H
#define DETECT_STATE_H

#include "detect/config.h"
#include "detect/detect.h"
#include "detect/device.h"

struct detect {
	struct detect_limits limits;
	struct config *config;
	struct shard shards[DETECT_SHARDS];
	int64_t mark_ms; /* time has reached this mark, 0: none yet */
	uint64_t n_unregistered, dropped_unregistered, datapoints;
	struct report_arena
		arena; /* for reports that the caller has not decoded; made at first need */
};

/* Times are compared by subtraction; what is not one after 1970 was damaged. */
static inline bool time_is_sane(int64_t ms)
{
	return ms >= 0 && ms < INT64_C(1) << 60;
}

#endif

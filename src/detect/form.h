/* The first half of a step: from a report to the datapoints that behaviors ask for (spec/detect.md
 * section 5.6, spec/device-reports.md section 7). Nothing is formed that no behavior names. */
#ifndef DETECT_FORM_H
#define DETECT_FORM_H

#include "detect/config.h"
#include "detect/detect.h"
#include "detect/device.h"

/* One report on its way through the device's behaviors. */
struct form {
	const struct config *config;
	const struct report *report;
	struct shard *shard;
	struct device *device;
	uint64_t cover_ms; /* since the previous accepted report */
	unsigned taken;    /* bit 1 << report_counter: already in its window */
};

/* 1 with the value that the report gives for the behavior, 0 when it gives none, -ENOMEM. */
int form_value(struct form *f, const struct behavior *b, struct value *ret) MUST_USE;

/* The counter that a metric sums over time; REPORT_COUNTERS when it sums none. */
enum report_counter metric_counter(enum metric_id id);

#endif

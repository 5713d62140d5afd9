/* The dimensions in force: named sets of topic filters, by which messages and refusals are counted
 * apart as well (spec/detect.md section 3). An account has ten, of a hundred filters each: that is
 * what a message costs at most, and nothing while there are none. Filters that change count from
 * then on, under the same name.
 *
 * They are not copied: they point into the snapshot in force, and are taken anew with each. */
#ifndef PLUGIN_DIMENSIONS_H
#define PLUGIN_DIMENSIONS_H

#include "event/event.h"
#include "mosquitto/rules.h"

struct dimensions {
	uint64_t epoch; /* rules.dimensions, as of when they were taken */
	unsigned n;
	struct snapshot_dimension all[EVENT_DIMENSIONS_MAX];
};

/* Takes those of the rules in force, if they may have changed. To be called after each rules_poll.
 */
void dimensions_follow(struct dimensions *d, const struct rules *rules);

/* True when a filter of the dimension is for the topic. A client id in place of ${iot:ClientId} is
 * bytes like others: nothing in it acts as a wildcard. */
bool dimension_holds(const struct snapshot_dimension *d, struct view topic, struct view client_id);

#endif

/* Which behaviors judge a device, and what becomes of its alarms when that changes (spec/detect.md
 * section 2, and the lifecycle table of section 7). */
#ifndef DETECT_COVER_H
#define DETECT_COVER_H

#include "detect/judge.h"

/* Where the behaviors of a new configuration come from in the old one. */
struct lineage {
	const struct config *old, *new;
	struct ancestor {
		uint32_t behavior; /* index in old, or NO_ANCESTOR: a new one, or one of another
				      kind */
		bool is_unchanged; /* false: its rule changed: alarms stay, counters start again */
	} * from; /* one for each behavior of new; NULL: old and new are the same */
};

#define NO_ANCESTOR UINT32_MAX

/* old may be NULL. 0, or -ENOMEM. Ended with lineage_release. */
int lineage_make(const struct config *old, const struct config *new, struct lineage *ret) MUST_USE;
void lineage_release(struct lineage *l);

/* Makes the device's tracks anew for l->new: states are carried over by lineage, alarms of
 * behaviors that cover it no longer are invalidated. 0, -ENOMEM, or what the effect's receiver
 * returned. */
int cover_device(struct outlet *out, const struct lineage *l, struct shard *s,
		 struct device *d) MUST_USE;

#endif

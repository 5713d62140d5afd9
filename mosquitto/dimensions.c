#include "mosquitto/dimensions.h"

#include "mosquitto/topic.h"

void dimensions_follow(struct dimensions *d, const struct rules *rules)
{
	if (d->epoch == rules->dimensions)
		return;
	d->epoch = rules->dimensions;
	d->n = snapshot_dimensions(rules->snapshot, d->all, EVENT_DIMENSIONS_MAX);
}

bool dimension_holds(const struct snapshot_dimension *d, struct view topic, struct view client_id)
{
	struct snapshot_names filters = d->filters;
	struct view filter;
	while (snapshot_next_name(&filters, &filter))
		if (topic_matches(topic, filter, client_id))
			return true;
	return false;
}

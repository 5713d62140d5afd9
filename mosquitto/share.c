#include "mosquitto/share.h"

#define PRINCIPALS_MIN 1000

static uint64_t held_by(const struct share *one, const struct share_queue *queue)
{
	return one->frame >= queue->first_frame ? one->bytes : 0;
}

bool share_allows(const struct share *one, uint64_t bytes, const struct share_queue *queue)
{
	uint64_t for_shares = queue->cap / 2;
	if (queue->held + bytes > queue->cap)
		return false;
	if (queue->held + bytes <= queue->cap - for_shares)
		return true;
	uint64_t held = held_by(one, queue);
	uint64_t n = queue->principals > PRINCIPALS_MIN ? queue->principals : PRINCIPALS_MIN;
	/* One report fits any share. */
	return held == 0 || held + bytes <= for_shares / n;
}

void share_take(struct share *one, uint64_t bytes, const struct share_queue *queue)
{
	one->bytes = held_by(one, queue) + bytes;
	one->frame = queue->last_frame;
}

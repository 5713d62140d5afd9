#include "mosquitto/uplink_queue.h"

#include <stdlib.h>
#include <string.h>

void uplink_queue_init(struct uplink_queue *q)
{
	TAILQ_INIT(&q->slots);
	q->unsent = NULL;
	q->bytes = 0;
	q->held = (struct queue_held){0};
}

static size_t slot_cost(const struct frame_slot *slot)
{
	return sizeof(*slot) + slot->n;
}

static void drop_first(struct uplink_queue *q, struct frame_slot *slot)
{
	if (q->unsent == slot)
		q->unsent = TAILQ_NEXT(slot, link);
	TAILQ_REMOVE(&q->slots, slot, link);
	q->bytes -= slot_cost(slot);
	for (unsigned i = 0; i < PARTS; i++)
		q->held.bytes[i] -= slot->held.bytes[i];
	free(slot);
}

void uplink_queue_release(struct uplink_queue *q)
{
	struct frame_slot *slot;
	while ((slot = TAILQ_FIRST(&q->slots)))
		drop_first(q, slot);
}

int uplink_queue_append(struct uplink_queue *q, uint64_t number, const void *datagram, size_t n,
			const struct queue_held *held)
{
	struct frame_slot *slot = malloc(sizeof(*slot) + n);
	if (!slot)
		return -1;
	slot->number = number;
	slot->n = n;
	slot->held = *held;
	for (unsigned i = 0; i < PARTS; i++)
		q->held.bytes[i] += held->bytes[i];
	memcpy(slot->bytes, datagram, n);
	TAILQ_INSERT_TAIL(&q->slots, slot, link);
	if (!q->unsent)
		q->unsent = slot;
	q->bytes += slot_cost(slot);
	return 0;
}

void uplink_queue_acknowledge(struct uplink_queue *q, uint64_t number)
{
	struct frame_slot *slot;
	while ((slot = TAILQ_FIRST(&q->slots)) && slot->number <= number)
		drop_first(q, slot);
}

void uplink_queue_rewind(struct uplink_queue *q)
{
	q->unsent = TAILQ_FIRST(&q->slots);
}

void uplink_queue_sent(struct uplink_queue *q)
{
	q->unsent = TAILQ_NEXT(q->unsent, link);
}

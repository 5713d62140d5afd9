/* The frames an uplink keeps: in the order of their numbers, which have no gaps. What they hold is
 * reckoned by kinds of events, so that a flood of one leaves room for the others. */
#ifndef PLUGIN_UPLINK_QUEUE_H
#define PLUGIN_UPLINK_QUEUE_H

#include <stdint.h>
#include <stddef.h>
#include <sys/queue.h>

enum queue_part { PART_REPORTS, PART_SESSIONS, PART_REFUSALS, PART_COUNTERS, PART_MARKS, PARTS };

/* Bytes of events, by part. */
struct queue_held {
	size_t bytes[PARTS];
};

struct frame_slot {
	TAILQ_ENTRY(frame_slot) link;
	uint64_t number;
	struct queue_held held;
	size_t n;
	uint8_t bytes[];
};

struct uplink_queue {
	TAILQ_HEAD(frame_slots, frame_slot) slots;
	struct frame_slot *unsent; /* the first that was not sent on this connection, NULL: none */
	size_t bytes;              /* in all, with what each slot costs */
	struct queue_held held;
};

void uplink_queue_init(struct uplink_queue *q);
/* Frees what is held. */
void uplink_queue_release(struct uplink_queue *q);
/* Appends a copy of a datagram, with what it holds. 0, or -1 without memory. */
int uplink_queue_append(struct uplink_queue *q, uint64_t number, const void *datagram, size_t n,
			const struct queue_held *held);
/* Forgets the frames up to `number`. */
void uplink_queue_acknowledge(struct uplink_queue *q, uint64_t number);
/* A new connection: all that is held is to be sent again. */
void uplink_queue_rewind(struct uplink_queue *q);
/* The first unsent has been sent. */
void uplink_queue_sent(struct uplink_queue *q);

#endif

/* The one way from thread to thread: a queue of owned items with an eventfd to wait on.
 *
 * Any thread pushes; one thread takes all that is there at once, in the order of pushing. An item
 * embeds a `struct queue_item` and belongs to the queue between the two. */
#ifndef BASE_QUEUE_H
#define BASE_QUEUE_H

#include "base/compiler.h"

#include <stdbool.h>

struct queue;

struct queue_item {
	struct queue_item *next;
};

/* NULL only when the system has no file descriptor left (errno is set). */
struct queue *queue_new(void) MUST_USE;
/* The queue must be empty. */
void queue_free(struct queue *q);

void queue_push(struct queue *q, struct queue_item *item);
/* Everything pushed so far as a list, oldest first; NULL when empty. Clears the eventfd. */
struct queue_item *queue_take(struct queue *q);
/* Readable while the queue is not empty: for poll and epoll. */
int queue_fd(const struct queue *q);
/* Waits until the queue is not empty, at most timeout_ms (-1: for ever). False when time was up or
 * a signal came. */
bool queue_wait(struct queue *q, int timeout_ms);

#endif

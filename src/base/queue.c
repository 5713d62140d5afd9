#include "base/queue.h"

#include "base/check.h"

#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct queue {
	pthread_mutex_t lock;
	struct queue_item *first, **last;
	int fd;
};

struct queue *queue_new(void)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (fd < 0)
		return NULL;
	struct queue *q = calloc(1, sizeof(*q));
	CHECK(q);
	CHECK(pthread_mutex_init(&q->lock, NULL) == 0);
	q->last = &q->first;
	q->fd = fd;
	return q;
}

void queue_free(struct queue *q)
{
	if (!q)
		return;
	CHECK(!q->first);
	(void)close(q->fd);
	(void)pthread_mutex_destroy(&q->lock);
	free(q);
}

void queue_push(struct queue *q, struct queue_item *item)
{
	item->next = NULL;
	CHECK(pthread_mutex_lock(&q->lock) == 0);
	bool was_empty = !q->first;
	*q->last = item;
	q->last = &item->next;
	if (was_empty) {
		uint64_t one = 1;
		CHECK(write(q->fd, &one, sizeof(one)) == (ssize_t)sizeof(one));
	}
	CHECK(pthread_mutex_unlock(&q->lock) == 0);
}

struct queue_item *queue_take(struct queue *q)
{
	CHECK(pthread_mutex_lock(&q->lock) == 0);
	struct queue_item *items = q->first;
	if (items) {
		uint64_t n;
		CHECK(read(q->fd, &n, sizeof(n)) == (ssize_t)sizeof(n));
	}
	q->first = NULL;
	q->last = &q->first;
	CHECK(pthread_mutex_unlock(&q->lock) == 0);
	return items;
}

int queue_fd(const struct queue *q)
{
	return q->fd;
}

bool queue_wait(struct queue *q, int timeout_ms)
{
	struct pollfd p = {.fd = q->fd, .events = POLLIN};
	return poll(&p, 1, timeout_ms) == 1;
}

/* A lock that is given in the order it was asked for. A plain mutex lets the thread that just let
 * go take it again: two writers in a loop kept the log waiting for seconds (measured). */
#ifndef STORE_FIFO_PRIV_H
#define STORE_FIFO_PRIV_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct fifo {
	pthread_mutex_t mutex;
	pthread_cond_t moved;
	uint64_t next_ticket, serving;
	pthread_t holder;
	bool is_held;
};

void fifo_init(struct fifo *f);
void fifo_release(struct fifo *f);
/* Taking it twice in one thread is a CHECK. */
void fifo_lock(struct fifo *f);
void fifo_unlock(struct fifo *f);

#endif

/* The lock goes to whoever asked first. */
#include "store/fifo_priv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sched.h>

#define THREADS 8

struct waiter {
	struct fifo *fifo;
	unsigned *turn; /* under the lock */
	unsigned mine;  /* result */
};

static void *wait_in_line(void *ctx)
{
	struct waiter *w = ctx;
	fifo_lock(w->fifo);
	w->mine = (*w->turn)++;
	fifo_unlock(w->fifo);
	return NULL;
}

static uint64_t tickets(struct fifo *f)
{
	pthread_mutex_lock(&f->mutex);
	uint64_t n = f->next_ticket;
	pthread_mutex_unlock(&f->mutex);
	return n;
}

static void serves_in_order(void **state)
{
	(void)state;
	struct fifo fifo;
	unsigned turn = 0;
	struct waiter waiters[THREADS];
	pthread_t threads[THREADS];
	fifo_init(&fifo);
	fifo_lock(&fifo);
	for (unsigned i = 0; i < THREADS; i++) {
		waiters[i] = (struct waiter){.fifo = &fifo, .turn = &turn};
		assert_int_equal(pthread_create(&threads[i], NULL, wait_in_line, &waiters[i]), 0);
		while (tickets(&fifo) != i + 2)
			(void)sched_yield();
	}
	fifo_unlock(&fifo);
	for (unsigned i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		assert_int_equal(waiters[i].mine, i);
	}
	fifo_release(&fifo);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(serves_in_order)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The queue between threads: nothing lost, each producer's order kept, the descriptor tells the
 * truth. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/queue.h"

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>

#define N_PRODUCERS 4
#define N_ITEMS     5000

struct number {
	struct queue_item item; /* first: an item is the number it begins */
	unsigned producer, value;
};

static void gives_back_in_order(void **state)
{
	(void)state;
	struct queue *q = queue_new();
	struct number numbers[3] = {
		{{NULL}, 0, 0},
                {{NULL}, 0, 1},
                {{NULL}, 0, 2}
        };
	assert_non_null(q);
	assert_null(queue_take(q));
	assert_false(queue_wait(q, 0));
	for (unsigned i = 0; i < 3; i++)
		queue_push(q, &numbers[i].item);
	struct pollfd p = {.fd = queue_fd(q), .events = POLLIN};
	assert_int_equal(poll(&p, 1, 0), 1);
	assert_true(queue_wait(q, 0));
	const struct queue_item *item = queue_take(q);
	for (unsigned i = 0; i < 3; i++, item = item->next)
		assert_ptr_equal(item, &numbers[i].item);
	assert_null(item);
	assert_false(queue_wait(q, 0));
	queue_push(q, &numbers[0].item);
	assert_ptr_equal(queue_take(q), &numbers[0].item);
	queue_free(q);
	queue_free(NULL);
}

struct producer {
	struct queue *queue;
	struct number *numbers;
};

static void *produce(void *ctx)
{
	const struct producer *p = ctx;
	for (unsigned i = 0; i < N_ITEMS; i++)
		queue_push(p->queue, &p->numbers[i].item);
	return NULL;
}

static void loses_nothing_between_threads(void **state)
{
	(void)state;
	struct queue *q = queue_new();
	struct number *numbers = calloc((size_t)N_PRODUCERS * N_ITEMS, sizeof(*numbers));
	struct producer producers[N_PRODUCERS];
	pthread_t threads[N_PRODUCERS];
	unsigned next[N_PRODUCERS] = {0}, n = 0;
	assert_non_null(q);
	assert_non_null(numbers);
	for (unsigned i = 0; i < N_PRODUCERS * N_ITEMS; i++)
		numbers[i] = (struct number){{NULL}, i / N_ITEMS, i % N_ITEMS};
	for (unsigned i = 0; i < N_PRODUCERS; i++) {
		producers[i] = (struct producer){q, numbers + (size_t)i * N_ITEMS};
		assert_int_equal(pthread_create(&threads[i], NULL, produce, &producers[i]), 0);
	}
	while (n < N_PRODUCERS * N_ITEMS && queue_wait(q, 10000)) {
		for (void *item = queue_take(q); item;
		     item = ((struct queue_item *)item)->next, n++) {
			const struct number *number = item;
			assert_int_equal(number->value, next[number->producer]++);
		}
	}
	assert_int_equal(n, N_PRODUCERS * N_ITEMS);
	for (unsigned i = 0; i < N_PRODUCERS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	queue_free(q);
	free(numbers);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_back_in_order),
		cmocka_unit_test(loses_nothing_between_threads),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

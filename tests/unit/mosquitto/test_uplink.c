/* The queue while nobody listens: each kind of event has its part of it, and a flood of one leaves
 * the others theirs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "mosquitto/options.h"
#include "mosquitto/uplink.h"

#define QUEUE (1U << 20)

static void on_up(void *ctx, const struct frame_welcome *welcome)
{
	(void)ctx;
	(void)welcome;
}

static void on_down(void *ctx, const char *why)
{
	(void)why;
	++*(unsigned *)ctx;
}

static int on_item(void *ctx, uint8_t kind, struct reader *one)
{
	(void)ctx;
	(void)kind;
	(void)one;
	return 0;
}

static const struct options options = {
	.channel = "/nonexistent", .broker = "test", .queue_bytes = QUEUE};

static struct uplink *lonely(unsigned *n_down)
{
	const struct uplink_handlers handlers = {on_up, on_down, on_item, n_down};
	struct uplink *u = uplink_new(&options, &handlers);
	assert_non_null(u);
	return u;
}

/* Appends events of a kind until there is no room. What that added to the queue. */
static size_t fill(struct uplink *u, enum event_kind kind)
{
	const struct event e = {.kind = kind};
	size_t before = uplink_held(u);
	while (uplink_event(u, &e))
		assert_true(uplink_held(u) < 2 * QUEUE);
	return uplink_held(u) - before;
}

static void test_each_kind_has_its_part(void **state)
{
	(void)state;
	static const struct {
		enum event_kind kind;
		unsigned sixteenths;
	} cases[] = {
		{EVENT_CONNECT,  2 },
		{EVENT_REFUSED,  1 },
		{EVENT_COUNTERS, 1 },
		{EVENT_REPORT,   12},
	};
	unsigned n_down = 0;
	struct uplink *u = lonely(&n_down);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		size_t part = QUEUE / 16 * cases[i].sixteenths;
		assert_in_range(fill(u, cases[i].kind), part / 4, part);
	}
	/* Of one part. */
	assert_int_equal(fill(u, EVENT_DISCONNECT), 0);
	assert_int_equal(fill(u, EVENT_TAKEOVER), 0);
	assert_int_equal(fill(u, EVENT_TABLE), 0);
	assert_true(uplink_held(u) <= QUEUE);
	assert_true(uplink_number(u, EVENT_CUT, 300000));
	uplink_free(u);
}

static void test_share_queue_is_the_reports_part(void **state)
{
	(void)state;
	unsigned n_down = 0;
	struct uplink *u = lonely(&n_down);
	(void)fill(u, EVENT_CONNECT);
	struct share_queue queue = uplink_share_queue(u);
	assert_int_equal(queue.held, 0);
	assert_int_equal(queue.cap, QUEUE / 4 * 3);
	assert_true(uplink_event(u, &(struct event){.kind = EVENT_REPORT}));
	assert_true(uplink_share_queue(u).held > 0);
	uplink_free(u);
}

/* Attempts come at once, then ever later, and not more often than every five seconds at last. */
static void test_attempts_grow_rare(void **state)
{
	(void)state;
	unsigned n_down = 0;
	struct uplink *u = lonely(&n_down);
	for (int64_t ms = 1; ms <= 60000; ms++)
		uplink_poll(u, ms, 0);
	assert_in_range(n_down, 10, 20);
	uplink_free(u);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_kind_has_its_part),
		cmocka_unit_test(test_share_queue_is_the_reports_part),
		cmocka_unit_test(test_attempts_grow_rare),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

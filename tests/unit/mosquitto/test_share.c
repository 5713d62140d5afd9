/* Fair shares: whoever floods, a principal finds its share of the queue. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/compiler.h"
#include "mosquitto/share.h"

#define CAP (48U << 20)

/* Puts reports of n bytes into the queue while they are allowed. How many went. */
static uint64_t flood(struct share *one, uint64_t bytes, struct share_queue *queue)
{
	uint64_t n = 0;
	for (; share_allows(one, bytes, queue); n++) {
		share_take(one, bytes, queue);
		queue->held += bytes;
		queue->last_frame++;
	}
	return n;
}

static void test_flood_stops_at_the_half_and_its_share(void **state)
{
	(void)state;
	struct share flooder = {0};
	struct share_queue queue = {
		.cap = CAP, .first_frame = 1, .last_frame = 1, .principals = 101};
	uint64_t sent = flood(&flooder, 1000, &queue);
	assert_in_range(sent * 1000, CAP / 2 - 1000, CAP / 2);
	for (unsigned i = 0; i < 100; i++) {
		struct share device = {0};
		uint64_t bytes = 0;
		for (; bytes < 24000; bytes += 1000) {
			assert_true(share_allows(&device, 1000, &queue));
			share_take(&device, 1000, &queue);
			queue.held += 1000;
		}
	}
	assert_false(share_allows(&flooder, 1000, &queue));
}

/* A thousand flooders at once leave a thousand shares. */
static void test_many_flooders(void **state)
{
	(void)state;
	static struct share flooders[1000];
	struct share_queue queue = {
		.cap = CAP, .first_frame = 1, .last_frame = 1, .principals = 1000};
	for (size_t i = 0; i < ARRAY_LEN(flooders); i++)
		(void)flood(&flooders[i], 4000, &queue);
	assert_true(queue.held <= CAP);
	struct share late = {0};
	assert_true(share_allows(&late, 4000, &queue));
}

static void test_no_more_than_the_part(void **state)
{
	(void)state;
	struct share one = {0};
	struct share_queue queue = {
		.cap = CAP, .held = CAP - 999, .first_frame = 1, .last_frame = 1, .principals = 1};
	assert_true(share_allows(&one, 999, &queue));
	assert_false(share_allows(&one, 1000, &queue));
}

/* A large report fits a small share when there is nothing else. */
static void test_one_report_fits_any_share(void **state)
{
	(void)state;
	struct share one = {0};
	struct share_queue queue = {.cap = CAP,
				    .held = CAP / 3 * 2,
				    .first_frame = 1,
				    .last_frame = 1,
				    .principals = 100000};
	assert_true(share_allows(&one, 100000, &queue));
	share_take(&one, 100000, &queue);
	assert_false(share_allows(&one, 1, &queue));
}

/* What was acknowledged is held no more. */
static void test_acknowledgement_frees_the_share(void **state)
{
	(void)state;
	struct share one = {0};
	struct share_queue queue = {.cap = CAP,
				    .held = CAP / 3 * 2,
				    .first_frame = 4,
				    .last_frame = 9,
				    .principals = 1};
	assert_true(flood(&one, 1000, &queue) > 0);
	assert_false(share_allows(&one, 1000, &queue));
	queue.first_frame = one.frame;
	assert_false(share_allows(&one, 1000, &queue));
	queue.first_frame = one.frame + 1;
	assert_true(share_allows(&one, 1000, &queue));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_flood_stops_at_the_half_and_its_share),
		cmocka_unit_test(test_many_flooders),
		cmocka_unit_test(test_no_more_than_the_part),
		cmocka_unit_test(test_one_report_fits_any_share),
		cmocka_unit_test(test_acknowledgement_frees_the_share),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

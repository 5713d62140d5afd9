/* Limits on what may happen how often. */
#include "api/failures.h"
#include "api/rate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#define START INT64_C(1767225600000)

static void test_bucket(void **state)
{
	const struct rate rate = {.burst = 2, .per_minute = 60};
	struct rate_bucket bucket = {0};
	(void)state;
	assert_true(rate_take(&rate, &bucket, START));
	assert_true(rate_take(&rate, &bucket, START));
	assert_false(rate_take(&rate, &bucket, START));
	assert_false(rate_has(&rate, &bucket, START + 999));
	assert_true(rate_has(&rate, &bucket, START + 1000));
	assert_true(rate_take(&rate, &bucket, START + 1000));
	assert_false(rate_take(&rate, &bucket, START + 500)); /* the clock went back */
	/* Never more than the burst. */
	assert_true(rate_take(&rate, &bucket, START + 3600000));
	assert_true(rate_take(&rate, &bucket, START + 3600000));
	assert_false(rate_take(&rate, &bucket, START + 3600000));
}

static void fail_often(struct failures *failures, const char *address, const char *key, int times)
{
	for (int i = 0; i < times; i++)
		failures_add(failures, address, key, START);
}

static void test_by_pair_and_address(void **state)
{
	struct failures *failures = failures_new(7);
	(void)state;
	fail_often(failures, "10.0.0.1", "A", 9);
	assert_true(failures_allow(failures, "10.0.0.1", "A", START));
	fail_often(failures, "10.0.0.1", "A", 1);
	assert_false(failures_allow(failures, "10.0.0.1", "A", START));
	assert_true(failures_allow(failures, "10.0.0.1", "B", START));
	assert_true(failures_allow(failures, "10.0.0.2", "A",
				   START)); /* the key's owner is not locked out */
	assert_true(failures_allow(failures, "10.0.0.1", "A", START + 6000));
	fail_often(failures, "10.0.0.1", "B", 50);
	assert_false(failures_allow(failures, "10.0.0.1", "C", START));
	failures_free(failures);
}

/* More strangers than places: memory stays as it is, and whoever failed last is still known. */
static void test_crowded(void **state)
{
	struct failures *failures = failures_new(7);
	char address[32];
	(void)state;
	for (int i = 0; i < 20000; i++) {
		snprintf(address, sizeof(address), "10.0.%d.%d", i / 256, i % 256);
		failures_add(failures, address, "A", START + i);
	}
	for (int i = 0; i < 10; i++)
		failures_add(failures, "10.9.9.9", "A", START + 20000);
	assert_false(failures_allow(failures, "10.9.9.9", "A", START + 20000));
	failures_free(failures);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bucket),
		cmocka_unit_test(test_by_pair_and_address),
		cmocka_unit_test(test_crowded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

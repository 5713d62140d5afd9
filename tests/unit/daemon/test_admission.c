/* Admission: repetitions, the minimum delay with its tolerance, the account's rate, the cap. */
#include "daemon/admission.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define START 1700000000000

static const struct admission_limits usual = {
	.min_interval_ms = 300000, .account_rate = 3500, .max_devices = 1000, .seed = 7};

struct step {
	const char *thing;
	uint64_t id;
	int64_t at_s;
	enum admission_verdict verdict;
};

static const struct step steps[] = {
	{"a", 10, 0,   ADMISSION_NEW     },
	{"b", 10, 0,   ADMISSION_NEW     }, /* another thing's id is nothing to this one */
	{"a", 10, 1,   ADMISSION_REPEATED},
	{"a", 11, 1,   ADMISSION_TOO_SOON},
	{"a", 11, 289, ADMISSION_TOO_SOON},
	{"a", 11, 290, ADMISSION_NEW     }, /* 300 s with the tolerance */
	{"a", 10, 291, ADMISSION_TOO_SOON}, /* only the last id is a repetition */
	{"a", 10, 580, ADMISSION_NEW     }, /* ids may fall: a reboot */
	{"a", 10, 900, ADMISSION_REPEATED},
};

static void test_steps(void **state)
{
	struct admission *a = admission_new(&usual);
	(void)state;
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		const struct step *s = &steps[i];
		enum admission_verdict have =
			admission_judge(a, view_of(s->thing), s->id, START + s->at_s * 1000);
		if (have != s->verdict)
			fail_msg("step %zu: %d instead of %d", i, (int)have, (int)s->verdict);
	}
	admission_free(a);
}

static void test_no_interval(void **state)
{
	struct admission_limits limits = usual;
	(void)state;
	limits.min_interval_ms = 0;
	struct admission *a = admission_new(&limits);
	for (uint64_t id = 1; id <= 5; id++)
		assert_int_equal(admission_judge(a, VIEW_LIT("a"), id, START), ADMISSION_NEW);
	/* The last few are known, for frames that come again. */
	assert_true(admission_knows(a, VIEW_LIT("a"), 5));
	assert_true(admission_knows(a, VIEW_LIT("a"), 2));
	assert_false(admission_knows(a, VIEW_LIT("a"), 1));
	assert_false(admission_knows(a, VIEW_LIT("b"), 5));
	admission_free(a);
}

static void test_rate_of_the_account(void **state)
{
	struct admission_limits limits = usual;
	(void)state;
	limits.account_rate = 2;
	struct admission *a = admission_new(&limits);
	assert_int_equal(admission_judge(a, VIEW_LIT("a"), 1, START), ADMISSION_NEW);
	assert_int_equal(admission_judge(a, VIEW_LIT("b"), 1, START + 1), ADMISSION_NEW);
	assert_int_equal(admission_judge(a, VIEW_LIT("c"), 1, START + 999), ADMISSION_RATE);
	assert_int_equal(admission_judge(a, VIEW_LIT("a"), 1, START + 999), ADMISSION_REPEATED);
	assert_int_equal(admission_judge(a, VIEW_LIT("c"), 1, START + 1000), ADMISSION_NEW);
	admission_free(a);
}

/* What waited in a broker was taken at its own time: it does not use up the rate of now. */
static void test_rate_is_not_used_up_by_late_ones(void **state)
{
	struct admission_limits limits = usual;
	(void)state;
	limits.account_rate = 1;
	struct admission *a = admission_new(&limits);
	assert_int_equal(admission_judge(a, VIEW_LIT("a"), 1, START), ADMISSION_NEW);
	assert_int_equal(admission_judge(a, VIEW_LIT("b"), 1, START - 5000), ADMISSION_NEW);
	assert_int_equal(admission_judge(a, VIEW_LIT("c"), 1, START - 5000), ADMISSION_NEW);
	assert_int_equal(admission_judge(a, VIEW_LIT("d"), 1, START), ADMISSION_RATE);
	assert_int_equal(admission_judge(a, VIEW_LIT("d"), 1, START + 1000), ADMISSION_NEW);
	admission_free(a);
}

/* S12. */
static void test_cap_forgets_the_most_silent(void **state)
{
	struct admission_limits limits = usual;
	(void)state;
	limits.max_devices = 2;
	struct admission *a = admission_new(&limits);
	admission_learn(a, VIEW_LIT("a"), 1, START);
	admission_learn(a, VIEW_LIT("b"), 1, START);
	assert_int_equal(admission_judge(a, VIEW_LIT("a"), 2, START + 300000), ADMISSION_NEW);
	assert_int_equal(admission_judge(a, VIEW_LIT("c"), 1, START + 300000), ADMISSION_NEW);
	assert_int_equal(admission_evicted(a), 1);
	assert_true(admission_knows(a, VIEW_LIT("a"), 2));
	assert_false(admission_knows(a, VIEW_LIT("b"), 1));
	admission_free(a);
}

static void test_learned_past_counts(void **state)
{
	struct admission *a = admission_new(&usual);
	(void)state;
	admission_learn(a, VIEW_LIT("a"), 9, START);
	assert_int_equal(admission_judge(a, VIEW_LIT("a"), 9, START + 1), ADMISSION_REPEATED);
	assert_int_equal(admission_judge(a, VIEW_LIT("a"), 8, START + 1), ADMISSION_TOO_SOON);
	assert_int_equal(admission_judge(a, VIEW_LIT("a"), 8, START + 290000), ADMISSION_NEW);
	admission_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_steps),
		cmocka_unit_test(test_no_interval),
		cmocka_unit_test(test_rate_of_the_account),
		cmocka_unit_test(test_rate_is_not_used_up_by_late_ones),
		cmocka_unit_test(test_cap_forgets_the_most_silent),
		cmocka_unit_test(test_learned_past_counts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

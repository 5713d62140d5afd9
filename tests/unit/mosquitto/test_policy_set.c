/* Lists of policies are held once, within an epoch of the rules. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "mosquitto/policy_set.h"

static const struct snapshot_policy policies[] = {
	{VIEW_INIT("one"),   1, VIEW_INIT("program one")  },
	{VIEW_INIT("two"),   2, VIEW_INIT("program two")  },
	{VIEW_INIT("three"), 3, VIEW_INIT("program three")},
};
static const struct policy_request account = {.account = VIEW_INIT("123456789012")};

static void test_the_same_is_held_once(void **state)
{
	(void)state;
	struct policy_sets *all = policy_sets_new();
	struct policy_set *a = policy_set_take(all, 1, &account, policies, 2);
	assert_int_equal(a->n, 2);
	assert_true(view_is(a->programs[1], "program two"));
	assert_true(view_is(a->names[1].name, "two"));
	assert_int_equal(a->names[1].version, 2);
	assert_true(view_is(a->account, "123456789012"));
	assert_ptr_equal(policy_set_take(all, 1, &account, policies, 2), a);
	assert_int_equal(policy_sets_count(all), 1);
	policy_set_release(all, a);
	assert_int_equal(policy_sets_count(all), 1);
	policy_set_release(all, a);
	policy_set_release(all, NULL);
	assert_int_equal(policy_sets_count(all), 0);
	policy_sets_free(all);
}

static void test_what_differs_is_apart(void **state)
{
	(void)state;
	struct policy_sets *all = policy_sets_new();
	struct policy_set *sets[] = {
		policy_set_take(all, 1, &account, policies, 0),
		policy_set_take(all, 1, &account, policies, 1),
		policy_set_take(all, 1, &account, policies, 3),
		policy_set_take(all, 1, &account, policies + 1, 1),
		policy_set_take(all, 2, &account, policies, 1),
	};
	assert_int_equal(policy_sets_count(all), ARRAY_LEN(sets));
	policy_set_release(all, sets[1]);
	assert_ptr_equal(policy_set_take(all, 2, &account, policies, 1), sets[4]);
	policy_sets_free(all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_same_is_held_once),
		cmocka_unit_test(test_what_differs_is_apart),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

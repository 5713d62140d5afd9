/* The session table: found by client, doomed by certificate, judged again so many at a time, over
 * the growth of its indexes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "mosquitto/options.h"
#include "mosquitto/session.h"

#define MANY  5000
#define CERTS 50

/* Stands for the broker's objects: only addresses count. */
static char clients[MANY + 1];

static struct mosquitto *client(size_t i)
{
	return (struct mosquitto *)(void *)&clients[i];
}

static struct session *new_session(size_t i, bool is_doorbell)
{
	uint8_t fingerprint[SNAPSHOT_FINGERPRINT] = {(uint8_t)(i % CERTS)};
	struct session *s = malloc(sizeof(*s));
	assert_non_null(s);
	assert_int_equal(session_init(s, client(i), fingerprint, "id", "192.0.2.1"), 0);
	s->is_doorbell = is_doorbell;
	return s;
}

/* Sessions with a certificate; there is no snapshot, so that to be judged is to be refused. */
static struct session_table *filled(bool is_doorbell)
{
	struct session_table *t = session_table_new();
	assert_non_null(t);
	for (size_t i = 0; i < MANY; i++)
		assert_int_equal(session_add(t, new_session(i, is_doorbell)), 0);
	return t;
}

static unsigned count_doomed(struct session_table *t)
{
	unsigned n = 0;
	struct session *s;
	while ((s = session_next_doomed(t, 1))) {
		session_remove(t, s);
		n++;
	}
	return n;
}

static void test_each_is_found_until_removed(void **state)
{
	(void)state;
	struct session_table *t = filled(false);
	for (size_t i = 0; i < MANY; i++)
		assert_ptr_equal(session_find(t, client(i))->client, client(i));
	assert_null(session_find(t, client(MANY)));
	for (size_t i = 0; i < MANY; i += 2)
		session_remove(t, session_find(t, client(i)));
	for (size_t i = 0; i < MANY; i++)
		assert_int_equal(session_find(t, client(i)) != NULL, i % 2);
	session_table_free(t);
}

static void test_all_of_a_certificate_are_doomed(void **state)
{
	(void)state;
	const uint8_t fingerprint[SNAPSHOT_FINGERPRINT] = {7};
	struct session_table *t = filled(false);
	session_doom_cert(t, fingerprint);
	assert_int_equal(count_doomed(t), MANY / CERTS);
	assert_int_equal(count_doomed(t), 0);
	session_table_free(t);
}

/* Whoever was to be cut is cut, though new rules come and it acts before the cut. */
static void test_doomed_stay_doomed_under_new_rules(void **state)
{
	(void)state;
	const uint8_t fingerprint[SNAPSHOT_FINGERPRINT] = {7};
	const struct options options = {0};
	struct rules rules;
	struct session_table *t = session_table_new();
	struct session *s = new_session(7, false);
	rules_init(&rules, &options);
	assert_int_equal(session_add(t, s), 0);
	session_doom_cert(t, fingerprint);
	s->is_doorbell = true; /* allowed by any rules */
	rules.epoch = 1;
	assert_true(session_stands(t, s, &rules, 0));
	assert_ptr_equal(session_next_doomed(t, 1), s);
	session_table_free(t);
}

/* A cut that fails is tried again after a second, and until it is gone nothing is settled. */
static void test_doomed_are_tried_again_until_they_are_gone(void **state)
{
	(void)state;
	const uint8_t fingerprint[SNAPSHOT_FINGERPRINT] = {7};
	struct session_table *t = session_table_new();
	struct session *first = new_session(7, false), *second = new_session(7 + CERTS, false);
	assert_int_equal(session_add(t, first), 0);
	assert_true(session_table_is_settled(t));
	session_doom_cert(t, fingerprint);
	assert_ptr_equal(session_next_doomed(t, 1000), first);
	assert_null(session_next_doomed(t, 1999));
	assert_false(session_table_is_settled(t));
	assert_int_equal(session_add(t, second), 0);
	session_doom_cert(t, fingerprint);
	assert_ptr_equal(session_next_doomed(t, 1999), second);
	assert_ptr_equal(session_next_doomed(t, 2000), first);
	session_remove(t, first);
	session_remove(t, second);
	assert_true(session_table_is_settled(t));
	session_table_free(t);
}

static void test_sweep_judges_so_many_a_turn(void **state)
{
	(void)state;
	const struct options options = {0};
	struct rules rules;
	struct session_table *t = filled(false);
	rules_init(&rules, &options);
	rules.epoch = 1;
	session_table_outdate(t);
	session_table_sweep(t, &rules, 0, 1000);
	assert_int_equal(count_doomed(t), 1000);
	session_table_sweep(t, &rules, 0, MANY);
	assert_int_equal(count_doomed(t), MANY - 1000);
	session_table_free(t);
}

static void test_stale_session_that_acts_is_judged_then(void **state)
{
	(void)state;
	const struct options options = {0};
	struct rules rules;
	struct session_table *t = filled(false);
	rules_init(&rules, &options);
	assert_true(session_stands(t, session_find(t, client(3)), &rules, 0));
	rules.epoch = 1;
	session_table_outdate(t);
	struct session *s = session_find(t, client(3));
	assert_false(session_stands(t, s, &rules, 0));
	assert_string_equal(s->refusal, "no usable snapshot");
	assert_ptr_equal(session_next_doomed(t, 1), s);
	session_table_free(t);
}

static void test_doorbell_stands_whatever_the_rules(void **state)
{
	(void)state;
	const uint8_t fingerprint[SNAPSHOT_FINGERPRINT] = {7};
	const struct options options = {0};
	struct rules rules;
	struct session_table *t = filled(true);
	rules_init(&rules, &options);
	rules.epoch = 1;
	session_table_outdate(t);
	session_table_sweep(t, &rules, 0, MANY);
	session_doom_cert(t, fingerprint);
	assert_int_equal(count_doomed(t), 0);
	session_table_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_is_found_until_removed),
		cmocka_unit_test(test_all_of_a_certificate_are_doomed),
		cmocka_unit_test(test_doomed_stay_doomed_under_new_rules),
		cmocka_unit_test(test_doomed_are_tried_again_until_they_are_gone),
		cmocka_unit_test(test_sweep_judges_so_many_a_turn),
		cmocka_unit_test(test_stale_session_that_acts_is_judged_then),
		cmocka_unit_test(test_doorbell_stands_whatever_the_rules),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

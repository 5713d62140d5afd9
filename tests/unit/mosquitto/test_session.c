/* The session table: found by client, by client id and by certificate, judged again and cut in
 * order, over the growth of its indexes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "mosquitto/session.h"

#define MANY  5000
#define CERTS 50

/* Stands for the broker's objects: only addresses count. */
static char clients[MANY + 1];

struct fixture {
	struct principals *principals;
	struct policy_sets *sets;
	struct session_table *table;
};

static struct mosquitto *client(size_t i)
{
	return (struct mosquitto *)(void *)&clients[i];
}

static struct fixture setup(void)
{
	struct fixture f = {.principals = principals_new(1024, 7), .sets = policy_sets_new()};
	assert_non_null(f.principals);
	assert_non_null(f.sets);
	f.table = session_table_new(f.principals, f.sets);
	assert_non_null(f.table);
	return f;
}

static void teardown(struct fixture *f)
{
	session_table_free(f->table);
	assert_int_equal(principals_count(f->principals), 0);
	assert_int_equal(policy_sets_count(f->sets), 0);
	principals_free(f->principals);
	policy_sets_free(f->sets);
}

static struct session *add(struct fixture *f, size_t i, uint8_t flags)
{
	char client_id[16];
	const uint8_t fingerprint[EVENT_FINGERPRINT] = {(uint8_t)(i % CERTS), 1};
	const struct session_facts facts = {.client = client(i),
					    .fingerprint = fingerprint,
					    .client_id = client_id,
					    .address = "192.0.2.1"};
	(void)snprintf(client_id, sizeof(client_id), "id%zu", i);
	struct session *s = session_new(f->table, &facts);
	assert_non_null(s);
	s->flags = flags;
	assert_int_equal(session_add(f->table, s), 0);
	return s;
}

static struct fixture filled(uint8_t flags)
{
	struct fixture f = setup();
	for (size_t i = 0; i < MANY; i++)
		(void)add(&f, i, flags);
	return f;
}

static void refuse(struct fixture *f, struct session *s)
{
	s->refusal = CAUSE_CERT_REVOKED;
	session_was_judged(f->table, s);
}

static unsigned remove_doomed(struct session_table *t)
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
	struct fixture f = filled(0);
	assert_int_equal(session_table_count(f.table), MANY);
	for (size_t i = 0; i < MANY; i++)
		assert_ptr_equal(session_find(f.table, client(i))->client, client(i));
	assert_ptr_equal(session_find_id(f.table, "id77"), session_find(f.table, client(77)));
	assert_null(session_find(f.table, client(MANY)));
	assert_null(session_find_id(f.table, "id"));
	for (size_t i = 0; i < MANY; i += 2)
		session_remove(f.table, session_find(f.table, client(i)));
	for (size_t i = 0; i < MANY; i++)
		assert_int_equal(session_find(f.table, client(i)) != NULL, i % 2);
	assert_null(session_find_id(f.table, "id76"));
	teardown(&f);
}

static void test_texts_and_identity(void **state)
{
	(void)state;
	struct fixture f = setup();
	const struct session_facts facts = {.client = client(0),
					    .username = "user",
					    .client_id = "pump",
					    .address = "192.0.2.1",
					    .domain = "iot.example"};
	struct session *s = session_new(f.table, &facts);
	assert_non_null(s);
	s->port = 1883;
	assert_string_equal(s->domain, "iot.example");
	assert_false(session_has_certificate(s));
	struct event_identity who = session_identity(s);
	assert_true(view_is(who.client_id, "pump") && view_is(who.address, "192.0.2.1"));
	assert_true(view_is(who.username, "user"));
	assert_int_equal(who.port, 1883);
	session_free(f.table, s);
	teardown(&f);
}

/* A client id may be open twice for a moment: the one that takes over is the newest. */
static void test_newest_of_a_client_id(void **state)
{
	(void)state;
	struct fixture f = setup();
	struct session *old = add(&f, 3, 0);
	const struct session_facts facts = {.client = client(4), .client_id = old->client_id};
	struct session *new = session_new(f.table, &facts);
	assert_int_equal(session_add(f.table, new), 0);
	assert_ptr_equal(session_find_id(f.table, "id3"), new);
	session_remove(f.table, new);
	assert_ptr_equal(session_find_id(f.table, "id3"), old);
	teardown(&f);
}

static void test_others_of_a_certificate(void **state)
{
	(void)state;
	struct fixture f = setup();
	struct session *first = add(&f, 0, 0);
	assert_null(session_other(first));
	struct session *second = add(&f, CERTS, 0), *third = add(&f, 2 * CERTS, 0);
	(void)add(&f, 1, 0);
	assert_ptr_equal(session_other(first), third);
	assert_ptr_equal(session_other(third), second);
	assert_int_equal(first->principal->open, 3);
	session_remove(f.table, third);
	assert_ptr_equal(session_other(first), second);
	teardown(&f);
}

static void test_who_is_refused_is_doomed(void **state)
{
	(void)state;
	const uint8_t fingerprint[EVENT_FINGERPRINT] = {7, 1};
	struct fixture f = filled(0);
	session_outdate_cert(f.table, fingerprint);
	assert_int_equal(remove_doomed(f.table), 0);
	for (struct session *s; (s = session_next_stale(f.table));)
		refuse(&f, s);
	assert_false(session_table_is_settled(f.table));
	assert_int_equal(remove_doomed(f.table), MANY / CERTS);
	assert_true(session_table_is_settled(f.table));
	teardown(&f);
}

static void test_nobody_is_cut_where_we_observe(void **state)
{
	(void)state;
	struct fixture f = filled(EVENT_OBSERVED);
	refuse(&f, session_find(f.table, client(8)));
	assert_int_equal(remove_doomed(f.table), 0);
	teardown(&f);
}

/* Whoever was to be cut is cut, though new rules come and it acts before the cut. */
static void test_doomed_stay_doomed_under_new_rules(void **state)
{
	(void)state;
	const uint8_t fingerprint[EVENT_FINGERPRINT] = {7, 1};
	struct fixture f = setup();
	struct session *s = add(&f, 7, 0);
	refuse(&f, s);
	session_table_outdate(f.table);
	session_outdate_cert(f.table, fingerprint);
	assert_null(session_next_stale(f.table));
	s->refusal = CAUSE_NONE;
	session_was_judged(f.table, s);
	assert_ptr_equal(session_next_doomed(f.table, 1), s);
	teardown(&f);
}

/* A cut that the broker did not do is tried again, a second later. */
static void test_a_cut_is_repeated(void **state)
{
	(void)state;
	struct fixture f = setup();
	struct session *s = add(&f, 7, 0);
	refuse(&f, s);
	assert_ptr_equal(session_next_doomed(f.table, 5000), s);
	assert_null(session_next_doomed(f.table, 5999));
	assert_false(session_table_is_settled(f.table));
	assert_ptr_equal(session_next_doomed(f.table, 6000), s);
	teardown(&f);
}

/* One that resists does not hold up who is to be cut after it. */
static void test_first_cuts_come_before_repeated_ones(void **state)
{
	(void)state;
	struct fixture f = setup();
	struct session *first = add(&f, 7, 0);
	refuse(&f, first);
	assert_ptr_equal(session_next_doomed(f.table, 1000), first);
	struct session *second = add(&f, 7 + CERTS, 0);
	refuse(&f, second);
	assert_ptr_equal(session_next_doomed(f.table, 1500), second);
	assert_null(session_next_doomed(f.table, 1999));
	assert_ptr_equal(session_next_doomed(f.table, 2000), first);
	teardown(&f);
}

static void test_new_rules_outdate_all_or_a_certificate(void **state)
{
	(void)state;
	const uint8_t fingerprint[EVENT_FINGERPRINT] = {7, 1};
	struct fixture f = filled(0);
	session_outdate_cert(f.table, fingerprint);
	unsigned n = 0;
	for (struct session *s; (s = session_next_stale(f.table)); n++)
		session_was_judged(f.table, s);
	assert_int_equal(n, MANY / CERTS);
	session_table_outdate(f.table);
	assert_false(session_table_is_settled(f.table));
	for (n = 0; session_next_stale(f.table); n++)
		session_was_judged(f.table, session_next_stale(f.table));
	assert_int_equal(n, MANY);
	assert_true(session_table_is_settled(f.table));
	teardown(&f);
}

static void test_a_round_over_the_fresh_meets_each_once(void **state)
{
	(void)state;
	struct fixture f = filled(0);
	for (size_t i = 0; i < MANY; i++) {
		struct session *s = session_next_fresh(f.table);
		assert_int_equal(s->cut_ms, 0);
		s->cut_ms = 1;
	}
	assert_int_equal(session_next_fresh(f.table)->cut_ms, 1);
	teardown(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_is_found_until_removed),
		cmocka_unit_test(test_texts_and_identity),
		cmocka_unit_test(test_newest_of_a_client_id),
		cmocka_unit_test(test_others_of_a_certificate),
		cmocka_unit_test(test_who_is_refused_is_doomed),
		cmocka_unit_test(test_nobody_is_cut_where_we_observe),
		cmocka_unit_test(test_doomed_stay_doomed_under_new_rules),
		cmocka_unit_test(test_a_cut_is_repeated),
		cmocka_unit_test(test_first_cuts_come_before_repeated_ones),
		cmocka_unit_test(test_new_rules_outdate_all_or_a_certificate),
		cmocka_unit_test(test_a_round_over_the_fresh_meets_each_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

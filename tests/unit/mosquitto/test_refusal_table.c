/* Refusals: the same counted together, each exactly once, bounded in rows and in rate. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "mosquitto/refusal_table.h"
#include "policy/decide.h"

#define ROWS     100
#define AN_OWNER 10
#define RATE     20
#define NOW_MS   50000

struct seen {
	bool has_no_room;
	unsigned n;
	uint64_t count; /* of all */
	struct event_refused last;
	char client_id[EVENT_CLIENT_ID_MAX + 1];
};

static bool take(void *ctx, const struct event *e)
{
	struct seen *seen = ctx;
	if (seen->has_no_room)
		return false;
	assert_int_equal(e->kind, EVENT_REFUSED);
	assert_true(e->refused.count > 0);
	assert_true(e->refused.first_ms <= e->refused.last_ms);
	seen->n++;
	seen->count += e->refused.count;
	seen->last = e->refused;
	(void)snprintf(seen->client_id, sizeof(seen->client_id), "%.*s",
		       (int)e->refused.who.client_id.n, e->refused.who.client_id.p);
	return true;
}

static struct refusal_table *table(struct seen *seen)
{
	*seen = (struct seen){0};
	const struct refusal_setup setup = {.rows_max = ROWS,
					    .rows_an_owner_max = AN_OWNER,
					    .tells_a_second_max = RATE,
					    .seed = 7,
					    .tell = take,
					    .ctx = seen};
	struct refusal_table *t = refusal_table_new(&setup);
	assert_non_null(t);
	return t;
}

static struct event_refused refused(uint8_t cert, const char *client_id)
{
	return (struct event_refused){
		.who = {.fingerprint = {cert},
			.client_id = view_of(client_id),
			.address = VIEW_LIT("192.0.2.1")},
		.action = POLICY_CONNECT,
		.cause = CAUSE_IMPLICIT_DENY,
		.resource = view_of(client_id),
		.statement = -1
        };
}

static void test_new_is_told_at_once_the_same_once_a_second(void **state)
{
	(void)state;
	struct seen seen;
	struct refusal_table *t = table(&seen);
	struct event_refused e = refused(1, "pump");
	refusal_count(t, &e, 1000);
	refusal_tell(t, NOW_MS);
	assert_int_equal(seen.n, 1);
	assert_int_equal(seen.last.count, 1);
	for (int64_t i = 1; i <= 5; i++) {
		refusal_count(t, &e, 1000 + i);
		refusal_tell(t, NOW_MS + i);
	}
	assert_int_equal(seen.n, 1);
	refusal_tell(t, NOW_MS + REFUSAL_REST_MS);
	assert_int_equal(seen.n, 2);
	assert_int_equal(seen.last.count, 5);
	assert_int_equal(seen.last.first_ms, 1001);
	assert_int_equal(seen.last.last_ms, 1005);
	assert_int_equal(refusal_fill(t).n, 1);
	refusal_tell(t, NOW_MS + 2 * REFUSAL_REST_MS);
	assert_int_equal(refusal_fill(t).n, 0);
	refusal_table_free(t);
}

static void change_action(struct event_refused *e)
{
	e->action = POLICY_PUBLISH;
}

static void change_cause(struct event_refused *e)
{
	e->cause = CAUSE_EXPLICIT_DENY;
}

static void change_observed(struct event_refused *e)
{
	e->is_observed = true;
}

static void change_rule(struct event_refused *e)
{
	e->statement = 3;
}

static void change_version(struct event_refused *e)
{
	e->version = 3;
}

static void change_policy(struct event_refused *e)
{
	e->policy = VIEW_LIT("other");
}

static void change_missing(struct event_refused *e)
{
	e->missing = VIEW_LIT("iot:ClientId");
}

static void change_address(struct event_refused *e)
{
	e->who.address = VIEW_LIT("192.0.2.2");
}

static void change_port(struct event_refused *e)
{
	e->who.port = 1883;
}

static void change_username(struct event_refused *e)
{
	e->who.username = VIEW_LIT("ada");
}

static void change_connect_to_session(struct event_refused *e)
{
	e->who.session = 9;
}

static void change_nothing_that_counts(struct event_refused *e)
{
	e->count = 3;
	e->first_ms = 1;
}

static void test_what_makes_a_row(void **state)
{
	(void)state;
	static const struct {
		void (*change)(struct event_refused *e);
		unsigned rows;
	} cases[] = {
		{change_action,              2},
		{change_cause,               2},
		{change_observed,            2},
		{change_rule,                2},
		{change_version,             2},
		{change_policy,              2},
		{change_missing,             2},
		{change_address,             2},
		{change_port,                2},
		{change_username,            2},
		{change_connect_to_session,  2},
		{change_nothing_that_counts, 1},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct seen seen;
		struct refusal_table *t = table(&seen);
		struct event_refused e = refused(1, "pump");
		refusal_count(t, &e, 1000);
		cases[i].change(&e);
		refusal_count(t, &e, 1000);
		refusal_tell(t, NOW_MS);
		assert_int_equal(seen.n, cases[i].rows);
		assert_int_equal(seen.count, 2);
		refusal_table_free(t);
	}
}

/* One certificate that tries random client ids has its rows, and one more for the rest. */
static void test_random_client_ids_of_one_certificate(void **state)
{
	(void)state;
	enum { MANY = 50000 };
	struct seen seen;
	struct refusal_table *t = table(&seen);
	for (unsigned i = 0; i < MANY; i++) {
		char id[16];
		(void)snprintf(id, sizeof(id), "c%u", i);
		struct event_refused e = refused(1, id);
		refusal_count(t, &e, 1000);
	}
	assert_int_equal(refusal_fill(t).n, AN_OWNER + 1);
	assert_int_equal(refusal_fill(t).left_out, MANY - AN_OWNER);
	struct event_refused other = refused(2, "quiet");
	refusal_count(t, &other, 1000);
	refusal_tell_all(t, NOW_MS);
	assert_int_equal(seen.n, AN_OWNER + 2);
	assert_int_equal(seen.count, MANY + 1);
	assert_string_equal(seen.client_id, "quiet");
	refusal_table_free(t);
}

/* Certificates that nobody knows are as cheap as client ids: they are of their address. */
static void test_strangers_are_reckoned_by_address(void **state)
{
	(void)state;
	struct seen seen;
	struct refusal_table *t = table(&seen);
	for (unsigned i = 0; i < 200; i++) {
		struct event_refused e = refused((uint8_t)i, "x");
		e.cause = CAUSE_CERT_UNKNOWN;
		refusal_count(t, &e, 1000);
	}
	assert_int_equal(refusal_fill(t).n, AN_OWNER + 1);
	refusal_tell_all(t, NOW_MS);
	assert_int_equal(seen.count, 200);
	assert_int_equal(seen.last.who.fingerprint[0], 0);
	assert_int_equal(seen.last.count, 200 - AN_OWNER);
	refusal_table_free(t);
}

/* A full table counts by action and cause alone. */
static void test_full_table(void **state)
{
	(void)state;
	struct seen seen;
	struct refusal_table *t = table(&seen);
	for (unsigned i = 0; i < 250; i++) {
		struct event_refused e = refused((uint8_t)(i + 1), "x");
		refusal_count(t, &e, 1000);
	}
	assert_int_equal(refusal_fill(t).n, ROWS + 1);
	assert_int_equal(refusal_fill(t).left_out, 250 - ROWS);
	refusal_tell_all(t, NOW_MS);
	assert_int_equal(seen.n, ROWS + 1);
	assert_int_equal(seen.count, 250);
	assert_int_equal(seen.last.who.address.n, 0);
	assert_int_equal(seen.last.cause, CAUSE_IMPLICIT_DENY);
	refusal_table_free(t);
}

static void test_so_many_a_second_in_order(void **state)
{
	(void)state;
	struct seen seen;
	struct refusal_table *t = table(&seen);
	for (unsigned i = 0; i < 60; i++) {
		char id[16];
		(void)snprintf(id, sizeof(id), "c%u", i);
		struct event_refused e = refused((uint8_t)i, id);
		refusal_count(t, &e, 1000);
	}
	refusal_tell(t, NOW_MS);
	assert_int_equal(seen.n, RATE);
	assert_string_equal(seen.client_id, "c19");
	refusal_tell(t, NOW_MS + 500);
	assert_int_equal(seen.n, RATE + RATE / 2);
	refusal_tell(t, NOW_MS + 60000);
	assert_int_equal(seen.n, 2 * RATE + RATE / 2);
	refusal_table_free(t);
}

static void test_without_room_counts_are_kept(void **state)
{
	(void)state;
	struct seen seen;
	struct refusal_table *t = table(&seen);
	seen.has_no_room = true;
	struct event_refused e = refused(1, "pump");
	for (int64_t i = 0; i < 10; i++) {
		refusal_count(t, &e, 1000 + i);
		refusal_tell(t, NOW_MS + i);
		refusal_tell_all(t, NOW_MS + i);
	}
	seen.has_no_room = false;
	refusal_tell(t, NOW_MS + 20);
	assert_int_equal(seen.n, 1);
	assert_int_equal(seen.count, 10);
	assert_int_equal(seen.last.first_ms, 1000);
	assert_int_equal(seen.last.last_ms, 1009);
	refusal_table_free(t);
}

/* Texts are cut as an event cuts them, so that two that differ behind the limit are one row. */
static void test_long_texts(void **state)
{
	(void)state;
	static char long_topic[2][EVENT_RESOURCE_MAX + 2];
	struct seen seen;
	struct refusal_table *t = table(&seen);
	for (unsigned i = 0; i < 2; i++) {
		memset(long_topic[i], 'a', EVENT_RESOURCE_MAX);
		long_topic[i][EVENT_RESOURCE_MAX] = (char)('x' + i);
		struct event_refused e = refused(1, "pump");
		e.resource = view_of(long_topic[i]);
		refusal_count(t, &e, 1000);
	}
	refusal_tell(t, NOW_MS);
	assert_int_equal(seen.n, 1);
	assert_int_equal(seen.last.count, 2);
	assert_int_equal(seen.last.resource.n, EVENT_RESOURCE_MAX);
	refusal_table_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_new_is_told_at_once_the_same_once_a_second),
		cmocka_unit_test(test_what_makes_a_row),
		cmocka_unit_test(test_random_client_ids_of_one_certificate),
		cmocka_unit_test(test_strangers_are_reckoned_by_address),
		cmocka_unit_test(test_full_table),
		cmocka_unit_test(test_so_many_a_second_in_order),
		cmocka_unit_test(test_without_room_counts_are_kept),
		cmocka_unit_test(test_long_texts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

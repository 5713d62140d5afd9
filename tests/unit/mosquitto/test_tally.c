/* Counters of identities: cut at marks, merged without room, bounded, and their sums exact. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "mosquitto/dimensions.h"
#include "mosquitto/principal.h"
#include "mosquitto/tally.h"

#define MARK ((int64_t)TALLY_MARK_MS)
#define T    (MARK * 5000000) /* a mark */

/* What was delivered. */
struct seen {
	struct principals *principals;
	bool has_no_room;
	unsigned n;
	struct event_counters last;
	struct event_dimension dimensions[EVENT_DIMENSIONS_MAX]; /* of the last */
	char names[EVENT_DIMENSIONS_MAX][EVENT_NAME_MAX + 1];
	char client_id[EVENT_CLIENT_ID_MAX + 1], thing[EVENT_NAME_MAX + 1];
	uint64_t sent, received, refusals, connects, disconnects; /* sums */
};

static const struct dimensions none;

static void sent(struct tally *y, uint32_t bytes)
{
	tally_sent(y, &(struct tally_message){VIEW_LIT("a"), VIEW_LIT("pump"), bytes});
}

static void received(struct tally *y, uint32_t bytes)
{
	tally_received(y, &(struct tally_message){VIEW_LIT("a"), VIEW_LIT("pump"), bytes});
}

static void refused(struct tally *y)
{
	tally_refused(y, &(struct tally_message){VIEW_LIT("a"), VIEW_LIT("pump"), 0});
}

static void copy(char *to, struct view from)
{
	(void)snprintf(to, EVENT_CLIENT_ID_MAX + 1, "%.*s", (int)from.n, from.p);
}

static bool take(void *ctx, const struct event *e)
{
	struct seen *seen = ctx;
	if (seen->has_no_room)
		return false;
	assert_int_equal(e->kind, EVENT_COUNTERS);
	const struct event_counters *c = &e->counters;
	seen->n++;
	seen->last = *c;
	copy(seen->client_id, c->who.client_id);
	copy(seen->thing, c->thing);
	struct view rest = c->by_dimension;
	for (unsigned i = 0; i < c->dimensions; i++) {
		assert_true(event_take_dimension(&rest, &seen->dimensions[i]));
		copy(seen->names[i], seen->dimensions[i].name);
	}
	assert_int_equal(rest.n, 0);
	seen->sent += c->messages.sent;
	seen->received += c->messages.received;
	seen->refusals += c->refusals;
	seen->connects += c->connects;
	seen->disconnects += c->disconnects;
	return true;
}

static struct tallies *table_with(const struct dimensions *dimensions, struct seen *seen,
				  size_t max, size_t a_principal_max)
{
	*seen = (struct seen){.principals = principals_new(1024, 7)};
	assert_non_null(seen->principals);
	const struct tallies_setup setup = {.identities_max = max,
					    .identities_a_principal_max = a_principal_max,
					    .seed = 7,
					    .principals = seen->principals,
					    .dimensions = dimensions,
					    .deliver = take,
					    .ctx = seen};
	struct tallies *t = tallies_new(&setup);
	assert_non_null(t);
	tallies_pass(t, T + 1000);
	return t;
}

static struct tallies *table(struct seen *seen, size_t max, size_t a_principal_max)
{
	return table_with(&none, seen, max, a_principal_max);
}

static void release(struct tallies *t, struct seen *seen)
{
	tallies_free(t);
	principals_free(seen->principals);
}

static struct event_identity identity(uint8_t cert, const char *client_id)
{
	return (struct event_identity){
		.fingerprint = {cert}, .client_id = view_of(client_id), .port = 8883};
}

static void test_session_is_delivered_at_the_mark(void **state)
{
	(void)state;
	struct seen seen;
	struct tallies *t = table(&seen, 10, 10);
	const struct event_identity who = identity(1, "pump");
	struct tally *y = tally_open(t, &who, VIEW_LIT("pump-7"));
	sent(y, 20);
	sent(y, 5);
	sent(y, 90);
	received(y, 1000);
	refused(y);
	tallies_pass(t, T + MARK - 1);
	assert_true(tallies_deliver(t, 10));
	assert_int_equal(seen.n, 0);
	tallies_pass(t, T + MARK);
	assert_true(tallies_deliver(t, 10));
	assert_int_equal(seen.n, 1);
	const struct event_counters *c = &seen.last;
	assert_int_equal(c->from_ms, T);
	assert_int_equal(c->to_ms, T + MARK);
	assert_int_equal(c->messages.sent, 3);
	assert_int_equal(c->messages.sent_bytes, 115);
	assert_int_equal(c->messages.sent_min, 5);
	assert_int_equal(c->messages.sent_max, 90);
	assert_int_equal(c->messages.received, 1);
	assert_int_equal(c->messages.received_bytes, 1000);
	assert_int_equal(c->refusals, 1);
	assert_int_equal(c->connects, 1);
	assert_int_equal(c->disconnects, 0);
	assert_true(c->is_connected);
	assert_int_equal(c->who.fingerprint[0], 1);
	assert_int_equal(c->who.port, 8883);
	assert_string_equal(seen.client_id, "pump");
	assert_string_equal(seen.thing, "pump-7");
	release(t, &seen);
}

/* Who is connected is told at each mark; who is not is told once, then forgotten. */
static void test_silent_ones(void **state)
{
	(void)state;
	struct seen seen;
	struct tallies *t = table(&seen, 10, 10);
	const struct event_identity who = identity(1, "pump");
	struct tally *y = tally_open(t, &who, VIEW_LIT(""));
	for (int64_t i = 1; i <= 3; i++) {
		tallies_pass(t, T + i * MARK);
		assert_true(tallies_deliver(t, 10));
		assert_int_equal(seen.n, i);
		assert_int_equal(seen.last.from_ms, T + (i - 1) * MARK);
		assert_true(seen.last.is_connected);
	}
	tally_ended(y);
	assert_int_equal(tallies_fill(t).n, 1);
	tallies_pass(t, T + 4 * MARK);
	assert_true(tallies_deliver(t, 10));
	assert_int_equal(seen.n, 4);
	assert_int_equal(seen.disconnects, 1);
	assert_false(seen.last.is_connected);
	assert_int_equal(tallies_fill(t).n, 0);
	tallies_pass(t, T + 5 * MARK);
	assert_true(tallies_deliver(t, 10));
	assert_int_equal(seen.n, 4);
	release(t, &seen);
}

/* What happens after the mark, before the turn in which it would be delivered, counts for the next
 * window. */
static void test_no_counter_spans_a_mark(void **state)
{
	(void)state;
	struct seen seen;
	struct tallies *t = table(&seen, 10, 10);
	const struct event_identity who = identity(1, "pump");
	struct tally *y = tally_open(t, &who, VIEW_LIT(""));
	sent(y, 1);
	tallies_pass(t, T + MARK);
	sent(y, 1);
	assert_int_equal(seen.n, 1);
	assert_int_equal(seen.last.to_ms, T + MARK);
	assert_int_equal(seen.sent, 1);
	assert_true(tallies_deliver(t, 10));
	assert_int_equal(seen.n, 1);
	tallies_pass(t, T + 2 * MARK);
	assert_true(tallies_deliver(t, 10));
	assert_int_equal(seen.last.from_ms, T + MARK);
	assert_int_equal(seen.sent, 2);
	release(t, &seen);
}

static void test_so_many_a_turn(void **state)
{
	(void)state;
	struct seen seen;
	struct tallies *t = table(&seen, 10, 10);
	const char *ids[] = {"a", "b", "c"};
	for (unsigned i = 0; i < 3; i++) {
		const struct event_identity who = identity(1, ids[i]);
		assert_non_null(tally_open(t, &who, VIEW_LIT("")));
	}
	tallies_pass(t, T + MARK);
	assert_false(tallies_deliver(t, 2));
	assert_int_equal(seen.n, 2);
	assert_true(tallies_deliver(t, 2));
	assert_int_equal(seen.n, 3);
	release(t, &seen);
}

/* While the queue is full counters are merged, and say how far back they go. */
static void test_without_room_counters_are_merged(void **state)
{
	(void)state;
	struct seen seen;
	struct tallies *t = table(&seen, 10, 10);
	const struct event_identity who = identity(1, "pump");
	struct tally *y = tally_open(t, &who, VIEW_LIT(""));
	seen.has_no_room = true;
	for (int64_t i = 1; i <= 3; i++) {
		sent(y, 1);
		tallies_pass(t, T + i * MARK);
		assert_false(tallies_deliver(t, 10));
		sent(y, 1);
	}
	seen.has_no_room = false;
	tallies_pass(t, T + 4 * MARK);
	assert_true(tallies_deliver(t, 10));
	assert_int_equal(seen.n, 1);
	assert_int_equal(seen.last.from_ms, T);
	assert_int_equal(seen.last.to_ms, T + 4 * MARK);
	assert_int_equal(seen.sent, 6);
	tallies_pass(t, T + 5 * MARK);
	assert_true(tallies_deliver(t, 10));
	assert_int_equal(seen.last.from_ms, T + 4 * MARK);
	release(t, &seen);
}

static void test_clock_jumps(void **state)
{
	(void)state;
	struct seen seen;
	struct tallies *t = table(&seen, 10, 10);
	const struct event_identity who = identity(1, "pump");
	struct tally *y = tally_open(t, &who, VIEW_LIT(""));
	/* Forwards over four marks: it happened before the first of them. */
	tallies_pass(t, T + 4 * MARK + 10);
	assert_true(tallies_deliver(t, 10));
	assert_int_equal(seen.last.to_ms, T + MARK);
	sent(y, 1);
	/* Backwards: nothing is due, and the next mark tells of one window. */
	tallies_pass(t, T - MARK);
	assert_true(tallies_deliver(t, 10));
	assert_int_equal(seen.n, 1);
	tallies_pass(t, T);
	assert_true(tallies_deliver(t, 10));
	assert_int_equal(seen.n, 2);
	assert_int_equal(seen.last.from_ms, T - MARK);
	assert_int_equal(seen.last.to_ms, T);
	assert_int_equal(seen.sent, 1);
	release(t, &seen);
}

/* Before the daemon's first word there is no mark. */
static void test_what_came_before_the_first_time_is_of_its_window(void **state)
{
	(void)state;
	struct seen seen = {.principals = principals_new(16, 7)};
	const struct tallies_setup setup = {.identities_max = 10,
					    .identities_a_principal_max = 10,
					    .principals = seen.principals,
					    .dimensions = &none,
					    .deliver = take,
					    .ctx = &seen};
	struct tallies *t = tallies_new(&setup);
	const struct event_identity who = identity(1, "pump");
	sent(tally_open(t, &who, VIEW_LIT("")), 1);
	tallies_close(t, T);
	assert_int_equal(seen.n, 0);
	tallies_pass(t, T + 5);
	assert_true(tallies_deliver(t, 10));
	assert_int_equal(seen.n, 0);
	tallies_pass(t, T + MARK);
	assert_true(tallies_deliver(t, 10));
	assert_int_equal(seen.last.from_ms, T);
	assert_int_equal(seen.sent, 1);
	release(t, &seen);
}

static void test_a_stop_delivers_the_rest(void **state)
{
	(void)state;
	struct seen seen;
	struct tallies *t = table(&seen, 10, 10);
	const struct event_identity who = identity(1, "pump");
	sent(tally_open(t, &who, VIEW_LIT("")), 1);
	tallies_close(t, T + 2000);
	assert_int_equal(seen.n, 1);
	assert_int_equal(seen.last.from_ms, T);
	assert_int_equal(seen.last.to_ms, T + 2000);
	release(t, &seen);
}

/* A million client ids of one certificate, beside a quiet one. */
static void test_caps_hold_and_sums_are_exact(void **state)
{
	(void)state;
	enum { CAP = 1000, A_PRINCIPAL = 100, MANY = 1000000 };
	struct seen seen;
	struct tallies *t = table(&seen, CAP, A_PRINCIPAL);
	for (unsigned i = 0; i < MANY; i++) {
		char id[16];
		(void)snprintf(id, sizeof(id), "c%u", i);
		const struct event_identity who = identity(1, id);
		struct tally *y = tally_open(t, &who, VIEW_LIT(""));
		sent(y, 1);
		tally_ended(y);
	}
	assert_int_equal(tallies_fill(t).n, A_PRINCIPAL);
	assert_int_equal(tallies_fill(t).left_out, MANY - A_PRINCIPAL);
	assert_int_equal(principals_count(seen.principals), 2); /* the certificate, and nobody */
	const struct event_identity quiet = identity(2, "quiet");
	sent(tally_open(t, &quiet, VIEW_LIT("")), 1);
	assert_int_equal(tallies_fill(t).n, A_PRINCIPAL + 1);
	tallies_pass(t, T + MARK);
	assert_true(tallies_deliver(t, CAP));
	assert_int_equal(seen.n, A_PRINCIPAL + 2);
	assert_int_equal(seen.sent, MANY + 1);
	assert_int_equal(seen.connects, MANY + 1);
	assert_int_equal(seen.disconnects, MANY);
	assert_int_equal(tallies_fill(t).n, 1);
	release(t, &seen);
}

/* As many certificates as the table holds, and more: the rest counts under nobody. */
static void test_full_table(void **state)
{
	(void)state;
	struct seen seen;
	struct tallies *t = table(&seen, 3, 2);
	for (uint8_t cert = 1; cert <= 5; cert++) {
		const struct event_identity who = identity(cert, "pump");
		sent(tally_open(t, &who, VIEW_LIT("thing")), 1);
	}
	assert_int_equal(tallies_fill(t).n, 3);
	tallies_pass(t, T + MARK);
	assert_true(tallies_deliver(t, 10));
	assert_int_equal(seen.n, 4);
	assert_int_equal(seen.sent, 5);
	assert_string_equal(seen.client_id, "");
	assert_string_equal(seen.thing, "");
	assert_int_equal(seen.last.who.fingerprint[0], 0);
	assert_int_equal(seen.last.messages.sent, 2);
	release(t, &seen);
}

/* Refused connects: who never authenticated gets no entry, nor does each client id that somebody
 * with a certificate tries. */
static void test_refused_connects(void **state)
{
	(void)state;
	struct seen seen;
	struct tallies *t = table(&seen, 10, 10);
	for (unsigned i = 0; i < 1000; i++) {
		char id[16];
		(void)snprintf(id, sizeof(id), "c%u", i);
		const struct event_identity stranger = identity((uint8_t)i, id);
		tally_attempt(t, &stranger, TALLY_STRANGER);
		const struct event_identity known = identity(1, id);
		tally_attempt(t, &known, TALLY_REGISTERED);
	}
	assert_int_equal(tallies_fill(t).n, 0);
	assert_int_equal(principals_count(seen.principals), 2);
	const struct event_identity own = identity(1, "pump");
	tally_attempt(t, &own, TALLY_OWN);
	tally_attempt(t, &own, TALLY_REGISTERED);
	assert_int_equal(tallies_fill(t).n, 1);
	tallies_pass(t, T + MARK);
	assert_true(tallies_deliver(t, 10));
	assert_int_equal(seen.n, 3);
	assert_int_equal(seen.connects, 2002);
	assert_int_equal(seen.refusals, 2002);
	assert_string_equal(seen.client_id, "pump");
	assert_int_equal(seen.last.connects, 2);
	release(t, &seen);
}

static void test_the_thing_may_come_later(void **state)
{
	(void)state;
	struct seen seen;
	struct tallies *t = table(&seen, 10, 10);
	const struct event_identity who = identity(1, "pump");
	tally_ended(tally_open(t, &who, VIEW_LIT("")));
	sent(tally_absent(t, &who, VIEW_LIT("pump-7")), 3);
	tallies_pass(t, T + MARK);
	assert_true(tallies_deliver(t, 10));
	assert_int_equal(seen.n, 1);
	assert_string_equal(seen.thing, "pump-7");
	assert_int_equal(seen.sent, 1);
	release(t, &seen);
}

/* By user name when there is no certificate, and not by it when there is one. */
static void test_user_names(void **state)
{
	(void)state;
	struct seen seen;
	struct tallies *t = table(&seen, 10, 10);
	const char *names[] = {"ada", "bob"};
	for (unsigned i = 0; i < 2; i++) {
		struct event_identity who = identity(0, "pump");
		who.username = view_of(names[i]);
		assert_non_null(tally_open(t, &who, VIEW_LIT("")));
		who.fingerprint[0] = 1;
		assert_non_null(tally_open(t, &who, VIEW_LIT("")));
	}
	assert_int_equal(tallies_fill(t).n, 3);
	release(t, &seen);
}

static void test_nothing_is_counted_without_a_tally(void **state)
{
	(void)state;
	sent(NULL, 1);
	received(NULL, 1);
	refused(NULL);
	tally_ended(NULL);
	tallies_free(NULL);
}

/* ---- Dimensions ---- */

static struct tally_message message(const char *topic, uint32_t bytes)
{
	return (struct tally_message){view_of(topic), VIEW_LIT("pump"), bytes};
}

/* The counters of a dimension in the last delivery. */
static const struct event_dimension *of_dimension(const struct seen *seen, const char *name)
{
	for (unsigned i = 0; i < seen->last.dimensions; i++)
		if (strcmp(seen->names[i], name) == 0)
			return &seen->dimensions[i];
	return NULL;
}

static void test_what_dimensions_hold(void **state)
{
	(void)state;
	struct seen seen;
	struct dimensions dimensions = {
		.n = 2,
		.all = {{VIEW_LIT("doors"), {VIEW_LIT("\6\0door/+\4\0gate")}},
			{VIEW_LIT("own"), {VIEW_LIT("\021\0${iot:ClientId}/#")}}}
        };
	struct tallies *t = table_with(&dimensions, &seen, 10, 10);
	const struct event_identity who = identity(1, "pump");
	struct tally *y = tally_open(t, &who, VIEW_LIT(""));
	const struct tally_message messages[] = {message("door/1", 10), message("gate", 4),
						 message("door", 7), message("pump/x", 3)};
	for (size_t i = 0; i < ARRAY_LEN(messages); i++)
		tally_sent(y, &messages[i]);
	tally_received(y, &messages[0]);
	tally_refused(y, &messages[0]);
	tally_refused(y, &messages[2]);
	seen.has_no_room = true; /* merged, they are counted on */
	tallies_pass(t, T + MARK);
	assert_false(tallies_deliver(t, 10));
	tally_sent(y, &messages[1]);
	seen.has_no_room = false;
	tallies_pass(t, T + 2 * MARK);
	assert_true(tallies_deliver(t, 10));
	assert_int_equal(seen.last.messages.sent, 5);
	assert_int_equal(seen.last.refusals, 2);
	assert_int_equal(seen.last.dimensions, 2);
	const struct event_messages doors = {3, 18, 4, 10, 1, 10}, own = {1, 3, 3, 3, 0, 0};
	assert_memory_equal(&of_dimension(&seen, "doors")->messages, &doors, sizeof(doors));
	assert_int_equal(of_dimension(&seen, "doors")->refusals, 1);
	assert_memory_equal(&of_dimension(&seen, "own")->messages, &own, sizeof(own));
	/* The next window begins with none; one that is gone is told once more. */
	tally_sent(y, &messages[0]);
	dimensions.n = 0;
	tallies_pass(t, T + 3 * MARK);
	assert_true(tallies_deliver(t, 10));
	assert_int_equal(of_dimension(&seen, "doors")->messages.sent, 1);
	tallies_pass(t, T + 4 * MARK);
	assert_true(tallies_deliver(t, 10));
	assert_int_equal(seen.last.dimensions, 0);
	release(t, &seen);
}

/* However often an account makes new ones, an event has room for so many. */
static void test_more_dimensions_than_an_event_holds(void **state)
{
	(void)state;
	struct seen seen;
	char name[16];
	struct dimensions dimensions = {.n = 1, .all = {{.filters = {VIEW_LIT("\1\0#")}}}};
	struct tallies *t = table_with(&dimensions, &seen, 10, 10);
	const struct event_identity who = identity(1, "pump");
	struct tally *y = tally_open(t, &who, VIEW_LIT(""));
	for (unsigned i = 0; i < EVENT_DIMENSIONS_MAX + 5; i++) {
		(void)snprintf(name, sizeof(name), "d%u", i);
		dimensions.all[0].name = view_of(name);
		sent(y, 1);
	}
	tallies_pass(t, T + MARK);
	assert_true(tallies_deliver(t, 10));
	assert_int_equal(seen.last.messages.sent, EVENT_DIMENSIONS_MAX + 5);
	assert_int_equal(seen.last.dimensions, EVENT_DIMENSIONS_MAX);
	release(t, &seen);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_session_is_delivered_at_the_mark),
		cmocka_unit_test(test_silent_ones),
		cmocka_unit_test(test_no_counter_spans_a_mark),
		cmocka_unit_test(test_so_many_a_turn),
		cmocka_unit_test(test_without_room_counters_are_merged),
		cmocka_unit_test(test_clock_jumps),
		cmocka_unit_test(test_what_came_before_the_first_time_is_of_its_window),
		cmocka_unit_test(test_a_stop_delivers_the_rest),
		cmocka_unit_test(test_caps_hold_and_sums_are_exact),
		cmocka_unit_test(test_full_table),
		cmocka_unit_test(test_refused_connects),
		cmocka_unit_test(test_the_thing_may_come_later),
		cmocka_unit_test(test_user_names),
		cmocka_unit_test(test_nothing_is_counted_without_a_tally),
		cmocka_unit_test(test_what_dimensions_hold),
		cmocka_unit_test(test_more_dimensions_than_an_event_holds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Who is connected: told at once, owed without room, merged when it began and ended meanwhile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "mosquitto/presence.h"

#define TOLD_SIZE 256

/* What was told, as "+1 -1 ". */
struct seen {
	unsigned room; /* events that are still taken */
	char told[TOLD_SIZE];
};

static bool take(void *ctx, const struct event *e)
{
	struct seen *seen = ctx;
	if (seen->room == 0)
		return false;
	seen->room--;
	bool begins = e->kind == EVENT_CONNECT;
	const struct event_identity *who = begins ? &e->connect.who : &e->disconnect.who;
	assert_true(view_is(who->client_id, "pump"));
	size_t n = strlen(seen->told);
	(void)snprintf(seen->told + n, sizeof(seen->told) - n, "%c%u ", begins ? '+' : '-',
		       (unsigned)who->session);
	return true;
}

static void begin(struct presence *p, uint64_t session)
{
	const struct event e = {
		.kind = EVENT_CONNECT,
		.connect = {.who = {.session = session, .client_id = VIEW_LIT("pump")}}};
	presence_began(p, &e);
}

static void end(struct presence *p, uint64_t session)
{
	const struct event e = {
		.kind = EVENT_DISCONNECT,
		.disconnect = {.who = {.session = session, .client_id = VIEW_LIT("pump")}}};
	presence_ended(p, &e);
}

/* Steps: "+1" begins session 1, "-1" ends it; "0" to "9": so much room; "=" catches up. */
static void walk(struct presence *p, struct seen *seen, const char *steps)
{
	for (; *steps; steps++) {
		if (*steps == '+')
			begin(p, (uint64_t)(*++steps - '0'));
		else if (*steps == '-')
			end(p, (uint64_t)(*++steps - '0'));
		else if (*steps == '=')
			presence_catch_up(p);
		else
			seen->room = (unsigned)(*steps - '0');
	}
}

static void test_steps(void **state)
{
	(void)state;
	static const struct {
		const char *steps, *told;
		unsigned merged;
	} cases[] = {
		{"9+1+2-1-2",          "+1 +2 -1 -2 ",    0},
 /* Began and ended without room: not told. */
		{"0+1-1+2-29=",        "",                2},
 /* Still open: told later. */
		{"0+1-1+29=",          "+2 ",             1},
 /* An end that is owed comes before a beginning. */
		{"9+10+2-19=",         "+1 -1 +2 ",       0},
 /* Nothing passes what is owed. */
		{"9+10-19+2=",         "+1 -1 +2 ",       0},
 /* Room for one at a time. */
		{"9+1+20-1-2+31=1=1=", "+1 +2 -1 -2 +3 ", 0},
		{"0+1+2+31=9-1-2-3=",  "+1 -1 ",          2},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct seen seen = {0};
		const struct presence_setup setup = {.tell = take, .ctx = &seen};
		struct presence *p = presence_new(&setup);
		assert_non_null(p);
		walk(p, &seen, cases[i].steps);
		assert_string_equal(seen.told, cases[i].told);
		assert_int_equal(presence_merged(p), cases[i].merged);
		presence_free(p);
	}
}

/* A storm without room is bounded by who is open: memory does not grow with it. */
static void test_storm_without_room(void **state)
{
	(void)state;
	struct seen seen = {0};
	const struct presence_setup setup = {.tell = take, .ctx = &seen};
	struct presence *p = presence_new(&setup);
	assert_non_null(p);
	for (uint64_t session = 1; session <= 200000; session++) {
		begin(p, session);
		end(p, session);
	}
	assert_int_equal(presence_merged(p), 200000);
	seen.room = 1;
	begin(p, 200001);
	assert_string_equal(seen.told, "+200001 ");
	presence_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_steps),
		cmocka_unit_test(test_storm_without_room),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* wraps: malloc calloc realloc strdup mmap */
/* The plugin is a guest: whichever allocation fails, it goes on, loses nothing that is its own, and
 * what it could not count is at most what that allocation was for. The n-th fails, for n = 1 until
 * none is left to fail. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "failing_memory.h"
#include "mosquitto/dimensions.h"
#include "mosquitto/options.h"
#include "mosquitto/presence.h"
#include "mosquitto/refusal_table.h"
#include "mosquitto/session.h"
#include "mosquitto/tally.h"
#include "mosquitto/uplink.h"

#define DEVICES 20
#define MARK    ((int64_t)TALLY_MARK_MS)

/* The plugin's tables, joined as in the plugin. */
struct house {
	struct dimensions dimensions;
	struct options options;
	struct uplink *uplink;
	struct principals *principals;
	struct policy_sets *sets;
	struct session_table *sessions;
	struct tallies *tallies;
	struct refusal_table *refusals;
	struct presence *presence;
};

static void on_up(void *ctx, const struct frame_welcome *welcome)
{
	(void)ctx;
	(void)welcome;
}

static void on_down(void *ctx, const char *why)
{
	(void)ctx;
	(void)why;
}

static int on_item(void *ctx, uint8_t kind, struct reader *one)
{
	(void)ctx;
	(void)kind;
	(void)one;
	return 0;
}

static bool send_event(void *ctx, const struct event *e)
{
	const struct house *h = ctx;
	return uplink_event(h->uplink, e);
}

static void tear_down(struct house *h)
{
	presence_free(h->presence);
	refusal_table_free(h->refusals);
	session_table_free(h->sessions);
	tallies_free(h->tallies);
	policy_sets_free(h->sets);
	principals_free(h->principals);
	uplink_free(h->uplink);
}

static int build(struct house *h)
{
	static const struct uplink_handlers handlers = {on_up, on_down, on_item, NULL};
	*h = (struct house){
		.options = {.channel = "/nonexistent", .broker = "test", .queue_bytes = 1 << 12},
		.dimensions = {.n = 1,                         .all = {{VIEW_LIT("doors"), {VIEW_LIT("\4\0door")}}}                                   }
        };
	h->uplink = uplink_new(&h->options, &handlers);
	h->principals = principals_new(16, 7);
	h->sets = policy_sets_new();
	if (!h->uplink || !h->principals || !h->sets)
		return -1;
	const struct tallies_setup tallies = {.identities_max = 16,
					      .identities_a_principal_max = 4,
					      .seed = 7,
					      .principals = h->principals,
					      .dimensions = &h->dimensions,
					      .deliver = send_event,
					      .ctx = h};
	const struct refusal_setup refusals = {.rows_max = 8,
					       .rows_an_owner_max = 2,
					       .tells_a_second_max = 5,
					       .seed = 7,
					       .tell = send_event,
					       .ctx = h};
	const struct presence_setup presence = {.tell = send_event, .ctx = h};
	h->sessions = session_table_new(h->principals, h->sets);
	h->tallies = tallies_new(&tallies);
	h->refusals = refusal_table_new(&refusals);
	h->presence = presence_new(&presence);
	return h->sessions && h->tallies && h->refusals && h->presence ? 0 : -1;
}

/* One client comes, does this and that, and stays. */
static void come(struct house *h, unsigned i)
{
	static char clients[DEVICES];
	const uint8_t fingerprint[EVENT_FINGERPRINT] = {(uint8_t)(i / 2), 1};
	char client_id[16];
	(void)snprintf(client_id, sizeof(client_id), "device%u", i);
	const struct session_facts facts = {.client = (struct mosquitto *)(void *)&clients[i],
					    .fingerprint = fingerprint,
					    .client_id = client_id,
					    .address = "192.0.2.1"};
	struct session *s = session_new(h->sessions, &facts);
	if (!s || session_add(h->sessions, s) < 0) {
		session_free(h->sessions, s);
		return;
	}
	s->number = i + 1;
	const struct event_identity who = session_identity(s);
	const struct event begin = {.kind = EVENT_CONNECT, .connect = {.who = who}};
	const struct event_refused refused = {.who = who, .cause = CAUSE_IMPLICIT_DENY};
	s->tally = tally_open(h->tallies, &who, VIEW_LIT("thing"));
	presence_began(h->presence, &begin);
	const struct tally_message m = {VIEW_LIT("door"), view_of(client_id), 10};
	tally_sent(s->tally, &m);
	tally_refused(s->tally, &m);
	tally_attempt(h->tallies, &who, i % 2 ? TALLY_OWN : TALLY_STRANGER);
	refusal_count(h->refusals, &refused, MARK);
}

static void leave(struct house *h, struct session *s)
{
	const struct event end = {.kind = EVENT_DISCONNECT,
				  .disconnect = {.who = session_identity(s)}};
	presence_ended(h->presence, &end);
	tally_ended(s->tally);
	session_remove(h->sessions, s);
}

static void live(struct house *h)
{
	tallies_pass(h->tallies, MARK * 1000);
	for (unsigned i = 0; i < DEVICES; i++)
		come(h, i);
	refusal_tell(h->refusals, 5000);
	tallies_pass(h->tallies, MARK * 1001);
	(void)tallies_deliver(h->tallies, DEVICES);
	uplink_poll(h->uplink, 1, 0);
	struct session *s;
	for (unsigned i = 0; i < DEVICES / 2 && (s = session_next_fresh(h->sessions)); i++)
		leave(h, s);
	refusal_tell_all(h->refusals, 6000);
	presence_catch_up(h->presence);
	tallies_close(h->tallies, MARK * 1001 + 5);
	uplink_flush(h->uplink);
}

/* True when an allocation failed on the way. */
static bool live_until(size_t failure)
{
	struct house h;
	until_failure = failure;
	if (build(&h) == 0)
		live(&h);
	bool has_failed = until_failure == 0;
	until_failure = 0;
	tear_down(&h);
	return has_failed;
}

static void test_each_allocation_may_fail(void **state)
{
	(void)state;
	size_t n = 1;
	while (live_until(n))
		n++;
	assert_true(n > 2 * DEVICES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_allocation_may_fail),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

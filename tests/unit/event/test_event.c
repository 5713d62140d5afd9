/* Events: each kind goes there and back, what is too long is cut, what breaks a rule is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "event/event.h"
#include "policy/decide.h"

#include "event_kit.h"

static uint8_t buffer[4096];

static struct reader body_of(const struct event *e)
{
	struct writer w = writer_of(buffer, sizeof(buffer));
	event_write(&w, e);
	assert_false(w.full);
	return reader_of(buffer, w.len);
}

static struct event there_and_back(const struct event *e)
{
	struct event out;
	struct reader body = body_of(e);
	assert_int_equal(event_read(e->kind, &body, &out), 0);
	assert_int_equal(out.kind, e->kind);
	return out;
}

static bool is_read(const struct event *e)
{
	struct event out;
	struct reader body = body_of(e);
	return event_read(e->kind, &body, &out) == 0;
}

static void assert_view(struct view v, const char *want)
{
	assert_true(view_is(v, want));
}

static void assert_identity(const struct event_identity *have, const struct event_identity *want)
{
	assert_int_equal(have->session, want->session);
	assert_memory_equal(have->fingerprint, want->fingerprint, EVENT_FINGERPRINT);
	assert_true(view_eq(have->client_id, want->client_id));
	assert_true(view_eq(have->address, want->address));
	assert_true(view_eq(have->username, want->username));
	assert_int_equal(have->port, want->port);
}

static void test_connect(void **state)
{
	(void)state;
	struct event in = kit_event(EVENT_CONNECT), e = there_and_back(&in);
	const struct event_connect *c = &e.connect;
	assert_identity(&c->who, &in.connect.who);
	assert_view(c->thing, "thing");
	assert_int_equal(c->at_ms, 1700000000000);
	assert_int_equal(c->keep_alive_s, 60);
	assert_int_equal(c->flags, EVENT_TLS | EVENT_QUARANTINED);
	assert_int_equal(c->others, 2);
	assert_view(c->other_client_id, "other");
	assert_view(c->other_address, "192.0.2.9");
}

static void test_disconnect(void **state)
{
	(void)state;
	struct event in = kit_event(EVENT_DISCONNECT), e = there_and_back(&in);
	assert_identity(&e.disconnect.who, &in.disconnect.who);
	assert_int_equal(e.disconnect.at_ms, 1700000000000);
	assert_int_equal(e.disconnect.connected_ms, 5000);
	assert_int_equal(e.disconnect.end, END_CUT);
	assert_int_equal(e.disconnect.cause, CAUSE_CERT_REVOKED);
}

static void test_takeover(void **state)
{
	(void)state;
	struct event in = kit_event(EVENT_TAKEOVER), e = there_and_back(&in);
	const struct event_takeover *t = &e.takeover;
	assert_identity(&t->old_who, &in.takeover.old_who);
	assert_identity(&t->new_who, &in.takeover.new_who);
	assert_int_equal(t->old_connected_ms, 7000);
	assert_int_equal(t->old_idle_ms, 300);
	assert_int_equal(t->old_keep_alive_s, 60);
	assert_int_equal(t->new_keep_alive_s, 30);
	assert_int_equal(t->old_flags, EVENT_CLEAN);
	assert_int_equal(t->new_flags, EVENT_MQTT5);
}

static void test_refused(void **state)
{
	(void)state;
	struct event in = kit_event(EVENT_REFUSED), e = there_and_back(&in);
	const struct event_refused *r = &e.refused;
	assert_identity(&r->who, &in.refused.who);
	assert_int_equal(r->action, POLICY_PUBLISH);
	assert_int_equal(r->cause, CAUSE_EXPLICIT_DENY);
	assert_true(r->is_observed);
	assert_view(r->resource, "a/b");
	assert_view(r->policy, "base");
	assert_int_equal(r->version, 3);
	assert_int_equal(r->statement, 1);
	assert_view(r->missing, "iot:Connection.Thing.ThingName");
	assert_int_equal(r->count, 12);
	assert_int_equal(r->first_ms, 1699999999000);
	assert_int_equal(r->last_ms, 1700000000000);
	in.refused.statement = -1;
	in.refused.action = EVENT_ACTION_TLS;
	e = there_and_back(&in);
	assert_int_equal(e.refused.statement, -1);
	assert_int_equal(e.refused.action, EVENT_ACTION_TLS);
}

static void test_counters(void **state)
{
	(void)state;
	uint8_t room[512];
	struct writer w = writer_of(room, sizeof(room));
	const struct event_dimension dimensions[] = {
		{VIEW_LIT("temperature"), {4, 40, 5, 20, 6, 60}, 7},
		{VIEW_LIT("door"),        {0},                   0},
	};
	for (size_t i = 0; i < ARRAY_LEN(dimensions); i++)
		event_write_dimension(&w, &dimensions[i]);
	struct event in = kit_event(EVENT_COUNTERS);
	in.counters.dimensions = ARRAY_LEN(dimensions);
	in.counters.by_dimension = (struct view){(const char *)room, w.len};
	struct event e = there_and_back(&in);
	assert_identity(&e.counters.who, &in.counters.who);
	assert_memory_equal(&e.counters.messages, &in.counters.messages,
			    sizeof(struct event_messages));
	assert_int_equal(e.counters.from_ms, 1699999700000);
	assert_int_equal(e.counters.to_ms, 1700000000000);
	assert_int_equal(e.counters.refusals, 1);
	assert_int_equal(e.counters.connects, 2);
	assert_int_equal(e.counters.disconnects, 3);
	assert_true(e.counters.is_connected);
	struct view rest = e.counters.by_dimension;
	for (size_t i = 0; i < ARRAY_LEN(dimensions); i++) {
		struct event_dimension d;
		assert_true(event_take_dimension(&rest, &d));
		assert_true(view_eq(d.name, dimensions[i].name));
		assert_memory_equal(&d.messages, &dimensions[i].messages, sizeof(d.messages));
		assert_int_equal(d.refusals, dimensions[i].refusals);
	}
	assert_int_equal(rest.n, 0);
	in.counters.dimensions = 3; /* one more than there are */
	assert_false(is_read(&in));
}

static void test_table_and_numbers(void **state)
{
	(void)state;
	static const enum event_kind kinds[] = {EVENT_CUT, EVENT_APPLIED, EVENT_FLUSHED};
	struct event in = kit_event(EVENT_TABLE), e = there_and_back(&in);
	assert_view(e.table.name, "refusals");
	assert_int_equal(e.table.n, 9);
	assert_int_equal(e.table.cap, 10);
	assert_int_equal(e.table.left_out, 11);
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		in = (struct event){.kind = kinds[i], .number = UINT64_MAX - i};
		e = there_and_back(&in);
		assert_true(e.number == UINT64_MAX - i);
	}
}

static void test_report(void **state)
{
	(void)state;
	struct event in = kit_event(EVENT_REPORT), e = there_and_back(&in);
	assert_true(e.report.is_own);
	assert_view(e.report.client_id, "client");
	assert_true(view_eq(e.report.topic, in.report.topic));
	assert_true(view_eq(e.report.payload, in.report.payload));
	assert_int_equal(e.report.at_ms, KIT_AT_MS);
}

/* What a client chose cannot make an event that nobody can read; no character is cut in two. */
static void test_long_texts_are_cut(void **state)
{
	(void)state;
	char text[EVENT_RESOURCE_MAX + 8];
	memset(text, 'x', sizeof(text));
	memcpy(text + EVENT_CLIENT_ID_MAX - 1, "\xe4\xb8\xad", 3);
	struct event in = kit_event(EVENT_REFUSED);
	in.refused.who.client_id = (struct view){text, sizeof(text)};
	in.refused.who.username = in.refused.who.client_id;
	in.refused.resource = in.refused.who.client_id;
	in.refused.who.address = in.refused.policy = in.refused.missing = in.refused.resource;
	struct event e = there_and_back(&in);
	assert_int_equal(e.refused.who.client_id.n, EVENT_CLIENT_ID_MAX - 1);
	assert_int_equal(e.refused.who.username.n, EVENT_USERNAME_MAX - 1);
	assert_int_equal(e.refused.who.address.n, EVENT_ADDRESS_MAX);
	assert_int_equal(e.refused.resource.n, EVENT_RESOURCE_MAX);
	assert_int_equal(e.refused.policy.n, EVENT_NAME_MAX - 1);
}

/* Every prefix of a body, and a body with a byte more, is refused. */
static void test_wrong_length_is_refused(void **state)
{
	(void)state;
	for (uint8_t kind = 0; kind < UINT8_MAX; kind++) {
		if (!event_kind_known(kind))
			continue;
		struct event e = kit_event((enum event_kind)kind), out;
		struct reader body = body_of(&e);
		size_t n = reader_left(&body);
		buffer[n] = 0;
		for (size_t cut = 0; cut <= n + 1; cut++) {
			struct reader r = reader_of(buffer, cut);
			int rc = event_read((enum event_kind)kind, &r, &out);
			assert_int_equal(rc, cut == n ? 0 : -1);
		}
	}
}

#define BROKEN(kind_, assignment)                                                                  \
	do {                                                                                       \
		struct event e = kit_event(kind_);                                                 \
		assert_true(is_read(&e));                                                          \
		assignment;                                                                        \
		assert_false(is_read(&e));                                                         \
	} while (0)

static void test_rules(void **state)
{
	(void)state;
	BROKEN(EVENT_CONNECT, e.connect.who.session = 0);
	BROKEN(EVENT_CONNECT, e.connect.at_ms = -1);
	BROKEN(EVENT_CONNECT, e.connect.flags = EVENT_FLAGS + 1);
	BROKEN(EVENT_DISCONNECT, e.disconnect.who.session = 0);
	BROKEN(EVENT_DISCONNECT, e.disconnect.end = ENDS);
	BROKEN(EVENT_DISCONNECT, e.disconnect.cause = CAUSES);
	BROKEN(EVENT_TAKEOVER, e.takeover.old_flags = EVENT_FLAGS + 1);
	BROKEN(EVENT_REFUSED, e.refused.action = POLICY_ACTIONS);
	BROKEN(EVENT_REFUSED, e.refused.cause = CAUSES);
	BROKEN(EVENT_REFUSED, e.refused.statement = -2);
	BROKEN(EVENT_REFUSED, e.refused.count = 0);
	BROKEN(EVENT_REFUSED, e.refused.count = (uint64_t)INT64_MAX + 1);
	BROKEN(EVENT_REFUSED, e.refused.first_ms = e.refused.last_ms + 1);
	BROKEN(EVENT_COUNTERS, e.counters.from_ms = e.counters.to_ms + 1);
	BROKEN(EVENT_COUNTERS, e.counters.messages.sent_min = e.counters.messages.sent_max + 1);
	BROKEN(EVENT_COUNTERS, e.counters.messages.sent_max = e.counters.messages.sent_bytes + 1);
	BROKEN(EVENT_COUNTERS, e.counters.dimensions = EVENT_DIMENSIONS_MAX + 1);
	BROKEN(EVENT_TABLE, e.table.name = VIEW_LIT(""));
}

/* Words stand in the ledger, metrics and filters: lower case, no spaces, each once. */
static void assert_word(const char *word, const char *text)
{
	assert_true(word[0] && text[0]);
	assert_int_equal(strspn(word, "abcdefghijklmnopqrstuvwxyz-"), strlen(word));
}

static void test_words(void **state)
{
	(void)state;
	for (unsigned i = 0; i < CAUSES; i++) {
		assert_word(cause_word((enum cause)i), cause_text((enum cause)i));
		for (unsigned k = 0; k < i; k++)
			assert_string_not_equal(cause_word((enum cause)i),
						cause_word((enum cause)k));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_connect),
		cmocka_unit_test(test_disconnect),
		cmocka_unit_test(test_takeover),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_counters),
		cmocka_unit_test(test_table_and_numbers),
		cmocka_unit_test(test_report),
		cmocka_unit_test(test_long_texts_are_cut),
		cmocka_unit_test(test_wrong_length_is_refused),
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_words),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

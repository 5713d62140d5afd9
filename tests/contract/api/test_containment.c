/* Which changes begin a containment, what it says, and when it is lifted, on both databases. */
#include "registry_kit.h"

#include "registry/clone_case.h"
#include "registry/containment.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define POLICY(effect, action)                                                                     \
	"{\"policyDocument\":\"{\\\"Version\\\":\\\"2012-10-17\\\",\\\"Statement\\\":[{"           \
	"\\\"Effect\\\":\\\"" effect "\\\",\\\"Action\\\":\\\"" action                             \
	"\\\",\\\"Resource\\\":\\\"*\\\"}]}\"}"
#define QUARANTINE(value)                                                                          \
	"{\"thingGroupProperties\":{\"attributePayload\":{\"attributes\":"                         \
	"{\"thingward:quarantine\":\"" value "\"}}}}"

/* The newest containments as "kind target detail" lines, newest first; certificate ids cut to 4. */
static const char *begun(struct kit *k)
{
	static GString *text;
	if (!text)
		text = g_string_new(NULL);
	g_string_truncate(text, 0);
	const json_t *list =
		json_object_get(ok(k, NULL, "GET /thingward/containments"), "containments");
	size_t i;
	json_t *one;
	json_array_foreach(list, i, one)
	{
		const char *target = json_str(one, "target");
		bool is_id = strlen(target) == 64;
		g_string_append_printf(text, "%s %.*s %s|", json_str(one, "kind"), is_id ? 4 : 99,
				       is_id ? "cert" : target, json_str(one, "detail"));
	}
	return text->str;
}

static void put_target(struct kit *k, const char *verb, const char *policy, const char *type,
		       const char *name)
{
	g_autofree char *body = g_strdup_printf("{\"target\":\"%s\"}", kit_arn(k, type, name));
	ok(k, body, "%s-policies/%s", verb, policy);
}

#define ATTACH "PUT /target"
#define DETACH "POST /target"

static void put_member(struct kit *k, const char *verb, const char *thing, const char *group)
{
	g_autofree char *body =
		g_strdup_printf("{\"thingName\":\"%s\",\"thingGroupName\":\"%s\"}", thing, group);
	ok(k, body, "PUT /thing-groups/%s", verb);
}

static void set_status(struct kit *k, const char *id, const char *status)
{
	ok(k, NULL, "PUT /certificates/%s?newStatus=%s", id, status);
}

/* A thing "lamp" with a certificate. */
static void make_lamp(struct kit *k, char id[X509_ID_SIZE])
{
	kit_thing(k, "lamp");
	kit_certificate(k, "ACTIVE", id);
	kit_attach(k, "lamp", id);
}

static void certificates(void **state)
{
	struct kit *k = *state;
	char id[X509_ID_SIZE];
	kit_certificate(k, "ACTIVE", id);
	assert_string_equal(begun(k), "");
	set_status(k, id, "ACTIVE");
	assert_string_equal(begun(k), "");
	set_status(k, id, "INACTIVE");
	set_status(k, id, "INACTIVE");
	assert_string_equal(begun(k), "certificate-deactivated cert |");
	const json_t *out = ok(k, NULL, "GET /thingward/containments/1");
	const json_t *record = json_object_get(out, "containment");
	assert_string_equal(json_str(record, "state"), "requested");
	assert_string_equal(json_str(record, "target"), id);
	assert_int_equal(json_num(record, "requestedTime"), API_TEST_START_MS / 1000);
	assert_items(json_object_get(out, "certificateIds"), NULL, id, NULL);
	assert_items(json_object_get(out, "evidence"), "text", NULL);
	assert_string_not_equal(json_str(record, "requestId"), "");

	set_status(k, id, "ACTIVE");
	out = ok(k, NULL, "GET /thingward/containments/1");
	assert_int_equal(json_num(json_object_get(out, "containment"), "liftedTime"),
			 API_TEST_START_MS / 1000);
	set_status(k, id, "REVOKED");
	ok(k, NULL, "DELETE /certificates/%s", id);
	assert_string_equal(begun(k), "certificate-deleted cert |certificate-deactivated cert |"
				      "certificate-deactivated cert |");
}

static void policies(void **state)
{
	struct kit *k = *state;
	char id[X509_ID_SIZE];
	make_lamp(k, id);
	ok(k, POLICY("Allow", "iot:Publish"), "POST /policies/may");
	ok(k, POLICY("Deny", "iot:Publish"), "POST /policies/never");
	put_target(k, ATTACH, "may", "cert", id);
	assert_string_equal(begun(k), "");
	put_target(k, ATTACH, "never", "cert", id);
	g_autofree char *attached = g_strdup_printf("policy-attached never cert/%s|", id);
	assert_string_equal(begun(k), attached);
	put_target(k, DETACH, "never", "cert", id); /* a denial less takes nothing away */
	assert_string_equal(begun(k), attached);

	ok(k, POLICY("Allow", "iot:Connect"), "POST /policies/may/version");
	assert_string_equal(begun(k), attached);
	ok(k, NULL, "PATCH /policies/may/version/2");
	g_autofree char *changed = g_strdup_printf("policy-changed may 1|%s", attached);
	assert_string_equal(begun(k), changed);
	ok(k, POLICY("Allow", "iot:Receive"), "POST /policies/may/version?setAsDefault=true");
	put_target(k, DETACH, "may", "cert", id);
	g_autofree char *detached =
		g_strdup_printf("policy-detached may cert/%s|policy-changed may 2|%s", id, changed);
	assert_string_equal(begun(k), detached);
	put_target(k, DETACH, "may", "cert", id);
	assert_string_equal(begun(k), detached);
}

static void groups(void **state)
{
	struct kit *k = *state;
	char id[X509_ID_SIZE];
	make_lamp(k, id);
	kit_group(k, "house", NULL);
	kit_group(k, "room", "house");
	put_member(k, "addThingToThingGroup", "lamp", "room");
	put_member(k, "removeThingFromThingGroup", "lamp", "room");
	assert_string_equal(begun(k), "");

	ok(k, POLICY("Deny", "iot:Publish"), "POST /policies/never");
	ok(k, POLICY("Allow", "iot:Publish"), "POST /policies/may");
	put_target(k, ATTACH, "never", "thinggroup", "house");
	assert_string_equal(begun(k), ""); /* no certificate is concerned */
	put_member(k, "addThingToThingGroup", "lamp", "room");
	assert_string_equal(begun(k), "thing-added-to-group lamp room|");
	put_target(k, ATTACH, "may", "thinggroup", "room");
	put_member(k, "removeThingFromThingGroup", "lamp", "room");
	assert_string_equal(begun(k), "thing-removed-from-group lamp room|"
				      "thing-added-to-group lamp room|");
	put_member(k, "addThingToThingGroup", "lamp", "room");
	ok(k, NULL, "DELETE /thing-groups/room");
	assert_string_equal(begun(k),
			    "group-deleted room |thing-added-to-group lamp room|"
			    "thing-removed-from-group lamp room|thing-added-to-group lamp room|");
}

static void principals(void **state)
{
	struct kit *k = *state;
	char id[X509_ID_SIZE];
	make_lamp(k, id);
	ok(k, POLICY("Allow", "iot:Publish"), "POST /policies/may");
	put_target(k, ATTACH, "may", "cert", id);
	g_autofree char *arn = g_strdup(kit_arn(k, "cert", id));
	kit_header(k, "x-amzn-principal", arn);
	ok(k, NULL, "DELETE /things/lamp/principals");
	kit_header(k, NULL, NULL);
	assert_string_equal(begun(k), "thing-detached cert lamp|");
}

static void quarantines(void **state)
{
	struct kit *k = *state;
	char id[X509_ID_SIZE], second[X509_ID_SIZE];
	make_lamp(k, id);
	fails(k, 400, "InvalidRequestException", QUARANTINE("yes"), "POST /thing-groups/jail");
	ok(k, QUARANTINE("true"), "POST /thing-groups/jail");
	kit_group(k, "cell", "jail");
	(void)kit_changes(k);
	put_member(k, "addThingToThingGroup", "lamp", "cell");
	assert_string_equal(begun(k), "thing-quarantined lamp cell|");
	put_member(k, "removeThingFromThingGroup", "lamp", "cell");
	assert_string_equal(begun(k), "thing-quarantined lamp cell|");
	const json_t *out = ok(k, NULL, "GET /thingward/containments/1");
	assert_true(json_num(json_object_get(out, "containment"), "liftedTime") > 0);

	put_member(k, "addThingToThingGroup", "lamp", "cell");
	kit_certificate(k, "ACTIVE", second);
	kit_attach(k, "lamp", second);
	kit_attach(k, "lamp", second);
	assert_string_equal(begun(k), "thing-quarantined lamp cell|thing-quarantined lamp cell|"
				      "thing-quarantined lamp cell|");
	out = ok(k, NULL, "GET /thingward/containments/3");
	assert_int_equal(json_array_size(json_object_get(out, "certificateIds")), 2);
	put_member(k, "removeThingFromThingGroup", "lamp", "cell");

	kit_group(k, "hall", NULL);
	put_member(k, "addThingToThingGroup", "lamp", "hall");
	(void)kit_changes(k);
	fails(k, 400, "InvalidRequestException", QUARANTINE("TRUE"), "PATCH /thing-groups/hall");
	ok(k, QUARANTINE("false"), "PATCH /thing-groups/hall");
	assert_string_equal(kit_changes(k), "");
	ok(k, QUARANTINE("true"), "PATCH /thing-groups/hall");
	assert_string_equal(kit_changes(k), "group:hall ");
	assert_true(g_str_has_prefix(begun(k), "group-made-quarantine hall |thing-q"));
	ok(k, QUARANTINE("false"), "PATCH /thing-groups/hall");
	assert_string_equal(kit_changes(k), "group:hall ");
}

static void lists(void **state)
{
	struct kit *k = *state;
	char id[X509_ID_SIZE];
	for (int i = 0; i < 3; i++) {
		kit_certificate(k, "ACTIVE", id);
		set_status(k, id, "INACTIVE");
	}
	const json_t *out = ok(k, NULL, "GET /thingward/containments?maxResults=2");
	assert_items(json_object_get(out, "containments"), "containmentId", "3", "2", NULL);
	g_autofree char *token = g_uri_escape_string(json_str(out, "nextToken"), NULL, FALSE);
	out = ok(k, NULL, "GET /thingward/containments?maxResults=2&nextToken=%s", token);
	assert_items(json_object_get(out, "containments"), "containmentId", "1", NULL);
	out = ok(k, NULL, "GET /thingward/containments?state=verified");
	assert_items(json_object_get(out, "containments"), "containmentId", NULL);
	fails(k, 404, "ResourceNotFoundException", NULL, "GET /thingward/containments/4");
	fails(k, 400, "InvalidRequestException", NULL, "GET /thingward/containments/x");
	fails(k, 400, "InvalidRequestException", NULL, "GET /thingward/containments?state=done");
}

/* ---- What brokers tell ---- */

static int write_with(struct kit *k, store_write_fn *fn, void *ctx)
{
	return store_write(k->api.env.store, fn, ctx);
}

#define AT(ms) (API_TEST_START_MS + (ms))

static int tell(struct sql_conn *txn, void *ctx)
{
	const char *id = ctx;
	int r = containment_note_refused(txn, id, "refused early", AT(-1));
	if (!r)
		r = containment_note_refused(txn, id, "refused", AT(1));
	if (!r)
		r = containment_note_refused(txn, id, "refused again", AT(2));
	if (!r)
		r = containment_note_session(txn, id, "b1", "before it was applied", AT(3));
	if (!r)
		r = containment_note_applied(txn, "b0", 0, AT(4));
	if (!r)
		r = containment_note_applied(txn, "b1", 1000, AT(5));
	return r ? r : containment_note_applied(txn, "b1", 1001, AT(9));
}

static int move_on(struct sql_conn *txn, void *ctx)
{
	const char *id = ctx;
	const struct contain is = {.state = CONTAIN_APPLIED, .applied_ms = AT(5)};
	bool was_moved = false;
	int r = containment_move(txn, 1, &is, true, AT(6), "because", &was_moved);
	assert_true(was_moved);
	if (!r)
		r = containment_note_session(txn, id, "b1", "at the moment", AT(5));
	if (!r)
		r = containment_note_session(txn, "another", "b1", "another", AT(7));
	if (!r)
		r = containment_note_session(txn, id, "b1", "began", AT(7));
	return r ? r : containment_note_session(txn, id, "b1", "began again", AT(8));
}

static int take_record(const struct containment *c, void *ret)
{
	g_autofree char *text = g_strdup_printf("%s|%s|%s", contain_state_word(c->is.state),
						c->refused, c->session);
	g_string_assign(ret, text);
	return 0;
}

static void notes(void **state)
{
	struct kit *k = *state;
	char id[X509_ID_SIZE];
	g_autoptr(GString) record = g_string_new(NULL);
	kit_certificate(k, "ACTIVE", id);
	set_status(k, id, "INACTIVE");
	assert_int_equal(write_with(k, tell, id), 0);
	assert_int_equal(containment_get(k->api.reader, 1, take_record, record), 1);
	assert_string_equal(record->str, "requested|refused|");
	assert_int_equal(write_with(k, move_on, id), 0);
	assert_int_equal(containment_get(k->api.reader, 1, take_record, record), 1);
	assert_string_equal(record->str, "applied|refused|began");
	const json_t *out = ok(k, NULL, "GET /thingward/containments/1");
	assert_items(json_object_get(out, "brokers"), "broker", "b1", NULL);
	assert_items(json_object_get(out, "evidence"), "text", "because", NULL);
	assert_int_equal(json_num(json_object_get(out, "containment"), "timeToContainmentMs"), 5);
	assert_int_equal(containment_get(k->api.reader, 2, take_record, record), 0);
}

static int move_late(struct sql_conn *txn, void *ctx)
{
	const struct contain is = {.state = CONTAIN_APPLIED, .applied_ms = AT(5)};
	bool was_moved = true;
	(void)ctx;
	int r = containment_move(txn, 1, &is, true, AT(6), "too late", &was_moved);
	assert_false(was_moved);
	return r;
}

/* Judged by what was read before it was lifted: neither its state nor that it counts comes back. */
static void what_was_lifted_stays_lifted(void **state)
{
	struct kit *k = *state;
	char id[X509_ID_SIZE];
	g_autoptr(GString) record = g_string_new(NULL);
	kit_certificate(k, "ACTIVE", id);
	set_status(k, id, "INACTIVE");
	set_status(k, id, "ACTIVE");
	assert_int_equal(write_with(k, move_late, NULL), 0);
	assert_int_equal(containment_get(k->api.reader, 1, take_record, record), 1);
	assert_string_equal(record->str, "requested||");
	int64_t next = -1;
	assert_int_equal(containment_next(k->api.reader, 0, &next), 0);
	assert_int_equal(next, 0);
	const json_t *out = ok(k, NULL, "GET /thingward/containments/1");
	assert_items(json_object_get(out, "evidence"), "text", NULL);
}

/* By itself, and by two things in groups that have it: one certificate all the same. */
static void a_certificate_counts_once(void **state)
{
	struct kit *k = *state;
	char id[X509_ID_SIZE];
	make_lamp(k, id);
	kit_thing(k, "bulb");
	kit_attach(k, "bulb", id);
	kit_group(k, "house", NULL);
	kit_group(k, "room", "house");
	put_member(k, "addThingToThingGroup", "lamp", "room");
	put_member(k, "addThingToThingGroup", "bulb", "house");
	ok(k, POLICY("Allow", "iot:Publish"), "POST /policies/may");
	put_target(k, ATTACH, "may", "thinggroup", "house");
	put_target(k, ATTACH, "may", "thinggroup", "room");
	put_target(k, ATTACH, "may", "cert", id);
	ok(k, POLICY("Allow", "iot:Connect"), "POST /policies/may/version?setAsDefault=true");
	assert_string_equal(begun(k), "policy-changed may 1|");
	const json_t *out = ok(k, NULL, "GET /thingward/containments/1");
	assert_items(json_object_get(out, "certificateIds"), NULL, id, NULL);
}

static int forget(struct sql_conn *txn, void *ctx)
{
	bool more = true;
	int r = containment_forget(txn, *(const int64_t *)ctx, &more);
	assert_false(more);
	return r;
}

static void old_ones_are_forgotten(void **state)
{
	struct kit *k = *state;
	char id[X509_ID_SIZE];
	int64_t before = AT(0);
	kit_certificate(k, "ACTIVE", id);
	set_status(k, id, "INACTIVE");
	assert_int_equal(write_with(k, forget, &before), 0);
	(void)ok(k, NULL, "GET /thingward/containments/1");
	before++;
	assert_int_equal(write_with(k, forget, &before), 0);
	fails(k, 404, "ResourceNotFoundException", NULL, "GET /thingward/containments/1");
}

static int tell_between(struct sql_conn *txn, void *ctx)
{
	const char *id = ctx;
	int r = containment_note_applied(txn, "b1", 1000, AT(5));
	if (!r)
		r = containment_note_session(txn, id, "b2", "where it may still be", AT(7));
	if (!r)
		r = containment_note_session(txn, id, "b1", "at the moment", AT(5));
	return r ? r : containment_note_session(txn, id, "b1", "began", AT(6));
}

/* A broker that applied it lets the device in all the same, before anybody judged or another broker
 * applied it. */
static void a_short_session_is_noted_before_it_is_judged(void **state)
{
	struct kit *k = *state;
	char id[X509_ID_SIZE];
	g_autoptr(GString) record = g_string_new(NULL);
	kit_certificate(k, "ACTIVE", id);
	set_status(k, id, "INACTIVE");
	assert_int_equal(write_with(k, tell_between, id), 0);
	assert_int_equal(containment_get(k->api.reader, 1, take_record, record), 1);
	assert_string_equal(record->str, "requested||began");
}

/* ---- Clone cases ---- */

#define CERT "c0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0ff"

static int fight(struct sql_conn *txn, void *ctx)
{
	struct clone_end a = {.address = "192.0.2.1"}, b = {.address = "203.0.113.1"};
	int r = 0;
	(void)ctx;
	for (int i = 0; i < 3 && r == 0; i++) {
		const struct clone_takeover t = {i % 2 ? b : a, i % 2 ? a : b, AT(1000 * i), 1000,
						 10};
		r = clone_case_take(txn, "lamp", &t);
	}
	const struct clone_takeover other = {a, b, AT(100000), 1000, 10};
	if (r == 0)
		r = clone_case_take(txn, "pump", &other);
	if (r == 0)
		r = clone_case_ended(txn, "pump", AT(100001));
	if (r == 0)
		r = clone_case_ended(txn, "nobody", AT(100001));
	memcpy(a.client, "x", 2);
	if (r == 0)
		r = clone_case_beside(txn, CERT, &a, &b, AT(200000));
	if (r == 0)
		r = clone_case_lives(txn, "another", "x", AT(200001), true);
	return r ? r : clone_case_lives(txn, CERT, "x", AT(200001), true);
}

static void clones(void **state)
{
	struct kit *k = *state;
	assert_int_equal(write_with(k, fight, NULL), 0);
	const json_t *out = ok(k, NULL, "GET /thingward/clone-cases?maxResults=1");
	const json_t *list = json_object_get(out, "cloneCases");
	assert_items(list, "certificateId", CERT, NULL);
	assert_items(list, "verdict", "clone", NULL);
	g_autofree char *token = g_uri_escape_string(json_str(out, "nextToken"), NULL, FALSE);
	out = ok(k, NULL, "GET /thingward/clone-cases?nextToken=%s", token);
	list = json_object_get(out, "cloneCases");
	assert_items(list, "clientId", "pump", "lamp", NULL);
	assert_items(list, "verdict", "undecided", "clone", NULL);
	const json_t *one = json_array_get(list, 1);
	assert_int_equal(json_num(one, "takeovers"), 3);
	assert_items(json_object_get(one, "endpoints"), "address", "192.0.2.1", "203.0.113.1",
		     NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_BOTH(certificates),
		ON_BOTH(policies),
		ON_BOTH(groups),
		ON_BOTH(principals),
		ON_BOTH(quarantines),
		ON_BOTH(lists),
		ON_BOTH(notes),
		ON_BOTH(a_short_session_is_noted_before_it_is_judged),
		ON_BOTH(old_ones_are_forgotten),
		ON_BOTH(clones),
		ON_BOTH(what_was_lifted_stays_lifted),
		ON_BOTH(a_certificate_counts_once),
	};
	return cmocka_run_group_tests(tests, kit_group_start, kit_group_stop);
}

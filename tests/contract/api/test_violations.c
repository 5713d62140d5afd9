/* Violations from the evaluator's effects to the API (spec/detect.md sections 7 to 9). */
#include "api_env.h"

#include "base/compiler.h"
#include "detect/config.h"
#include "registry/violation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <glib.h>

#define SECOND_MS 1000
#define BEHAVIOR                                                                                   \
	"{\"name\":\"few\",\"metric\":\"aws:num-listening-tcp-ports\",\"criteria\":"               \
	"{\"comparisonOperator\":\"less-than\",\"value\":{\"count\":5}}}"

static int start(void **state)
{
	(void)api_test_setup(state);
	struct api_test *t = *state;
	(void)api_ok(t, "POST", "/security-profiles/p", "{\"behaviors\":[" BEHAVIOR "]}");
	(void)api_ok(t, "POST", "/security-profiles/q", "{}");
	return 0;
}

static int apply_one(struct sql_conn *txn, void *ctx)
{
	return violation_apply(txn, 0, ctx);
}

static void apply(struct api_test *t, const struct effect *effect)
{
	struct effect copy = *effect;
	assert_int_equal(store_write(t->env.store, apply_one, &copy), 0);
}

/* Number n: its id is n times the letter, its time n seconds after the start of the tests. */
static struct effect effect_of(enum effect_kind kind, char id, uint64_t n)
{
	struct effect effect = {
		.kind = kind,
		.seq = n,
		.thing = VIEW_LIT("lamp"),
		.profile = VIEW_LIT("p"),
		.behavior = VIEW_LIT("few"),
		.behavior_json = VIEW_LIT(BEHAVIOR),
		.value = {.kind = VALUE_COUNT, .count = n},
		.at_ms = API_TEST_START_MS + (int64_t)n * SECOND_MS,
		.start_ms = API_TEST_START_MS + (int64_t)n * SECOND_MS,
		.is_own = true
        };
	memset(effect.violation_id, id, 32);
	return effect;
}

static void raise_alarm(struct api_test *t, char id, uint64_t n)
{
	struct effect effect = effect_of(EFFECT_IN_ALARM, id, n);
	apply(t, &effect);
}

/* The first letters of the ids of a list. */
static const char *ids(const json_t *out, const char *member, char *buf)
{
	const json_t *items = json_object_get(out, member);
	size_t n = json_array_size(items);
	for (size_t i = 0; i < n; i++)
		buf[i] = json_str(json_array_get(items, i), "violationId")[0];
	buf[n] = '\0';
	return buf;
}

static void assert_active(struct api_test *t, const char *query, const char *expected)
{
	char buf[64];
	g_autofree char *path = g_strconcat("/active-violations", query, NULL);
	assert_string_equal(ids(api_ok(t, "GET", path, NULL), "activeViolations", buf), expected);
}

#define EVENTS                                                                                     \
	"/violation-events?startTime=2026-01-01T00%3A00%3A00Z&endTime=2026-01-01T01%3A00%3A00Z"

static void assert_events(struct api_test *t, const char *query, const char *expected)
{
	char buf[64];
	g_autofree char *path = g_strconcat(EVENTS, query, NULL);
	assert_string_equal(ids(api_ok(t, "GET", path, NULL), "violationEvents", buf), expected);
}

/* ---- One violation's life ---- */

static void test_life(void **state)
{
	struct api_test *t = *state;
	struct effect still = effect_of(EFFECT_STILL, 'a', 20);
	struct effect cleared = effect_of(EFFECT_CLEARED, 'a', 30);
	still.start_ms = API_TEST_START_MS + 10 * SECOND_MS;
	raise_alarm(t, 'a', 10);
	apply(t, &still);
	json_t *out = api_ok(t, "GET", "/active-violations", NULL);
	json_t *item = json_array_get(json_object_get(out, "activeViolations"), 0);
	json_t *behavior = json_loads(BEHAVIOR, 0, NULL);
	assert_true(json_equal(json_object_get(item, "behavior"), behavior));
	json_decref(behavior);
	assert_string_equal(json_str(item, "thingName"), "lamp");
	assert_string_equal(json_str(item, "securityProfileName"), "p");
	assert_string_equal(json_str(item, "verificationState"), "UNKNOWN");
	assert_int_equal(json_num(json_object_get(item, "lastViolationValue"), "count"), 20);
	assert_int_equal(json_num(item, "violationStartTime"), API_TEST_START_MS / 1000 + 10);
	assert_int_equal(json_num(item, "lastViolationTime"), API_TEST_START_MS / 1000 + 20);
	apply(t, &cleared);
	assert_active(t, "", "");
	out = api_ok(t, "GET", EVENTS, NULL);
	item = json_array_get(json_object_get(out, "violationEvents"), 0);
	assert_string_equal(json_str(item, "violationEventType"), "alarm-cleared");
	assert_int_equal(json_num(json_object_get(item, "metricValue"), "count"), 30);
	assert_events(t, "", "aa");
}

/* S10: who may report for others must not pass for the thing itself. */
static void test_reports_of_others_are_marked(void **state)
{
	struct api_test *t = *state;
	struct effect still = effect_of(EFFECT_STILL, 'a', 20);
	still.is_own = false;
	raise_alarm(t, 'a', 10);
	json_t *out = api_ok(t, "GET", "/active-violations", NULL);
	json_t *item = json_array_get(json_object_get(out, "activeViolations"), 0);
	assert_null(json_object_get(item, "thingwardReporter"));
	apply(t, &still);
	out = api_ok(t, "GET", "/active-violations", NULL);
	item = json_array_get(json_object_get(out, "activeViolations"), 0);
	assert_string_equal(json_str(item, "thingwardReporter"), "OTHER_PRINCIPAL");
	struct effect foreign = effect_of(EFFECT_IN_ALARM, 'b', 30);
	foreign.is_own = false;
	apply(t, &foreign);
	out = api_ok(t, "GET", EVENTS, NULL);
	item = json_array_get(json_object_get(out, "violationEvents"), 0);
	assert_string_equal(json_str(item, "thingwardReporter"), "OTHER_PRINCIPAL");
}

static void test_applying_twice(void **state)
{
	struct api_test *t = *state;
	struct effect raised = effect_of(EFFECT_IN_ALARM, 'a', 10);
	struct effect still = effect_of(EFFECT_STILL, 'a', 20),
		      older = effect_of(EFFECT_STILL, 'a', 15);
	struct effect gone = effect_of(EFFECT_INVALIDATED, 'a', 30);
	apply(t, &raised);
	apply(t, &raised);
	apply(t, &still);
	apply(t, &older);
	json_t *out = api_ok(t, "GET", "/active-violations", NULL);
	json_t *item = json_array_get(json_object_get(out, "activeViolations"), 0);
	assert_int_equal(json_num(json_object_get(item, "lastViolationValue"), "count"), 20);
	apply(t, &gone);
	apply(t, &raised);
	apply(t, &gone);
	assert_active(t, "", "");
	assert_events(t, "", "aa");
	out = api_ok(t, "GET", EVENTS, NULL);
	item = json_array_get(json_object_get(out, "violationEvents"), 0);
	assert_string_equal(json_str(item, "violationEventType"), "alarm-invalidated");
	assert_null(json_object_get(item, "metricValue"));
}

/* ---- MetricValue ---- */

static void test_values(void **state)
{
	(void)state;
	static const uint16_t ports[] = {22, 443};
	static const double numbers[] = {1.5, -2};
	static const struct report_addr addrs[] = {
		{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 1}},
		{{0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}}};
	const struct view strings[] = {VIEW_LIT("a"), VIEW_LIT("b")};
	const struct {
		struct value value;
		const char *json;
	} rows[] = {
		{{.kind = VALUE_COUNT, .count = 7},                   "{\"count\":7}"                  },
		{{.kind = VALUE_COUNT, .count = UINT64_MAX},          "{\"count\":9223372036854775807}"},
		{{.kind = VALUE_NUMBER, .number = 26.1},              "{\"number\":26.1}"              },
		{{.kind = VALUE_NUMBERS, .numbers = numbers, .n = 2}, "{\"numbers\":[1.5,-2.0]}"       },
		{{.kind = VALUE_PORTS, .ports = ports, .n = 2},       "{\"ports\":[22,443]}"           },
		{{.kind = VALUE_PORTS},                               "{\"ports\":[]}"                 },
		{{.kind = VALUE_ADDRS, .addrs = addrs, .n = 2},
		 "{\"cidrs\":[\"192.0.2.1\",\"2001:db8::1\"]}"                                         },
		{{.kind = VALUE_STRINGS, .strings = strings, .n = 2},
		 "{\"strings\":[\"a\",\"b\"]}"							 },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		json_t *json = metric_value_json(&rows[i].value);
		char *text = json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(15));
		assert_string_equal(text, rows[i].json);
		free(text);
		json_decref(json);
	}
}

/* ---- Filters, order, pages ---- */

static void raise_some(struct api_test *t)
{
	struct effect other = effect_of(EFFECT_IN_ALARM, 'b', 11);
	struct effect quiet = effect_of(EFFECT_IN_ALARM, 'c', 12);
	other.thing = VIEW_LIT("door");
	quiet.profile = VIEW_LIT("q");
	quiet.is_suppressed = true;
	raise_alarm(t, 'a', 10);
	apply(t, &other);
	apply(t, &quiet);
	raise_alarm(t, 'd', 13);
}

static void test_filters(void **state)
{
	struct api_test *t = *state;
	static const struct {
		const char *query, *expected;
	} rows[] = {
		{"",				     "dcba"},
		{"thingName=lamp",                       "dca" },
		{"thingName=lamp&securityProfileName=q", "c"   },
		{"securityProfileName=p",                "dba" },
		{"listSuppressedAlerts=true",            "c"   },
		{"listSuppressedAlerts=false",           "dba" },
		{"behaviorCriteriaType=STATIC",          "dcba"},
		{"behaviorCriteriaType=STATISTICAL",     ""    },
		{"verificationState=UNKNOWN",            "dca" },
		{"verificationState=TRUE_POSITIVE",      "b"   },
		{"thingName=none",                       ""    },
	};
	raise_some(t);
	g_autofree char *path = g_strconcat("/violations/verification-state/", "bbbbbbbb", NULL);
	(void)api_fails(t, "POST", path, "{\"verificationState\":\"TRUE_POSITIVE\"}", 400,
			"InvalidRequestException");
	(void)api_ok(t, "POST", "/violations/verification-state/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
		     "{\"verificationState\":\"TRUE_POSITIVE\",\"verificationStateDescription\":"
		     "\"seen\"}");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		g_autofree char *active = g_strconcat("?", rows[i].query, NULL);
		g_autofree char *events = g_strconcat("&", rows[i].query, NULL);
		assert_active(t, *rows[i].query ? active : "", rows[i].expected);
		assert_events(t, *rows[i].query ? events : "", rows[i].expected);
	}
	(void)api_fails(t, "GET", "/active-violations?securityProfileName=none", NULL, 404,
			"ResourceNotFoundException");
	assert_events(t, "&securityProfileName=none", "");
}

static void test_pages_while_violations_come_and_go(void **state)
{
	struct api_test *t = *state;
	char buf[64];
	struct effect gone = effect_of(EFFECT_CLEARED, 'd', 20);
	raise_some(t);
	json_t *out = api_ok(t, "GET", "/active-violations?maxResults=2", NULL);
	assert_string_equal(ids(out, "activeViolations", buf), "dc");
	g_autofree char *next =
		g_strconcat("?maxResults=2&nextToken=", json_str(out, "nextToken"), NULL);
	apply(t, &gone);
	raise_alarm(t, 'e', 21);
	assert_active(t, next, "ba");
	out = api_ok(t, "GET", EVENTS "&maxResults=3", NULL);
	assert_string_equal(ids(out, "violationEvents", buf), "edd");
	g_autofree char *more =
		g_strconcat("&maxResults=3&nextToken=", json_str(out, "nextToken"), NULL);
	raise_alarm(t, 'f', 22);
	assert_events(t, more, "cba");
}

static void test_bounds_of_time(void **state)
{
	struct api_test *t = *state;
	char buf[64];
	raise_some(t);
	json_t *out = api_ok(t, "GET",
			     "/violation-events?startTime=2026-01-01T00%3A00%3A11Z&"
			     "endTime=2026-01-01T00%3A00%3A13Z",
			     NULL);
	assert_string_equal(ids(out, "violationEvents", buf), "cb");
	(void)api_fails(t, "GET",
			"/violation-events?startTime=2026-01-01T00%3A00%3A11Z&"
			"endTime=2026-01-01T00%3A00%3A11Z",
			NULL, 400, "InvalidRequestException");
}

static void test_equal_times(void **state)
{
	struct api_test *t = *state;
	for (uint32_t i = 0; i < 5; i++) {
		struct effect effect = effect_of(EFFECT_IN_ALARM, (char)('a' + i), 10);
		effect.index = i;
		apply(t, &effect);
	}
	char seen[16] = "", buf[64];
	char *next = g_strdup("");
	json_t *out;
	do {
		g_autofree char *path = g_strconcat(EVENTS "&maxResults=1", next, NULL);
		out = api_ok(t, "GET", path, NULL);
		strcat(seen, ids(out, "violationEvents", buf));
		g_free(next);
		next = g_strconcat("&nextToken=", json_str(out, "nextToken"), NULL);
	} while (json_object_get(out, "nextToken"));
	g_free(next);
	assert_string_equal(seen, "edcba");
}

/* ---- For the daemon ---- */

static void collect_id(const char *id, const char *thing, const char *profile, const char *behavior,
		       void *ctx)
{
	assert_string_equal(behavior, "few");
	assert_true(*thing && *profile);
	strncat(ctx, id, 1);
}

static void test_each_active(void **state)
{
	struct api_test *t = *state;
	char seen[16] = "";
	raise_some(t);
	assert_int_equal(violation_each_active(t->reader, collect_id, seen), 0);
	assert_string_equal(seen, "abcd");
}

static int forget(struct sql_conn *txn, void *ctx)
{
	bool more = true;
	int rc = violation_forget(txn, *(const int64_t *)ctx, &more);
	assert_false(more);
	return rc;
}

static void test_retention(void **state)
{
	struct api_test *t = *state;
	struct effect gone = effect_of(EFFECT_CLEARED, 'b', 20);
	int64_t before = API_TEST_START_MS + 30 * SECOND_MS;
	gone.thing = VIEW_LIT("door");
	raise_some(t);
	apply(t, &gone);
	for (const char *id = "ab"; *id; id++) {
		char path[100] = "/violations/verification-state/";
		memset(path + strlen(path), *id, 32);
		(void)api_ok(t, "POST", path, "{\"verificationState\":\"TRUE_POSITIVE\"}");
	}
	assert_int_equal(store_write(t->env.store, forget, &before), 0);
	assert_events(t, "", "");
	assert_active(t, "?verificationState=TRUE_POSITIVE", "a"); /* a running one stays whole */
	(void)api_fails(t, "POST",
			"/violations/verification-state/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
			"{\"verificationState\":\"UNKNOWN\"}", 400, "InvalidRequestException");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_life, start, api_test_teardown),
		cmocka_unit_test_setup_teardown(test_reports_of_others_are_marked, start,
						api_test_teardown),
		cmocka_unit_test_setup_teardown(test_applying_twice, start, api_test_teardown),
		cmocka_unit_test(test_values),
		cmocka_unit_test_setup_teardown(test_filters, start, api_test_teardown),
		cmocka_unit_test_setup_teardown(test_pages_while_violations_come_and_go, start,
						api_test_teardown),
		cmocka_unit_test_setup_teardown(test_bounds_of_time, start, api_test_teardown),
		cmocka_unit_test_setup_teardown(test_equal_times, start, api_test_teardown),
		cmocka_unit_test_setup_teardown(test_each_active, start, api_test_teardown),
		cmocka_unit_test_setup_teardown(test_retention, start, api_test_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

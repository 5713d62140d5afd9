/* Topics (section 1) and replies (section 6). */
#include "read.h"

static const struct topic_case {
	const char *topic, *thing; /* thing NULL: not a report's topic */
	enum report_format format;
} topics[] = {
	{"$aws/things/dev1/defender/metrics/json",          "dev1",  REPORT_JSON},
	{"$aws/things/dev1/defender/metrics/cbor",          "dev1",  REPORT_CBOR},
	{"$aws/things//defender/metrics/json",              "",      REPORT_JSON},
	{"$aws/things/a b:c/defender/metrics/json",         "a b:c", REPORT_JSON},
	{"$aws/things/dev1/defender/metrics/JSON",          NULL,    REPORT_JSON},
	{"$aws/things/dev1/defender/metrics/json/accepted", NULL,    REPORT_JSON},
	{"$aws/things/dev1/defender/metrics/xml",           NULL,    REPORT_JSON},
	{"$aws/things/dev1/defender/metrics",               NULL,    REPORT_JSON},
	{"$aws/things/a/b/defender/metrics/json",           NULL,    REPORT_JSON},
	{"$aws/things/dev1",				NULL,    REPORT_JSON},
	{"$aws/things/",				    NULL,    REPORT_JSON},
	{"$aws/thing",				      NULL,    REPORT_JSON},
	{"aws/things/dev1/defender/metrics/json",           NULL,    REPORT_JSON},
	{"",						NULL,    REPORT_JSON},
};

static void takes_topics_apart(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(topics); i++) {
		const struct topic_case *c = &topics[i];
		struct view thing = VIEW_LIT("?");
		enum report_format format = REPORT_JSON;
		assert_int_equal(report_topic(view_of(c->topic), &thing, &format),
				 c->thing != NULL);
		assert_true(view_is(thing, c->thing ? c->thing : "?"));
		assert_int_equal(format, c->format);
	}
}

#define TEN "0123456789"
#define MAX TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN "01234567"

static const struct thing_case {
	struct view name;
	bool is_valid;
} things[] = {
	{VIEW_INIT("dev1"),                  true },
        {VIEW_INIT("\xc3\xa4 \xe2\x82\xac"), true },
	{VIEW_INIT(MAX),                     true },
        {VIEW_INIT(MAX "9"),                 false},
	{VIEW_INIT(""),                      false},
        {VIEW_INIT("a\nb"),                  false},
	{VIEW_INIT("a\0b"),                  false},
        {VIEW_INIT("a\x7f"),                 false},
	{VIEW_INIT("a\xc2\x85"),             false}, /* C1 */
	{VIEW_INIT("a\xc2\xa0"),             true },
        {VIEW_INIT("a\xc2"),                 false},
	{VIEW_INIT("\xff"),                  false},
};

static void knows_valid_things(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(things); i++)
		assert_int_equal(report_thing_valid(things[i].name), things[i].is_valid);
}

static void assert_reply(const uint8_t *got, size_t n, const char *wanted)
{
	if (n != strlen(wanted) || memcmp(got, wanted, n) != 0)
		fail_msg("%.*s\nis not\n%s", (int)n, (const char *)got, wanted);
}

static void accepts_as_aws_does(void **state)
{
	(void)state;
	uint8_t out[REPORT_REPLY_MAX], wanted[128];
	static const char hex[] = "a4697468696e674e616d65676d795468696e67687265706f727449641a5b369a"
				  "cc66737461747573684143434550"
				  "5445446974696d657374616d701b000001644d4cafce";
	size_t n = report_accepted(REPORT_JSON, VIEW_LIT("DefenderWorkshopThing"), 1542697506,
				   1542697506269, out, sizeof(out));
	assert_reply(out, n,
		     "{\"thingName\":\"DefenderWorkshopThing\",\"reportId\":1542697506,\"status\":"
		     "\"ACCEPTED\","
		     "\"timestamp\":1542697506269}");
	n = report_accepted(REPORT_CBOR, VIEW_LIT("myThing"), 1530305228, 1530305228750, out,
			    sizeof(out));
	assert_int_equal(n, sizeof(hex) / 2);
	assert_int_equal(hex_decode(hex, wanted, n), 0);
	assert_memory_equal(out, wanted, n);
}

static void rejects_as_aws_does(void **state)
{
	(void)state;
	uint8_t out[REPORT_REPLY_MAX];
	struct reading r =
		read_json("{\"header\":{\"report_id\":77,\"version\":\"1.0\"},\"metrics\":1}");
	size_t n = report_rejected(REPORT_JSON, VIEW_LIT("myThing"), &r.refusal, 1635802047699, out,
				   sizeof(out));
	assert_reply(out, n,
		     "{\"thingName\":\"myThing\",\"reportId\":77,\"status\":\"REJECTED\","
		     "\"statusDetails\":{\"ErrorCode\":"
		     "\"InvalidPayload\",\"ErrorMessage\":\"Malformed metrics "
		     "report\"},\"timestamp\":1635802047699}");
	r.refusal.report_id = 0;
	n = report_rejected(REPORT_JSON, VIEW_LIT("myThing"), &r.refusal, 0, out, sizeof(out));
	assert_reply(out, n,
		     "{\"thingName\":\"myThing\",\"status\":\"REJECTED\",\"statusDetails\":{"
		     "\"ErrorCode\":"
		     "\"InvalidPayload\",\"ErrorMessage\":\"Malformed metrics "
		     "report\"},\"timestamp\":0}");
	reading_free(&r);
}

static void rejects_in_cbor(void **state)
{
	(void)state;
	uint8_t out[REPORT_REPLY_MAX];
	size_t n =
		report_rejected(REPORT_CBOR, VIEW_LIT("t"), &report_too_soon, 23, out, sizeof(out));
	static const char text[] =
		"\xa4\x69thingName\x61t\x66status\x68REJECTED\x6dstatusDetails\xa2\x69"
		"ErrorCode"
		"\x69Throttled\x6c"
		"ErrorMessage\x78\x2c"
		"Minimum delay between reports is 300 seconds"
		"\x69timestamp\x17";
	assert_int_equal(n, sizeof(text) - 1);
	assert_memory_equal(out, text, n);
}

static const struct refusal_case {
	const struct report_refusal *refusal;
	const char *code, *message;
} refusals[] = {
	{&report_too_large,    "InvalidPayload",  "Report exceeds maximum size"                 },
	{&report_bad_thing,    "InvalidPayload",  "Invalid thing name"                          },
	{&report_too_soon,     "Throttled",       "Minimum delay between reports is 300 seconds"},
	{&report_account_rate, "Throttled",       "Account reporting rate exceeded"             },
	{&report_internal,     "InternalFailure", "Internal error"                              },
};

static void words_refusals_as_specified(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
		assert_string_equal(refusals[i].refusal->code, refusals[i].code);
		assert_string_equal(refusals[i].refusal->message, refusals[i].message);
	}
}

/* The names that are refused are just those that could break a reply. */
static void writes_any_name_safely(void **state)
{
	(void)state;
	uint8_t out[REPORT_REPLY_MAX];
	char evil[70000];
	size_t n = report_rejected(REPORT_JSON, VIEW_LIT("a\"\\\n\xff\xc3\xa4"), &report_bad_thing,
				   1, out, sizeof(out));
	assert_reply(out, n,
		     "{\"thingName\":\"a\\\"\\\\\\u000a\xef\xbf\xbd\xc3\xa4\",\"status\":"
		     "\"REJECTED\",\"statusDetails\":{"
		     "\"ErrorCode\":\"InvalidPayload\",\"ErrorMessage\":\"Invalid thing "
		     "name\"},\"timestamp\":1}");
	for (unsigned c = 0; c < 256; c++) {
		memset(evil, (int)c, sizeof(evil));
		assert_true(report_rejected(REPORT_JSON, (struct view){evil, sizeof(evil)},
					    &report_bad_thing, INT64_MAX, out, sizeof(out)) > 0);
		assert_true(report_rejected(REPORT_CBOR, (struct view){evil, sizeof(evil)},
					    &report_bad_thing, INT64_MAX, out, sizeof(out)) > 0);
	}
}

static void says_when_there_is_no_room(void **state)
{
	(void)state;
	uint8_t out[REPORT_REPLY_MAX];
	size_t need = report_accepted(REPORT_JSON, VIEW_LIT("dev1"), 1, 1, out, sizeof(out));
	assert_int_equal(report_accepted(REPORT_JSON, VIEW_LIT("dev1"), 1, 1, out, need), need);
	for (size_t cap = 0; cap < need; cap++)
		assert_int_equal(report_accepted(REPORT_JSON, VIEW_LIT("dev1"), 1, 1, out, cap), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_topics_apart),
		cmocka_unit_test(knows_valid_things),
		cmocka_unit_test(accepts_as_aws_does),
		cmocka_unit_test(rejects_as_aws_does),
		cmocka_unit_test(rejects_in_cbor),
		cmocka_unit_test(words_refusals_as_specified),
		cmocka_unit_test(writes_any_name_safely),
		cmocka_unit_test(says_when_there_is_no_room),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Every rule of section 5 (and the form of section 3): what is refused, and the words that say why.
 */
#include "read.h"

#define OK        NULL
#define H         "\"header\":{\"report_id\":5,\"version\":\"1.0\"}"
#define M(m)      "{" H ",\"metrics\":{" m "}}"
#define C(c)      "{" H ",\"custom_metrics\":{" c "}}"
#define TC(entry) M("\"tc\":{\"ec\":{\"cs\":[" entry "]}}")
#define ID(id)    "{\"hed\":{\"rid\":" id ",\"v\":\"1.0\"},\"met\":{}}"
#define V(v)      "{\"hed\":{\"rid\":5,\"v\":" v "},\"met\":{}}"

static const struct rule_case {
	const char *json;
	const char *why; /* what the detail must contain; OK when the report is to be accepted */
} json_cases[] = {
#include "rules.tbl.h"
};

static const struct cbor_case {
	const char *what, *hex, *why;
} cbor_cases[] = {
#include "rules_cbor.tbl.h"
};

static void check(const char *what, struct reading r, const char *why)
{
	if (!why && r.result != 0)
		fail_msg("%s: refused: %s", what, r.refusal.detail);
	if (why && r.result == 0)
		fail_msg("%s: accepted", what);
	if (why && !strstr(r.refusal.detail, why))
		fail_msg("%s: the detail is \"%s\", not \"%s\"", what, r.refusal.detail, why);
	if (why)
		assert_string_equal(r.refusal.code, "InvalidPayload");
	reading_free(&r);
}

static void keeps_the_rules_in_json(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(json_cases); i++)
		check(json_cases[i].json, read_json(json_cases[i].json), json_cases[i].why);
}

static void keeps_the_rules_in_cbor(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cbor_cases); i++)
		check(cbor_cases[i].what, read_cbor_hex(cbor_cases[i].hex), cbor_cases[i].why);
}

static void refuses_every_truncation(void **state)
{
	(void)state;
	static const char json[] = "{\"hed\":{\"rid\":5,\"v\":\"1.\\u0030\"},\"met\":{\"tp\":{"
				   "\"pts\":[{\"pt\":22}]},\"x\":[1e3,"
				   "-2.5,true,null,\"\xc3\xa9\"]}}";
	static const char hex[] =
		"bf63686564a26372696405617663312e30636d6574a16374706581a1627074187fff";
	uint8_t cbor[sizeof(hex) / 2];
	assert_int_equal(hex_decode(hex, cbor, sizeof(cbor)), 0);
	for (size_t n = 0; n + 1 < sizeof(json); n++) {
		struct reading r = read_bytes(REPORT_JSON, json, n);
		assert_int_equal(r.result, -1);
		reading_free(&r);
	}
	check(json, read_json(json), OK);
	for (size_t n = 0; n < sizeof(cbor); n++) {
		struct reading r = read_bytes(REPORT_CBOR, cbor, n);
		assert_int_equal(r.result, -1);
		reading_free(&r);
	}
}

static const struct id_case {
	const char *json;
	uint64_t id;
} id_cases[] = {
	{"{" H ",\"metrics\":3}",					    5},
	{"{\"metrics\":3," H "}",					    5}, /* found although it comes later */
	{"{\"met\":{\"ns\":{\"bi\":-1}},\"hed\":{\"v\":\"1.0\",\"rid\":8}}", 8},
	{"{\"hed\":{\"rid\":9,\"v\":\"2.0\"},\"met\":{}}",                   9},
	{"{\"hed\":{\"rid\":0,\"v\":\"1.0\"},\"met\":{}}",                   0},
	{"{\"met\":3,\"hed\":",					      0},
	{"not a report",						     0},
};

static void finds_the_id_of_a_refused_report(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(id_cases); i++) {
		struct reading r = read_json(id_cases[i].json);
		assert_int_equal(r.result, -1);
		assert_int_equal(r.refusal.report_id, id_cases[i].id);
		reading_free(&r);
	}
}

static const struct whole_id_case {
	const char *json;
	uint64_t id;
} whole_ids[] = {
	{ID("1"),		      1            },
	{ID("1.6e12"),                 1600000000000},
	{ID("15.0"),                   15           },
	{ID("9223372036854775807"),    INT64_MAX    },
	{ID("922337203685477580.7e1"), INT64_MAX    },
};

static void reads_whole_ids_exactly(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(whole_ids); i++) {
		struct reading r = read_json(whole_ids[i].json);
		assert_int_equal(r.result, 0);
		assert_int_equal(r.report.report_id, whole_ids[i].id);
		reading_free(&r);
	}
}

static void reads_versions(void **state)
{
	(void)state;
	struct reading r = read_json(V("\"001.999\""));
	assert_int_equal(r.result, 0);
	assert_int_equal(r.report.version_major, 1);
	assert_int_equal(r.report.version_minor, 999);
	reading_free(&r);
}

static void tells_absent_from_empty(void **state)
{
	(void)state;
	struct reading r =
		read_json(M("\"tp\":{},\"up\":null,\"tc\":{},\"ns\":{\"bi\":0,\"bo\":null}"));
	assert_int_equal(r.result, 0);
	assert_true(r.report.tcp.is_present && !r.report.tcp.has_list && !r.report.tcp.has_total);
	assert_false(r.report.udp.is_present);
	assert_false(r.report.established.is_present);
	assert_true(r.report.has_counter[REPORT_BYTES_IN]);
	assert_false(r.report.has_counter[REPORT_BYTES_OUT]);
	assert_false(r.report.has_counter[REPORT_PACKETS_IN]);
	reading_free(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_the_rules_in_json),
		cmocka_unit_test(keeps_the_rules_in_cbor),
		cmocka_unit_test(refuses_every_truncation),
		cmocka_unit_test(finds_the_id_of_a_refused_report),
		cmocka_unit_test(reads_whole_ids_exactly),
		cmocka_unit_test(reads_versions),
		cmocka_unit_test(tells_absent_from_empty),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

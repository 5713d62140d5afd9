/* Data rules of custom metrics (section 3): what breaks one is accepted with the report and marked
 * as not to be stored. */
#include "read.h"

#include <stdio.h>

#define TEN "0123456789"

static const struct storable_case {
	const char *metric;
	bool is_storable;
} cases[] = {
#include "custom.tbl.h"
};

static void marks_what_is_not_to_be_stored(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char json[1024];
		(void)snprintf(json, sizeof(json),
			       "{\"hed\":{\"rid\":5,\"v\":\"1.0\"},\"cmet\":{\"other\":[{"
			       "\"number\":1}],\"%s}}",
			       cases[i].metric);
		struct reading r = read_json(json);
		if (r.result != 0)
			fail_msg("%s: refused: %s", cases[i].metric, r.refusal.detail);
		assert_int_equal(r.report.n_custom, 2);
		assert_true(r.report.custom[0].is_storable);
		if (r.report.custom[1].is_storable != cases[i].is_storable)
			fail_msg("%s", cases[i].metric);
		reading_free(&r);
	}
}

static const struct cbor_number_case {
	const char *hex;
	double value;
	bool is_storable;
} cbor_numbers[] = {
	{"fa41d0cccd",         (double)26.1F,
	 true				      }, /* a single's double has more digits than it was sent with */
	{"f93c00",             1,             true },
	{"f90001",             0x1p-24,       true },
	{"f903ff",             0x3ffp-24,     true },
	{"f90400",             0x1p-14,       true },
	{"f9fbff",             -65504,        true },
	{"f98000",             0,             true },
	{"fb403a19999999999a", 26.1,          true },
	{"fb3fd5555555555555", 1.0 / 3,       false},
	{"fb7ff8000000000000", 0,             false}, /* not a number */
	{"f97c00",             0,             false}, /* infinite */
	{"faff800000",         0,             false},
	{"3bffffffffffffffff", -0x1p64,       false},
	{"3903e7",             -1000,         true },
};

static void reads_cbor_numbers(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cbor_numbers); i++) {
		char hex[256];
		(void)snprintf(
			hex, sizeof(hex),
			"a263686564a26372696405617663312e3064636d6574a1616d81a1666e756d626572%s",
			cbor_numbers[i].hex);
		struct reading r = read_cbor_hex(hex);
		assert_int_equal(r.result, 0);
		if (r.report.custom[0].is_storable != cbor_numbers[i].is_storable ||
		    r.report.custom[0].number != cbor_numbers[i].value)
			fail_msg("%s", cbor_numbers[i].hex);
		reading_free(&r);
	}
}

static void keeps_the_order_sent(void **state)
{
	(void)state;
	struct reading r = read_json(
		"{\"hed\":{\"rid\":5,\"v\":\"1.0\"},\"cmet\":{\"z\":[{\"number_list\":[3,1,3]}],"
		"\"gone\":null,\"a\":[{\"string_list\":[\"b\",\"\",\"a\",\"b\"]}]}}");
	assert_int_equal(r.result, 0);
	assert_int_equal(r.report.n_custom, 2);
	assert_true(view_is(r.report.custom[0].name, "z"));
	assert_true(view_is(r.report.custom[1].name, "a"));
	assert_int_equal(r.report.custom[0].n, 3);
	assert_true(r.report.custom[0].numbers[0] == 3 && r.report.custom[0].numbers[2] == 3);
	assert_int_equal(r.report.custom[1].n, 4);
	assert_true(view_is(r.report.custom[1].strings[2], "a"));
	reading_free(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(marks_what_is_not_to_be_stored),
		cmocka_unit_test(reads_cbor_numbers),
		cmocka_unit_test(keeps_the_order_sent),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

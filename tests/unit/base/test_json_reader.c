/* The JSON reader: values, refusals, limits. fuzz_json compares it with jansson at large. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/json_reader.h"

#include <math.h>
#include <stdlib.h>

struct parsed {
	struct json j;
	struct value v;
	bool is_read;
	uint8_t scratch[256];
};

static bool walk(struct json *j, const struct value *v)
{
	struct view name;
	struct value inner;
	while (v->kind == VALUE_OBJECT ? json_member(j, &name)
				       : v->kind == VALUE_ARRAY && json_element(j)) {
		if (!json_value(j, &inner) || !walk(j, &inner))
			return false;
	}
	return json_ok(j);
}

static void parse(struct parsed *p, struct view text)
{
	json_open(&p->j, text.p, text.n, 4, p->scratch, sizeof(p->scratch));
	p->is_read = json_value(&p->j, &p->v) && walk(&p->j, &p->v) && json_done(&p->j);
}

static const struct whole_case {
	const char *text;
	uint64_t u;
} wholes[] = {
	{"0",					   0		    },
	{"-0",					  0		    },
	{"-0.0e5",				      0		    },
	{"7",					   7		    },
	{"1.0",					 1		    },
	{"1e3",					 1000                 },
	{"1.6e12",				      1600000000000        },
	{"120e-1",				      12                   },
	{"1E+2",					100                  },
	{"9007199254740993",                            9007199254740993     },
	{"18446744073709551615",                        UINT64_MAX           },
	{"1844674407370955161.5e1",                     UINT64_MAX           },
	{"0.00000000000000000000000000000000000007e38", 7                    },
	{"10000000000000000000",                        10000000000000000000U},
	{"1e19",					10000000000000000000U},
	{"0e999999999999999999999",                     0                    },
};

static void reads_whole_numbers_exactly(void **state)
{
	(void)state;
	struct parsed p;
	for (size_t i = 0; i < ARRAY_LEN(wholes); i++) {
		parse(&p, view_of(wholes[i].text));
		if (!p.is_read || p.v.kind != VALUE_UINT || p.v.u != wholes[i].u)
			fail_msg("%s", wholes[i].text);
	}
	parse(&p, VIEW_LIT("-9223372036854775808"));
	assert_true(p.v.kind == VALUE_NEGATIVE && p.v.i == INT64_MIN);
	parse(&p, VIEW_LIT("-1.5e1"));
	assert_true(p.v.kind == VALUE_NEGATIVE && p.v.i == -15);
}

/* Halfway cases, the ends of the range, many digits: strtod is the judge. */
static const char *const doubles[] = {
	"0.1",
	"-2.5",
	"1e23",
	"8.5e22",
	"0.30000000000000004",
	"9007199254740993.5",
	"18446744073709551616",
	"-9223372036854775809",
	"1.7976931348623157e308",
	"2.2250738585072014e-308",
	"2.2250738585072011e-308",
	"5e-324",
	"2.4703282292062327e-324",
	"2.4703282292062328e-324",
	"1e-400",
	"179769313486231570000000000000000000000e270",
	"123456789012345678901234567890.5",
	"1.00000000000000011102230246251565404236316680908203125",
	"1.00000000000000011102230246251565404236316680908203124",
	"1.00000000000000011102230246251565404236316680908203126",
	"0.000000000000000000000000000000000000000001",
	"6.02214076e23",
	"123456789.123456789e-30",
	"1e-999999999999999999999",
};

static void rounds_doubles_correctly(void **state)
{
	(void)state;
	struct parsed p;
	for (size_t i = 0; i < ARRAY_LEN(doubles); i++) {
		parse(&p, view_of(doubles[i]));
		if (!p.is_read || p.v.kind != VALUE_DOUBLE || p.v.d != strtod(doubles[i], NULL))
			fail_msg("%s", doubles[i]);
	}
}

/* 1 + 2^-53 is a tie; a digit a thousand places on breaks it. */
static void sees_digits_far_behind(void **state)
{
	(void)state;
	static const char tie[] = "1.00000000000000011102230246251565404236316680908203125";
	char text[2000];
	struct parsed p;
	memset(text, '0', sizeof(text));
	memcpy(text, tie, sizeof(tie) - 1);
	parse(&p, (struct view){text, sizeof(text)});
	assert_true(p.is_read && p.v.kind == VALUE_DOUBLE && p.v.d == 1.0);
	text[sizeof(text) - 1] = '1';
	parse(&p, (struct view){text, sizeof(text)});
	assert_true(p.is_read && p.v.d == nextafter(1.0, 2.0));
}

static const struct string_case {
	struct view json, text;
} strings[] = {
	{VIEW_INIT("\"\""),				    VIEW_INIT("")                    },
	{VIEW_INIT("\"plain text, longer than a word\""),
	 VIEW_INIT("plain text, longer than a word")                                            },
	{VIEW_INIT("\"a\\nb\\t\\\"\\\\\\/\\b\\f\\r\""),        VIEW_INIT("a\nb\t\"\\/\b\f\r")   },
	{VIEW_INIT("\"\\u0041\\u00e9\\u20AC\\ud83d\\ude00\""),
	 VIEW_INIT("A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80")                                     },
	{VIEW_INIT("\"\\u0000\""),                             VIEW_INIT("\0")                  },
	{VIEW_INIT("\"12345678\xc3\xa9"
		   "12345678\""),
	 VIEW_INIT("12345678\xc3\xa9"
		   "12345678")								  },
	{VIEW_INIT("\"\x7f\xf4\x8f\xbf\xbf\""),                VIEW_INIT("\x7f\xf4\x8f\xbf\xbf")},
};

static void decodes_strings(void **state)
{
	(void)state;
	struct parsed p;
	for (size_t i = 0; i < ARRAY_LEN(strings); i++) {
		parse(&p, strings[i].json);
		if (!p.is_read || p.v.kind != VALUE_STRING || !view_eq(p.v.s, strings[i].text))
			fail_msg("%s", strings[i].json.p);
	}
}

/* A special byte at every place of a word is found. */
static void finds_special_bytes_anywhere(void **state)
{
	(void)state;
	static const struct {
		char c;
		bool is_allowed;
	} bytes[] = {
		{'\x01', false},
                {'\x1f', false},
                {'\x20', true },
                {'!',    true },
		{'#',    true },
                {'[',    true },
                {']',    true },
                {'\x7f', true },
		{'\x80', false},
                {'\xff', false},
                {'\0',   false}
        };
	struct parsed p;
	for (size_t i = 0; i < ARRAY_LEN(bytes); i++) {
		for (size_t at = 1; at < 19; at++) {
			char text[] = "\"aaaaaaaaaaaaaaaaaa\"";
			text[at] = bytes[i].c;
			parse(&p, (struct view){text, sizeof(text) - 1});
			assert_int_equal(p.is_read, bytes[i].is_allowed);
		}
	}
}

static void limits_scratch_and_depth(void **state)
{
	(void)state;
	struct json j;
	struct value v;
	uint8_t scratch[2];
	json_open(&j, "\"\\n\\n\\n\"", 8, 1, scratch, sizeof(scratch));
	assert_false(json_value(&j, &v));
	assert_string_equal(j.error, "too much text with escapes");
	json_open(&j, "\"no escapes at all\"", 19, 1, NULL, 0);
	assert_true(json_value(&j, &v) && json_done(&j));
	struct parsed p;
	parse(&p, VIEW_LIT("[[[[]],[[]]]]"));
	assert_true(p.is_read);
	parse(&p, VIEW_LIT("[[[[[]]]]]"));
	assert_false(p.is_read);
	assert_string_equal(p.j.error, "nested too deeply");
	assert_int_equal(json_offset(&p.j), 4);
}

static const struct bad_case {
	const char *text, *error;
	size_t at;
} bad[] = {
	{"",		   "end where a value should be",            0 },
	{"  ",		 "end where a value should be",            2 },
	{"tru",		"no value where one should be",           0 },
	{"nulL",               "no value where one should be",           0 },
	{"truex",              "more behind the end of the document",    4 },
	{"{,}",		"no name where a member should be",       1 },
	{"{\"a\":1 \"b\":2}",  "no comma between two items",             7 },
	{"{\"a\":1",           "container without end",                  6 },
	{"[",		  "container without end",                  1 },
	{"[,]",		"no value where one should be",           1 },
	{"[1}",		"no comma between two items",             2 },
	{"{\"a\":1]",          "no comma between two items",             6 },
	{"-",		  "number without digits",                  1 },
	{"-a",		 "number without digits",                  1 },
	{"00",		 "number with a leading 0",                2 },
	{"-01",		"number with a leading 0",                3 },
	{"1.e5",               "number without digits behind its point", 2 },
	{"1e+",		"number without digits in its exponent",  3 },
	{"1e309",              "number beyond the range of a double",    5 },
	{"\"a",		"string without end",                     2 },
	{"\"a\\",              "string without end",                     2 },
	{"\"\\u12",            "escape \\u without four hex digits",     3 },
	{"\"\\ud800\\n\"",     "lone surrogate in an escape",            7 },
	{"\"\\ud800\\ud800\"", "lone surrogate in an escape",            13},
	{"\v1",		"no value where one should be",           0 },
};

static void says_what_is_wrong_and_where(void **state)
{
	(void)state;
	struct parsed p;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		parse(&p, view_of(bad[i].text));
		if (p.is_read || strcmp(p.j.error, bad[i].error) != 0 ||
		    json_offset(&p.j) != bad[i].at)
			fail_msg("%s: \"%s\" at %zu", bad[i].text, p.is_read ? "read" : p.j.error,
				 json_offset(&p.j));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_whole_numbers_exactly),
		cmocka_unit_test(rounds_doubles_correctly),
		cmocka_unit_test(sees_digits_far_behind),
		cmocka_unit_test(decodes_strings),
		cmocka_unit_test(finds_special_bytes_anywhere),
		cmocka_unit_test(limits_scratch_and_depth),
		cmocka_unit_test(says_what_is_wrong_and_where),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

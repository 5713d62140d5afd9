/* The matcher alone: hostile patterns, by counting its steps (S7), and texts in pieces. */
#include "policy/glob.h"
#include "policy/glob_compile.h"
#include "policy/program.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define LENGTH 4096

static GByteArray *compile(const char *text)
{
	GByteArray *out = g_byte_array_new();
	uint32_t needs = 0;
	char *why = NULL;
	assert_int_equal(
		glob_compile(view_of(text), (struct glob_options){true, true}, out, &needs, &why),
		0);
	return out;
}

static struct view ops_of(const GByteArray *pattern)
{
	return (struct view){(const char *)pattern->data + sizeof(uint32_t),
			     pattern->len - sizeof(uint32_t)};
}

/* Every pattern against LENGTH times 'a', with 128 times 'a' as the client id. Steps at most: the
 * text's length times the pattern's with its values put in. */
static const struct {
	const char *unit; /* repeated `times` */
	unsigned times;
	const char *tail;
	bool expected;
	size_t expanded; /* bytes of unit with its value put in */
} hostile[] = {
	{"*a",	       500,  "b",  false, 2  },
	{"*",		2000, "b",  false, 1  },
	{"*",		2000, "",   true,  1  },
	{"*aaaaaaaaaa",      100,  "*b", false, 11 },
	{"a?*",              600,  "ab", false, 3  },
	{"?",		2048, "*?", true,  1  },
	{"*${iot:ClientId}", 30,   "b",  false, 129},
	{"${iot:ClientId}",  33,   "*",  false, 128},
};

static void test_hostile_patterns_take_few_steps(void **state)
{
	(void)state;
	g_autofree char *text = g_strnfill(LENGTH, 'a'), *id = g_strnfill(128, 'a');
	const struct view values[POLICY_KEYS] = {[KEY_CLIENT_ID] = view_of(id)};
	const struct view piece = view_of(text);
	for (size_t i = 0; i < G_N_ELEMENTS(hostile); i++) {
		g_autoptr(GString) pattern = g_string_new(NULL);
		for (unsigned k = 0; k < hostile[i].times; k++)
			g_string_append(pattern, hostile[i].unit);
		g_string_append(pattern, hostile[i].tail);
		g_autoptr(GByteArray) ops = compile(pattern->str);
		uint64_t steps = 0;
		assert_int_equal(
			glob_match(ops_of(ops), (struct glob_text){&piece, 1}, values, &steps),
			hostile[i].expected);
		size_t expanded = hostile[i].times * hostile[i].expanded + 2;
		if (steps > (LENGTH + 1) * MIN(expanded, (size_t)LENGTH))
			fail_msg("%s: %" G_GUINT64_FORMAT " steps", pattern->str, steps);
	}
}

static const struct {
	const char *pattern, *text;
	bool expected;
} rows[] = {
	{"",        "",             true },
	{"",        "a",            false},
	{"*",       "",             true },
	{"?",       "",             false},
	{"abc",     "abc",          true },
	{"abc",     "abcd",         false},
	{"a*c",     "ac",           true },
	{"a*c",     "abcbc",        true },
	{"a*c",     "abcb",         false},
	{"a*b*c",   "aXbYbZc",      true },
	{"*ab",     "aab",          true },
	{"**a**",   "xxaxx",        true },
	{"a?c",
	 "a\xe2\x82\xac"
	 "c",		       true },
	{"a??c",
	 "a\xe2\x82\xac"
	 "c",		       false},
	{"*??",     "\xe2\x82\xac", false},
	{"a+b#[c]", "a+b#[c]",      true },
};

/* Each row on the text whole, and cut into pieces at every two places, empty pieces among them. */
static void test_texts_in_pieces(void **state)
{
	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GByteArray) ops = compile(rows[i].pattern);
		const char *text = rows[i].text;
		size_t n = strlen(text);
		for (size_t a = 0; a <= n; a++)
			for (size_t b = a; b <= n; b++) {
				const struct view pieces[] = {
					{text,     a    },
                                        {text + a, b - a},
                                        {text + b, n - b}
                                };
				uint64_t steps = 0;
				if (glob_match(ops_of(ops), (struct glob_text){pieces, 3}, NULL,
					       &steps) != rows[i].expected)
					fail_msg("'%s' on '%s' cut at %zu and %zu", rows[i].pattern,
						 text, a, b);
			}
	}
}

static void test_damaged_patterns_are_refused(void **state)
{
	(void)state;
	static const struct {
		const char *bytes;
		size_t n;
		bool expected;
	} ops[] = {
		{"",		      0, true },
		{"\x03\x02\x03",          3, true },
		{"\x04\x00",              2, true },
		{"\x04",                  1, false},
		{"\x04\x1f",              2, false},
		{"\x05",                  1, false},
		{"\x00",                  1, false},
		{"\x01\x01\x00\x00\x00x", 6, true },
		{"\x01\x02\x00\x00\x00x", 6, false},
		{"\x01\x00\x00\x00\x00",  5, false},
		{"\x01\xff\xff\xff\xffx", 6, false},
	};
	for (size_t i = 0; i < G_N_ELEMENTS(ops); i++) {
		uint32_t keys;
		assert_int_equal(
			glob_valid((struct view){ops[i].bytes, ops[i].n}, POLICY_KEYS, &keys),
			ops[i].expected);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hostile_patterns_take_few_steps),
		cmocka_unit_test(test_texts_in_pieces),
		cmocka_unit_test(test_damaged_patterns_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

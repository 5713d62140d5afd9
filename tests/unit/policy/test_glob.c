/* The matcher alone: hostile patterns, by counting its steps (S7), and texts in pieces. */
#include "policy/glob.h"
#include "policy/glob_compile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define LENGTH 4096

static GByteArray *compile(const char *text)
{
	GByteArray *out = g_byte_array_new();
	struct references references = references_new();
	uint64_t needs = 0;
	const struct glob_options options = {true, true, &references, &needs};
	char *why = NULL;
	assert_int_equal(glob_compile(view_of(text), &options, out, &why), 0);
	references_clear(&references);
	return out;
}

static struct view ops_of(const GByteArray *pattern)
{
	return (struct view){(const char *)pattern->data, pattern->len};
}

/* Every pattern against LENGTH times 'a', with 128 times 'a' as the client id, value number 0.
 * Steps at most: the text's length times the pattern's with its values put in. */
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
	const struct view piece = view_of(text), client_id = view_of(id);
	const struct glob_text value = {&client_id, 1};
	for (size_t i = 0; i < G_N_ELEMENTS(hostile); i++) {
		g_autoptr(GString) pattern = g_string_new(NULL);
		for (unsigned k = 0; k < hostile[i].times; k++)
			g_string_append(pattern, hostile[i].unit);
		g_string_append(pattern, hostile[i].tail);
		g_autoptr(GByteArray) ops = compile(pattern->str);
		struct glob_terms terms = {&value, false, 0};
		assert_int_equal(glob_match(ops_of(ops), (struct glob_text){&piece, 1}, &terms),
				 hostile[i].expected);
		size_t expanded = hostile[i].times * hostile[i].expanded + 2;
		if (terms.steps > (LENGTH + 1) * MIN(expanded, (size_t)LENGTH))
			fail_msg("%s: %" G_GUINT64_FORMAT " steps", pattern->str, terms.steps);
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
	{"*ab*ab",  "abab",         true },
	{"*ab*ab",  "aab",          false},
	{"a*b?",    "abbbc",        true },
	{"*abc",    "ababc",        true },
	{"*abc",    "bc",           false},
	{"?*c",     "abcab",        false},
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
				struct glob_terms terms = {NULL, false, 0};
				if (glob_match(ops_of(ops), (struct glob_text){pieces, 3},
					       &terms) != rows[i].expected)
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
		{"\x00\x00\x00\x00",                      4,  true },
		{"\x00\x00\x00",                          3,  false},
		{"\x01\x00\x00\x00",                      4,  false},
		{"\x01\x00\x00\x00\x03\x02\x03",          7,  true },
		{"\x02\x00\x00\x00\x03\x02\x03",          7,  false},
		{"\x00\x00\x00\x00\x04\x00",              6,  true },
		{"\x00\x00\x00\x00\x04",                  5,  false},
		{"\x00\x00\x00\x00\x04\x02",              6,  false},
		{"\x00\x00\x00\x00\x05",                  5,  false},
		{"\x00\x00\x00\x00\x00",                  5,  false},
		{"\x01\x00\x00\x00\x01\x01\x00\x00\x00x", 10, true },
		{"\x02\x00\x00\x00\x01\x02\x00\x00\x00x", 10, false},
		{"\x00\x00\x00\x00\x01\x00\x00\x00\x00",  9,  false},
		{"\x01\x00\x00\x00\x01\xff\xff\xff\xffx", 10, false},
	};
	for (size_t i = 0; i < G_N_ELEMENTS(ops); i++) {
		uint64_t uses;
		assert_int_equal(glob_valid((struct view){ops[i].bytes, ops[i].n}, 2, &uses),
				 ops[i].expected);
	}
}

/* A first look may say yes to what does not match, never no to what does. */
static void test_first_look(void **state)
{
	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GByteArray) ops = compile(rows[i].pattern);
		struct view text = view_of(rows[i].text);
		assert_true(!rows[i].expected || glob_may_match(ops_of(ops), text));
	}
	g_autoptr(GByteArray) ops = compile("ab?${x}");
	assert_true(glob_may_match(ops_of(ops), VIEW_LIT("abc")));
	assert_false(glob_may_match(ops_of(ops), VIEW_LIT("ab")));
	assert_false(glob_may_match(ops_of(ops), VIEW_LIT("acc")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hostile_patterns_take_few_steps),
		cmocka_unit_test(test_texts_in_pieces),
		cmocka_unit_test(test_damaged_patterns_are_refused),
		cmocka_unit_test(test_first_look),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Log lines: text from outside cannot act (S23), a line is one write and ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/log.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct inert_case {
	const char *text;
	size_t n;
	const char *inert;
} cases[] = {
	{"plain",                5, "plain"               },
	{"a\nb\tc",              5, "a\\x0ab\\x09c"       },
	{"\x1b[31m",             5, "\\x1b[31m"           },
	{"\x7f",		 1, "\\x7f"               },
	{"\0x",		  2, "\\x00x"              },
	{"\xc3\xa9\xe2\x82\xac", 5, "\xc3\xa9\xe2\x82\xac"},
	{"\xc2\x9b",             2, "\\xc2\\x9b"          }, /* C1: starts a control sequence */
	{"\xe2\x80\xae",         3, "\\xe2\\x80\\xae"     }, /* U+202E: right to left */
	{"\xe2\x81\xa9",         3, "\\xe2\\x81\\xa9"     },
	{"\xe2\x80\xa7",         3, "\xe2\x80\xa7"        },
	{"\xd8\x9c",             2, "\\xd8\\x9c"          },
	{"\xe2\x80\xa8",         3, "\\xe2\\x80\\xa8"     }, /* a line's end */
	{"\xf0\x9f\x98\x80",     4, "\xf0\x9f\x98\x80"    },
	{"\xff\xc3",             2, "\\xff\\xc3"          },
	{"",		     0, ""		    },
};

static void makes_text_inert(void **state)
{
	(void)state;
	char out[64];
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_string_equal(log_inert(cases[i].text, cases[i].n, out, sizeof(out)),
				    cases[i].inert);
}

static void cuts_between_characters(void **state)
{
	(void)state;
	static const char text[] = "a\xe2\x82\xac\n";
	for (size_t cap = 1; cap < 12; cap++) {
		char *out = malloc(cap);
		assert_non_null(out);
		assert_true(strlen(log_inert(text, 5, out, cap)) < cap);
		if (cap < 5)
			assert_string_equal(out, cap > 1 ? "a" : "");
		free(out);
	}
	(void)log_inert(text, 5, NULL, 0);
}

/* What a call writes to stderr. */
static size_t captured(char *out, size_t cap, enum log_level level, const char *module,
		       const char *text)
{
	int pipe_fd[2], kept = dup(STDERR_FILENO);
	assert_int_equal(pipe(pipe_fd), 0);
	assert_true(dup2(pipe_fd[1], STDERR_FILENO) >= 0);
	log_line(level, module, "%s", text);
	assert_true(dup2(kept, STDERR_FILENO) >= 0);
	(void)close(kept);
	(void)close(pipe_fd[1]);
	ssize_t n = read(pipe_fd[0], out, cap - 1);
	(void)close(pipe_fd[0]);
	assert_true(n >= 0);
	out[n] = '\0';
	return (size_t)n;
}

static void writes_one_line(void **state)
{
	(void)state;
	char out[8192], text[6000];
	(void)captured(out, sizeof(out), LOG_WARNING, "channel", "a\nb");
	assert_string_equal(out, "<4>channel: a\\x0ab\n");
	memset(text, '\x01', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	size_t n = captured(out, sizeof(out), LOG_ERROR, "m", text);
	assert_int_equal(out[n - 1], '\n');
	assert_ptr_equal(strchr(out, '\n'), out + n - 1);
}

static void keeps_a_long_module_in_bounds(void **state)
{
	(void)state;
	char out[8192], module[5000];
	memset(module, 'm', sizeof(module) - 1);
	module[sizeof(module) - 1] = '\0';
	size_t n = captured(out, sizeof(out), LOG_ERROR, module, "text");
	assert_int_equal(out[n - 1], '\n');
}

static void holds_back_what_is_not_urgent(void **state)
{
	(void)state;
	char out[256];
	assert_int_equal(captured(out, sizeof(out), LOG_DEBUG, "m", "x"), 0);
	log_set_level(LOG_DEBUG);
	assert_true(captured(out, sizeof(out), LOG_DEBUG, "m", "x") > 0);
	log_set_level(LOG_ERROR);
	assert_int_equal(captured(out, sizeof(out), LOG_WARNING, "m", "x"), 0);
	log_set_level(LOG_INFO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(makes_text_inert),
		cmocka_unit_test(cuts_between_characters),
		cmocka_unit_test(writes_one_line),
		cmocka_unit_test(keeps_a_long_module_in_bounds),
		cmocka_unit_test(holds_back_what_is_not_urgent),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What the compiler refuses, and whether it says what, where and how to mend it. */
#include "policy/decide.h"
#include "policy/policy.h"

#include "base/compiler.h"

#include <glib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define GOOD            "{\"Effect\":\"Allow\",\"Action\":\"iot:Connect\",\"Resource\":\"*\"}"
#define DOC(statements) "{\"Version\":\"2012-10-17\",\"Statement\":[" statements "]}"
#define SECOND(members) DOC(GOOD ",{" members "}")
#define IF(condition)                                                                              \
	SECOND("\"Effect\":\"Allow\",\"Action\":\"iot:Connect\",\"Resource\":\"*\","               \
	       "\"Condition\":" condition)
#define ACTION(action) SECOND("\"Effect\":\"Allow\",\"Resource\":\"*\",\"Action\":" action)
#define RESOURCE(resource)                                                                         \
	SECOND("\"Effect\":\"Allow\",\"Action\":\"iot:*\",\"Resource\":" resource)

static const struct {
	const char *document;
	const char *words; /* that stand in the message */
} refused[] = {
#define REFUSED(words, document) {document, words},
#include "refused.tbl.h"
#undef REFUSED
};

static int compile(const char *document, size_t max_chars, struct fault *fault)
{
	struct policy_program program = {NULL, 0};
	*fault = (struct fault){.kind = FAULT_NONE};
	int result = policy_compile(view_of(document), max_chars, &program, fault);
	if (result == 0)
		assert_true(policy_program_valid(program.bytes, program.n));
	policy_program_clear(&program);
	return result;
}

static void test_refused_with_words(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		struct fault fault;
		if (compile(refused[i].document, 2048, &fault) == 0)
			fail_msg("taken: %s", refused[i].document);
		assert_int_equal(fault.kind, FAULT_MALFORMED_POLICY);
		if (!strstr(fault.message, refused[i].words))
			fail_msg("%s: '%s' does not say '%s'", refused[i].document, fault.message,
				 refused[i].words);
	}
}

static void test_accepted(void **state)
{
	(void)state;
	static const char *const documents[] = {
		DOC(""),
		"{\"Statement\":" GOOD "}",
		"{\"Version\":\"2008-10-17\",\"Statement\":[" GOOD "]}",
		SECOND("\"Sid\":\"any "
		       "words\",\"Effect\":\"Deny\",\"NotAction\":\"iot:Pub*\",\"NotResource\":["
		       "\"a\",\"b\"]"),
		ACTION("\"*\""),
		IF("{}"),
		ACTION("[\"iot:Connect\",\"greengrass:*\"]"),
		RESOURCE("\"${iot:Thing.ThingName}\""),
		RESOURCE("\"${iot:Connection.Thing.Attributes[site]}\""),
		IF("{\"StringEquals\":{\"iot:ClientId\":[7,true,1.5]}}"),
		IF("{\"NumericEquals\":{\"x\":[7,-0.25,\"+1.0\"]}}"),
	};
	for (size_t i = 0; i < ARRAY_LEN(documents); i++) {
		struct fault fault;
		if (compile(documents[i], 2048, &fault) != 0)
			fail_msg("%s: %s", documents[i], fault.message);
	}
}

/* A program has room for so many names. */
static void test_number_of_names(void **state)
{
	(void)state;
	g_autoptr(GString) resources = g_string_new("[\"${a0}\"");
	for (int i = 1; i < 64; i++)
		g_string_append_printf(resources, ",\"${a%d}\"", i);
	g_autofree char *fits = g_strdup_printf(
		"{\"Version\":\"2012-10-17\",\"Statement\":{\"Effect\":\"Allow\",\"Action\":\"*\","
		"\"Resource\":%s]}}",
		resources->str);
	g_autofree char *too_many =
		g_strdup_printf("%.*s,\"${b}\"]}}", (int)strlen(fits) - 3, fits);
	struct fault fault;
	assert_int_equal(compile(fits, 2048, &fault), 0);
	assert_int_equal(compile(too_many, 2048, &fault), -1);
	assert_non_null(strstr(fault.message, "'b' would be variable or condition key number 65"));
}

/* White space does not count, and a character of several bytes counts once. */
static void test_size_limit(void **state)
{
	(void)state;
	g_autofree char *spaces = g_strnfill(5000, ' ');
	g_autofree char *document = g_strconcat(spaces, "{\"Statement\":[{\"Sid\":\"\xc3\xa9 x\",",
						&(GOOD)[1], "]\t\r\n}", spaces, NULL);
	const size_t n =
		strlen("{\"Statement\":[{\"Sid\":\"ex\",") + strlen(GOOD) - 1 + strlen("]}");
	struct fault fault;
	assert_int_equal(compile(document, n, &fault), 0);
	assert_int_equal(compile(document, n - 1, &fault), -1);
	assert_non_null(strstr(fault.message, "characters without white space, the limit is"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused_with_words),
		cmocka_unit_test(test_accepted),
		cmocka_unit_test(test_number_of_names),
		cmocka_unit_test(test_size_limit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

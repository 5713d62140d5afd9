/* Why and what to do: in words, for every cause. */
#include "base/compiler.h"
#include "event/cause.h"
#include "ledger/denied.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct denied plain = {.action = "iot:Publish",
				    .cause = "explicit-deny",
				    .resource = "a/b",
				    .policy = "base",
				    .missing = "",
				    .version = 3,
				    .statement = 1,
				    .sid = ""};

static void assert_rule(const struct denied *d, const char *want)
{
	g_autoptr(GString) text = g_string_new("");
	denied_tell_rule(d, text);
	assert_string_equal(text->str, want);
}

static void assert_cure(const struct denied *d, const char *want)
{
	g_autoptr(GString) text = g_string_new("");
	denied_tell_cure(d, text);
	assert_non_null(strstr(text->str, want));
}

static void test_rules(void **state)
{
	(void)state;
	struct denied d = plain;
	assert_rule(&d, "a policy statement denies it: policy \"base\" version 3, statement 2");
	d.sid = "NoSecrets";
	assert_rule(&d, "a policy statement denies it: policy \"base\" version 3, statement 2 "
			"(NoSecrets)");
	d.sid = "";
	d.statement = -1;
	assert_rule(&d, "a policy statement denies it: policy \"base\" version 3");
	d.cause = "missing-variable";
	d.policy = "";
	d.missing = "iot:Connection.Thing.ThingName";
	assert_rule(&d, "a policy variable that the grant needs has no value; "
			"iot:Connection.Thing.ThingName kept a grant from matching");
	d.cause = "of a later version";
	d.missing = "";
	assert_rule(&d, "nothing is known of the reason");
}

static void test_cures_name_the_request(void **state)
{
	(void)state;
	static const char *const rows[][3] = {
		{"iot:Connect",   "pump", "iot:Connect on \"client/pump\""      },
		{"iot:Publish",   "a/b",  "iot:Publish on \"topic/a/b\""        },
		{"iot:Receive",   "a/b",  "iot:Receive on \"topic/a/b\""        },
		{"iot:Subscribe", "a/+",  "iot:Subscribe on \"topicfilter/a/+\""},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct denied d = plain;
		d.cause = "implicit-deny";
		d.action = rows[i][0];
		d.resource = rows[i][1];
		assert_cure(&d, rows[i][2]);
	}
}

/* What a client chose cannot end the quotes that it stands in. */
static void test_quotes_hold(void **state)
{
	(void)state;
	struct denied d = plain;
	d.cause = "implicit-deny";
	d.resource = "a\" from 192.0.2.1 \\";
	assert_cure(&d, "on \"topic/a\\x22 from 192.0.2.1 \\x5c\" to");
}

static void test_every_cause_has_a_cure(void **state)
{
	(void)state;
	for (unsigned i = 1; i < CAUSES; i++) {
		struct denied d = plain;
		g_autoptr(GString) text = g_string_new("");
		d.cause = cause_word((enum cause)i);
		denied_tell_cure(&d, text);
		if (strstr(text->str, "look at the broker's log at that time") ||
		    strstr(text->str, "%s"))
			fail_msg("%s: %s", d.cause, text->str);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_cures_name_the_request),
		cmocka_unit_test(test_quotes_hold),
		cmocka_unit_test(test_every_cause_has_a_cure),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

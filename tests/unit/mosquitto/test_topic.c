/* Reserved topics, and the filters that would reach them (spec/device-reports.md section 1). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/compiler.h"
#include "mosquitto/topic.h"

#define BASE "$aws/things/lamp/defender/metrics/"

static void test_kinds(void **state)
{
	(void)state;
	static const struct {
		const char *topic;
		enum topic_kind kind;
	} cases[] = {
		{BASE "json",                             TOPIC_REPORT  },
		{BASE "cbor",                             TOPIC_REPORT  },
		{BASE "json/accepted",                    TOPIC_REPLY   },
		{BASE "cbor/rejected",                    TOPIC_REPLY   },
		{"$aws/events/presence/connected/lamp",   TOPIC_EVENTS  },
		{BASE "JSON",                             TOPIC_ORDINARY},
		{BASE "xml",			      TOPIC_ORDINARY},
		{BASE "json/",                            TOPIC_ORDINARY},
		{BASE "json/other",                       TOPIC_ORDINARY},
		{BASE "json/accepted/",                   TOPIC_ORDINARY},
		{BASE,				    TOPIC_ORDINARY},
		{"$aws/things/lamp/defender/metrics",     TOPIC_ORDINARY},
		{"$aws/things/lamp",                      TOPIC_ORDINARY},
		{"$aws/things/a/b/defender/metrics/json", TOPIC_ORDINARY},
		{"aws/things/lamp/defender/metrics/json", TOPIC_ORDINARY},
		{"$aws/events",                           TOPIC_ORDINARY},
		{"",				      TOPIC_ORDINARY},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_int_equal(topic_of(view_of(cases[i].topic)).kind, cases[i].kind);
}

static void test_thing_and_format(void **state)
{
	(void)state;
	struct topic t = topic_of(VIEW_LIT(BASE "cbor/accepted"));
	assert_true(view_is(t.thing, "lamp"));
	assert_true(t.is_cbor);
	assert_false(topic_of(VIEW_LIT(BASE "json")).is_cbor);
}

static void test_filters_for_reports(void **state)
{
	(void)state;
	static const struct {
		const char *filter;
		bool is_report;
	} cases[] = {
		{BASE "json",				     true },
		{BASE "+",					true },
		{"$aws/things/+/defender/metrics/cbor",           true },
		{"$share/group/" BASE "json",                     true },
		{"$share/group/$aws/things/+/defender/metrics/+", true },
		{BASE "#",					false},
		{BASE "json/accepted",                            false},
		{BASE "json/#",				   false},
		{"$aws/#",					false},
		{"$share",					false},
		{"#",					     false},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_int_equal(topic_filter_is_report(view_of(cases[i].filter)),
				 cases[i].is_report);
}

static void test_shared_subscriptions_to_reserved_topics(void **state)
{
	(void)state;
	static const struct {
		const char *filter;
		bool is_reserved;
	} cases[] = {
		{"$share/g/$aws/things/+/shadow/update", true },
		{"$share/g/$aws/#",                      true },
		{"$share/g/$aws",                        true },
		{"$share/g/$awsome/x",                   false},
		{"$share/g/#",                           false},
		{"$share/$aws/x",                        false},
		{"$aws/#",			       false},
		{"$share/g",			     false},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_int_equal(topic_filter_is_shared_reserved(view_of(cases[i].filter)),
				 cases[i].is_reserved);
}

static void test_faults(void **state)
{
	(void)state;
	static char long_fits[TOPIC_BYTES_MAX + 1], too_long[TOPIC_BYTES_MAX + 2];
	memset(long_fits, 't', TOPIC_BYTES_MAX);
	memset(too_long, 't', TOPIC_BYTES_MAX + 1);
	const struct {
		const char *name;
		enum cause fault;
	} cases[] = {
		{long_fits,                        CAUSE_NONE          },
		{too_long,                         CAUSE_TOPIC_TOO_LONG},
		{"1/2/3/4/5/6/7/8",                CAUSE_NONE          },
		{"1/2/3/4/5/6/7/8/9",              CAUSE_TOPIC_TOO_LONG},
		{"$share/group/1/2/3/4/5/6/7/8",   CAUSE_NONE          },
		{"$share/group/1/2/3/4/5/6/7/8/9", CAUSE_TOPIC_TOO_LONG},
		{"a\nb",			   CAUSE_TOPIC_CONTROL },
		{"a\x7f",			  CAUSE_TOPIC_CONTROL },
		{"a\xc2\x85",                      CAUSE_TOPIC_CONTROL },
		{"a\xc2\xa0 no-break space",       CAUSE_NONE          },
		{"a\xff",			  CAUSE_TOPIC_CONTROL },
		{"a\xc2",			  CAUSE_TOPIC_CONTROL },
		{"",			       CAUSE_NONE          },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_int_equal(topic_fault(view_of(cases[i].name)), cases[i].fault);
	assert_int_equal(topic_fault((struct view){"a\0b", 3}), CAUSE_TOPIC_CONTROL);
}

static void test_filters(void **state)
{
	(void)state;
	static const struct {
		const char *filter, *topic;
		bool matches;
	} cases[] = {
		{"a/b",                     "a/b",           true },
		{"a/b",                     "a/bc",          false},
		{"a/bc",                    "a/b",           false},
		{"a",		       "a/",            false},
		{"a/+",                     "a/b",           true },
		{"a/+",                     "a/",            true },
		{"a/+",                     "a",             false},
		{"a/+",                     "a/b/c",         false},
		{"+/b",                     "a/b",           true },
		{"+",		       "a",             true },
		{"+/+",                     "/a",            true },
		{"+",		       "/a",            false},
		{"a/+/c",                   "a/b/c",         true },
		{"a/+/c",                   "a//c",          true },
		{"a/#",                     "a",             true },
		{"a/#",                     "a/",            true },
		{"a/#",                     "a/b/c",         true },
		{"a/#",                     "ab",            false},
		{"#",		       "a/b",           true },
		{"+/#",                     "a",             true },
		{"a/+/#",                   "a/b",           true },
		{"a/+/#",                   "a",             false},
		{"#",		       "$SYS/x",        false},
		{"+/x",                     "$SYS/x",        false},
		{"$SYS/#",                  "$SYS/x",        true },
		{"$SYS/+",                  "$SYS/x",        true },
 /* What stands for no whole level is bytes like others. */
		{"a+/b",                    "a+/b",          true },
		{"a+/b",                    "ab/b",          false},
		{"a/+b",                    "a/cb",          false},
		{"a/b#",                    "a/bc",          false},
		{"a/#/b",                   "a/c/b",         false},
		{"${iot:ClientId}/#",       "pump+/x",       true },
		{"${iot:ClientId}/#",       "pumpy/x",       false},
		{"d/${iot:ClientId}",       "d/pump+",       true },
		{"d/x-${iot:ClientId}-y/+", "d/x-pump+-y/z", true },
		{"d/${iot:ClientId}/+",     "d/pump+",       false},
		{"d/${iot:ThingName}",      "d/pump+",       false},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		if (topic_matches(view_of(cases[i].topic), view_of(cases[i].filter),
				  VIEW_LIT("pump+")) != cases[i].matches)
			fail_msg("%s for %s", cases[i].filter, cases[i].topic);
	assert_true(topic_matches(VIEW_LIT("a//b"), VIEW_LIT("a/${iot:ClientId}/b"), VIEW_LIT("")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_thing_and_format),
		cmocka_unit_test(test_filters_for_reports),
		cmocka_unit_test(test_shared_subscriptions_to_reserved_topics),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_filters),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

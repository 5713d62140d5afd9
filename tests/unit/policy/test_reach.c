/* Policy breadth: every row of spec/audit.md section 4.1, and "more results" of section 4.2. */
#include "policy/decide.h"
#include "policy/policy.h"

#include "base/compiler.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define ARN   "arn:aws:iot:us-east-1:123456789012:"
#define OTHER "arn:aws:iot:us-east-1:999999999999:"
#define TN    "${iot:Connection.Thing.ThingName}"
#define ID    "${iot:ClientId}"

#define DOC(statements) "{\"Version\":\"2012-10-17\",\"Statement\":[" statements "]}"
#define RULE(effect, action, resource)                                                             \
	"{\"Effect\":\"" effect "\",\"Action\":\"" action "\",\"Resource\":\"" resource "\"}"
#define ALLOW(action, resource) RULE("Allow", "iot:" action, resource)
#define DENY(action, resource)  RULE("Deny", "iot:" action, resource)
#define RULE_IF(effect, action, resource, condition)                                               \
	"{\"Effect\":\"" effect "\",\"Action\":\"iot:" action "\",\"Resource\":\"" resource        \
	"\",\"Condition\":{" condition "}}"
#define ATTACHED(value) "\"Bool\":{\"iot:Connection.Thing.IsAttached\":" value "}"
#define SOURCE          "\"IpAddress\":{\"aws:SourceIp\":\"10.0.0.0/8\"}"
#define LATER           "\"DateLessThan\":{\"aws:CurrentTime\":\"2030-01-01T00:00:00Z\"}"

#define BIT(action) (UINT32_C(1) << POLICY_##action)
#define SHADOWS     (BIT(GET_SHADOW) | BIT(UPDATE_SHADOW) | BIT(DELETE_SHADOW))
#define JOBS        (BIT(DESCRIBE_JOB) | BIT(GET_PENDING_JOBS) | BIT(START_NEXT_JOB) | BIT(UPDATE_JOB))
#define MQTT        (BIT(CONNECT) | BIT(PUBLISH) | BIT(SUBSCRIBE))

#define THING_ACTIONS                                                                              \
	"[\"iot:GetThingShadow\",\"iot:UpdateThingShadow\",\"iot:DeleteThingShadow\","             \
	"\"iot:DescribeJobExecution\",\"iot:GetPendingJobExecutions\","                            \
	"\"iot:StartNextPendingJobExecution\",\"iot:UpdateJobExecution\"]"
#define ON_THING(resource)                                                                         \
	"{\"Effect\":\"Allow\",\"Action\":" THING_ACTIONS ",\"Resource\":\"" resource "\"}"

#define GREENGRASS                                                                                 \
	"{\"Effect\":\"Allow\",\"Action\":[\"iot:Publish\",\"iot:Subscribe\",\"iot:Connect\","     \
	"\"iot:Receive\"],\"Resource\":[\"*\"]},{\"Effect\":\"Allow\",\"Action\":"                 \
	"[\"iot:GetThingShadow\",\"iot:UpdateThingShadow\",\"iot:DeleteThingShadow\"],"            \
	"\"Resource\":[\"*\"]}"

static const struct {
	const char *document;
	uint32_t expected;
} cases[] = {
#define CASE(expected, document) {document, expected},
#include "reach.tbl.h"
#undef CASE
};

static int broad(const char *document, uint32_t *ret_actions, struct fault *fault)
{
	const struct policy_home home = {VIEW_LIT("aws"), VIEW_LIT("us-east-1"),
					 VIEW_LIT("123456789012")};
	*fault = (struct fault){.kind = FAULT_NONE};
	*ret_actions = 0;
	return policy_broad(view_of(document), &home, ret_actions, fault);
}

static void test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct fault fault;
		uint32_t actions;
		if (broad(cases[i].document, &actions, &fault) != 0)
			fail_msg("%s: %s", cases[i].document, fault.message);
		if (actions != cases[i].expected)
			fail_msg("%s: %#x, not %#x", cases[i].document, actions, cases[i].expected);
	}
}

static void test_no_policies_are_refused(void **state)
{
	(void)state;
	static const char *const documents[] = {
		"",
		"[]",
		"{\"Statement\":7}",
		DOC("7"),
		DOC("{\"Effect\":\"Allow\",\"Action\":\"iot:*\",\"Resource\":7}"),
		DOC("{\"Effect\":\"Allow\",\"Action\":\"iot:*\",\"Resource\":[\"*\",7]}"),
	};
	for (size_t i = 0; i < ARRAY_LEN(documents); i++) {
		struct fault fault;
		uint32_t actions;
		assert_int_equal(broad(documents[i], &actions, &fault), -1);
		assert_int_equal(fault.kind, FAULT_MALFORMED_POLICY);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_no_policies_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

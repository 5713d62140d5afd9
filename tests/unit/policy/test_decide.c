/* The worked examples of spec/registry-and-policies.md section 12, by their numbers, and what
 * follows from section 10. Examples 15 to 18 need what this version refuses: they stand in
 * test_compile.c. */
#include "policy/decide.h"
#include "policy/policy.h"

#include "base/compiler.h"

#include <glib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define ARN "arn:aws:iot:us-east-1:123456789012:"
#define TN  "${iot:Connection.Thing.ThingName}"
#define ID  "${iot:ClientId}"

#define DOC(statements) "{\"Version\":\"2012-10-17\",\"Statement\":[" statements "]}"
#define STATEMENT(effect, action, resource)                                                        \
	"{\"Effect\":\"" effect "\",\"Action\":\"iot:" action "\",\"Resource\":\"" resource "\"}"
#define IF(effect, action, resource, condition)                                                    \
	"{\"Effect\":\"" effect "\",\"Action\":\"iot:" action "\",\"Resource\":\"" resource        \
	"\",\"Condition\":{" condition "}}"
#define IS_ATTACHED "\"Bool\":{\"iot:Connection.Thing.IsAttached\":\"true\"}"

#define BUILDING(filter)                                                                           \
	STATEMENT("Allow", "Subscribe", ARN "topicfilter/building/*")                              \
	"," STATEMENT("Deny", "Subscribe", ARN "topicfilter/building/control_room/" filter)
#define CONTROL BUILDING("*") "," STATEMENT("Allow", "Receive", ARN "topic/building/*")
#define NO_BAR                                                                                     \
	STATEMENT("Allow", "Publish", ARN "topic/" ID "/*")                                        \
	"," STATEMENT("Deny", "Publish", ARN "topic/" ID "/bar")
#define NOT_RESTRICTED                                                                             \
	"{\"Effect\":\"Allow\",\"Action\":\"iot:Receive\",\"NotResource\":\"" ARN                  \
	"topic/a/restricted/*\"}"
#define NOT_CONNECT                                                                                \
	"{\"Effect\":\"Allow\",\"NotAction\":[\"iot:CONNECT\",\"iot:*thing*\"],\"Resource\":\"*"   \
	"\"}"
#define LAN(effect, operator, networks)                                                            \
	IF(effect, "Connect", "*", "\"" operator"\":{\"aws:SourceIp\":" networks "}")

enum device { A, B };

static const struct example {
	const char *number;
	const char *document;
	enum device device;
	enum policy_action action;
	const char *type, *name;
	enum policy_decision expected;
	const char *client_id, *source_ip;
} examples[] = {
#define EXAMPLE(number, device, action, type, name, decision, document)                            \
	{number, document, device, POLICY_##action, type, name, POLICY_##decision, NULL, NULL},
#define EXAMPLE_ID(number, id, action, type, name, decision, document)                             \
	{number, document, B, POLICY_##action, type, name, POLICY_##decision, id, NULL},
#define EXAMPLE_FROM(number, ip, action, type, name, decision, document)                           \
	{number, document, A, POLICY_##action, type, name, POLICY_##decision, NULL, ip},
#include "examples.tbl.h"
};

static struct policy_program compile(const char *document)
{
	struct policy_program program;
	struct fault fault = {0};
	if (policy_compile(view_of(document), 2048, &program, &fault) != 0)
		fail_msg("%s: %s", document, fault.message);
	assert_true(policy_program_valid(program.bytes, program.n));
	return program;
}

static struct policy_request request_of(enum device device, enum policy_action action,
					const char *type, const char *name)
{
	bool is_a = device == A;
	return (struct policy_request){
		.action = action,
		.partition = VIEW_LIT("aws"),
		.region = VIEW_LIT("us-east-1"),
		.account = VIEW_LIT("123456789012"),
		.type = view_of(type),
		.name = view_of(name),
		.client_id = view_of(is_a ? "sensor1" : "x9"),
		.thing_name = view_of(is_a ? "sensor1" : NULL),
		.is_thing_attached = is_a,
	};
}

static struct view program_view(const struct policy_program *program)
{
	return (struct view){(const char *)program->bytes, program->n};
}

static void test_examples(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(examples); i++) {
		const struct example *e = &examples[i];
		struct policy_program program = compile(e->document);
		struct policy_request request = request_of(e->device, e->action, e->type, e->name);
		if (e->client_id)
			request.client_id = view_of(e->client_id);
		request.source_ip = view_of(e->source_ip);
		struct view view = program_view(&program);
		struct policy_verdict verdict = policy_decide(&view, 1, &request);
		if (verdict.decision != e->expected)
			fail_msg("example %s: %d, not %d", e->number, (int)verdict.decision,
				 (int)e->expected);
		policy_program_clear(&program);
	}
}

/* Example 20: a group's Deny beats a certificate's Allow; the verdict says where. */
static void test_verdict_names_program_and_statement(void **state)
{
	(void)state;
	struct policy_program of_cert = compile(DOC(STATEMENT("Allow", "*", "*")));
	struct policy_program of_group = compile(DOC(STATEMENT(
		"Allow", "Receive", "*") "," STATEMENT("Deny", "Publish", ARN "topic/$aws/*")));
	const struct view programs[] = {program_view(&of_cert), program_view(&of_group)};
	struct policy_request request =
		request_of(A, POLICY_PUBLISH, "topic", "$aws/things/sensor1/shadow/update");
	struct policy_verdict verdict = policy_decide(programs, 2, &request);
	assert_int_equal(verdict.decision, POLICY_EXPLICIT_DENY);
	assert_int_equal(verdict.program, 1);
	assert_int_equal(verdict.statement, 1);

	request = request_of(A, POLICY_RECEIVE, "topic", "a");
	verdict = policy_decide(programs, 2, &request);
	assert_int_equal(verdict.decision, POLICY_ALLOWED);
	assert_int_equal(verdict.program, 0);
	assert_int_equal(verdict.statement, 0);

	verdict = policy_decide(NULL, 0, &request);
	assert_int_equal(verdict.decision, POLICY_IMPLICIT_DENY);
	assert_int_equal(verdict.program, -1);
	assert_int_equal(verdict.statement, -1);
	policy_program_clear(&of_cert);
	policy_program_clear(&of_group);
}

/* Cutting a program anywhere but between two statements, or changing its magic, makes it none. */
static void test_damaged_programs_are_refused(void **state)
{
	(void)state;
	struct policy_program program = compile(DOC(LAN("Allow", "IpAddress", "\"10.0.0.0/8\"")));
	for (size_t n = 0; n < program.n; n++) {
		g_autofree uint8_t *cut = g_memdup2(program.bytes, n);
		assert_int_equal(policy_program_valid(cut, n), n == sizeof(uint32_t));
	}
	program.bytes[0] ^= 1;
	assert_false(policy_program_valid(program.bytes, program.n));
	policy_program_clear(&program);
}

/* Every byte of a program with every value: what still passes as a program can be walked (under the
 * sanitizers). */
static void test_changed_programs_can_be_walked(void **state)
{
	(void)state;
	struct policy_program program =
		compile(DOC(LAN("Allow", "IpAddress", "\"10.0.0.0/8\"") "," STATEMENT(
			"Deny", "Connect", ARN "client/?" ID "*")));
	struct policy_request request = request_of(A, POLICY_CONNECT, "client", "sensor1");
	request.source_ip = VIEW_LIT("10.1.2.3");
	struct view view = program_view(&program);
	for (size_t i = 0; i < program.n; i++) {
		uint8_t own = program.bytes[i];
		for (unsigned value = 0; value < 256; value++) {
			program.bytes[i] = (uint8_t)value;
			if (policy_program_valid(program.bytes, program.n))
				assert_in_range(policy_decide(&view, 1, &request).decision,
						POLICY_IMPLICIT_DENY, POLICY_EXPLICIT_DENY);
		}
		program.bytes[i] = own;
	}
	policy_program_clear(&program);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_examples),
		cmocka_unit_test(test_verdict_names_program_and_statement),
		cmocka_unit_test(test_damaged_programs_are_refused),
		cmocka_unit_test(test_changed_programs_can_be_walked),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

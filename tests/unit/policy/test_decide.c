/* The worked examples of spec/registry-and-policies.md section 12, by their numbers, and what
 * follows from section 10; what a verdict tells beside the decision; and programs that were
 * changed. */
#include "policy/decide.h"
#include "policy/explain.h"
#include "policy/facts_write.h"
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

#define SITE       "${iot:Connection.Thing.Attributes[site]}"
#define ATTRIBUTES "StringEquals\":{\"iot:ConnectAttributes\":"
#define ONLY_WILL  IF("Allow", "Connect", "*", "\"ForAllValues:" ATTRIBUTES "[\"LastWill\"]}")
#define NOT_PERSISTENT                                                                             \
	STATEMENT("Allow", "Connect", "*")                                                         \
	"," IF("Deny", "Connect", "*", "\"ForAnyValue:" ATTRIBUTES "[\"PersistentConnect\"]}")
#define COMPANIES                                                                                  \
	IF("Allow", "Publish", ARN "topic/my/topic/" TN,                                           \
	   "\"ForAllValues:StringEquals\":{\"iot:Certificate.Subject.Organization.List\":"         \
	   "[\"Example Corp\",\"AnyCompany\"]}")

enum device { A, B, PLAIN, WILL, PERSISTENT, COMPANY, EVIL, BERLIN, DEVICES };

/* All but B are the thing sensor1, attached. */
static const struct device_row {
	bool are_connect_attributes_known;
	uint8_t connect_attributes;
	const char *site, *organizations[2];
} devices[DEVICES] = {
	[PLAIN] = {.are_connect_attributes_known = true         },
	[WILL] = {true,					  POLICY_LAST_WILL, NULL, {NULL}},
	[PERSISTENT] = {true,					 POLICY_PERSISTENT_CONNECT | POLICY_LAST_WILL, NULL, {NULL}},
	[COMPANY] = {.organizations = {"AnyCompany"}                                            },
	[EVIL] = {.organizations = {"Example Corp", "Evil"}},
	[BERLIN] = {.site = "berlin"				      },
};

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

/* The facts live in two arrays of the caller's. */
struct asked {
	struct policy_request request;
	GByteArray *thing, *cert;
};

static struct view bytes_view_of(const GByteArray *bytes)
{
	return (struct view){(const char *)bytes->data, bytes->len};
}

static void add_facts(struct asked *asked, const struct device_row *row)
{
	asked->thing = g_byte_array_new();
	asked->cert = g_byte_array_new();
	if (row->site)
		facts_add_attribute(asked->thing, VIEW_LIT("site"), view_of(row->site));
	for (size_t i = 0; i < ARRAY_LEN(row->organizations) && row->organizations[i]; i++)
		facts_add_field(asked->cert, FIELD_SUBJECT_ORGANIZATION,
				view_of(row->organizations[i]));
	asked->request.thing_facts = bytes_view_of(asked->thing);
	asked->request.cert_facts = bytes_view_of(asked->cert);
}

static struct asked ask(enum device device, enum policy_action action, const char *type,
			const char *name)
{
	bool is_b = device == B;
	struct asked asked = {
		.request =
			{
				  .action = action,
				  .partition = VIEW_LIT("aws"),
				  .region = VIEW_LIT("us-east-1"),
				  .account = VIEW_LIT("123456789012"),
				  .type = view_of(type),
				  .name = view_of(name),
				  .client_id = view_of(is_b ? "x9" : "sensor1"),
				  .thing_name = view_of(is_b ? NULL : "sensor1"),
				  .is_thing_attached = !is_b,
				  .are_connect_attributes_known =
					devices[device].are_connect_attributes_known,
				  .connect_attributes = devices[device].connect_attributes,
				  },
	};
	add_facts(&asked, &devices[device]);
	return asked;
}

static void asked_clear(struct asked *asked)
{
	g_byte_array_unref(asked->thing);
	g_byte_array_unref(asked->cert);
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
		struct asked asked = ask(e->device, e->action, e->type, e->name);
		if (e->client_id)
			asked.request.client_id = view_of(e->client_id);
		asked.request.source_ip = view_of(e->source_ip);
		struct view view = program_view(&program);
		struct policy_verdict verdict = policy_decide(&view, 1, &asked.request);
		if (verdict.decision != e->expected)
			fail_msg("example %s: %d, not %d", e->number, (int)verdict.decision,
				 (int)e->expected);
		asked_clear(&asked);
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
	struct asked asked = ask(A, POLICY_PUBLISH, "topic", "$aws/things/sensor1/shadow/update");
	struct policy_verdict verdict = policy_decide(programs, 2, &asked.request);
	assert_int_equal(verdict.decision, POLICY_EXPLICIT_DENY);
	assert_int_equal(verdict.program, 1);
	assert_int_equal(verdict.statement, 1);

	asked.request.action = POLICY_RECEIVE;
	verdict = policy_decide(programs, 2, &asked.request);
	assert_int_equal(verdict.decision, POLICY_ALLOWED);
	assert_int_equal(verdict.program, 0);
	assert_int_equal(verdict.statement, 0);
	assert_int_equal(verdict.nearest_program, -1);

	verdict = policy_decide(NULL, 0, &asked.request);
	assert_int_equal(verdict.decision, POLICY_IMPLICIT_DENY);
	assert_int_equal(verdict.program, -1);
	assert_int_equal(verdict.statement, -1);
	assert_int_equal(verdict.nearest_program, -1);
	asked_clear(&asked);
	policy_program_clear(&of_cert);
	policy_program_clear(&of_group);
}

/* What an implicit deny is told to have lacked: the first Allow that was about the resource. */
static const struct {
	const char *document;
	int nearest;
	const char *missing;
} nearest[] = {
	{DOC(STATEMENT("Allow",  "Publish",                   ARN "topic/b")),								    -1, ""},
	{DOC(STATEMENT("Allow",                    "Connect",					       ARN "topic/a/" SITE)),													     -1, ""},
	{DOC(STATEMENT("Allow", "Publish",ARN "topic/b/" SITE)),-1, ""},
	{DOC(STATEMENT("Deny",  "Publish",                    ARN "topic/a/" SITE)),												      -1, ""},
	{DOC(STATEMENT("Allow",                    "Publish",					       ARN "topic/b") "," STATEMENT("Allow",													      "Publish",
         ARN "topic/a/" SITE)),
	 1, "iot:Connection.Thing.Attributes[site]"},
	{DOC(IF("Allow", "Publish",       "*","\"Bool\":{\"AWS:SecureTransport\":\"true\"}")), 0,
	 "AWS:SecureTransport"},
	{DOC(IF("Allow",  "Publish", "*", "\"StringEquals\":{\"iot:ClientId\":\"b\"}")), 0, ""},
	{DOC("{\"Effect\":\"Allow\",\"Action\":\"iot:Publish\",\"NotResource\":\"" ARN
	     "topic/${x}\"}"),
	 0,						   "x"											     },
};

static void test_nearest_grant(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(nearest); i++) {
		struct policy_program program = compile(nearest[i].document);
		const struct view view = program_view(&program);
		struct asked asked = ask(A, POLICY_PUBLISH, "topic", "a/x");
		struct policy_verdict verdict = policy_decide(&view, 1, &asked.request);
		assert_int_equal(verdict.decision, POLICY_IMPLICIT_DENY);
		assert_int_equal(verdict.nearest_statement, nearest[i].nearest);
		assert_int_equal(verdict.nearest_program, nearest[i].nearest < 0 ? -1 : 0);
		if (!view_is(verdict.missing, nearest[i].missing))
			fail_msg("%s: '%.*s'", nearest[i].document, (int)verdict.missing.n,
				 verdict.missing.p);
		asked_clear(&asked);
		policy_program_clear(&program);
	}
}

static void append_name(struct view name, void *text)
{
	g_string_append_len(text, name.p, (gssize)name.n);
	g_string_append_c(text, ' ');
}

/* In Deny and Allow, resources and conditions, whether or not the rest matches; but of statements
 * that name the action only, and no condition keys. */
static void test_each_missing_variable(void **state)
{
	(void)state;
	struct policy_program program =
		compile(DOC(STATEMENT("Allow", "Publish", ARN "topic/z/" SITE) "," STATEMENT(
			"Allow", "Connect", "${b}") "," IF("Deny", "*", "${*}" TN,
							   "\"StringEquals\":{\"k\":\"${c}\"}")));
	struct asked asked = ask(B, POLICY_PUBLISH, "topic", "a");
	g_autoptr(GString) names = g_string_new(NULL);
	policy_each_missing(program_view(&program), &asked.request, append_name, names);
	assert_string_equal(names->str, "iot:Connection.Thing.ThingName c "
					"iot:Connection.Thing.Attributes[site] ");
	asked_clear(&asked);
	policy_program_clear(&program);
}

static void test_first_match(void **state)
{
	(void)state;
	struct policy_program program =
		compile(DOC(STATEMENT("Allow", "Publish", ARN "topic/b") "," STATEMENT(
			"Allow", "Publish", "*") "," STATEMENT("Deny", "*", "*")));
	struct view view = program_view(&program);
	struct asked asked = ask(A, POLICY_PUBLISH, "topic", "a");
	assert_int_equal(policy_first_match(view, POLICY_EFFECT_ALLOW, &asked.request), 1);
	assert_int_equal(policy_first_match(view, POLICY_EFFECT_DENY, &asked.request), 2);
	asked.request.action = POLICY_CONNECT;
	assert_int_equal(policy_first_match(view, POLICY_EFFECT_ALLOW, &asked.request), -1);
	asked_clear(&asked);
	policy_program_clear(&program);
}

/* More of the words in tests/contract/api/test_authorization.c. */
static void test_explains_what_has_no_resource(void **state)
{
	(void)state;
	const char *document = "{\"Statement\":{\"Sid\":\"All\",\"Effect\":\"Allow\",\"Action\":"
			       "\"iot:List*\",\"Resource\":\"*\"}}";
	struct policy_program program = compile(document);
	const struct view view = program_view(&program);
	const struct policy_source source = {"p", 2, view_of(document)};
	struct asked asked = ask(A, POLICY_LIST_RETAINED, "", "");
	struct policy_verdict verdict = policy_decide(&view, 1, &asked.request);
	g_autofree char *words = policy_explain(&source, &asked.request, &verdict);
	assert_string_equal(words, "policy p version 2, statement 1 (All), Allow "
				   "iot:ListRetainedMessages on *");
	asked_clear(&asked);
	policy_program_clear(&program);
}

/* A document with something of everything that a program can hold. */
#define EVERYTHING                                                                                 \
	DOC(LAN("Allow", "IpAddress", "\"10.0.0.0/8\"") "," STATEMENT(                             \
		"Deny", "Connect",                                                                 \
		ARN "client/?" ID                                                                  \
		    "*") "," IF("Allow", "Connect", "*",                                           \
				"\"ForAnyValue:ArnLikeIfExists\":{\"iot:LastWillTopic\":[\"" ARN   \
				"topic/" SITE                                                      \
				"\",\"*\"]},\"NumericLessThan\":{\"iot:ClientId\":\"7\"},"         \
				"\"DateEquals\":{\"iot:Certificate.Subject.Title.List\":\"2026-"   \
				"03-01\"},"                                                        \
				"\"Null\":{\"iot:Certificate.SerialNumber\":\"true\"},"            \
				"\"BinaryEquals\":{\"iot:Certificate.AvailableKeys\":\"YQ==\"}"))

/* Cutting a program anywhere, or changing its magic, makes it none. */
static void test_damaged_programs_are_refused(void **state)
{
	(void)state;
	struct policy_program program = compile(EVERYTHING);
	for (size_t n = 0; n < program.n; n++) {
		g_autofree uint8_t *cut = g_memdup2(program.bytes, n);
		assert_false(policy_program_valid(cut, n));
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
	struct policy_program program = compile(EVERYTHING);
	struct asked asked = ask(EVIL, POLICY_CONNECT, "client", "sensor1");
	asked.request.source_ip = VIEW_LIT("10.1.2.3");
	asked.request.last_will_topic = VIEW_LIT("a");
	struct view view = program_view(&program);
	for (size_t i = 0; i < program.n; i++) {
		uint8_t own = program.bytes[i];
		for (unsigned value = 0; value < 256; value++) {
			program.bytes[i] = (uint8_t)value;
			if (policy_program_valid(program.bytes, program.n))
				assert_in_range(policy_decide(&view, 1, &asked.request).decision,
						POLICY_IMPLICIT_DENY, POLICY_EXPLICIT_DENY);
		}
		program.bytes[i] = own;
	}
	asked_clear(&asked);
	policy_program_clear(&program);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_examples),
		cmocka_unit_test(test_verdict_names_program_and_statement),
		cmocka_unit_test(test_nearest_grant),
		cmocka_unit_test(test_each_missing_variable),
		cmocka_unit_test(test_first_match),
		cmocka_unit_test(test_explains_what_has_no_resource),
		cmocka_unit_test(test_damaged_programs_are_refused),
		cmocka_unit_test(test_changed_programs_can_be_walked),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

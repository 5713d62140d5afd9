/* The search for a way out, over documents that are in force here and now: each row is a
 * certificate with its policies, what was taken away, and the statement that is found. */
#include "base/compiler.h"
#include "contain/escape.h"
#include "policy/policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define CERT            "c0ffee"
#define IOT             "arn:aws:iot:us-east-1:123456789012:"
#define DOC(statements) "{\"Version\":\"2012-10-17\",\"Statement\":[" statements "]}"
#define SAYS(effect, action, resource)                                                             \
	"{\"Effect\":\"" effect "\",\"Action\":\"" action "\",\"Resource\":\"" resource "\"}"
#define ALLOW(action, resource) SAYS("Allow", action, IOT resource)
#define DENY(action, resource)  SAYS("Deny", action, IOT resource)

#define ANY_CLIENT ALLOW("iot:Connect", "client/*")
#define THING_ONLY ALLOW("iot:Connect", "client/${iot:Connection.Thing.ThingName}")
#define PUBLISH_A  ALLOW("iot:Publish", "topic/a/*")
#define DENY_ALL   SAYS("Deny", "iot:*", "*")

struct row {
	const char *name;
	enum contain_kind kind;
	const char *own;   /* the certificate's policy "own" */
	const char *group; /* the policy "group" of the group of thing "t1"; NULL: none */
	const char *taken; /* what was taken away or denies, and its policy's name */
	const char *taken_of;
	const char *escape; /* a part of the words; NULL: none */
	bool is_quarantine; /* the group is one */
};

/* clang-format off */
static const struct row rows[] = {
	{"detached, nothing else allows it", CONTAIN_POLICY_DETACHED,
	 DOC(THING_ONLY), NULL, DOC(PUBLISH_A), "gone", NULL, false},
	{"detached, and the other policy allows the same", CONTAIN_POLICY_DETACHED,
	 DOC(ANY_CLIENT "," PUBLISH_A), NULL, DOC(PUBLISH_A), "gone", "policy own version 3 statement 2 allows iot:Publish on topic/a/", false},
	{"detached, the other allows it and nobody connects", CONTAIN_POLICY_DETACHED,
	 DOC(PUBLISH_A), NULL, DOC(PUBLISH_A), "gone", NULL, false},
	{"detached, the group allows it", CONTAIN_POLICY_DETACHED,
	 DOC(THING_ONLY), DOC(PUBLISH_A), DOC(PUBLISH_A), "gone", "policy group version 3 statement 1 allows iot:Publish", false},
	{"changed, and the new version grants the same", CONTAIN_POLICY_CHANGED,
	 DOC(ANY_CLIENT "," PUBLISH_A), NULL, DOC(ANY_CLIENT "," PUBLISH_A), "own", NULL, false},
	{"changed, and another policy grants what it granted", CONTAIN_POLICY_CHANGED,
	 DOC(ANY_CLIENT), DOC(PUBLISH_A), DOC(PUBLISH_A), "own", "policy group version 3", false},
	{"the variables of the thing are put in", CONTAIN_POLICY_DETACHED,
	 DOC(THING_ONLY "," ALLOW("iot:Subscribe", "topicfilter/t/t1/cmd")), NULL,
	 DOC(ALLOW("iot:Subscribe", "topicfilter/t/${iot:Connection.Thing.ThingName}/cmd")), "gone", "iot:Subscribe on topicfilter/t/t1/cmd", false},

	{"the group denies all, and the certificate connects as its thing only", CONTAIN_GROUP_ENTERED,
	 DOC(THING_ONLY "," PUBLISH_A), DOC(DENY_ALL), DOC(DENY_ALL), "group", NULL, false},
	{"the group denies all, and any client id will do", CONTAIN_GROUP_ENTERED,
	 DOC(ANY_CLIENT "," PUBLISH_A), DOC(DENY_ALL), DOC(DENY_ALL), "group",
	 "policy own version 3 statement 1 allows iot:Connect as client/nobody", false},
	{"a literal client id is found", CONTAIN_GROUP_ENTERED,
	 DOC(ALLOW("iot:Connect", "client/xyz") "," PUBLISH_A), DOC(DENY_ALL), DOC(DENY_ALL), "group",
	 "statement 1 allows iot:Connect as client/xyz; certificate " CERT, false},
	{"a pattern of client ids is found", CONTAIN_GROUP_ENTERED,
	 DOC(ALLOW("iot:Connect", "client/site-?-*")), DOC(DENY_ALL), DOC(DENY_ALL), "group", "client/site-z-nobody", false},
	{"the group denies a topic only", CONTAIN_GROUP_ENTERED,
	 DOC(ANY_CLIENT "," PUBLISH_A), DOC(DENY("iot:Publish", "topic/a/*")), DOC(DENY("iot:Publish", "topic/a/*")), "group",
	 "allows iot:Publish on topic/a/tw-probe as client nobody, which policy own version 3 statement 1 lets connect", false},
	{"the group denies what nothing allows", CONTAIN_GROUP_ENTERED,
	 DOC(ANY_CLIENT), DOC(DENY("iot:Publish", "topic/a/*")), DOC(DENY("iot:Publish", "topic/a/*")), "group", NULL, false},
	{"a wide denial is tried with the certificate's own topics", CONTAIN_GROUP_ENTERED,
	 DOC(ANY_CLIENT "," PUBLISH_A), DOC(DENY("iot:Publish", "topic/*")), DOC(DENY("iot:Publish", "topic/*")), "group", "topic/a/", false},
	{"a denial of the certificate's own policy holds", CONTAIN_POLICY_ATTACHED,
	 DOC(ANY_CLIENT "," PUBLISH_A "," DENY("iot:Publish", "topic/*")), NULL, DOC(DENY("iot:Publish", "topic/*")), "own", NULL, false},

	{"quarantined whatever the client id", CONTAIN_QUARANTINED,
	 DOC(ANY_CLIENT "," PUBLISH_A), DOC(DENY_ALL), NULL, NULL, NULL, true},
	{"put into a group that is none after all", CONTAIN_QUARANTINED,
	 DOC(ANY_CLIENT "," PUBLISH_A), DOC(DENY_ALL), NULL, NULL, "as client t1, certificate " CERT " is not judged", false},
	{"a certificate that may not connect is asked nothing", CONTAIN_CERT_DELETED,
	 DOC(ANY_CLIENT), NULL, NULL, NULL, NULL, false},
};
/* clang-format on */

static struct policy_program compile(const char *document)
{
	struct policy_program program = {0};
	struct fault fault = {0};
	if (document && policy_compile(view_of(document), 4096, &program, &fault) < 0)
		fail_msg("%s: %s", document, fault.message);
	return program;
}

/* What is in force: as snapshot_programs has it. */
static int ask(const char *certificate, struct policy_request *request, void *ctx,
	       struct escape_answer *ret)
{
	const struct row *row = ctx;
	bool is_thing = view_is(request->client_id, "t1");
	struct policy_program own = compile(row->own), group = compile(row->group);
	struct view programs[2];
	const char *names[2];
	unsigned n = 0;
	assert_string_equal(certificate, CERT);
	request->partition = VIEW_LIT("aws");
	request->region = VIEW_LIT("us-east-1");
	request->account = VIEW_LIT("123456789012");
	request->is_thing_attached = is_thing;
	request->thing_name = is_thing ? VIEW_LIT("t1") : (struct view){0};
	if (!row->is_quarantine) {
		names[n] = "own";
		programs[n++] = (struct view){(char *)own.bytes, own.n};
	}
	if (group.bytes && (is_thing || row->is_quarantine)) {
		names[n] = "group";
		programs[n++] = (struct view){(char *)group.bytes, group.n};
	}
	struct policy_verdict verdict = policy_decide(programs, n, request);
	*ret = (struct escape_answer){verdict.decision, row->is_quarantine,
				      verdict.program < 0 ? "" : names[verdict.program], 3,
				      verdict.statement};
	policy_program_clear(&own);
	policy_program_clear(&group);
	return 0;
}

static char *find(const struct row *row, struct contain_asked *asked)
{
	static const char *const things[] = {"t1"};
	const struct escape_document taken = {row->taken_of, 2, row->taken};
	const struct escape_document own = {"own", 3, row->own};
	bool is_about_thing = contain_thing(row->kind) != CONTAIN_THING_NONE;
	const struct escape_identity identity = {.certificate = CERT,
						 .thing = is_about_thing ? "t1" : NULL,
						 .things = things,
						 .n_things = 1,
						 .own = &own,
						 .n_own = 1};
	const struct escape_search search = {.kind = row->kind,
					     .documents = &taken,
					     .n_documents = row->taken ? 1 : 0,
					     .random_client = "nobody",
					     .ask = ask,
					     .ctx = (void *)(uintptr_t)row};
	char *escape = NULL;
	assert_int_equal(escape_find(&search, &identity, asked, &escape), 0);
	return escape;
}

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct contain_asked asked = {0};
		char *escape = find(&rows[i], &asked);
		if ((escape != NULL) != (rows[i].escape != NULL) ||
		    (escape && !strstr(escape, rows[i].escape)))
			fail_msg("%s: %s", rows[i].name, escape ? escape : "no escape");
		g_free(escape);
	}
}

static void test_questions_are_counted_and_bounded(void **state)
{
	(void)state;
	struct contain_asked asked = {0};
	g_free(find(&rows[0], &asked));
	assert_true(asked.questions > 0 && asked.questions < 100);
	assert_int_equal(asked.certificates, 1);
	assert_false(asked.is_sample);
	asked.questions = ESCAPE_QUESTIONS_MAX;
	assert_null(find(&rows[1], &asked));
	assert_true(asked.is_sample);
	assert_int_equal(asked.questions, ESCAPE_QUESTIONS_MAX);
}

static int fails(const char *certificate, struct policy_request *request, void *ctx,
		 struct escape_answer *ret)
{
	(void)certificate, (void)request, (void)ctx, (void)ret;
	return -5;
}

static void test_a_question_that_fails_ends_the_search(void **state)
{
	(void)state;
	const struct escape_document own = {"own", 1, DOC(ANY_CLIENT)};
	const struct escape_identity identity = {.certificate = CERT, .own = &own, .n_own = 1};
	const struct escape_search search = {
		.kind = CONTAIN_QUARANTINED, .random_client = "nobody", .ask = fails};
	struct contain_asked asked = {0};
	char *escape = NULL;
	assert_int_equal(escape_find(&search, &identity, &asked, &escape), -5);
	assert_null(escape);
}

static void test_effects(void **state)
{
	(void)state;
	assert_true(escape_has_effect(DOC(ANY_CLIENT), "Allow"));
	assert_false(escape_has_effect(DOC(ANY_CLIENT), "Deny"));
	assert_true(escape_has_effect(DOC(ANY_CLIENT "," DENY_ALL), "Deny"));
	assert_true(escape_has_effect("{\"Statement\":" DENY_ALL "}", "Deny"));
	assert_false(escape_has_effect("damaged", "Allow"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_questions_are_counted_and_bounded),
		cmocka_unit_test(test_a_question_that_fails_ends_the_search),
		cmocka_unit_test(test_effects),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

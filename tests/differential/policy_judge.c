/* The policy engine behind a line of JSON: one case a line on stdin, one answer a line on stdout,
 * until the end of stdin.
 *
 * A case:
 *   {"policies": [{"name": "P", "version": 3, "document": {...}}, ...],   the certificate's;
 * "document" is the object itself or a string with its text "groupPolicies": [...], the same; they
 * come behind the certificate's. May be left out "request": { "action": "iot:Publish", "resource":
 * "arn:aws:iot:us-east-1:123456789012:topic/a/b",         or "*" for the actions that have none
 *      "clientId": "sensor1",
 *      "thing": {"name": "sensor1", "type": "pump", "attributes": {"site": "berlin"}, "isAttached":
 * true}, "certificate": {"id": "64 hex digits", "SerialNumber": ["4f"], "Subject.Organization":
 * ["A", "B"], ...}, "sourceIp": "10.1.2.3", "connectAttributes": ["PersistentConnect", "LastWill"],
 *      "lastWillTopic": "a/b",                   the topic; the key's value is its ARN, with
 * partition, region and account of the resource ("*": those of the examples) "domainName":
 * "iot.example.com"}} Every member of the request but action and resource may be left out or null:
 * not known. Without a thing, IsAttached is false. The names in "certificate" are those behind
 * "iot:Certificate."; values are as the certificate holds them, not yet escaped.
 *
 * An answer:
 *   {"decision": "ALLOWED" | "EXPLICIT_DENY" | "IMPLICIT_DENY",
 *    "policy": "P", "statement": 0,              the first that decided, in the order given;
 * statements count from 0; null and null after an implicit deny "missing":
 * ["iot:Connection.Thing.ThingName", ...]} variables without a value in the statements that name
 * the action, as the documents write them; each once, sorted by bytes
 *   {"error": "MalformedPolicyException", "policy": "P", "message": "..."}   the first policy that
 * does not compile
 *   {"error": "case", "message": "..."}          the line is no case
 *
 * Documents are compiled once and kept. */
#include "policy/decide.h"
#include "policy/facts_write.h"
#include "policy/policy.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#define POLICIES_MAX 64
#define NO_LIMIT     SIZE_MAX

struct policy {
	const char *name;
	struct view program;
};

struct test {
	struct policy policies[POLICIES_MAX];
	unsigned n_policies;
	struct policy_request request;
	GByteArray *thing_facts, *cert_facts;
};

/* What has been compiled: text of the document -> struct policy_program *. */
struct judge {
	GHashTable *programs;
	json_t *answer;
};

static int fail(struct judge *judge, const char *error, const char *policy, const char *message)
{
	json_decref(judge->answer);
	judge->answer =
		json_pack("{s:s, s:s*, s:s}", "error", error, "policy", policy, "message", message);
	return -1;
}

/* ---- Policies ---- */

static void program_free(gpointer program)
{
	policy_program_clear(program);
	g_free(program);
}

static const struct policy_program *compile(struct judge *judge, const char *name, const char *text)
{
	struct policy_program *program = g_hash_table_lookup(judge->programs, text);
	struct fault fault = {.kind = FAULT_NONE};
	if (program)
		return program;
	program = g_new0(struct policy_program, 1);
	if (policy_compile(view_of(text), NO_LIMIT, program, &fault) == 0) {
		if (!policy_program_valid(program->bytes, program->n))
			abort();
		g_hash_table_insert(judge->programs, g_strdup(text), program);
		return program;
	}
	g_free(program);
	(void)fail(judge, fault_name(fault.kind), name, fault.message);
	return NULL;
}

static int add_policy(struct judge *judge, struct test *test, json_t *policy)
{
	const char *name = json_string_value(json_object_get(policy, "name"));
	json_t *document = json_object_get(policy, "document");
	if (!name || !document || test->n_policies == POLICIES_MAX)
		return fail(judge, "case", name, "a policy without name or document, or too many");
	char *dumped = json_is_string(document) ? NULL : json_dumps(document, JSON_COMPACT);
	const struct policy_program *program =
		compile(judge, name, dumped ? dumped : json_string_value(document));
	free(dumped);
	if (!program)
		return -1;
	test->policies[test->n_policies++] = (struct policy){
		name, {(const char *)program->bytes, program->n}
        };
	return 0;
}

static int add_policies(struct judge *judge, struct test *test, json_t *policies)
{
	size_t i;
	json_t *policy;
	json_array_foreach(policies, i, policy)
	{
		if (add_policy(judge, test, policy) != 0)
			return -1;
	}
	return 0;
}

/* ---- The request ---- */

static struct view text_of(json_t *object, const char *name)
{
	return view_of(json_string_value(json_object_get(object, name)));
}

static bool read_action(json_t *request, enum policy_action *ret)
{
	struct view action = text_of(request, "action");
	for (unsigned i = 0; i < POLICY_ACTIONS; i++) {
		if (!view_is(action, policy_action_name((enum policy_action)i)))
			continue;
		*ret = (enum policy_action)i;
		return true;
	}
	return false;
}

static struct view take_until(struct view *left, char end)
{
	const char *at = left->n > 0 ? memchr(left->p, end, left->n) : NULL;
	struct view taken = {left->p, at ? (size_t)(at - left->p) : left->n};
	size_t n = taken.n + (at != NULL);
	*left = (struct view){left->p + n, left->n - n};
	return taken;
}

/* "arn:aws:iot:us-east-1:123456789012:topic/a/b", or "*". */
static bool read_resource(struct view resource, struct policy_request *request)
{
	request->partition = VIEW_LIT("aws");
	request->region = VIEW_LIT("us-east-1");
	request->account = VIEW_LIT("123456789012");
	if (view_is(resource, "*"))
		return true;
	struct view left = resource;
	bool is_arn = view_is(take_until(&left, ':'), "arn");
	request->partition = take_until(&left, ':');
	is_arn = view_is(take_until(&left, ':'), "iot") && is_arn;
	request->region = take_until(&left, ':');
	request->account = take_until(&left, ':');
	request->type = take_until(&left, '/');
	request->name = left;
	return is_arn && request->type.n > 0;
}

static void read_thing(json_t *thing, struct test *test)
{
	const char *name;
	json_t *value;
	test->request.thing_name = text_of(thing, "name");
	test->request.is_thing_attached = json_is_true(json_object_get(thing, "isAttached"));
	facts_add_thing_type(test->thing_facts, text_of(thing, "type"));
	json_object_foreach(json_object_get(thing, "attributes"), name, value) facts_add_attribute(
		test->thing_facts, view_of(name), view_of(json_string_value(value)));
}

static void read_certificate(json_t *certificate, struct test *test)
{
	const char *name;
	json_t *values, *value;
	size_t i;
	test->request.certificate_id = text_of(certificate, "id");
	json_object_foreach(certificate, name, values)
	{
		enum policy_field field;
		if (!facts_field_of(name, &field))
			continue;
		json_array_foreach(values, i, value)
			facts_add_field(test->cert_facts, field, view_of(json_string_value(value)));
	}
}

static void read_connect_attributes(json_t *attributes, struct policy_request *request)
{
	size_t i;
	json_t *attribute;
	request->are_connect_attributes_known = json_is_array(attributes);
	json_array_foreach(attributes, i, attribute)
	{
		struct view name = view_of(json_string_value(attribute));
		request->connect_attributes |=
			(view_is(name, "PersistentConnect") ? POLICY_PERSISTENT_CONNECT : 0) |
			(view_is(name, "LastWill") ? POLICY_LAST_WILL : 0);
	}
}

static int read_request(struct judge *judge, json_t *json, struct test *test)
{
	struct policy_request *request = &test->request;
	if (!read_action(json, &request->action) ||
	    !read_resource(text_of(json, "resource"), request))
		return fail(judge, "case", NULL, "no action or no resource that devices have");
	request->client_id = text_of(json, "clientId");
	request->source_ip = text_of(json, "sourceIp");
	request->last_will_topic = text_of(json, "lastWillTopic");
	request->domain_name = text_of(json, "domainName");
	read_connect_attributes(json_object_get(json, "connectAttributes"), request);
	read_thing(json_object_get(json, "thing"), test);
	read_certificate(json_object_get(json, "certificate"), test);
	request->thing_facts =
		(struct view){(const char *)test->thing_facts->data, test->thing_facts->len};
	request->cert_facts =
		(struct view){(const char *)test->cert_facts->data, test->cert_facts->len};
	return 0;
}

/* ---- The answer ---- */

static void note_missing(struct view name, void *names)
{
	char *text = g_strndup(name.p, name.n);
	if (g_ptr_array_find_with_equal_func(names, text, g_str_equal, NULL))
		g_free(text);
	else
		g_ptr_array_add(names, text);
}

static gint by_bytes(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static json_t *missing_of(const struct test *test)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
	for (unsigned i = 0; i < test->n_policies; i++)
		policy_each_missing(test->policies[i].program, &test->request, note_missing, names);
	g_ptr_array_sort(names, by_bytes);
	json_t *missing = json_array();
	for (guint i = 0; i < names->len; i++)
		json_array_append_new(missing, json_string(names->pdata[i]));
	return missing;
}

static json_t *answer_of(const struct test *test)
{
	static const char *const words[] = {
		[POLICY_IMPLICIT_DENY] = "IMPLICIT_DENY",
		[POLICY_ALLOWED] = "ALLOWED",
		[POLICY_EXPLICIT_DENY] = "EXPLICIT_DENY",
	};
	struct view programs[POLICIES_MAX];
	for (unsigned i = 0; i < test->n_policies; i++)
		programs[i] = test->policies[i].program;
	struct policy_verdict verdict = policy_decide(programs, test->n_policies, &test->request);
	const char *policy = verdict.program < 0 ? NULL : test->policies[verdict.program].name;
	return json_pack("{s:s, s:s?, s:o, s:o}", "decision", words[verdict.decision], "policy",
			 policy, "statement",
			 policy ? json_integer(verdict.statement) : json_null(), "missing",
			 missing_of(test));
}

static void judge_case(struct judge *judge, json_t *json)
{
	struct test test = {.thing_facts = g_byte_array_new(), .cert_facts = g_byte_array_new()};
	if (add_policies(judge, &test, json_object_get(json, "policies")) == 0 &&
	    add_policies(judge, &test, json_object_get(json, "groupPolicies")) == 0 &&
	    read_request(judge, json_object_get(json, "request"), &test) == 0)
		judge->answer = answer_of(&test);
	g_byte_array_unref(test.thing_facts);
	g_byte_array_unref(test.cert_facts);
}

int main(void)
{
	struct judge judge = {
		.programs = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, program_free)};
	char *line = NULL;
	size_t room = 0;
	ssize_t n;
	while ((n = getline(&line, &room, stdin)) > 0) {
		json_error_t error;
		json_t *json = json_loadb(line, (size_t)n, 0, &error);
		judge.answer = NULL;
		if (json)
			judge_case(&judge, json);
		else
			(void)fail(&judge, "case", NULL, error.text);
		json_dumpf(judge.answer, stdout, JSON_COMPACT);
		putchar('\n');
		fflush(stdout);
		json_decref(judge.answer);
		json_decref(json);
	}
	free(line);
	g_hash_table_unref(judge.programs);
	return 0;
}

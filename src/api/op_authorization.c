/* What policies allow: TestAuthorization asks the broker's own engine, GetEffectivePolicies lists
 * what it would be asked with (spec/registry-and-policies.md section 11). */
#include "api/registry_call.h"
#include "policy/explain.h"
#include "registry/effective.h"

#include <glib.h>

/* ---- GetEffectivePolicies ---- */

static int refuse_cognito(struct api_call *call)
{
	if (!in_text(call, "cognitoIdentityPoolId"))
		return 0;
	return fault_set(&call->fault, FAULT_INVALID_REQUEST,
			 "cognitoIdentityPoolId: this server has no Cognito identities; leave it "
			 "out.");
}

static int add_principal(struct registry *r, const char *principal, struct effective *effective)
{
	struct target target;
	int err = target_parse(r, principal, &target);
	return err ? err : effective_add_target(r, effective, &target);
}

static int gather(struct api_call *call, struct effective *effective)
{
	struct registry r = registry_of(call);
	const char *principal = in_text(call, "principal");
	const char *thing = in_text(call, "thingName");
	if (!principal && !thing)
		return fault_set(&call->fault, FAULT_INVALID_REQUEST,
				 "Neither principal nor thingName is given; name at least one.");
	int err = refuse_cognito(call);
	if (!err && principal)
		err = add_principal(&r, principal, effective);
	if (!err && thing)
		err = effective_add_thing(&r, effective, thing);
	return err;
}

int op_GetEffectivePolicies(struct api_call *call)
{
	struct effective effective = effective_new();
	int err = gather(call, &effective);
	json_t *list = json_array();
	for (guint i = 0; i < effective.policies->len; i++) {
		const struct effective_policy *policy = effective.policies->pdata[i];
		json_t *item = named_arn(call, "policyName", "policyArn", "policy", policy->name);
		json_object_set_new(item, "policyDocument", json_string(policy->document));
		json_array_append_new(list, item);
	}
	out_json(call, "effectivePolicies", list);
	effective_clear(&effective);
	return err;
}

/* ---- TestAuthorization: who asks ---- */

/* A principal's connection and its policies, once for all that is asked. */
struct test {
	struct api_call *call;
	struct effective effective;
	struct connection connection; /* when the principal is a certificate */
	bool has_connection;
};

static int open_certificate(struct registry *r, struct test *test, const char *certificate)
{
	const char *client_id = in_text(test->call, "clientId");
	int err = connection_open(r, certificate, client_id, &test->connection);
	if (err)
		return err;
	test->has_connection = true;
	return effective_add_connection(r, &test->effective, &test->connection);
}

static int open_principal(struct registry *r, struct test *test)
{
	const char *principal = in_text(test->call, "principal");
	struct target target;
	if (!principal)
		return 0;
	int err = target_parse(r, principal, &target);
	if (err)
		return err;
	return target.kind == TARGET_CERTIFICATE
		       ? open_certificate(r, test, target.name)
		       : effective_add_target(r, &test->effective, &target);
}

static int open_policies(struct registry *r, struct test *test)
{
	size_t i;
	json_t *name;
	json_array_foreach(in_json(test->call, "policyNamesToSkip"), i, name)
		effective_skip(&test->effective, json_string_value(name));
	json_array_foreach(in_json(test->call, "policyNamesToAdd"), i, name)
	{
		int err = effective_add(r, &test->effective, json_string_value(name));
		if (err)
			return err;
	}
	return 0;
}

static int test_open(struct api_call *call, struct test *test)
{
	struct registry r = registry_of(call);
	*test = (struct test){.call = call, .effective = effective_new()};
	int err = refuse_cognito(call);
	if (!err)
		err = open_principal(&r, test);
	return err ? err : open_policies(&r, test);
}

static void test_close(struct test *test)
{
	effective_clear(&test->effective);
	if (test->has_connection)
		connection_clear(&test->connection);
}

/* ---- What is asked ---- */

static bool read_action(const char *type, enum policy_action *ret)
{
	static const struct {
		const char *type;
		enum policy_action action;
	} rows[] = {
		{"PUBLISH",   POLICY_PUBLISH  },
		{"SUBSCRIBE", POLICY_SUBSCRIBE},
		{"RECEIVE",   POLICY_RECEIVE  },
		{"CONNECT",   POLICY_CONNECT  },
	};
	for (size_t i = 0; type && i < G_N_ELEMENTS(rows); i++) {
		*ret = rows[i].action;
		if (strcmp(rows[i].type, type) == 0)
			return true;
	}
	return false;
}

/* What stands before the next `end`; false when there is none. */
static bool take_part(const char **at, char end, struct view *ret)
{
	const char *found = strchr(*at, end);
	if (!found)
		return false;
	*ret = (struct view){*at, (size_t)(found - *at)};
	*at = found + 1;
	return true;
}

/* "arn:aws:iot:us-east-1:123456789012:topic/a/b" */
static bool read_arn(const char *arn, struct policy_request *request)
{
	struct view head, service;
	bool is_whole = take_part(&arn, ':', &head) && take_part(&arn, ':', &request->partition) &&
			take_part(&arn, ':', &service) && take_part(&arn, ':', &request->region) &&
			take_part(&arn, ':', &request->account) &&
			take_part(&arn, '/', &request->type);
	request->name = view_of(arn);
	return is_whole && view_is(head, "arn") && view_is(service, "iot") && request->type.n > 0;
}

static int read_request(struct test *test, json_t *info, const char *resource,
			struct policy_request *ret)
{
	const char *type = json_string_value(json_object_get(info, "actionType"));
	*ret = (struct policy_request){.client_id = view_of(in_text(test->call, "clientId"))};
	if (!read_action(type, &ret->action))
		return fault_set(&test->call->fault, FAULT_INVALID_REQUEST,
				 "authInfos: an actionType is missing; give PUBLISH, SUBSCRIBE, "
				 "RECEIVE or CONNECT.");
	if (!read_arn(resource, ret))
		return fault_set(&test->call->fault, FAULT_INVALID_REQUEST,
				 "authInfos: '%s' is no ARN of a resource; write it as "
				 "arn:aws:iot:us-east-1:123456789012:topic/NAME.",
				 resource);
	if (test->has_connection)
		connection_fill(&test->connection, ret);
	return 0;
}

/* ---- One authInfo ---- */

enum deciding { ALLOWS, DENIES, SILENT, DECIDINGS };

/* What came out so far: the policies that spoke, by their place, and the names that were missing.
 */
struct result {
	bool *is_deciding[POLICY_EFFECTS];
	GHashTable *missing;
	enum policy_decision decision;
	char *explanation; /* of the resource that settled it */
};

static void note_missing(struct view name, void *missing)
{
	g_hash_table_add(missing, g_strndup(name.p, name.n));
}

static const struct effective_policy *policy_at(const struct test *test, guint i)
{
	return test->effective.policies->pdata[i];
}

/* What each policy says by itself. */
static void note_policies(const struct view *programs, guint n,
			  const struct policy_request *request, struct result *result)
{
	for (guint i = 0; i < n; i++) {
		for (unsigned effect = 0; effect < POLICY_EFFECTS; effect++)
			if (policy_first_match(programs[i], (enum policy_effect)effect, request) >=
			    0)
				result->is_deciding[effect][i] = true;
		policy_each_missing(programs[i], request, note_missing, result->missing);
	}
}

/* Explicitly denied when any resource is, allowed when all are. */
static void note_verdict(const struct policy_source *sources, const struct policy_request *request,
			 const struct policy_verdict *verdict, struct result *result)
{
	bool settles = verdict->decision == POLICY_EXPLICIT_DENY
			       ? result->decision != POLICY_EXPLICIT_DENY
			       : result->decision == POLICY_ALLOWED;
	if (!settles)
		return;
	result->decision = verdict->decision;
	g_free(result->explanation);
	result->explanation = policy_explain(sources, request, verdict);
}

static void judge(const struct test *test, const struct policy_request *request,
		  struct result *result)
{
	guint n = test->effective.policies->len;
	g_autofree struct view *programs = g_new0(struct view, n);
	g_autofree struct policy_source *sources = g_new0(struct policy_source, n);
	for (guint i = 0; i < n; i++) {
		const struct effective_policy *policy = policy_at(test, i);
		programs[i] = (struct view){(const char *)policy->program.bytes, policy->program.n};
		sources[i] = (struct policy_source){policy->name, policy->version,
						    view_of(policy->document)};
	}
	struct policy_verdict verdict = policy_decide(programs, n, request);
	note_policies(programs, n, request, result);
	note_verdict(sources, request, &verdict, result);
}

static bool decides(const struct result *result, enum deciding deciding, guint i)
{
	bool allows = result->is_deciding[POLICY_EFFECT_ALLOW][i];
	bool denies = result->is_deciding[POLICY_EFFECT_DENY][i];
	const bool answers[DECIDINGS] = {
		[ALLOWS] = allows, [DENIES] = denies, [SILENT] = !allows && !denies};
	return answers[deciding];
}

static json_t *policies_json(const struct test *test, const struct result *result,
			     enum deciding deciding)
{
	json_t *list = json_array();
	for (guint i = 0; i < test->effective.policies->len; i++) {
		if (decides(result, deciding, i))
			json_array_append_new(list, named_arn(test->call, "policyName", "policyArn",
							      "policy", policy_at(test, i)->name));
	}
	return json_pack("{s:o}", "policies", list);
}

static json_t *missing_json(const struct result *result)
{
	json_t *list = json_array();
	g_autoptr(GList) names = g_list_sort(g_hash_table_get_keys(result->missing),
					     (GCompareFunc)(void (*)(void))strcmp);
	for (GList *at = names; at; at = at->next)
		json_array_append_new(list, json_string(at->data));
	return list;
}

static json_t *result_json(const struct test *test, json_t *info, const struct result *result)
{
	static const char *const decisions[] = {
		[POLICY_IMPLICIT_DENY] = "IMPLICIT_DENY",
		[POLICY_ALLOWED] = "ALLOWED",
		[POLICY_EXPLICIT_DENY] = "EXPLICIT_DENY",
	};
	return json_pack("{s:O, s:o, s:{s:o, s:o}, s:s, s:o, s:s}", "authInfo", info, "allowed",
			 policies_json(test, result, ALLOWS), "denied", "implicitDeny",
			 policies_json(test, result, SILENT), "explicitDeny",
			 policies_json(test, result, DENIES), "authDecision",
			 decisions[result->decision], "missingContextValues", missing_json(result),
			 "thingwardExplanation", result->explanation);
}

static int judge_resources(struct test *test, json_t *info, struct result *result)
{
	json_t *resources = json_object_get(info, "resources"), *resource;
	size_t i;
	json_array_foreach(resources, i, resource)
	{
		struct policy_request request;
		int err = read_request(test, info, json_string_value(resource), &request);
		if (err)
			return err;
		judge(test, &request, result);
	}
	if (json_array_size(resources) > 0)
		return 0;
	return fault_set(&test->call->fault, FAULT_INVALID_REQUEST,
			 "authInfos: resources is an empty list; give at least one ARN.");
}

static int judge_info(struct test *test, json_t *info, json_t *results)
{
	guint n = test->effective.policies->len;
	g_autofree bool *allows = g_new0(bool, n), *denies = g_new0(bool, n);
	g_autoptr(GHashTable) missing =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	struct result result = {
		.is_deciding = {[POLICY_EFFECT_ALLOW] = allows, [POLICY_EFFECT_DENY] = denies},
		.missing = missing,
		.decision = POLICY_ALLOWED,
	};
	int err = judge_resources(test, info, &result);
	if (!err)
		json_array_append_new(results, result_json(test, info, &result));
	g_free(result.explanation);
	return err;
}

int op_TestAuthorization(struct api_call *call)
{
	struct test test;
	json_t *results = json_array(), *info;
	size_t i;
	int err = test_open(call, &test);
	json_array_foreach(in_json(call, "authInfos"), i, info)
	{
		if (!err)
			err = judge_info(&test, info, results);
	}
	out_json(call, "authResults", results);
	test_close(&test);
	return err;
}

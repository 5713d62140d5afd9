/* TestAuthorization and GetEffectivePolicies: whose policies count, and what they say. */
#include "registry_kit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>
#include <glib.h>

#define ARN "arn:aws:iot:us-east-1:123456789012:"

/* A fleet: groups root > child, and aside; thing lamp in child, attached to the certificate, which
 * has policy of-cert. Every policy allows to publish below its own name. */
struct fleet {
	struct kit *k;
	char certificate[X509_ID_SIZE];
};

static void put_policy(struct kit *k, const char *name, const char *statements)
{
	g_autofree char *document =
		g_strdup_printf("{\"Version\":\"2012-10-17\",\"Statement\":[%s]}", statements);
	json_t *in = json_pack("{s:s}", "policyDocument", document);
	char *body = json_dumps(in, 0);
	ok(k, body, "POST /policies/%s", name);
	free(body);
	json_decref(in);
}

static void put_own_policy(struct kit *k, const char *name)
{
	g_autofree char *statement = g_strdup_printf(
		"{\"Effect\":\"Allow\",\"Action\":\"iot:Publish\",\"Resource\":\"" ARN
		"topic/%s/*\"}",
		name);
	put_policy(k, name, statement);
}

static void attach_policy(struct kit *k, const char *policy, const char *type, const char *name)
{
	g_autofree char *body = g_strdup_printf("{\"target\":\"%s\"}", kit_arn(k, type, name));
	ok(k, body, "PUT /target-policies/%s", policy);
}

static void join(struct kit *k, const char *group, const char *thing)
{
	g_autofree char *body =
		g_strdup_printf("{\"thingGroupName\":\"%s\",\"thingName\":\"%s\"}", group, thing);
	ok(k, body, "PUT /thing-groups/addThingToThingGroup");
}

static struct fleet make_fleet(struct kit *k)
{
	static const char *const policies[] = {"of-cert", "of-root", "of-child", "of-aside"};
	struct fleet f = {.k = k};
	for (size_t i = 0; i < ARRAY_LEN(policies); i++)
		put_own_policy(k, policies[i]);
	kit_certificate(k, "INACTIVE", f.certificate);
	ok(k, "{\"attributePayload\":{\"attributes\":{\"site\":\"berlin\"}}}", "POST /things/lamp");
	kit_group(k, "root", NULL);
	kit_group(k, "child", "root");
	kit_group(k, "aside", NULL);
	kit_attach(k, "lamp", f.certificate);
	join(k, "child", "lamp");
	attach_policy(k, "of-cert", "cert", f.certificate);
	attach_policy(k, "of-root", "thinggroup", "root");
	attach_policy(k, "of-child", "thinggroup", "child");
	attach_policy(k, "of-aside", "thinggroup", "aside");
	return f;
}

/* ---- GetEffectivePolicies ---- */

static json_t *effective(struct fleet *f, const char *type, const char *name, const char *query)
{
	g_autofree char *body =
		type ? g_strdup_printf("{\"principal\":\"%s\"}", kit_arn(f->k, type, name)) : NULL;
	return json_object_get(ok(f->k, body, "POST /effective-policies%s", query),
			       "effectivePolicies");
}

static void lists_effective_policies(void **state)
{
	struct fleet f = make_fleet(*state);
	json_t *list = effective(&f, "cert", f.certificate, "");
	assert_items(list, "policyName", "of-cert", NULL);
	assert_string_equal(json_str(json_array_get(list, 0), "policyArn"), ARN "policy/of-cert");
	assert_non_null(
		strstr(json_str(json_array_get(list, 0), "policyDocument"), ARN "topic/of-cert/*"));
	list = effective(&f, "thinggroup", "child", "");
	assert_items(list, "policyName", "of-child", "of-root", NULL);
	list = effective(&f, NULL, NULL, "?thingName=lamp");
	assert_items(list, "policyName", "of-child", "of-root", NULL);
	attach_policy(f.k, "of-root", "cert", f.certificate);
	list = effective(&f, "cert", f.certificate, "?thingName=lamp");
	assert_items(list, "policyName", "of-cert", "of-root", "of-child", NULL);

	/* The default version, whichever that is. */
	ok(f.k, kit_policy_body, "POST /policies/of-cert/version?setAsDefault=true");
	list = effective(&f, "cert", f.certificate, "");
	assert_null(strstr(json_str(json_array_get(list, 0), "policyDocument"), "of-cert"));
}

static void refuses_unknown_principals(void **state)
{
	struct fleet f = make_fleet(*state);
	fails(f.k, 400, "InvalidRequestException", "{}", "POST /effective-policies");
	fails(f.k, 404, "ResourceNotFoundException", "{}", "POST /effective-policies?thingName=no");
	fails(f.k, 404, "ResourceNotFoundException", "{\"principal\":\"" ARN "thinggroup/no\"}",
	      "POST /effective-policies");
	fails(f.k, 400, "InvalidRequestException",
	      "{\"principal\":\"us-east-1:11111111-2222-3333-4444-555555555555\"}",
	      "POST /effective-policies");
	fails(f.k, 400, "InvalidRequestException", "{\"cognitoIdentityPoolId\":\"a:b\"}",
	      "POST /effective-policies?thingName=lamp");
}

/* ---- TestAuthorization ---- */

/* The one result for an action on a topic (or several, with "\",\"" ARN "topic/" between them). */
static json_t *test_as(struct fleet *f, const char *principal, const char *query,
		       const char *action, const char *resource, const char *more)
{
	g_autofree char *body = g_strdup_printf(
		"{%s\"authInfos\":[{\"actionType\":\"%s\",\"resources\":[\"" ARN "%s\"]}]%s}",
		principal, action, resource, more);
	json_t *results =
		json_object_get(ok(f->k, body, "POST /test-authorization%s", query), "authResults");
	assert_int_equal(json_array_size(results), 1);
	return json_array_get(results, 0);
}

static json_t *publish(struct fleet *f, const char *query, const char *topic, const char *more)
{
	g_autofree char *principal =
		g_strdup_printf("\"principal\":\"" ARN "cert/%s\",", f->certificate);
	g_autofree char *resource = g_strconcat("topic/", topic, NULL);
	return test_as(f, principal, query, "PUBLISH", resource, more);
}

static json_t *policies_of(json_t *result, const char *first, const char *second)
{
	json_t *part = json_object_get(result, first);
	return json_object_get(second ? json_object_get(part, second) : part, "policies");
}

static void decides(json_t *result, const char *decision)
{
	if (strcmp(json_str(result, "authDecision"), decision) != 0)
		fail_msg("%s, not %s", json_str(result, "authDecision"), decision);
}

/* A certificate's own policies always; those of the groups with the connection's thing only. */
static void judges_like_a_connection(void **state)
{
	struct fleet f = make_fleet(*state);
	json_t *result = publish(&f, "", "of-cert/a", "");
	decides(result, "ALLOWED");
	assert_items(policies_of(result, "allowed", NULL), "policyName", "of-cert", NULL);
	assert_items(policies_of(result, "denied", "implicitDeny"), "policyName", NULL);
	assert_string_equal(json_str(json_object_get(result, "authInfo"), "actionType"), "PUBLISH");

	result = publish(&f, "", "of-child/a", "");
	decides(result, "IMPLICIT_DENY");
	assert_items(policies_of(result, "denied", "implicitDeny"), "policyName", "of-cert", NULL);
	result = publish(&f, "?clientId=lamp", "of-child/a", "");
	decides(result, "ALLOWED");
	assert_items(policies_of(result, "allowed", NULL), "policyName", "of-child", NULL);
	assert_items(policies_of(result, "denied", "implicitDeny"), "policyName", "of-cert",
		     "of-root", NULL);
	decides(publish(&f, "?clientId=lamp", "of-root/a", ""), "ALLOWED");
	decides(publish(&f, "?clientId=lamp", "of-aside/a", ""), "IMPLICIT_DENY");
	decides(publish(&f, "?clientId=other", "of-root/a", ""), "IMPLICIT_DENY");
}

static void denies_explicitly(void **state)
{
	struct fleet f = make_fleet(*state);
	put_policy(f.k, "no",
		   "{\"Effect\":\"Deny\",\"Action\":\"iot:*\",\"Resource\":\"" ARN
		   "topic/of-cert/secret\"},{\"Effect\":\"Allow\",\"Action\":\"*\","
		   "\"Resource\":\"*\"}");
	attach_policy(f.k, "no", "cert", f.certificate);
	json_t *result = publish(&f, "", "of-cert/secret", "");
	decides(result, "EXPLICIT_DENY");
	assert_items(policies_of(result, "denied", "explicitDeny"), "policyName", "no", NULL);
	assert_items(policies_of(result, "allowed", NULL), "policyName", "no", "of-cert", NULL);

	/* Several resources: denied when one is, allowed when all are. */
	decides(publish(&f, "", "x\",\"" ARN "topic/of-cert/secret", ""), "EXPLICIT_DENY");
	decides(publish(&f, "", "of-cert/secret\",\"" ARN "topic/x", ""), "EXPLICIT_DENY");
	decides(publish(&f, "", "x\",\"" ARN "topic/y", ""), "ALLOWED");
	const char *skip = ",\"policyNamesToSkip\":[\"no\",\"never-heard-of\"]";
	decides(publish(&f, "", "of-cert/x\",\"" ARN "topic/y", skip), "IMPLICIT_DENY");
	decides(publish(&f, "", "y\",\"" ARN "topic/of-cert/x", skip), "IMPLICIT_DENY");
	decides(publish(&f, "", "of-cert/secret", skip), "ALLOWED");
}

/* Which statement decided, or which grant is missing; of several resources, the one that settled
 * it. */
static void explains(void **state)
{
	struct fleet f = make_fleet(*state);
	put_policy(
		f.k, "no",
		"{\"Sid\":\"Quiet\",\"Effect\":\"Deny\",\"Action\":\"iot:*\",\"Resource\":\"" ARN
		"topic/q/*\"},{\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"" ARN
		"topic/${iot:Connection.Thing.ThingName}\"},{\"Sid\":\"Home\",\"Effect\":\"Allow\","
		"\"Action\":\"iot:Receive\",\"Resource\":\"*\",\"Condition\":{\"StringEquals\":"
		"{\"iot:CertificateId\":\"x\"}}}");
	attach_policy(f.k, "no", "cert", f.certificate);
	static const struct {
		const char *query, *action, *topic, *words;
	} rows[] = {
		{"",               "PUBLISH", "of-cert/a\",\"" ARN "topic/q/a\",\"" ARN "topic/q/b",
		 "policy no version 1, statement 1 (Quiet), Deny iot:Publish on topic/q/a"                                                       },
		{"",               "PUBLISH", "of-cert/a",
		 "policy of-cert version 1, statement 1, Allow iot:Publish on topic/of-cert/a"                                                   },
		{"",               "PUBLISH", "lamp\",\"" ARN "topic/of-cert/a",
		 "no statement allows iot:Publish on topic/lamp; nearest: policy no version 1, "
		 "statement 2 needs iot:Connection.Thing.ThingName, which is not known"                                                          },
		{"?clientId=lamp", "PUBLISH", "x",						   "no statement allows iot:Publish on topic/x"},
		{"?clientId=lamp", "RECEIVE", "y",
		 "no statement allows iot:Receive on topic/y; nearest: policy no version 1, "
		 "statement 3 (Home), whose condition does not hold"									     },
	};
	g_autofree char *principal =
		g_strdup_printf("\"principal\":\"" ARN "cert/%s\",", f.certificate);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		g_autofree char *resource = g_strconcat("topic/", rows[i].topic, NULL);
		json_t *result =
			test_as(&f, principal, rows[i].query, rows[i].action, resource, "");
		assert_string_equal(json_str(result, "thingwardExplanation"), rows[i].words);
	}
}

static void adds_and_skips_policies(void **state)
{
	struct fleet f = make_fleet(*state);
	decides(publish(&f, "", "of-aside/x", ",\"policyNamesToAdd\":[\"of-aside\"]"), "ALLOWED");
	decides(publish(&f, "", "of-cert/x", ",\"policyNamesToSkip\":[\"of-cert\"]"),
		"IMPLICIT_DENY");
	/* Without a principal the added ones alone. */
	json_t *result = test_as(&f, "", "?clientId=lamp", "PUBLISH", "topic/of-aside/x",
				 ",\"policyNamesToAdd\":[\"of-aside\",\"of-aside\"]");
	decides(result, "ALLOWED");
	assert_items(policies_of(result, "allowed", NULL), "policyName", "of-aside", NULL);
	result = test_as(&f, "", "", "PUBLISH", "topic/of-cert/x", "");
	decides(result, "IMPLICIT_DENY");
	assert_items(policies_of(result, "denied", "implicitDeny"), "policyName", NULL);
	/* The client id is known without one, too. */
	put_policy(f.k, "by-id",
		   "{\"Effect\":\"Allow\",\"Action\":\"iot:Publish\",\"Resource\":\"" ARN
		   "topic/${iot:ClientId}\"}");
	decides(test_as(&f, "", "?clientId=x9", "PUBLISH", "topic/x9",
			",\"policyNamesToAdd\":[\"by-id\"]"),
		"ALLOWED");
	/* A group as the principal: its policies and its ancestors'. */
	result = test_as(&f, "\"principal\":\"" ARN "thinggroup/child\",", "", "PUBLISH",
			 "topic/of-root/x", "");
	decides(result, "ALLOWED");
}

/* What is known of the thing and of the certificate, and what is not. */
static void knows_the_facts(void **state)
{
	struct fleet f = make_fleet(*state);
	put_policy(f.k, "facts",
		   "{\"Effect\":\"Allow\",\"Action\":\"iot:Connect\",\"Resource\":\"" ARN
		   "client/${iot:Connection.Thing.ThingName}\",\"Condition\":{\"Bool\":"
		   "{\"iot:Connection.Thing.IsAttached\":\"true\"},\"StringEquals\":"
		   "{\"iot:Certificate.Subject.CommonName\":\"lamp\"}}},"
		   "{\"Effect\":\"Allow\",\"Action\":\"iot:Publish\",\"Resource\":\"" ARN
		   "topic/${iot:Connection.Thing.Attributes[site]}/${iot:CertificateId}/"
		   "${iot:ClientId}/${iot:Certificate.Issuer.CommonName}\"},"
		   "{\"Effect\":\"Deny\",\"Action\":\"iot:Subscribe\",\"Resource\":\"" ARN
		   "topicfilter/${aws:SourceIp}/${iot:Certificate.Subject.Country}\"}");
	attach_policy(f.k, "facts", "cert", f.certificate);
	g_autofree char *topic = g_strdup_printf("berlin/%s/lamp/lamp", f.certificate);
	g_autofree char *principal =
		g_strdup_printf("\"principal\":\"" ARN "cert/%s\",", f.certificate);
	decides(publish(&f, "?clientId=lamp", topic, ""), "ALLOWED");
	decides(test_as(&f, principal, "?clientId=lamp", "CONNECT", "client/lamp", ""), "ALLOWED");
	decides(test_as(&f, principal, "?clientId=lamp", "CONNECT", "client/other", ""),
		"IMPLICIT_DENY");
	json_t *result = publish(&f, "", "x", "");
	assert_items(json_object_get(result, "missingContextValues"), NULL, "iot:ClientId",
		     "iot:Connection.Thing.Attributes[site]", NULL);
	result = test_as(&f, principal, "?clientId=lamp", "SUBSCRIBE", "topicfilter/a", "");
	decides(result, "IMPLICIT_DENY");
	assert_items(json_object_get(result, "missingContextValues"), NULL, "aws:SourceIp",
		     "iot:Certificate.Subject.Country", NULL);
	result = test_as(&f, principal, "", "RECEIVE", "topic/a", "");
	assert_items(json_object_get(result, "missingContextValues"), NULL, NULL);
}

/* A certificate that is held exclusively speaks for its thing whatever the client id. */
static void follows_an_exclusive_thing(void **state)
{
	struct fleet f = make_fleet(*state);
	kit_header(f.k, "x-amzn-principal", kit_arn(f.k, "cert", f.certificate));
	ok(f.k, NULL, "PUT /things/lamp/principals?thingPrincipalType=EXCLUSIVE_THING");
	kit_header(f.k, NULL, NULL);
	decides(publish(&f, "?clientId=other", "of-child/a", ""), "ALLOWED");
	decides(publish(&f, "", "of-child/a", ""), "ALLOWED");
}

/* S6: in a quarantine the policies of the quarantines alone count, whatever the client id. */
static void judges_quarantined_things(void **state)
{
	struct fleet f = make_fleet(*state);
	ok(f.k,
	   "{\"thingGroupProperties\":{\"attributePayload\":{\"attributes\":"
	   "{\"thingward:quarantine\":\"true\"}}}}",
	   "PATCH /thing-groups/aside");
	join(f.k, "aside", "lamp");
	decides(publish(&f, "?clientId=lamp", "of-cert/a", ""), "IMPLICIT_DENY");
	decides(publish(&f, "?clientId=lamp", "of-child/a", ""), "IMPLICIT_DENY");
	decides(publish(&f, "?clientId=lamp", "of-aside/a", ""), "ALLOWED");
	decides(publish(&f, "?clientId=other", "of-cert/a", ""), "IMPLICIT_DENY");
	decides(publish(&f, "", "of-aside/a", ""), "ALLOWED");
}

static void forgets_a_deleted_certificate(void **state)
{
	struct kit *k = *state;
	char id[X509_ID_SIZE];
	kit_certificate(k, "INACTIVE", id);
	ok(k, NULL, "DELETE /certificates/%s", id);
	g_autofree char *body =
		g_strdup_printf("{\"principal\":\"%s\",\"authInfos\":[{\"actionType\":\"CONNECT\","
				"\"resources\":[\"" ARN "client/a\"]}]}",
				kit_arn(k, "cert", id));
	fails(k, 404, "ResourceNotFoundException", body, "POST /test-authorization");
}

static void refuses_bad_questions(void **state)
{
	struct fleet f = make_fleet(*state);
	static const char *const bodies[] = {
		"{}",
		"{\"authInfos\":[]}",
		"{\"authInfos\":[{\"actionType\":\"CONNECT\",\"resources\":[]}]}",
		"{\"authInfos\":[{\"actionType\":\"DROP\",\"resources\":[\"" ARN "client/a\"]}]}",
		"{\"authInfos\":[{\"resources\":[\"" ARN "client/a\"]}]}",
		"{\"authInfos\":[{\"actionType\":\"CONNECT\",\"resources\":[\"*\"]}]}",
		"{\"authInfos\":[{\"actionType\":\"CONNECT\",\"resources\":[\"client/a\"]}]}",
		"{\"authInfos\":[{\"actionType\":\"CONNECT\",\"resources\":[\"arn:aws:sns:a:1:"
		"client/"
		"a\"]}]}",
		"{\"authInfos\":[{\"actionType\":\"CONNECT\",\"resources\":[\"" ARN "client\"]}]}",
		"{\"principal\":\"nobody\",\"authInfos\":[{\"actionType\":\"CONNECT\","
		"\"resources\":["
		"\"" ARN "client/a\"]}]}",
	};
	for (size_t i = 0; i < ARRAY_LEN(bodies); i++)
		fails(f.k, 400, "InvalidRequestException", bodies[i], "POST /test-authorization");
	fails(f.k, 404, "ResourceNotFoundException",
	      "{\"policyNamesToAdd\":[\"none\"],\"authInfos\":[{\"actionType\":\"CONNECT\","
	      "\"resources\":[\"" ARN "client/a\"]}]}",
	      "POST /test-authorization");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_BOTH(lists_effective_policies),
		ON_BOTH(refuses_unknown_principals),
		ON_BOTH(judges_like_a_connection),
		ON_BOTH(denies_explicitly),
		ON_BOTH(explains),
		ON_BOTH(adds_and_skips_policies),
		ON_BOTH(knows_the_facts),
		ON_BOTH(follows_an_exclusive_thing),
		ON_BOTH(judges_quarantined_things),
		ON_BOTH(forgets_a_deleted_certificate),
		ON_BOTH(refuses_bad_questions),
	};
	return cmocka_run_group_tests(tests, kit_group_start, kit_group_stop);
}

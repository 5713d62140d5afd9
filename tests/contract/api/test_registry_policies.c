/* IoT policies, their versions, and what they are attached to. */
#include "registry_kit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>
#include <glib.h>

static const char *target_body(struct kit *k, const char *type, const char *name)
{
	static char body[400];
	(void)g_snprintf(body, sizeof(body), "{\"target\":\"%s\"}", kit_arn(k, type, name));
	return body;
}

static void attach(struct kit *k, const char *policy, const char *type, const char *name)
{
	ok(k, target_body(k, type, name), "PUT /target-policies/%s", policy);
}

static void creates(void **state)
{
	struct kit *k = *state;
	json_t *out = ok(k, kit_policy_body, "POST /policies/connect");
	assert_string_equal(json_str(out, "policyName"), "connect");
	assert_string_equal(json_str(out, "policyArn"), kit_arn(k, "policy", "connect"));
	assert_string_equal(json_str(out, "policyVersionId"), "1");
	g_autofree char *document = g_strdup(json_str(out, "policyDocument"));
	assert_string_equal(kit_changes(k), "policy:connect ");
	fails(k, 409, "ResourceAlreadyExistsException", kit_policy_body, "POST /policies/connect");
	assert_string_equal(json_str(k->api.out, "resourceId"), "connect");

	out = ok(k, NULL, "GET /policies/connect");
	assert_string_equal(json_str(out, "policyDocument"), document);
	assert_string_equal(json_str(out, "defaultVersionId"), "1");
	assert_int_equal(strlen(json_str(out, "generationId")), 36);
	assert_int_equal(json_num(out, "creationDate"), API_TEST_START_MS / 1000);
	fails(k, 404, "ResourceNotFoundException", NULL, "GET /policies/none");
}

static void refuses_bad_documents(void **state)
{
	struct kit *k = *state;
	static const char *const documents[] = {
		"", "no JSON", "{}", "{\\\"Version\\\":\\\"2012-10-17\\\"}",
		("{\\\"Version\\\":\\\"2012-10-17\\\",\\\"Statement\\\":[{\\\"Effect\\\":"
		 "\\\"allow\\\",\\\"Action\\\":\\\"iot:Connect\\\",\\\"Resource\\\":\\\"*\\\"}]}")};
	kit_policy(k, "good");
	(void)kit_changes(k);
	for (size_t i = 0; i < ARRAY_LEN(documents); i++) {
		g_autofree char *body =
			g_strdup_printf("{\"policyDocument\":\"%s\"}", documents[i]);
		fails(k, 400, "MalformedPolicyException", body, "POST /policies/bad");
		fails(k, 400, "MalformedPolicyException", body, "POST /policies/good/version");
	}
	fails(k, 404, "ResourceNotFoundException", NULL, "GET /policies/bad");
	fails(k, 400, "InvalidRequestException",
	      "{\"policyDocument\":\"{}\",\"tags\":[{\"Key\":\"a\"}]}", "POST /policies/p");
	assert_string_equal(kit_changes(k), "");
}

static void keeps_versions(void **state)
{
	struct kit *k = *state;
	kit_policy(k, "p");
	(void)kit_changes(k);
	json_t *out = ok(k, kit_policy_body, "POST /policies/p/version");
	assert_string_equal(json_str(out, "policyVersionId"), "2");
	assert_true(json_is_false(json_object_get(out, "isDefaultVersion")));
	assert_string_equal(kit_changes(k), "");
	out = ok(k, kit_policy_body, "POST /policies/p/version?setAsDefault=true");
	assert_true(json_is_true(json_object_get(out, "isDefaultVersion")));
	assert_string_equal(kit_changes(k), "policy:p ");
	ok(k, NULL, "DELETE /policies/p/version/2");
	assert_string_equal(
		json_str(ok(k, kit_policy_body, "POST /policies/p/version"), "policyVersionId"),
		"4");
	out = ok(k, NULL, "GET /policies/p/version");
	assert_items(json_object_get(out, "policyVersions"), "versionId", "4", "3", "1", NULL);

	fails(k, 400, "InvalidRequestException", NULL, "DELETE /policies/p/version/3");
	fails(k, 404, "ResourceNotFoundException", NULL, "DELETE /policies/p/version/2");
	ok(k, NULL, "PATCH /policies/p/version/1");
	assert_string_equal(kit_changes(k), "policy:p ");
	ok(k, NULL, "PATCH /policies/p/version/1");
	assert_string_equal(kit_changes(k), "");
	assert_string_equal(json_str(ok(k, NULL, "GET /policies/p"), "defaultVersionId"), "1");
	out = ok(k, NULL, "GET /policies/p/version/4");
	assert_true(json_is_false(json_object_get(out, "isDefaultVersion")));
	assert_string_equal(json_str(out, "policyVersionId"), "4");
	assert_string_equal(json_str(out, "policyName"), "p");
	/* The newest one deleted: its number is not given again. */
	ok(k, NULL, "DELETE /policies/p/version/4");
	assert_string_equal(
		json_str(ok(k, kit_policy_body, "POST /policies/p/version"), "policyVersionId"),
		"5");
}

static void knows_no_other_versions(void **state)
{
	struct kit *k = *state;
	static const char *const ids[] = {"0", "2", "01", "99999999999999999999"};
	kit_policy(k, "p");
	for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
		fails(k, 404, "ResourceNotFoundException", NULL, "GET /policies/p/version/%s",
		      ids[i]);
		fails(k, 404, "ResourceNotFoundException", NULL, "PATCH /policies/p/version/%s",
		      ids[i]);
		fails(k, 404, "ResourceNotFoundException", NULL, "DELETE /policies/p/version/%s",
		      ids[i]);
	}
	fails(k, 404, "ResourceNotFoundException", NULL, "GET /policies/none/version/1");
	fails(k, 404, "ResourceNotFoundException", NULL, "GET /policies/none/version");
	fails(k, 404, "ResourceNotFoundException", kit_policy_body, "POST /policies/none/version");
}

static void limits_versions(void **state)
{
	struct kit *k = *state;
	kit_policy(k, "p");
	for (int i = 2; i <= 5; i++)
		ok(k, kit_policy_body, "POST /policies/p/version");
	const char *message = fails(k, 409, "VersionsLimitExceededException", kit_policy_body,
				    "POST /policies/p/version");
	assert_string_equal(message, "The policy p already has the maximum number of versions (5)");
	ok(k, NULL, "DELETE /policies/p/version/3");
	assert_string_equal(
		json_str(ok(k, kit_policy_body, "POST /policies/p/version"), "policyVersionId"),
		"6");
}

static void deletes(void **state)
{
	struct kit *k = *state;
	char id[X509_ID_SIZE];
	kit_policy(k, "p");
	kit_certificate(k, "ACTIVE", id);
	attach(k, "p", "cert", id);
	ok(k, kit_policy_body, "POST /policies/p/version");
	fails(k, 409, "DeleteConflictException", NULL, "DELETE /policies/p");
	ok(k, target_body(k, "cert", id), "POST /target-policies/p");
	fails(k, 409, "DeleteConflictException", NULL, "DELETE /policies/p");
	ok(k, NULL, "DELETE /policies/p/version/2");
	(void)kit_changes(k);
	ok(k, NULL, "DELETE /policies/p");
	assert_string_equal(kit_changes(k), "policy:p ");
	fails(k, 404, "ResourceNotFoundException", NULL, "DELETE /policies/p");
}

static void lists_by_date(void **state)
{
	struct kit *k = *state;
	static const char *const names[] = {"c", "a", "b"};
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		kit_policy(k, names[i]);
		clock_advance(k->api.env.clock, 1000, NULL, NULL);
	}
	json_t *out = ok(k, NULL, "GET /policies?isAscendingOrder=true");
	assert_items(json_object_get(out, "policies"), "policyName", "c", "a", "b", NULL);
	out = ok(k, NULL, "GET /policies?pageSize=1");
	assert_items(json_object_get(out, "policies"), "policyName", "b", NULL);
	g_autofree char *marker = g_uri_escape_string(json_str(out, "nextMarker"), NULL, FALSE);
	kit_policy(k, "d");
	ok(k, NULL, "DELETE /policies/b");
	out = ok(k, NULL, "GET /policies?marker=%s", marker);
	assert_items(json_object_get(out, "policies"), "policyName", "a", "c", NULL);
}

static void attaches(void **state)
{
	struct kit *k = *state;
	char id[X509_ID_SIZE];
	kit_policy(k, "p");
	kit_group(k, "hall", NULL);
	kit_certificate(k, "ACTIVE", id);
	(void)kit_changes(k);
	attach(k, "p", "cert", id);
	attach(k, "p", "cert", id);
	attach(k, "p", "thinggroup", "hall");
	g_autofree char *note = g_strdup_printf("cert:%.4s group:hall ", id);
	assert_string_equal(kit_changes(k), note);
	json_t *out = ok(k, NULL, "POST /policy-targets/p?pageSize=1");
	assert_items(json_object_get(out, "targets"), NULL, kit_arn(k, "cert", id), NULL);
	g_autofree char *marker = g_uri_escape_string(json_str(out, "nextMarker"), NULL, FALSE);
	out = ok(k, NULL, "POST /policy-targets/p?marker=%s", marker);
	assert_items(json_object_get(out, "targets"), NULL, kit_arn(k, "thinggroup", "hall"), NULL);
	assert_null(json_object_get(out, "nextMarker"));

	ok(k, target_body(k, "cert", id), "POST /target-policies/p");
	ok(k, target_body(k, "cert", id), "POST /target-policies/p");
	ok(k, target_body(k, "cert", id), "POST /target-policies/none");
	g_autofree char *detached = g_strdup_printf("cert:%.4s ", id);
	assert_string_equal(kit_changes(k), detached);
	out = ok(k, NULL, "POST /attached-policies/%s", kit_arn_encoded(k, "cert", id));
	assert_items(json_object_get(out, "policies"), NULL, NULL);
}

static void refuses_targets(void **state)
{
	struct kit *k = *state;
	static const struct {
		const char *target;
		int status;
		const char *exception;
	} rows[] = {
		{"arn:aws:iot:us-east-1:123456789012:thing/lamp",      400, "InvalidRequestException"  },
		{"arn:aws:iot:eu-west-1:123456789012:thinggroup/hall", 400,
		 "InvalidRequestException"							     },
		{"arn:aws:iot:us-east-1:210987654321:thinggroup/hall", 400,
		 "InvalidRequestException"							     },
		{"arn:aws:iot:us-east-1:123456789012:thinggroup/",     400, "InvalidRequestException"  },
		{"us-east-1:11111111-2222-3333-4444-555555555555",     400, "InvalidRequestException"  },
		{"hall",					       400, "InvalidRequestException"  },
		{"arn:aws:iot:us-east-1:123456789012:thinggroup/none", 404,
		 "ResourceNotFoundException"							   },
		{"arn:aws:iot:us-east-1:123456789012:cert/00",         404, "ResourceNotFoundException"},
	};
	kit_policy(k, "p");
	kit_group(k, "hall", NULL);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		g_autofree char *body = g_strdup_printf("{\"target\":\"%s\"}", rows[i].target);
		g_autofree char *encoded = g_uri_escape_string(rows[i].target, NULL, FALSE);
		fails(k, rows[i].status, rows[i].exception, body, "PUT /target-policies/p");
		fails(k, rows[i].status, rows[i].exception, NULL, "POST /attached-policies/%s",
		      encoded);
	}
	fails(k, 404, "ResourceNotFoundException", target_body(k, "thinggroup", "hall"),
	      "PUT /target-policies/none");
	fails(k, 404, "ResourceNotFoundException", NULL, "POST /policy-targets/none");
}

static void limits_attachments(void **state)
{
	struct kit *k = *state;
	char id[X509_ID_SIZE];
	kit_certificate(k, "ACTIVE", id);
	kit_group(k, "hall", NULL);
	for (int i = 0; i < 11; i++)
		ok(k, kit_policy_body, "POST /policies/p%d", i);
	for (int i = 0; i < 10; i++)
		ok(k, target_body(k, "cert", id), "PUT /target-policies/p%d", i);
	fails(k, 410, "LimitExceededException", target_body(k, "cert", id),
	      "PUT /target-policies/p10");
	ok(k, target_body(k, "cert", id), "PUT /target-policies/p9");
	for (int i = 0; i < 2; i++)
		ok(k, target_body(k, "thinggroup", "hall"), "PUT /target-policies/p%d", i);
	(void)kit_changes(k);
	fails(k, 410, "LimitExceededException", target_body(k, "thinggroup", "hall"),
	      "PUT /target-policies/p2");
	assert_string_equal(kit_changes(k), "");
	json_t *out =
		ok(k, NULL, "POST /attached-policies/%s", kit_arn_encoded(k, "thinggroup", "hall"));
	assert_items(json_object_get(out, "policies"), "policyName", "p0", "p1", NULL);
}

static void lists_policies_of_ancestors(void **state)
{
	struct kit *k = *state;
	kit_group(k, "house", NULL);
	kit_group(k, "hall", "house");
	kit_policy(k, "a");
	kit_policy(k, "b");
	attach(k, "a", "thinggroup", "hall");
	attach(k, "b", "thinggroup", "house");
	attach(k, "a", "thinggroup", "house");
	json_t *out =
		ok(k, NULL, "POST /attached-policies/%s", kit_arn_encoded(k, "thinggroup", "hall"));
	assert_items(json_object_get(out, "policies"), "policyName", "a", NULL);
	out = ok(k, NULL, "POST /attached-policies/%s?recursive=true",
		 kit_arn_encoded(k, "thinggroup", "hall"));
	assert_items(json_object_get(out, "policies"), "policyName", "a", "b", NULL);
}

static void keeps_the_older_operations(void **state)
{
	struct kit *k = *state;
	char ids[2][X509_ID_SIZE];
	kit_certificate(k, "ACTIVE", ids[0]);
	kit_certificate(k, "ACTIVE", ids[1]);
	kit_policy(k, "p");
	kit_policy(k, "q");
	for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
		kit_header(k, "x-amzn-iot-principal", kit_arn(k, "cert", ids[i]));
		ok(k, NULL, "PUT /principal-policies/p");
		clock_advance(k->api.env.clock, 1000, NULL, NULL);
		ok(k, NULL, "PUT /principal-policies/q");
	}
	json_t *out = ok(k, NULL, "GET /principal-policies");
	assert_items(json_object_get(out, "policies"), "policyName", "q", "p", NULL);
	out = ok(k, NULL, "GET /principal-policies?isAscendingOrder=true");
	assert_items(json_object_get(out, "policies"), "policyName", "p", "q", NULL);
	ok(k, NULL, "DELETE /principal-policies/q");
	ok(k, NULL, "DELETE /principal-policies/q");
	fails(k, 404, "ResourceNotFoundException", NULL, "DELETE /principal-policies/none");
	fails(k, 404, "ResourceNotFoundException", NULL, "PUT /principal-policies/none");

	kit_header(k, "x-amzn-iot-policy", "p");
	out = ok(k, NULL, "GET /policy-principals");
	g_autofree char *first = g_strdup(kit_arn(k, "cert", ids[0]));
	assert_items(json_object_get(out, "principals"), NULL, kit_arn(k, "cert", ids[1]), first,
		     NULL);
	out = ok(k, NULL, "GET /policy-principals?isAscendingOrder=true&pageSize=1");
	assert_items(json_object_get(out, "principals"), NULL, first, NULL);
	g_autofree char *marker = g_uri_escape_string(json_str(out, "nextMarker"), NULL, FALSE);
	out = ok(k, NULL, "GET /policy-principals?isAscendingOrder=true&marker=%s", marker);
	assert_items(json_object_get(out, "principals"), NULL, kit_arn(k, "cert", ids[1]), NULL);
	kit_header(k, "x-amzn-iot-policy", "none");
	fails(k, 404, "ResourceNotFoundException", NULL, "GET /policy-principals");
	kit_header(k, "x-amzn-iot-principal", kit_arn(k, "thinggroup", "hall"));
	fails(k, 400, "InvalidRequestException", NULL, "GET /principal-policies");
	kit_header(k, "x-amzn-iot-principal", kit_arn(k, "cert", "00"));
	fails(k, 404, "ResourceNotFoundException", NULL, "GET /principal-policies");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_BOTH(creates),
		ON_BOTH(refuses_bad_documents),
		ON_BOTH(keeps_versions),
		ON_BOTH(knows_no_other_versions),
		ON_BOTH(limits_versions),
		ON_BOTH(deletes),
		ON_BOTH(lists_by_date),
		ON_BOTH(attaches),
		ON_BOTH(refuses_targets),
		ON_BOTH(limits_attachments),
		ON_BOTH(lists_policies_of_ancestors),
		ON_BOTH(keeps_the_older_operations),
	};
	return cmocka_run_group_tests(tests, kit_group_start, kit_group_stop);
}

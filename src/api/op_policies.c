/* IoT policies and their versions. */
#include "api/registry_call.h"
#include "registry/iot_policy.h"

#include <glib.h>
#include <inttypes.h>

static json_t *version_id(int64_t version)
{
	return json_sprintf("%" PRId64, version);
}

int op_CreatePolicy(struct api_call *call)
{
	struct registry r = registry_of(call);
	const char *name = in_text(call, "policyName");
	const char *document = in_text(call, "policyDocument");
	int err = refuse_tags(call);
	if (!err)
		err = iot_policy_create(&r, name, document);
	if (err)
		return err;
	out_text(call, "policyName", name);
	out_arn(call, "policyArn", "policy", name);
	out_text(call, "policyDocument", document);
	out_json(call, "policyVersionId", version_id(1));
	return 0;
}

/* The members that GetPolicy and GetPolicyVersion have in common. */
static void out_policy(struct api_call *call, const char *name, const struct iot_policy *policy,
		       const struct iot_policy_version *version)
{
	out_text(call, "policyName", name);
	out_arn(call, "policyArn", "policy", name);
	out_text(call, "policyDocument", version->document);
	out_text(call, "generationId", policy->generation_id);
}

static int get_version(struct api_call *call, const char *name, const char *id,
		       struct iot_policy *policy, struct iot_policy_version *version)
{
	struct registry r = registry_of(call);
	int err = iot_policy_get(&r, name, policy);
	if (err)
		return err;
	g_autofree char *default_id = g_strdup_printf("%" PRId64, policy->default_version);
	return iot_policy_version_get(&r, name, id ? id : default_id, version);
}

int op_GetPolicy(struct api_call *call)
{
	const char *name = in_text(call, "policyName");
	struct iot_policy policy = {0};
	struct iot_policy_version version = {0};
	int err = get_version(call, name, NULL, &policy, &version);
	if (!err) {
		out_policy(call, name, &policy, &version);
		out_json(call, "defaultVersionId", version_id(version.version));
		out_int(call, "creationDate", policy.created);
		out_int(call, "lastModifiedDate", policy.modified);
	}
	iot_policy_clear(&policy);
	iot_policy_version_clear(&version);
	return err;
}

int op_GetPolicyVersion(struct api_call *call)
{
	const char *name = in_text(call, "policyName");
	struct iot_policy policy = {0};
	struct iot_policy_version version = {0};
	int err = get_version(call, name, in_text(call, "policyVersionId"), &policy, &version);
	if (!err) {
		out_policy(call, name, &policy, &version);
		out_json(call, "policyVersionId", version_id(version.version));
		out_bool(call, "isDefaultVersion", version.version == policy.default_version);
		out_int(call, "creationDate", version.created);
		out_int(call, "lastModifiedDate", version.created);
	}
	iot_policy_clear(&policy);
	iot_policy_version_clear(&version);
	return err;
}

int op_DeletePolicy(struct api_call *call)
{
	struct registry r = registry_of(call);
	return iot_policy_delete(&r, in_text(call, "policyName"));
}

static int add_policy(const char *name, int64_t created, void *ctx)
{
	struct page *page = ctx;
	return list_dated(page, named_arn(page->call, "policyName", "policyArn", "policy", name),
			  created, name);
}

int op_ListPolicies(struct api_call *call)
{
	struct registry r = registry_of(call);
	struct page page = page_of(call);
	struct list_place place = place_of(&page);
	return list_end(&page, iot_policy_list(&r, &place, page.limit + 1, add_policy, &page));
}

int op_CreatePolicyVersion(struct api_call *call)
{
	struct registry r = registry_of(call);
	const char *name = in_text(call, "policyName");
	const char *document = in_text(call, "policyDocument");
	bool is_default = in_bool(call, "setAsDefault", 0);
	int64_t version = 0;
	int err = iot_policy_version_create(&r, name, document, is_default, &version);
	if (err)
		return err;
	out_arn(call, "policyArn", "policy", name);
	out_text(call, "policyDocument", document);
	out_json(call, "policyVersionId", version_id(version));
	out_bool(call, "isDefaultVersion", is_default);
	return 0;
}

struct versions {
	json_t *list;
	int64_t default_version;
};

static int add_version(int64_t version, int64_t created, void *ctx)
{
	struct versions *versions = ctx;
	return json_array_append_new(
		versions->list,
		json_pack("{s:o, s:b, s:I}", "versionId", version_id(version), "isDefaultVersion",
			  version == versions->default_version, "createDate", (json_int_t)created));
}

int op_ListPolicyVersions(struct api_call *call)
{
	struct registry r = registry_of(call);
	const char *name = in_text(call, "policyName");
	struct iot_policy policy = {0};
	int err = iot_policy_get(&r, name, &policy);
	if (err)
		return err;
	struct versions versions = {json_array(), policy.default_version};
	iot_policy_clear(&policy);
	err = iot_policy_version_each(&r, name, add_version, &versions);
	out_json(call, "policyVersions", versions.list);
	return err;
}

int op_DeletePolicyVersion(struct api_call *call)
{
	struct registry r = registry_of(call);
	return iot_policy_version_delete(&r, in_text(call, "policyName"),
					 in_text(call, "policyVersionId"));
}

int op_SetDefaultPolicyVersion(struct api_call *call)
{
	struct registry r = registry_of(call);
	return iot_policy_version_set_default(&r, in_text(call, "policyName"),
					      in_text(call, "policyVersionId"));
}

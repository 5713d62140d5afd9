/* Security profiles, their targets, and the check of behaviors. */
#include "api/registry_call.h"
#include "registry/behavior.h"
#include "registry/dimension.h"
#include "registry/profile.h"

#include <glib.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* The members that are kept as given; the delete flag of UpdateSecurityProfile that removes each.
 */
static const struct {
	const char *name, *delete_flag;
} kept_members[] = {
	{"securityProfileDescription",  NULL                             },
	{"behaviors",                   "deleteBehaviors"                },
	{"alertTargets",                "deleteAlertTargets"             },
	{"additionalMetricsToRetain",   "deleteAdditionalMetricsToRetain"},
	{"additionalMetricsToRetainV2", "deleteAdditionalMetricsToRetain"},
	{"metricsExportConfig",         "deleteMetricsExportConfig"      },
};

static json_t *given_members(const struct api_call *call)
{
	json_t *members = json_object();
	for (size_t i = 0; i < ARRAY_LEN(kept_members); i++) {
		json_t *given = in_json(call, kept_members[i].name);
		if (given)
			(void)json_object_set(members, kept_members[i].name, given);
	}
	return members;
}

static void out_profile(struct api_call *call, const char *name, const struct profile_row *row)
{
	out_text(call, "securityProfileName", name);
	out_arn(call, "securityProfileArn", "securityprofile", name);
	(void)json_object_update(call->out, row->members);
	out_int(call, "version", row->version);
	out_int(call, "creationDate", row->created);
	out_int(call, "lastModifiedDate", row->modified);
}

int op_CreateSecurityProfile(struct api_call *call)
{
	struct registry r = registry_of(call);
	const char *name = in_text(call, "securityProfileName");
	int err = refuse_tags(call);
	if (err)
		return err;
	json_t *members = given_members(call);
	err = profile_create(&r, name, members);
	json_decref(members);
	if (err)
		return err;
	out_text(call, "securityProfileName", name);
	out_arn(call, "securityProfileArn", "securityprofile", name);
	return 0;
}

int op_DescribeSecurityProfile(struct api_call *call)
{
	struct registry r = registry_of(call);
	const char *name = in_text(call, "securityProfileName");
	struct profile_row row;
	int err = profile_get(&r, name, &row);
	if (err)
		return err;
	out_profile(call, name, &row);
	profile_row_clear(&row);
	return 0;
}

/* The members that delete flags name; `removed` has room for all and the NULL at the end. */
static int removed_members(struct api_call *call, const char **removed)
{
	for (size_t i = 0; i < ARRAY_LEN(kept_members); i++) {
		const char *flag = kept_members[i].delete_flag;
		if (!flag || !in_bool(call, flag, 0))
			continue;
		if (in_json(call, kept_members[i].name))
			return fault_set(&call->fault, FAULT_INVALID_REQUEST,
					 "%s and %s exclude one another: give new content or "
					 "delete the old.",
					 flag, kept_members[i].name);
		*removed++ = kept_members[i].name;
	}
	*removed = NULL;
	return 0;
}

int op_UpdateSecurityProfile(struct api_call *call)
{
	struct registry r = registry_of(call);
	const char *name = in_text(call, "securityProfileName");
	const char *removed[ARRAY_LEN(kept_members) + 1];
	struct profile_row row;
	int err = removed_members(call, removed);
	if (err)
		return err;
	json_t *changes = given_members(call);
	err = profile_update(&r, name, changes, removed,
			     in_int(call, "expectedVersion", REGISTRY_NO_VERSION), &row);
	json_decref(changes);
	if (err)
		return err;
	out_profile(call, name, &row);
	profile_row_clear(&row);
	return 0;
}

int op_DeleteSecurityProfile(struct api_call *call)
{
	struct registry r = registry_of(call);
	return profile_delete(&r, in_text(call, "securityProfileName"),
			      in_int(call, "expectedVersion", REGISTRY_NO_VERSION));
}

/* ---- Lists ---- */

static int list_profile(const char *name, void *ctx)
{
	struct page *page = ctx;
	json_t *item = named_arn(page->call, "name", "arn", "securityprofile", name);
	return page_add(page, item, name) ? 0 : 1;
}

/* No behavior can name a dimension yet, so that none of them is listed. */
static int check_dimension(struct registry *r, const char *name)
{
	struct dimension dimension;
	int err = dimension_get(r, name, &dimension);
	if (!err)
		dimension_clear(&dimension);
	return err;
}

int op_ListSecurityProfiles(struct api_call *call)
{
	struct registry r = registry_of(call);
	const char *dimension = in_text(call, "dimensionName");
	const char *metric = in_text(call, "metricName");
	if (dimension && metric)
		return fault_set(&call->fault, FAULT_INVALID_REQUEST,
				 "dimensionName and metricName exclude one another; give one.");
	struct page page = page_of(call);
	if (dimension)
		return list_end(&page, check_dimension(&r, dimension));
	return list_end(&page,
			profile_list(&r, metric, page.after, page.limit + 1, list_profile, &page));
}

/* ---- Targets ---- */

typedef int target_act(struct registry *r, const char *name, const struct profile_target *target);

static int with_target(struct api_call *call, target_act *act)
{
	struct registry r = registry_of(call);
	struct profile_target target;
	int err = profile_target_parse(&r, in_text(call, "securityProfileTargetArn"), &target);
	return err ? err : act(&r, in_text(call, "securityProfileName"), &target);
}

int op_AttachSecurityProfile(struct api_call *call)
{
	return with_target(call, profile_attach);
}

int op_DetachSecurityProfile(struct api_call *call)
{
	return with_target(call, profile_detach);
}

static json_t *target_json(const struct api_call *call, const struct profile_mapping *mapping)
{
	return json_pack("{s:o}", "arn", arn_string(call, mapping->arn_type, mapping->arn_name));
}

/* The number of what stands first in the cursor "number/rest". */
static int64_t first_number(const struct page *page, const char **ret_rest)
{
	char first[FIRST_KEY_SIZE];
	*ret_rest = place_pair(page, first);
	return strtoll(first, NULL, 10);
}

static int list_target(const struct profile_mapping *mapping, void *ctx)
{
	struct page *page = ctx;
	g_autofree char *cursor =
		g_strdup_printf("%" PRId64 "/%" PRId64, mapping->target.kind, mapping->target.num);
	return page_add(page, target_json(page->call, mapping), cursor) ? 0 : 1;
}

int op_ListTargetsForSecurityProfile(struct api_call *call)
{
	struct registry r = registry_of(call);
	struct page page = page_of(call);
	const char *num;
	struct profile_target after = {.kind = first_number(&page, &num)};
	after.num = strtoll(num, NULL, 10);
	return list_end(&page, profile_each_target(&r, in_text(call, "securityProfileName"), &after,
						   page.limit + 1, list_target, &page));
}

static int list_mapping(const struct profile_mapping *mapping, void *ctx)
{
	struct page *page = ctx;
	json_t *item =
		json_pack("{s:o, s:o}", "securityProfileIdentifier",
			  named_arn(page->call, "name", "arn", "securityprofile", mapping->profile),
			  "target", target_json(page->call, mapping));
	g_autofree char *cursor =
		g_strdup_printf("%" PRId64 "/%s", mapping->target.num, mapping->profile);
	return page_add(page, item, cursor) ? 0 : 1;
}

int op_ListSecurityProfilesForTarget(struct api_call *call)
{
	struct registry r = registry_of(call);
	struct profile_target target;
	int err = profile_target_parse(&r, in_text(call, "securityProfileTargetArn"), &target);
	if (err)
		return err;
	struct page page = page_of(call);
	const char *after;
	int64_t num = first_number(&page, &after);
	return list_end(&page,
			profile_each_for_target(&r, &target, in_bool(call, "recursive", 0), after,
						num, page.limit + 1, list_mapping, &page));
}

/* ---- The check alone ---- */

#define ERROR_MESSAGE_MAX 2048 /* characters; the shape's */

static json_t *input_error(const char *fault)
{
	g_autofree char *valid = g_utf8_make_valid(fault, -1);
	glong n = MIN(g_utf8_strlen(valid, -1), ERROR_MESSAGE_MAX);
	g_autofree char *text = g_utf8_substring(valid, 0, n);
	return json_string(text);
}

int op_ValidateSecurityProfileBehaviors(struct api_call *call)
{
	struct behavior_rules rules = {.settings = call->env->settings, .may_export = true};
	json_t *texts = json_array(), *errors = json_array();
	if (call->input_fault)
		(void)json_array_append_new(texts, input_error(call->input_fault));
	else
		behaviors_check(in_json(call, "behaviors"), &rules, texts);
	for (size_t i = 0; i < json_array_size(texts); i++)
		(void)json_array_append_new(
			errors, json_pack("{s:O}", "errorMessage", json_array_get(texts, i)));
	json_decref(texts);
	out_bool(call, "valid", json_array_size(errors) == 0);
	out_json(call, "validationErrors", errors);
	return 0;
}

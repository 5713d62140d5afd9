/* What policies are attached to: AttachPolicy and its kin, and the older operations on principals.
 */
#include "api/registry_call.h"
#include "registry/attachment.h"
#include "registry/iot_policy.h"

#include <glib.h>

typedef int target_act(struct registry *r, const char *policy, const struct target *target);
typedef int target_parser(struct registry *r, const char *arn, struct target *ret);

static int with_target(struct api_call *call, target_parser *parse, const char *member,
		       target_act *act)
{
	struct registry r = registry_of(call);
	struct target target;
	int err = parse(&r, in_text(call, member), &target);
	return err ? err : act(&r, in_text(call, "policyName"), &target);
}

int op_AttachPolicy(struct api_call *call)
{
	return with_target(call, target_parse, "target", attachment_add);
}

int op_DetachPolicy(struct api_call *call)
{
	return with_target(call, target_parse, "target", attachment_remove);
}

int op_AttachPrincipalPolicy(struct api_call *call)
{
	return with_target(call, target_parse_principal, "principal", attachment_add);
}

/* Unlike DetachPolicy, this one knows ResourceNotFoundException. */
int op_DetachPrincipalPolicy(struct api_call *call)
{
	struct registry r = registry_of(call);
	int err = iot_policy_check(&r, in_text(call, "policyName"));
	return err ? err
		   : with_target(call, target_parse_principal, "principal", attachment_remove);
}

static json_t *policy_item(struct page *page, const char *name)
{
	return named_arn(page->call, "policyName", "policyArn", "policy", name);
}

static int add_policy(const char *name, void *ctx)
{
	return page_add(ctx, policy_item(ctx, name), name) ? 0 : 1;
}

int op_ListAttachedPolicies(struct api_call *call)
{
	struct registry r = registry_of(call);
	struct target target;
	int err = target_parse(&r, in_text(call, "target"), &target);
	if (err)
		return err;
	struct page page = page_of(call);
	return list_end(&page,
			attachment_each_policy(&r, &target, in_bool(call, "recursive", 0),
					       page.after, page.limit + 1, add_policy, &page));
}

static int add_target(const char *type, const char *name, void *ctx)
{
	struct page *page = ctx;
	g_autofree char *cursor = g_strconcat(type, "/", name, NULL);
	return page_add(page, arn_string(page->call, type, name), cursor) ? 0 : 1;
}

int op_ListTargetsForPolicy(struct api_call *call)
{
	struct registry r = registry_of(call);
	struct page page = page_of(call);
	char type[FIRST_KEY_SIZE];
	const char *name = place_pair(&page, type);
	return list_end(&page, attachment_each_target(&r, in_text(call, "policyName"), type, name,
						      page.limit + 1, add_target, &page));
}

static int add_dated_policy(const char *name, int64_t created, void *ctx)
{
	return list_dated(ctx, policy_item(ctx, name), created, name);
}

int op_ListPrincipalPolicies(struct api_call *call)
{
	struct registry r = registry_of(call);
	struct target target;
	int err = target_parse_principal(&r, in_text(call, "principal"), &target);
	if (err)
		return err;
	struct page page = page_of(call);
	struct list_place place = place_of(&page);
	return list_end(&page, attachment_each_policy_dated(&r, target.name, &place, page.limit + 1,
							    add_dated_policy, &page));
}

static int add_dated_principal(const char *id, int64_t created, void *ctx)
{
	struct page *page = ctx;
	return list_dated(page, arn_string(page->call, "cert", id), created, id);
}

int op_ListPolicyPrincipals(struct api_call *call)
{
	struct registry r = registry_of(call);
	struct page page = page_of(call);
	struct list_place place = place_of(&page);
	return list_end(&page, attachment_each_principal_dated(&r, in_text(call, "policyName"),
							       &place, page.limit + 1,
							       add_dated_principal, &page));
}

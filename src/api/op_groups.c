/* Thing groups and the things in them. */
#include "api/registry_call.h"
#include "registry/arn.h"
#include "registry/attributes.h"
#include "registry/group.h"
#include "registry/member.h"

#include <string.h>

static const char *description_of(const struct api_call *call)
{
	return json_string_value(in_nested(call, "thingGroupProperties", "thingGroupDescription"));
}

static json_t *payload_of(const struct api_call *call, const char *member)
{
	return json_object_get(in_nested(call, "thingGroupProperties", "attributePayload"), member);
}

int op_CreateThingGroup(struct api_call *call)
{
	struct registry r = registry_of(call);
	const char *name = in_text(call, "thingGroupName");
	struct group group = {0};
	int err = refuse_tags(call);
	if (!err)
		err = group_create(&r, name, in_text(call, "parentGroupName"), description_of(call),
				   payload_of(call, "attributes"), &group);
	if (err)
		return err;
	out_text(call, "thingGroupName", name);
	out_arn(call, "thingGroupArn", "thinggroup", name);
	out_text(call, "thingGroupId", group.id);
	group_clear(&group);
	return 0;
}

struct ancestry {
	const struct api_call *call;
	json_t *from_root;
	json_t *parent; /* the last one's name; owned */
};

static int add_ancestor(const char *name, void *ctx)
{
	struct ancestry *a = ctx;
	json_decref(a->parent);
	a->parent = json_string(name);
	return json_array_append_new(
		a->from_root, named_arn(a->call, "groupName", "groupArn", "thinggroup", name));
}

static int out_metadata(struct api_call *call, struct registry *r, const struct group *group)
{
	struct ancestry ancestry = {call, json_array(), NULL};
	int err = group_each_ancestor(r, group->num, add_ancestor, &ancestry);
	json_t *metadata = json_pack("{s:I, s:o*}", "creationDate", (json_int_t)group->created,
				     "parentGroupName", ancestry.parent);
	if (json_array_size(ancestry.from_root) > 0)
		(void)json_object_set(metadata, "rootToParentThingGroups", ancestry.from_root);
	json_decref(ancestry.from_root);
	out_json(call, "thingGroupMetadata", metadata);
	return err;
}

static json_t *properties_json(const struct group *group)
{
	json_t *properties = json_pack("{s:{s:o}}", "attributePayload", "attributes",
				       attributes_json(group->attributes));
	if (group->description[0] != '\0')
		(void)json_object_set_new(properties, "thingGroupDescription",
					  json_string(group->description));
	return properties;
}

int op_DescribeThingGroup(struct api_call *call)
{
	struct registry r = registry_of(call);
	const char *name = in_text(call, "thingGroupName");
	struct group group = {0};
	int err = group_get(&r, name, &group);
	if (err)
		return err;
	out_text(call, "thingGroupName", name);
	out_arn(call, "thingGroupArn", "thinggroup", name);
	out_text(call, "thingGroupId", group.id);
	out_int(call, "version", group.version);
	out_json(call, "thingGroupProperties", properties_json(&group));
	err = out_metadata(call, &r, &group);
	group_clear(&group);
	return err;
}

int op_UpdateThingGroup(struct api_call *call)
{
	struct registry r = registry_of(call);
	int64_t version = 0;
	const struct group_update update = {
		.description = description_of(call),
		.attributes = payload_of(call, "attributes"),
		.is_merge = json_is_true(payload_of(call, "merge")),
		.expected_version = in_int(call, "expectedVersion", REGISTRY_NO_VERSION),
	};
	int err = group_update(&r, in_text(call, "thingGroupName"), &update, &version);
	if (!err)
		out_int(call, "version", version);
	return err;
}

int op_DeleteThingGroup(struct api_call *call)
{
	struct registry r = registry_of(call);
	return group_delete(&r, in_text(call, "thingGroupName"),
			    in_int(call, "expectedVersion", REGISTRY_NO_VERSION));
}

static int add_group(const char *name, void *ctx)
{
	struct page *page = ctx;
	json_t *item = named_arn(page->call, "groupName", "groupArn", "thinggroup", name);
	return page_add(page, item, name) ? 0 : 1;
}

/* Recursive is the default: without a parent that is every group, else only the roots. */
static int filter_of(struct api_call *call, struct registry *r, struct group_filter *ret)
{
	const char *parent = in_text(call, "parentGroup");
	const char *prefix = in_text(call, "namePrefixFilter");
	ret->prefix = prefix ? prefix : "";
	ret->is_recursive = in_bool(call, "recursive", 1);
	ret->parent = ret->is_recursive ? GROUP_ANY_PARENT : 0;
	return parent ? group_number(r, parent, &ret->parent) : 0;
}

int op_ListThingGroups(struct api_call *call)
{
	struct registry r = registry_of(call);
	struct group_filter filter;
	int err = filter_of(call, &r, &filter);
	if (err)
		return err;
	struct page page = page_of(call);
	return list_end(&page,
			group_list(&r, &filter, page.after, page.limit + 1, add_group, &page));
}

/* A resource by its name or its ARN; both must agree. NULL with the fault filled. */
static const char *name_or_arn(struct api_call *call, const char *name_member,
			       const char *arn_member, const char *type)
{
	const char *name = in_text(call, name_member);
	const char *arn = in_text(call, arn_member);
	const char *in_arn = arn ? arn_name(call->env->settings, type, arn) : NULL;
	if (arn && !in_arn)
		(void)fault_set(&call->fault, FAULT_INVALID_REQUEST,
				"%s: '%s' is no %s ARN of this account.", arn_member, arn, type);
	else if (!name && !arn)
		(void)fault_set(&call->fault, FAULT_INVALID_REQUEST,
				"Either %s or %s must be given.", name_member, arn_member);
	else if (name && arn && strcmp(name, in_arn) != 0)
		(void)fault_set(&call->fault, FAULT_INVALID_REQUEST,
				"%s and %s name different resources.", name_member, arn_member);
	else
		return name ? name : in_arn;
	return NULL;
}

static int with_both(struct api_call *call,
		     int (*act)(struct registry *r, const char *thing, const char *group))
{
	struct registry r = registry_of(call);
	const char *group = name_or_arn(call, "thingGroupName", "thingGroupArn", "thinggroup");
	const char *thing = group ? name_or_arn(call, "thingName", "thingArn", "thing") : NULL;
	return thing ? act(&r, thing, group) : -1;
}

int op_AddThingToThingGroup(struct api_call *call)
{
	return with_both(call, member_add);
}

int op_RemoveThingFromThingGroup(struct api_call *call)
{
	return with_both(call, member_remove);
}

static int with_each(struct api_call *call, const char *thing, const char *member,
		     int (*act)(struct registry *r, const char *thing, const char *group))
{
	struct registry r = registry_of(call);
	size_t i;
	json_t *group;
	json_array_foreach(in_json(call, member), i, group)
	{
		int err = act(&r, thing, json_string_value(group));
		if (err)
			return err;
	}
	return 0;
}

/* Leaving comes first, so that a thing can move within its limits. */
int op_UpdateThingGroupsForThing(struct api_call *call)
{
	const char *thing = in_text(call, "thingName");
	if (!thing)
		return fault_set(&call->fault, FAULT_INVALID_REQUEST, "thingName must be given.");
	int err = with_each(call, thing, "thingGroupsToRemove", member_remove);
	return err ? err : with_each(call, thing, "thingGroupsToAdd", member_add);
}

int op_ListThingsInThingGroup(struct api_call *call)
{
	struct registry r = registry_of(call);
	struct page page = page_of(call);
	return list_end(&page, member_each_thing(&r, in_text(call, "thingGroupName"),
						 in_bool(call, "recursive", 0), page.after,
						 page.limit + 1, list_name, &page));
}

int op_ListThingGroupsForThing(struct api_call *call)
{
	struct registry r = registry_of(call);
	struct page page = page_of(call);
	return list_end(&page, member_each_group(&r, in_text(call, "thingName"), page.after,
						 page.limit + 1, add_group, &page));
}

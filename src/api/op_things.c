/* CreateThing, DescribeThing, UpdateThing, DeleteThing, ListThings. */
#include "api/registry_call.h"
#include "registry/attributes.h"
#include "registry/thing.h"

#include <string.h>

#define SCAN_MAX 2000 /* things that one page of a filtered list looks at */

int op_CreateThing(struct api_call *call)
{
	struct registry r = registry_of(call);
	const char *name = in_text(call, "thingName");
	struct thing thing = {0};
	int err = thing_create(&r, name, in_text(call, "thingTypeName"),
			       in_nested(call, "attributePayload", "attributes"),
			       in_text(call, "billingGroupName"), &thing);
	if (err)
		return err;
	out_text(call, "thingName", name);
	out_arn(call, "thingArn", "thing", name);
	out_text(call, "thingId", thing.id);
	thing_clear(&thing);
	return 0;
}

int op_DescribeThing(struct api_call *call)
{
	struct registry r = registry_of(call);
	const char *name = in_text(call, "thingName");
	struct thing thing = {0};
	int err = thing_get(&r, name, &thing);
	if (err)
		return err;
	out_text(call, "thingName", name);
	out_text(call, "defaultClientId", name);
	out_arn(call, "thingArn", "thing", name);
	out_text(call, "thingId", thing.id);
	out_json(call, "attributes", attributes_json(thing.attributes));
	out_int(call, "version", thing.version);
	if (thing.billing_group[0] != '\0')
		out_text(call, "billingGroupName", thing.billing_group);
	thing_clear(&thing);
	return 0;
}

int op_UpdateThing(struct api_call *call)
{
	struct registry r = registry_of(call);
	const struct thing_update update = {
		.attributes = in_nested(call, "attributePayload", "attributes"),
		.is_merge = json_is_true(in_nested(call, "attributePayload", "merge")),
		.type_name = in_text(call, "thingTypeName"),
		.is_type_removed = in_bool(call, "removeThingType", 0),
		.expected_version = in_int(call, "expectedVersion", REGISTRY_NO_VERSION),
	};
	return thing_update(&r, in_text(call, "thingName"), &update);
}

int op_DeleteThing(struct api_call *call)
{
	struct registry r = registry_of(call);
	return thing_delete(&r, in_text(call, "thingName"),
			    in_int(call, "expectedVersion", REGISTRY_NO_VERSION));
}

struct listing {
	struct page page;
	const char *attribute, *value; /* NULL: any */
	bool is_prefix;
	int64_t seen;
};

static bool matches(const struct listing *listing, const json_t *attributes)
{
	const char *value = json_string_value(json_object_get(attributes, listing->attribute));
	if (!value || !listing->value)
		return value != NULL;
	return listing->is_prefix ? strncmp(value, listing->value, strlen(listing->value)) == 0
				  : strcmp(value, listing->value) == 0;
}

static json_t *thing_item(struct api_call *call, const struct thing_item *item, json_t *attributes)
{
	return json_pack("{s:s, s:o, s:o, s:I}", "thingName", item->name, "thingArn",
			 arn_string(call, "thing", item->name), "attributes", attributes, "version",
			 (json_int_t)item->version);
}

/* A page that has looked at enough ends short, behind the thing it saw last. */
static int stop_scan(struct listing *listing, const char *name)
{
	memcpy(listing->page.last, name, strlen(name) + 1);
	listing->page.is_more = 1;
	return 1;
}

static int add_thing(const struct thing_item *item, void *ctx)
{
	struct listing *listing = ctx;
	json_t *attributes = attributes_json(item->attributes);
	if (listing->attribute && !matches(listing, attributes)) {
		json_decref(attributes);
		return ++listing->seen < SCAN_MAX ? 0 : stop_scan(listing, item->name);
	}
	json_t *thing = thing_item(listing->page.call, item, attributes);
	return page_add(&listing->page, thing, item->name) ? 0 : 1;
}

int op_ListThings(struct api_call *call)
{
	struct registry r = registry_of(call);
	struct listing listing = {
		.attribute = in_text(call, "attributeName"),
		.value = in_text(call, "attributeValue"),
		.is_prefix = in_bool(call, "usePrefixAttributeValue", 0),
	};
	if (listing.value && !listing.attribute)
		return fault_set(
			&call->fault, FAULT_INVALID_REQUEST,
			"attributeValue needs attributeName: the attribute that is compared.");
	listing.page = page_of(call);
	int64_t limit = listing.attribute ? INT64_MAX : listing.page.limit + 1;
	/* No thing has a type yet (registry/thing.h). */
	int err = in_text(call, "thingTypeName")
			  ? 0
			  : thing_list(&r, listing.page.after, limit, add_thing, &listing);
	return list_end(&listing.page, err);
}

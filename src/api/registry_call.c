#include "api/registry_call.h"

#include "registry/arn.h"

#include <glib.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct registry registry_of(struct api_call *call)
{
	return (struct registry){
		.db = call->db,
		.settings = call->env->settings,
		.chance = call->env->chance,
		.now_ms = call->now_ms,
		.fault = &call->fault,
		.request_id = call->request_id,
		.key_id = call->key_id,
	};
}

json_t *in_nested(const struct api_call *call, const char *member, const char *nested)
{
	return json_object_get(in_json(call, member), nested);
}

int refuse_tags(struct api_call *call)
{
	if (json_array_size(in_json(call, "tags")) == 0)
		return 0;
	return fault_set(&call->fault, FAULT_INVALID_REQUEST,
			 "tags: not available in this version; create the resource without them.");
}

json_t *arn_string(const struct api_call *call, const char *type, const char *name)
{
	char arn[ARN_SIZE];
	return json_string(arn_write(call->env->settings, type, name, arn));
}

void out_arn(struct api_call *call, const char *member, const char *type, const char *name)
{
	out_json(call, member, arn_string(call, type, name));
}

json_t *named_arn(const struct api_call *call, const char *name_member, const char *arn_member,
		  const char *type, const char *name)
{
	return json_pack("{s:s, s:o}", name_member, name, arn_member, arn_string(call, type, name));
}

int list_end(struct page *page, int walked)
{
	if (walked < 0)
		return walked;
	page_end(page);
	return 0;
}

int list_name(const char *name, void *page)
{
	return page_add(page, json_string(name), name) ? 0 : 1;
}

struct list_place place_of(const struct page *page)
{
	struct list_place place = {
		.is_ascending = in_bool(page->call, "ascendingOrder", 0),
		.is_start = page->after[0] == '\0',
	};
	char *end;
	place.created = strtoll(page->after, &end, 10);
	place.key = *end == ':' ? end + 1 : end;
	return place;
}

int list_dated(struct page *page, json_t *item, int64_t created, const char *key)
{
	g_autofree char *cursor = g_strdup_printf("%" PRId64 ":%s", created, key);
	return page_add(page, item, cursor) ? 0 : 1;
}

const char *place_pair(const struct page *page, char first[FIRST_KEY_SIZE])
{
	const char *slash = strchr(page->after, '/');
	size_t n = slash ? (size_t)(slash - page->after) : 0;
	(void)g_strlcpy(first, page->after, MIN(n + 1, FIRST_KEY_SIZE));
	return slash ? slash + 1 : "";
}

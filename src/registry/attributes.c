#include "registry/attributes.h"

#include "base/check.h"

#include <glib.h>
#include <inttypes.h>

json_t *attributes_json(const char *kept)
{
	json_t *map = json_loads(kept, 0, NULL);
	CHECK(json_is_object(map));
	return map;
}

static void lay(json_t *map, const json_t *given)
{
	const char *name;
	json_t *value;
	/* jansson reads through a non-const pointer. */
	json_object_foreach((json_t *)(uintptr_t)given, name, value)
	{
		if (json_string_length(value) == 0)
			(void)json_object_del(map, name);
		else
			CHECK(json_object_set(map, name, value) == 0);
	}
}

static char *kept_text(const json_t *map)
{
	char *text = json_dumps(map, JSON_COMPACT | JSON_SORT_KEYS);
	CHECK(text);
	char *kept = g_strdup(text);
	free(text);
	return kept;
}

int attributes_lay(struct registry *r, const char *owner, const char *old, const json_t *given,
		   int64_t max, char **ret)
{
	json_t *map = attributes_json(old ? old : "{}");
	if (given)
		lay(map, given);
	size_t n = json_object_size(map);
	if (n <= (size_t)max)
		*ret = kept_text(map);
	json_decref(map);
	if (n <= (size_t)max)
		return 0;
	return fault_set(r->fault, FAULT_INVALID_REQUEST,
			 "attributePayload: %s would have %zu attributes; at most %" PRId64
			 " are allowed.",
			 owner, n, max);
}

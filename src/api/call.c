#include "api/call.h"

const char *in_text(const struct api_call *call, const char *member)
{
	return json_string_value(json_object_get(call->in, member));
}

int64_t in_int(const struct api_call *call, const char *member, int64_t absent)
{
	const json_t *value = json_object_get(call->in, member);
	return value ? json_integer_value(value) : absent;
}

int in_bool(const struct api_call *call, const char *member, int absent)
{
	const json_t *value = json_object_get(call->in, member);
	return value ? json_is_true(value) : absent;
}

json_t *in_json(const struct api_call *call, const char *member)
{
	return json_object_get(call->in, member);
}

void out_text(struct api_call *call, const char *member, const char *value)
{
	out_json(call, member, value ? json_string(value) : NULL);
}

void out_int(struct api_call *call, const char *member, int64_t value)
{
	out_json(call, member, json_integer(value));
}

void out_bool(struct api_call *call, const char *member, int value)
{
	out_json(call, member, json_boolean(value));
}

void out_json(struct api_call *call, const char *member, json_t *value)
{
	if (value)
		json_object_set_new(call->out, member, value);
}

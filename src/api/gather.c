/* Input members from label, query, header and body. */
#include "api/interpret.h"
#include "api/route.h"
#include "api/shape.h"
#include "api/uri.h"

#define SERIALIZATION "SerializationException"

struct gather {
	const struct route *route;
	const struct api_request *request;
	struct refusal *refusal;
	json_t *body; /* the document, an object; NULL when the operation has no use for one */
	json_t *in;
};

static int set_text(struct gather *gather, const struct member *member, const char *text)
{
	json_t *value = shape_read_text(member->shape, text);
	if (!value)
		return refuse(gather->refusal, "InvalidRequestException",
			      "1 validation error detected: Value '%.*s' at '%s' failed to satisfy "
			      "constraint: Member must "
			      "be a valid value of its type",
			      256, text, member->name);
	json_object_set_new(gather->in, member->name, value);
	return 0;
}

static int set_raw(struct gather *gather, const struct member *member, struct view raw)
{
	g_autofree char *text = uri_decode(raw);
	if (!text)
		return refuse(gather->refusal, SERIALIZATION,
			      "'%s' is not percent-encoded UTF-8 text", member->name);
	return set_text(gather, member, text);
}

static int from_uri(struct gather *gather, const struct member *member)
{
	const struct operation *op = gather->route->operation;
	for (size_t i = 0; i < op->n_segments; i++) {
		const char *label = op->segments[i];
		size_t n = strlen(member->wire);
		if (label[0] == '{' && strncmp(label + 1, member->wire, n) == 0 &&
		    label[n + 1] == '}')
			return set_raw(gather, member, gather->route->segments[i]);
	}
	return 0;
}

/* The name as text equals the member's; clients send the names of this model unescaped. A name that
 * stands twice counts by its last value. */
static int from_query(struct gather *gather, const struct member *member)
{
	struct view rest = gather->request->query, name, value;
	while (uri_query_pair(&rest, &name, &value)) {
		if (view_is(name, member->wire) && set_raw(gather, member, value) < 0)
			return -1;
	}
	return 0;
}

static int from_header(struct gather *gather, const struct member *member)
{
	const char *value = api_request_header(gather->request, member->wire);
	if (!value)
		return 0;
	if (!g_utf8_validate(value, -1, NULL))
		return refuse(gather->refusal, SERIALIZATION, "header %s is not UTF-8 text",
			      member->wire);
	g_autofree char *trimmed = g_strstrip(g_strdup(value));
	return set_text(gather, member, trimmed);
}

static int set_json(struct gather *gather, const struct member *member, const json_t *given)
{
	if (!given || json_is_null(given))
		return 0;
	json_t *value = shape_read(member->shape, given, member->name, gather->refusal);
	if (!value)
		return -1;
	json_object_set_new(gather->in, member->name, value);
	return 0;
}

static int from_body(struct gather *gather, const struct member *member)
{
	return set_json(gather, member, json_object_get(gather->body, member->wire));
}

static int from_payload(struct gather *gather, const struct member *member)
{
	return gather->request->body.n > 0 ? set_json(gather, member, gather->body) : 0;
}

static int read_body(struct gather *gather)
{
	const struct shape *input = &gather->route->operation->input;
	struct view body = gather->request->body;
	bool is_wanted = false;
	for (size_t i = 0; i < input->n_members; i++)
		is_wanted |= input->members[i].place == PLACE_BODY ||
			     input->members[i].place == PLACE_PAYLOAD;
	if (!is_wanted || body.n == 0)
		return 0;
	json_error_t error;
	gather->body = json_loadb(body.p, body.n, 0, &error);
	if (!gather->body)
		return refuse(gather->refusal, SERIALIZATION, "the body is not JSON: %s",
			      error.text);
	return json_is_object(gather->body)
		       ? 0
		       : refuse(gather->refusal, SERIALIZATION, "the body must be a JSON object");
}

static int read_members(struct gather *gather)
{
	static int (*const places[])(struct gather *, const struct member *) = {
		[PLACE_BODY] = from_body,       [PLACE_URI] = from_uri,
		[PLACE_QUERY] = from_query,     [PLACE_HEADER] = from_header,
		[PLACE_PAYLOAD] = from_payload,
	};
	const struct shape *input = &gather->route->operation->input;
	for (size_t i = 0; i < input->n_members; i++) {
		const struct member *member = &input->members[i];
		if (places[member->place](gather, member) < 0)
			return -1;
	}
	return shape_check(input, gather->in, gather->refusal);
}

int api_gather(const struct route *route, const struct api_request *request, json_t **ret_in,
	       struct refusal *refusal)
{
	struct gather gather = {
		.route = route, .request = request, .refusal = refusal, .in = json_object()};
	int error = read_body(&gather);
	if (error == 0)
		error = read_members(&gather);
	json_decref(gather.body);
	if (error < 0)
		json_decref(gather.in);
	else
		*ret_in = gather.in;
	return error;
}

#include "policy/rewrite.h"

#include "policy/glob_compile.h"

static bool is_effect(json_t *statement, const char *effect)
{
	const char *given = json_string_value(json_object_get(statement, "Effect"));
	return given && strcmp(given, effect) == 0;
}

static bool is_true(json_t *value)
{
	if (json_is_string(value))
		return g_ascii_strcasecmp(json_string_value(value), "true") == 0;
	return json_is_true(value);
}

/* Several values are alternatives: the thing must be attached only when each of them says so. */
static bool are_all_true(json_t *values)
{
	if (!json_is_array(values))
		return is_true(values);
	size_t i;
	json_t *value;
	json_array_foreach(values, i, value)
	{
		if (!is_true(value))
			return false;
	}
	return json_array_size(values) > 0;
}

/* Bool, whatever stands before and behind it: the key has one value, and always has it. */
static bool is_bool(const char *operator_name)
{
	const char *colon = strchr(operator_name, ':');
	const char *name = colon ? colon + 1 : operator_name;
	return strcmp(name, "Bool") == 0 || strcmp(name, "BoolIfExists") == 0;
}

static bool asks_for_attached_thing(json_t *statement)
{
	const char *operator_name, *key;
	json_t *tests, *values;
	json_object_foreach(json_object_get(statement, "Condition"), operator_name, tests)
	{
		if (!is_bool(operator_name))
			continue;
		json_object_foreach(tests, key, values)
		{
			if (g_ascii_strcasecmp(key, "iot:Connection.Thing.IsAttached") == 0 &&
			    are_all_true(values))
				return true;
		}
	}
	return false;
}

static bool is_left_out(json_t *statement, bool for_connect)
{
	if (is_effect(statement, "Deny"))
		return json_object_size(json_object_get(statement, "Condition")) > 0;
	return for_connect && is_effect(statement, "Allow") && asks_for_attached_thing(statement);
}

static bool is_client_id(struct view unit)
{
	static const char name[] = "${iot:ClientId}";
	return unit.n == strlen(name) && g_ascii_strncasecmp(unit.p, name, unit.n) == 0;
}

static void append_variable(GString *out, struct view unit, bool for_connect)
{
	bool is_character = unit.n == strlen("${*}") && strchr("*?$", unit.p[2]);
	if (is_character)
		g_string_append_len(out, unit.p, (gssize)unit.n);
	else if (for_connect && is_client_id(unit))
		g_string_append_c(out, '*');
	else
		g_string_append_c(out, REWRITE_OPAQUE);
}

static json_t *rewrite_text(json_t *text, bool for_connect)
{
	if (!json_is_string(text))
		return json_incref(text);
	struct view left = {json_string_value(text), json_string_length(text)};
	g_autoptr(GString) out = g_string_new(NULL);
	while (left.n > 0) {
		size_t n = glob_unit(left);
		if (n > 1)
			append_variable(out, (struct view){left.p, n}, for_connect);
		else
			g_string_append_len(out, left.p, n ? 1 : (gssize)left.n);
		n = n ? n : left.n;
		left = (struct view){left.p + n, left.n - n};
	}
	return json_stringn(out->str, out->len);
}

static json_t *rewrite_resources(json_t *resources, bool for_connect)
{
	if (!json_is_array(resources))
		return rewrite_text(resources, for_connect);
	json_t *out = json_array();
	size_t i;
	json_t *resource;
	json_array_foreach(resources, i, resource)
		json_array_append_new(out, rewrite_text(resource, for_connect));
	return out;
}

static json_t *rewrite_statement(json_t *statement, bool for_connect)
{
	static const char *const members[] = {"Resource", "NotResource"};
	json_t *out = json_copy(statement);
	json_object_del(out, "Condition");
	for (size_t i = 0; i < G_N_ELEMENTS(members); i++) {
		json_t *resources = json_object_get(statement, members[i]);
		if (resources)
			json_object_set_new(out, members[i],
					    rewrite_resources(resources, for_connect));
	}
	return out;
}

json_t *rewrite_for_audit(json_t *document, bool for_connect)
{
	json_t *out = json_copy(document), *given = json_object_get(document, "Statement");
	if (json_is_object(given)) {
		json_t *list = json_array();
		json_array_append(list, given);
		json_object_set_new(out, "Statement", list);
		given = list;
	}
	if (!json_is_array(given))
		return out;
	json_t *statements = json_array(), *statement;
	size_t i;
	json_array_foreach(given, i, statement)
	{
		if (!is_left_out(statement, for_connect))
			json_array_append_new(statements,
					      rewrite_statement(statement, for_connect));
	}
	json_object_set_new(out, "Statement", statements);
	return out;
}

static struct view behind_heads(const char *arn)
{
	const char *at = arn;
	for (int i = 0; i < 5 && at; i++) {
		at = strchr(at, ':');
		at = at ? at + 1 : NULL;
	}
	return view_of(at ? at : arn);
}

static bool any_of(json_t *resources, rewrite_resource_fn *fn, void *ctx)
{
	if (json_is_string(resources))
		return fn(behind_heads(json_string_value(resources)), ctx);
	size_t i;
	json_t *resource;
	json_array_foreach(resources, i, resource)
	{
		if (fn(behind_heads(json_string_value(resource)), ctx))
			return true;
	}
	return false;
}

bool rewrite_any_allowed(json_t *rewritten, rewrite_resource_fn *fn, void *ctx)
{
	size_t i;
	json_t *statement;
	json_array_foreach(json_object_get(rewritten, "Statement"), i, statement)
	{
		if (is_effect(statement, "Allow") &&
		    any_of(json_object_get(statement, "Resource"), fn, ctx))
			return true;
	}
	return false;
}

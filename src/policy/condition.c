#include "policy/condition.h"

#include "policy/glob_compile.h"
#include "policy/program.h"

#include <arpa/inet.h>

static const struct {
	const char *name;
	enum policy_key_type type;
} keys[POLICY_KEYS] = {
#define KEY(id, name, type, value) [KEY_##id] = {name, KEY_TYPE_##type},
#include "policy/key.tbl.h"
#undef KEY
};

struct condition {
	const char *operator_name;
	const struct policy_operator_row *row;
	bool has_variables;
	GByteArray *out;
	uint32_t *needs;
	char **ret_why;
};

static int value_pattern(struct condition *c, const char *text, bool has_wildcards)
{
	struct glob_options options = {has_wildcards, c->has_variables};
	return glob_compile(view_of(text), options, c->out, c->needs, c->ret_why);
}

static int value_literal(struct condition *c, const char *text)
{
	return value_pattern(c, text, false);
}

static int value_glob(struct condition *c, const char *text)
{
	return value_pattern(c, text, true);
}

static int value_boolean(struct condition *c, const char *text)
{
	g_autofree char *lower = g_ascii_strdown(text, -1);
	if (strcmp(lower, "true") == 0 || strcmp(lower, "false") == 0)
		return value_pattern(c, lower, false);
	*c->ret_why =
		g_strdup_printf("value '%.128s' of %s is no boolean; write \"true\" or \"false\"",
				text, c->operator_name);
	return -1;
}

/* Reads the digits behind the slash; the whole address without one. */
static bool read_prefix(const char *slash, unsigned max, unsigned *ret)
{
	guint64 bits = max;
	if (slash && !g_ascii_string_to_unsigned(slash + 1, 10, 0, max, &bits, NULL))
		return false;
	*ret = (unsigned)bits;
	return true;
}

static bool read_network(const char *text, uint8_t ret[PROGRAM_ADDRESS])
{
	const char *slash = strchr(text, '/');
	g_autofree char *address = slash ? g_strndup(text, (gsize)(slash - text)) : g_strdup(text);
	unsigned bits;
	if (inet_pton(AF_INET6, address, ret + 1) == 1) {
		if (!read_prefix(slash, PROGRAM_PREFIX_MAX, &bits))
			return false;
	} else {
		memset(ret + 1, 0, 10);
		memset(ret + 11, 0xff, 2);
		if (inet_pton(AF_INET, address, ret + 13) != 1 ||
		    !read_prefix(slash, PROGRAM_PREFIX_MAX - PROGRAM_V4_MAPPED, &bits))
			return false;
		bits += PROGRAM_V4_MAPPED;
	}
	ret[0] = (uint8_t)bits;
	return true;
}

static int value_address(struct condition *c, const char *text)
{
	uint8_t network[PROGRAM_ADDRESS];
	if (!read_network(text, network)) {
		*c->ret_why = g_strdup_printf(
			"value '%.128s' of %s is no address; write it as 10.0.0.0/8, 192.0.2.1 "
			"or 2001:db8::/32",
			text, c->operator_name);
		return -1;
	}
	guint value = bytes_open(c->out);
	g_byte_array_append(c->out, network, sizeof(network));
	bytes_close(c->out, value);
	return 0;
}

static int (*const value_compile[POLICY_FORMS])(struct condition *c, const char *text) = {
	[FORM_LITERAL] = value_literal,
	[FORM_GLOB] = value_glob,
	[FORM_BOOLEAN] = value_boolean,
	[FORM_ADDRESS] = value_address,
};

static int compile_value(struct condition *c, json_t *value)
{
	if (json_is_string(value))
		return value_compile[c->row->form](c, json_string_value(value));
	if (json_is_boolean(value))
		return value_compile[c->row->form](c, json_is_true(value) ? "true" : "false");
	*c->ret_why = g_strdup_printf(
		"a value of %s is neither a string nor a boolean; write it in quotes",
		c->operator_name);
	return -1;
}

static int compile_values(struct condition *c, json_t *values)
{
	if (!json_is_array(values))
		return compile_value(c, values);
	if (json_array_size(values) == 0) {
		*c->ret_why = g_strdup_printf("%s has an empty list of values; give at least one",
					      c->operator_name);
		return -1;
	}
	size_t i;
	json_t *value;
	json_array_foreach(values, i, value)
	{
		if (compile_value(c, value) != 0)
			return -1;
	}
	return 0;
}

static int find_key(struct condition *c, const char *name, uint8_t *ret)
{
	for (unsigned i = 0; i < POLICY_KEYS; i++) {
		if (strcmp(keys[i].name, name) != 0)
			continue;
		*ret = (uint8_t)i;
		if (c->row->key_type == KEY_TYPE_ANY || c->row->key_type == keys[i].type)
			return 0;
		*c->ret_why = g_strdup_printf("operator '%s' does not fit the key '%s'",
					      c->operator_name, name);
		return -1;
	}
	g_autoptr(GString) known = g_string_new(NULL);
	for (unsigned i = 0; i < POLICY_KEYS; i++)
		g_string_append_printf(known, "%s%s", i ? ", " : "", keys[i].name);
	*c->ret_why = g_strdup_printf("key '%.128s' is not supported yet; known are: %s", name,
				      known->str);
	return -1;
}

/* "StringLikeIfExists" is StringLike with the suffix. */
static int find_operator(struct condition *c, const char *name, bool *ret_if_exists)
{
	*ret_if_exists = g_str_has_suffix(name, "IfExists");
	size_t n = strlen(name) - (*ret_if_exists ? strlen("IfExists") : 0);
	g_autoptr(GString) known = g_string_new(NULL);
	for (unsigned i = 0; i < POLICY_OPERATORS; i++) {
		c->row = &policy_operators[i];
		if (view_is((struct view){name, n}, c->row->name))
			return 0;
		g_string_append_printf(known, "%s%s", i ? ", " : "", c->row->name);
	}
	*c->ret_why = g_strdup_printf(
		"operator '%.128s' is not supported yet; known are: %s, each also with IfExists",
		name, known->str);
	return -1;
}

static int compile_keys(struct condition *c, json_t *tests, bool if_exists)
{
	const char *name;
	json_t *values;
	json_object_foreach(tests, name, values)
	{
		uint8_t key;
		if (find_key(c, name, &key) != 0)
			return -1;
		bytes_u8(c->out, (uint8_t)(c->row - policy_operators));
		bytes_u8(c->out, if_exists);
		bytes_u8(c->out, key);
		guint list = bytes_open(c->out);
		if (compile_values(c, values) != 0)
			return -1;
		bytes_close(c->out, list);
	}
	return 0;
}

int condition_compile(json_t *condition, bool has_variables, GByteArray *out, uint32_t *needs,
		      char **ret_why)
{
	const char *name;
	json_t *tests;
	json_object_foreach(condition, name, tests)
	{
		struct condition c = {name, NULL, has_variables, out, needs, ret_why};
		bool if_exists;
		if (find_operator(&c, name, &if_exists) != 0)
			return -1;
		if (json_object_size(tests) == 0) {
			*ret_why = g_strdup_printf("operator '%s' holds no object of keys; write "
						   "{\"%s\": {KEY: VALUE}}",
						   name, name);
			return -1;
		}
		if (compile_keys(&c, tests, if_exists) != 0)
			return -1;
	}
	return 0;
}

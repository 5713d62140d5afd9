#include "policy/condition.h"

#include "policy/operand.h"
#include "policy/program.h"

#include <arpa/inet.h>

struct condition {
	const char *operator_name;
	const struct policy_operator_row *row;
	enum program_quantifier quantifier;
	bool if_exists;
	struct glob_options options;
	GByteArray *out;
	char **ret_why;
};

/* ---- Values, by form ---- */

static int refuse_value(struct condition *c, const char *text, const char *what, const char *cure)
{
	*c->ret_why = g_strdup_printf("value '%.128s' of %s is no %s; write %s", text,
				      c->operator_name, what, cure);
	return -1;
}

static int value_pattern(struct condition *c, const char *text, bool has_wildcards)
{
	c->options.has_wildcards = has_wildcards;
	return glob_compile(view_of(text), &c->options, c->out, c->ret_why);
}

static int value_text(struct condition *c, const char *text)
{
	return value_pattern(c, text, false);
}

static int value_glob(struct condition *c, const char *text)
{
	return value_pattern(c, text, true);
}

static int value_arn(struct condition *c, const char *text)
{
	c->options.has_wildcards = true;
	return resource_compile(view_of(text), false, &c->options, c->out, c->ret_why);
}

static int value_number(struct condition *c, const char *text)
{
	struct number number;
	if (!number_read(view_of(text), &number))
		return refuse_value(c, text, "number", "it in decimal digits, as \"-12.5\"");
	bytes_view(c->out, view_of(text));
	return 0;
}

static int value_date(struct condition *c, const char *text)
{
	struct instant instant;
	if (!instant_read(view_of(text), &instant))
		return refuse_value(c, text, "date",
				    "\"2026-03-01T10:20:30Z\" or seconds since 1970");
	bytes_u64(c->out, (uint64_t)instant.seconds);
	bytes_u32(c->out, instant.nanoseconds);
	return 0;
}

static int value_boolean(struct condition *c, const char *text)
{
	bool is_true;
	if (!truth_read(view_of(text), &is_true))
		return refuse_value(c, text, "boolean", "\"true\" or \"false\"");
	bytes_u8(c->out, is_true);
	return 0;
}

static bool is_base64(const char *text)
{
	size_t n = strlen(text);
	size_t digits = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				     "0123456789+/");
	return n % 4 == 0 && n - digits <= 2 && strspn(text + digits, "=") == n - digits;
}

static int value_binary(struct condition *c, const char *text)
{
	if (!is_base64(text))
		return refuse_value(c, text, "base64 text", "it with its padding, as \"YWI=\"");
	gsize n;
	g_autofree guchar *bytes = g_base64_decode(text, &n);
	bytes_view(c->out, (struct view){(const char *)bytes, n});
	return 0;
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
	unsigned bits, first = strchr(address, ':') ? 0 : PROGRAM_V4_MAPPED;
	if (strchr(address, '%') || !address_read(view_of(address), ret + 1) ||
	    !read_prefix(slash, PROGRAM_PREFIX_MAX - first, &bits))
		return false;
	ret[0] = (uint8_t)(bits + first);
	return true;
}

static int value_address(struct condition *c, const char *text)
{
	uint8_t network[PROGRAM_ADDRESS];
	if (!read_network(text, network))
		return refuse_value(c, text, "address",
				    "it as 10.0.0.0/8, 192.0.2.1 or 2001:db8::/32");
	g_byte_array_append(c->out, network, sizeof(network));
	return 0;
}

static int (*const value_compile[POLICY_FORMS])(struct condition *c, const char *text) = {
	[FORM_TEXT] = value_text,       [FORM_GLOB] = value_glob,
	[FORM_FOLDED] = value_text,     [FORM_ARN] = value_arn,
	[FORM_NUMBER] = value_number,   [FORM_DATE] = value_date,
	[FORM_BOOLEAN] = value_boolean, [FORM_BINARY] = value_binary,
	[FORM_ADDRESS] = value_address, [FORM_ABSENCE] = value_boolean,
};

/* ---- Lists of values ---- */

/* A string, or the text of a JSON number or boolean; NULL for anything else. */
static char *text_of(json_t *value)
{
	if (json_is_string(value))
		return g_strdup(json_string_value(value));
	if (json_is_boolean(value))
		return g_strdup(json_is_true(value) ? "true" : "false");
	if (!json_is_number(value))
		return NULL;
	char *dumped = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
	char *text = g_strdup(dumped);
	free(dumped);
	return text;
}

static int compile_value(struct condition *c, json_t *value)
{
	g_autofree char *text = text_of(value);
	if (!text) {
		*c->ret_why = g_strdup_printf("a value of %s is neither a string nor a number nor "
					      "a boolean; write it in quotes",
					      c->operator_name);
		return -1;
	}
	guint place = bytes_open(c->out);
	if (value_compile[c->row->form](c, text) != 0)
		return -1;
	bytes_close(c->out, place);
	return 0;
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

/* ---- Operators ---- */

static const struct policy_operator_row *operator_named(struct view name)
{
	for (unsigned i = 0; i < POLICY_OPERATORS; i++)
		if (view_is(name, policy_operators[i].name))
			return &policy_operators[i];
	return NULL;
}

static int refuse_operator(struct condition *c)
{
	g_autoptr(GString) known = g_string_new(NULL);
	for (unsigned i = 0; i < POLICY_OPERATORS; i++)
		g_string_append_printf(known, "%s%s", i ? ", " : "", policy_operators[i].name);
	*c->ret_why =
		g_strdup_printf("operator '%.128s' is not known; known are: %s, each but Null "
				"also with IfExists behind it and with ForAllValues: or "
				"ForAnyValue: before it",
				c->operator_name, known->str);
	return -1;
}

/* "ForAnyValue:StringLikeIfExists" is StringLike with prefix and suffix. */
static int find_operator(struct condition *c)
{
	static const struct {
		const char *text;
		enum program_quantifier quantifier;
	} prefixes[] = {
		{"ForAllValues:", QUANTIFIER_ALL},
		{"ForAnyValue:",  QUANTIFIER_ANY},
	};
	const char *name = c->operator_name;
	for (size_t i = 0; i < G_N_ELEMENTS(prefixes); i++) {
		if (!g_str_has_prefix(name, prefixes[i].text))
			continue;
		c->quantifier = prefixes[i].quantifier;
		name += strlen(prefixes[i].text);
		break;
	}
	c->if_exists = g_str_has_suffix(name, "IfExists");
	c->row = operator_named(
		(struct view){name, strlen(name) - (c->if_exists ? strlen("IfExists") : 0)});
	bool is_plain = c->quantifier == QUANTIFIER_NONE && !c->if_exists;
	if (!c->row || (c->row->form == FORM_ABSENCE && !is_plain))
		return refuse_operator(c);
	return 0;
}

/* ---- Conditions ---- */

static int compile_key(struct condition *c, const char *name, json_t *values)
{
	uint8_t reference;
	if (reference_add(c->options.references, view_of(name), &reference, c->ret_why) != 0)
		return -1;
	guint place = bytes_open(c->out);
	bytes_u8(c->out, (uint8_t)(c->row - policy_operators));
	bytes_u8(c->out, (uint8_t)c->quantifier);
	bytes_u8(c->out, c->if_exists);
	bytes_u8(c->out, reference);
	if (compile_values(c, values) != 0)
		return -1;
	bytes_close(c->out, place);
	return 0;
}

static int compile_keys(struct condition *c, json_t *tests)
{
	const char *name;
	json_t *values;
	if (json_object_size(tests) == 0) {
		*c->ret_why = g_strdup_printf(
			"operator '%s' holds no object of keys; write {\"%s\": {KEY: VALUE}}",
			c->operator_name, c->operator_name);
		return -1;
	}
	json_object_foreach(tests, name, values)
	{
		if (compile_key(c, name, values) != 0)
			return -1;
	}
	return 0;
}

int condition_compile(json_t *condition, const struct glob_options *options, GByteArray *out,
		      char **ret_why)
{
	const char *name;
	json_t *tests;
	json_object_foreach(condition, name, tests)
	{
		struct condition c = {
			.operator_name = name, .options = *options, .out = out, .ret_why = ret_why};
		if (find_operator(&c) != 0 || compile_keys(&c, tests) != 0)
			return -1;
	}
	return 0;
}

/* Constraints, in AWS's words. */
#include "api/shape.h"

#include "api/java_pattern.h"

#define TEXT_MAX  8192 /* bytes of one message; later faults are only counted */
#define VALUE_MAX 1024 /* bytes of a value shown in a message */

struct check {
	GString *path, *text;
	unsigned n;
};

static void show(const json_t *value, GString *out);

static void show_list(const json_t *list, GString *out)
{
	size_t i;
	json_t *entry;
	g_string_append_c(out, '[');
	json_array_foreach(list, i, entry)
	{
		g_string_append(out, i > 0 ? ", " : "");
		show(entry, out);
	}
	g_string_append_c(out, ']');
}

static void show_object(const json_t *object, GString *out)
{
	const char *key, *separator = "";
	json_t *entry;
	g_string_append_c(out, '{');
	json_object_foreach((json_t *)(uintptr_t)object, key, entry)
	{
		g_string_append_printf(out, "%s%s=", separator, key);
		show(entry, out);
		separator = ", ";
	}
	g_string_append_c(out, '}');
}

/* As Java's toString would. Stops when there is more than a message shows. */
static void show(const json_t *value, GString *out)
{
	if (out->len > VALUE_MAX)
		return;
	if (json_is_string(value)) {
		g_string_append(out, json_string_value(value));
	} else if (json_is_array(value)) {
		show_list(value, out);
	} else if (json_is_object(value)) {
		show_object(value, out);
	} else {
		char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
		g_string_append(out, text);
		free(text);
	}
}

static void add_value(GString *text, const json_t *value)
{
	if (!value || json_is_null(value)) {
		g_string_append(text, "Value null");
		return;
	}
	GString *shown = g_string_new(NULL);
	show(value, shown);
	if (shown->len > VALUE_MAX) {
		const char *cut = g_utf8_find_prev_char(shown->str, shown->str + VALUE_MAX + 1);
		g_string_truncate(shown, (gsize)(cut - shown->str));
		g_string_append(shown, "...");
	}
	g_string_append_printf(text, "Value '%s'", shown->str);
	g_string_free(shown, TRUE);
}

static void PRINTF_LIKE(3, 4) fail(struct check *check, const json_t *value, const char *fmt, ...)
{
	va_list args;
	check->n++;
	if (check->text->len > TEXT_MAX)
		return;
	va_start(args, fmt);
	g_string_append(check->text, check->n > 1 ? "; " : "");
	add_value(check->text, value);
	g_string_append_printf(check->text,
			       " at '%s' failed to satisfy constraint: ", check->path->str);
	g_string_append_vprintf(check->text, fmt, args);
	va_end(args);
}

static const struct type_row {
	const char *name;
	json_type types[2];
	const char *measure; /* what min and max bound */
} type_rows[] = {
	[SHAPE_STRING] = {"a string",               {JSON_STRING, JSON_STRING},   "length"},
	[SHAPE_INTEGER] = {"an integer",             {JSON_INTEGER, JSON_INTEGER}, "value" },
	[SHAPE_LONG] = {"an integer",             {JSON_INTEGER, JSON_INTEGER}, "value" },
	[SHAPE_DOUBLE] = {"a number",               {JSON_INTEGER, JSON_REAL},    "value" },
	[SHAPE_BOOLEAN] = {"a boolean",              {JSON_TRUE, JSON_FALSE},      "value" },
	[SHAPE_TIMESTAMP] = {"a time in milliseconds", {JSON_INTEGER, JSON_INTEGER}, "value" },
	[SHAPE_LIST] = {"a list",                 {JSON_ARRAY, JSON_ARRAY},     "length"},
	[SHAPE_MAP] = {"a map",                  {JSON_OBJECT, JSON_OBJECT},   "length"},
	[SHAPE_STRUCTURE] = {"a structure",            {JSON_OBJECT, JSON_OBJECT},   "length"},
};

static double measure_of(const json_t *value)
{
	if (json_is_string(value))
		return (double)g_utf8_strlen(json_string_value(value), -1);
	if (json_is_array(value))
		return (double)json_array_size(value);
	if (json_is_object(value))
		return (double)json_object_size(value);
	return json_number_value(value);
}

static void check_bounds(const struct shape *shape, const json_t *value, struct check *check)
{
	const char *what = type_rows[shape->type].measure;
	double measure = measure_of(value);
	if (shape->has_min && measure < (double)shape->min)
		fail(check, value, "Member must have %s greater than or equal to %" G_GINT64_FORMAT,
		     what, shape->min);
	if (shape->has_max && measure > (double)shape->max)
		fail(check, value, "Member must have %s less than or equal to %" G_GINT64_FORMAT,
		     what, shape->max);
}

static bool is_in_enum(const struct shape *shape, const char *text)
{
	for (size_t i = 0; i < shape->n_enum_values; i++) {
		if (strcmp(shape->enum_values[i], text) == 0)
			return true;
	}
	return false;
}

static void check_text(const struct shape *shape, const json_t *value, struct check *check)
{
	const char *text = json_string_value(value);
	if (shape->regex && !java_pattern_matches(shape->regex, text))
		fail(check, value, "Member must satisfy regular expression pattern: %s",
		     shape->pattern);
	if (shape->enum_values && !is_in_enum(shape, text)) {
		g_autofree char *all = g_strjoinv(", ", (char **)(uintptr_t)shape->enum_values);
		fail(check, value, "Member must satisfy enum value set: [%s]", all);
	}
}

static void check_value(const struct shape *shape, const json_t *value, struct check *check);

static void check_list(const struct shape *shape, const json_t *list, struct check *check)
{
	gsize here = check->path->len;
	size_t i;
	json_t *entry;
	json_array_foreach(list, i, entry)
	{
		g_string_append_printf(check->path, ".%zu.member", i + 1);
		check_value(shape->of, entry, check);
		g_string_truncate(check->path, here);
	}
}

/* AWS tells the constraints that a key misses as a list, at the map's own place. */
static void check_key(const struct shape *shape, const json_t *map, const char *key,
		      struct check *check)
{
	struct check inner = {g_string_new(NULL), g_string_new(NULL), 0};
	json_t *text = json_string(key);
	check_value(shape->key, text, &inner);
	json_decref(text);
	if (inner.n > 0) {
		const char *what = strstr(inner.text->str, "Member must");
		fail(check, map, "Map keys must satisfy constraint: [%s]",
		     what ? what : inner.text->str);
	}
	g_string_free(inner.path, TRUE);
	g_string_free(inner.text, TRUE);
}

static void check_map(const struct shape *shape, const json_t *map, struct check *check)
{
	gsize here = check->path->len;
	const char *key;
	json_t *entry;
	json_object_foreach((json_t *)(uintptr_t)map, key, entry)
	{
		check_key(shape, map, key, check);
		g_string_append_printf(check->path, ".%s.member", key);
		check_value(shape->value, entry, check);
		g_string_truncate(check->path, here);
	}
}

static void check_structure(const struct shape *shape, const json_t *structure, struct check *check)
{
	gsize here = check->path->len;
	size_t known = 0;
	for (size_t i = 0; i < shape->n_members; i++) {
		const struct member *member = &shape->members[i];
		const json_t *value = json_object_get(structure, member->name);
		g_string_append_printf(check->path, "%s%s", here > 0 ? "." : "", member->name);
		known += value != NULL;
		if (value)
			check_value(member->shape, value, check);
		else if (member->is_required)
			fail(check, NULL, "Member must not be null");
		g_string_truncate(check->path, here);
	}
	if (known != json_object_size(structure))
		fail(check, structure, "Member must hold known members only");
}

static void check_value(const struct shape *shape, const json_t *value, struct check *check)
{
	static void (*const nested[])(const struct shape *, const json_t *, struct check *) = {
		[SHAPE_STRING] = check_text,
		[SHAPE_LIST] = check_list,
		[SHAPE_MAP] = check_map,
		[SHAPE_STRUCTURE] = check_structure,
	};
	const struct type_row *row = &type_rows[shape->type];
	json_type type = json_typeof(value);
	if (type == JSON_NULL) {
		fail(check, NULL, "Member must not be null");
	} else if (type != row->types[0] && type != row->types[1]) {
		fail(check, value, "Member must be %s", row->name);
	} else {
		check_bounds(shape, value, check);
		if (nested[shape->type])
			nested[shape->type](shape, value, check);
	}
}

int shape_check(const struct shape *shape, const json_t *value, struct refusal *refusal)
{
	struct check check = {g_string_new(NULL), g_string_new(NULL), 0};
	check_value(shape, value, &check);
	if (check.n > 0)
		refuse(refusal, "InvalidRequestException", "%u validation error%s detected: %s",
		       check.n, check.n > 1 ? "s" : "", check.text->str);
	g_string_free(check.path, TRUE);
	g_string_free(check.text, TRUE);
	return check.n > 0 ? -1 : 0;
}

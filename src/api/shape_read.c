/* From the wire to handlers, and back. */
#include "api/shape.h"

#include "api/timestamp.h"

#include <math.h>
#include <stdlib.h>

#define SERIALIZATION "SerializationException"

static json_t *unreadable(const char *path, const char *expected, struct refusal *refusal)
{
	refuse(refusal, SERIALIZATION, "'%s' must be %s", path, expected);
	return NULL;
}

/* Whole numbers may come as reals ("1e2"): several languages have one number type. */
static bool whole_number(const json_t *value, json_int_t *ret)
{
	if (json_is_integer(value)) {
		*ret = json_integer_value(value);
		return true;
	}
	double real = json_real_value(value);
	if (!json_is_real(value) || real != trunc(real) || fabs(real) >= 0x1p63)
		return false;
	*ret = (json_int_t)real;
	return true;
}

static json_t *read_integer(const json_t *value, const char *path, struct refusal *refusal)
{
	json_int_t n;
	if (!whole_number(value, &n) || n < INT32_MIN || n > INT32_MAX)
		return unreadable(path, "a 32-bit integer", refusal);
	return json_integer(n);
}

static json_t *read_long(const json_t *value, const char *path, struct refusal *refusal)
{
	json_int_t n;
	return whole_number(value, &n) ? json_integer(n)
				       : unreadable(path, "a 64-bit integer", refusal);
}

static json_t *read_double(const json_t *value, const char *path, struct refusal *refusal)
{
	return json_is_number(value) ? json_deep_copy(value)
				     : unreadable(path, "a number", refusal);
}

static json_t *read_boolean(const json_t *value, const char *path, struct refusal *refusal)
{
	return json_is_boolean(value) ? json_boolean(json_is_true(value))
				      : unreadable(path, "true or false", refusal);
}

static json_t *read_string(const json_t *value, const char *path, struct refusal *refusal)
{
	return json_is_string(value) ? json_copy((json_t *)(uintptr_t)value)
				     : unreadable(path, "a string", refusal);
}

static json_t *read_timestamp(const json_t *value, const char *path, struct refusal *refusal)
{
	int64_t ms;
	return timestamp_read(value, &ms) == 0
		       ? json_integer(ms)
		       : unreadable(path, "a time: seconds since the epoch, or ISO 8601 text",
				    refusal);
}

static json_t *read_list(const struct shape *shape, const json_t *value, const char *path,
			 struct refusal *refusal)
{
	if (!json_is_array(value))
		return unreadable(path, "a list", refusal);
	json_t *list = json_array(), *entry;
	size_t i;
	json_array_foreach(value, i, entry)
	{
		json_t *read = json_is_null(entry) ? json_null()
						   : shape_read(shape->of, entry, path, refusal);
		if (!read) {
			json_decref(list);
			return NULL;
		}
		json_array_append_new(list, read);
	}
	return list;
}

static json_t *read_map(const struct shape *shape, const json_t *value, const char *path,
			struct refusal *refusal)
{
	if (!json_is_object(value))
		return unreadable(path, "an object", refusal);
	json_t *map = json_object(), *entry;
	const char *key;
	json_object_foreach((json_t *)(uintptr_t)value, key, entry)
	{
		json_t *read =
			json_is_null(entry) ? NULL : shape_read(shape->value, entry, path, refusal);
		if (!read && !json_is_null(entry)) {
			json_decref(map);
			return NULL;
		}
		if (read)
			json_object_set_new(map, key, read);
	}
	return map;
}

static json_t *read_structure(const struct shape *shape, const json_t *value, const char *path,
			      struct refusal *refusal)
{
	if (!json_is_object(value))
		return unreadable(path, "an object", refusal);
	json_t *structure = json_object();
	for (size_t i = 0; i < shape->n_members; i++) {
		const struct member *member = &shape->members[i];
		json_t *given = json_object_get(value, member->wire);
		if (!given || json_is_null(given))
			continue;
		json_t *read = shape_read(member->shape, given, member->name, refusal);
		if (!read) {
			json_decref(structure);
			return NULL;
		}
		json_object_set_new(structure, member->name, read);
	}
	return structure;
}

typedef json_t *scalar_fn(const json_t *value, const char *path, struct refusal *refusal);
typedef json_t *nested_fn(const struct shape *shape, const json_t *value, const char *path,
			  struct refusal *refusal);

static const struct reader_row {
	scalar_fn *scalar;
	nested_fn *nested;
} readers[] = {
	[SHAPE_STRING] = {read_string,    NULL          },
          [SHAPE_INTEGER] = {read_integer,   NULL          },
	[SHAPE_LONG] = {read_long,      NULL          },
          [SHAPE_DOUBLE] = {read_double,    NULL          },
	[SHAPE_BOOLEAN] = {read_boolean,   NULL          },
          [SHAPE_TIMESTAMP] = {read_timestamp, NULL          },
	[SHAPE_LIST] = {NULL,           read_list     },
          [SHAPE_MAP] = {NULL,           read_map      },
	[SHAPE_STRUCTURE] = {NULL,           read_structure},
};

json_t *shape_read(const struct shape *shape, const json_t *value, const char *path,
		   struct refusal *refusal)
{
	const struct reader_row *reader = &readers[shape->type];
	return reader->scalar ? reader->scalar(value, path, refusal)
			      : reader->nested(shape, value, path, refusal);
}

static json_t *text_to_string(const char *text)
{
	return json_string(text);
}

static json_t *text_to_long(const char *text)
{
	gint64 n;
	return g_ascii_string_to_signed(text, 10, G_MININT64, G_MAXINT64, &n, NULL)
		       ? json_integer(n)
		       : NULL;
}

static json_t *text_to_integer(const char *text)
{
	gint64 n;
	return g_ascii_string_to_signed(text, 10, G_MININT32, G_MAXINT32, &n, NULL)
		       ? json_integer(n)
		       : NULL;
}

static json_t *text_to_boolean(const char *text)
{
	bool is_true = g_ascii_strcasecmp(text, "true") == 0;
	return is_true || g_ascii_strcasecmp(text, "false") == 0 ? json_boolean(is_true) : NULL;
}

static json_t *text_to_timestamp(const char *text)
{
	int64_t ms;
	return timestamp_parse(text, &ms) == 0 ? json_integer(ms) : NULL;
}

json_t *shape_read_text(const struct shape *shape, const char *text)
{
	static json_t *(*const rows[])(const char *) = {
		[SHAPE_STRING] = text_to_string,       [SHAPE_INTEGER] = text_to_integer,
		[SHAPE_LONG] = text_to_long,           [SHAPE_BOOLEAN] = text_to_boolean,
		[SHAPE_TIMESTAMP] = text_to_timestamp, [SHAPE_STRUCTURE] = NULL,
	};
	return rows[shape->type] ? rows[shape->type](text) : NULL;
}

static json_t *write_list(const struct shape *shape, const json_t *value)
{
	json_t *list = json_array(), *entry;
	size_t i;
	json_array_foreach(value, i, entry)
		json_array_append_new(list, shape_write(shape->of, entry));
	return list;
}

static json_t *write_map(const struct shape *shape, const json_t *value)
{
	json_t *map = json_object(), *entry;
	const char *key;
	json_object_foreach((json_t *)(uintptr_t)value, key, entry)
		json_object_set_new(map, key, shape_write(shape->value, entry));
	return map;
}

static json_t *write_structure(const struct shape *shape, const json_t *value)
{
	json_t *structure = json_object();
	for (size_t i = 0; i < shape->n_members; i++) {
		const struct member *member = &shape->members[i];
		json_t *given = json_object_get(value, member->name);
		if (given && !json_is_null(given))
			json_object_set_new(structure, member->wire,
					    shape_write(member->shape, given));
	}
	return structure;
}

static json_t *write_timestamp(const struct shape *shape, const json_t *value)
{
	(void)shape;
	return timestamp_write(json_integer_value(value));
}

json_t *shape_write(const struct shape *shape, const json_t *value)
{
	static json_t *(*const rows[])(const struct shape *, const json_t *) = {
		[SHAPE_TIMESTAMP] = write_timestamp,
		[SHAPE_LIST] = write_list,
		[SHAPE_MAP] = write_map,
		[SHAPE_STRUCTURE] = write_structure,
	};
	return rows[shape->type] ? rows[shape->type](shape, value)
				 : json_incref((json_t *)(uintptr_t)value);
}

/* covers: src/base/json_reader.c
 *
 * The JSON reader against jansson: both accept or both refuse, and what both accept has the same
 * values. Where they differ on purpose stands in `is_disputed`. */
#include "base/json_reader.h"

#include <jansson.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define DEPTH 64

static void expect(bool holds, const char *what)
{
	if (holds)
		return;
	(void)fprintf(stderr, "differs from jansson: %s\n", what);
	abort();
}

static bool same_text(struct view ours, const char *theirs, size_t n)
{
	return ours.n == n && (n == 0 || memcmp(ours.p, theirs, n) == 0);
}

static double number_of(const struct value *v)
{
	return v->kind == VALUE_UINT       ? (double)v->u
	       : v->kind == VALUE_NEGATIVE ? (double)v->i
					   : v->d;
}

static void compare_integer(const struct value *v, json_int_t theirs)
{
	if (theirs < 0)
		expect(v->kind == VALUE_NEGATIVE && v->i == theirs, "negative integer");
	else
		expect(v->kind == VALUE_UINT && v->u == (uint64_t)theirs, "integer");
}

static void compare(struct json *j, const struct value *v, const json_t *theirs);

static void compare_object(struct json *j, const json_t *theirs)
{
	struct view name;
	struct value v;
	size_t n = 0;
	for (; json_member(j, &name); n++) {
		const json_t *member = json_object_getn(theirs, name.p, name.n);
		expect(json_value(j, &v), "member");
		expect(member, "name of a member");
		compare(j, &v, member);
	}
	expect(json_ok(j) && n == json_object_size(theirs), "members");
}

static void compare_array(struct json *j, const json_t *theirs)
{
	struct value v;
	size_t n = 0;
	for (; json_element(j); n++) {
		expect(n < json_array_size(theirs) && json_value(j, &v), "element");
		compare(j, &v, json_array_get(theirs, n));
	}
	expect(json_ok(j) && n == json_array_size(theirs), "elements");
}

static void compare(struct json *j, const struct value *v, const json_t *theirs)
{
	if (v->kind == VALUE_OBJECT && json_is_object(theirs))
		compare_object(j, theirs);
	else if (v->kind == VALUE_ARRAY && json_is_array(theirs))
		compare_array(j, theirs);
	else if (v->kind == VALUE_STRING && json_is_string(theirs))
		expect(same_text(v->s, json_string_value(theirs), json_string_length(theirs)),
		       "string");
	else if (json_is_integer(theirs))
		compare_integer(v, json_integer_value(theirs));
	else if (json_is_real(theirs))
		expect(v->kind <= VALUE_DOUBLE && v->kind >= VALUE_UINT &&
			       number_of(v) == json_real_value(theirs),
		       "number");
	else if (json_is_boolean(theirs))
		expect(v->kind == VALUE_BOOL && v->b == json_is_true(theirs), "boolean");
	else
		expect(v->kind == VALUE_NULL && json_is_null(theirs), "kind of value");
}

static bool walk(struct json *j, const struct value *v)
{
	struct view name;
	struct value inner;
	while (v->kind == VALUE_OBJECT ? json_member(j, &name)
				       : v->kind == VALUE_ARRAY && json_element(j)) {
		if (!json_value(j, &inner) || !walk(j, &inner))
			return false;
	}
	return json_ok(j);
}

/* jansson refuses integers beyond 64 bits and names with a NUL, takes a NUL for the end of a
 * document, and allows 2048 containers; names twice are for the caller to find in ours. */
static bool is_disputed(struct view document, const struct json *j, const json_error_t *error)
{
	enum json_error_code code = json_error_code(error);
	return code == json_error_numeric_overflow || code == json_error_duplicate_key ||
	       code == json_error_null_byte_in_key ||
	       (j->error && strcmp(j->error, "nested too deeply") == 0) ||
	       (document.n && memchr(document.p, '\0', document.n));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json j;
	struct value v;
	json_error_t error = {0};
	uint8_t *scratch = malloc(size + 1);
	if (!scratch)
		abort();
	json_t *theirs =
		json_loadb((const char *)data, size,
			   JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
	json_open(&j, data, size, DEPTH, scratch, size);
	bool is_read = json_value(&j, &v) && walk(&j, &v) && json_done(&j);
	if (!is_disputed((struct view){(const char *)data, size}, &j, &error)) {
		if (is_read != (theirs != NULL))
			(void)fprintf(stderr, "ours: %s, jansson: %s\n",
				      is_read ? "accepted" : j.error,
				      theirs ? "accepted" : error.text);
		expect(is_read == (theirs != NULL), "acceptance");
	}
	if (is_read && theirs) {
		json_open(&j, data, size, DEPTH, scratch, size);
		expect(json_value(&j, &v), "second reading");
		compare(&j, &v, theirs);
	}
	json_decref(theirs);
	free(scratch);
	return 0;
}

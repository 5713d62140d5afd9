#include "policy/facts_write.h"

#include "policy/glob_compile.h"

#include <string.h>

/* Spec section 10.1: prefixed with a backslash; and never put into a pattern. */
#define ESCAPED    ",\"\\+=<>;"
#define NOT_PUT_IN "*$+?#"

static const char *const field_names[POLICY_FIELDS] = {
#define FIELD(id, name) [FIELD_##id] = name,
#include "policy/field.tbl.h"
#undef FIELD
};

static bool is_among(char c, const char *set)
{
	return c != '\0' && strchr(set, c) != NULL;
}

static void add(GByteArray *facts, unsigned kind, struct view name, struct view value)
{
	bytes_u8(facts, (uint8_t)kind);
	bytes_u8(facts, (uint8_t)name.n);
	bytes_u32(facts, (uint32_t)value.n);
	bytes_view(facts, name);
	bytes_view(facts, value);
}

void facts_add_thing_type(GByteArray *facts, struct view name)
{
	if (name.n > 0)
		add(facts, FACT_THING_TYPE, VIEW_LIT(""), name);
}

void facts_add_attribute(GByteArray *facts, struct view name, struct view value)
{
	if (name.n <= UINT8_MAX)
		add(facts, FACT_ATTRIBUTE, name, value);
}

static bool is_raw(struct view value)
{
	size_t chars = 0;
	for (size_t i = 0; i < value.n; i++) {
		if (is_among(value.p[i], NOT_PUT_IN))
			return true;
		chars += ((unsigned char)value.p[i] & 0xc0) != 0x80;
	}
	return chars > FACT_CHARS_MAX;
}

void facts_add_field(GByteArray *facts, enum policy_field field, struct view value)
{
	struct view so_far = {(const char *)facts->data, facts->len};
	struct fact last;
	const uint8_t kind = (uint8_t)(FACT_FIELD + field);
	if (facts_find(so_far, kind, VIEW_LIT(""), FACT_VALUES_MAX - 1, &last))
		return;
	g_autoptr(GString) escaped = g_string_sized_new(value.n);
	for (size_t i = 0; i < value.n; i++) {
		if (is_among(value.p[i], ESCAPED))
			g_string_append_c(escaped, '\\');
		g_string_append_c(escaped, value.p[i]);
	}
	add(facts, is_raw(value) ? kind | FACT_RAW : kind, VIEW_LIT(""),
	    (struct view){escaped->str, MIN(escaped->len, FACT_BYTES_MAX)});
}

bool facts_field_of(const char *name, enum policy_field *ret)
{
	for (unsigned i = 0; i < POLICY_FIELDS; i++) {
		if (g_ascii_strcasecmp(field_names[i], name) != 0)
			continue;
		*ret = (enum policy_field)i;
		return true;
	}
	return false;
}

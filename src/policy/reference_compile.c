#include "policy/reference_compile.h"

#include "policy/facts_write.h"
#include "policy/glob_compile.h"
#include "policy/program.h"

/* The last part of a name, where its key is a family. */
struct row {
	uint8_t key, field, index;
	size_t from, length;
};

typedef bool argument_fn(const char *name, size_t from, struct row *row);

static bool no_argument(const char *name, size_t from, struct row *row)
{
	(void)row;
	return name[from] == '\0';
}

/* "site]" */
static bool attribute_argument(const char *name, size_t from, struct row *row)
{
	size_t n = strlen(name + from);
	if (n < 2 || n - 1 > UINT8_MAX || name[from + n - 1] != ']')
		return false;
	row->from = from;
	row->length = n - 1;
	return true;
}

/* The index behind the last dot: counted from one after the bare name. */
static bool read_index(const char *text, uint8_t *ret)
{
	if (g_ascii_strcasecmp(text, "List") == 0) {
		*ret = PROGRAM_ALL;
		return true;
	}
	if (text[0] < '1' || text[0] >= '0' + FACT_VALUES_MAX || text[1] != '\0')
		return false;
	*ret = (uint8_t)(text[0] - '0');
	return true;
}

/* "Subject.CommonName", "Subject.CommonName.1", "Subject.CommonName.List"; a serial number is but
 * one. */
static bool field_argument(const char *name, size_t from, struct row *row)
{
	enum policy_field field;
	g_autofree char *argument = g_strdup(name + from);
	if (!facts_field_of(argument, &field)) {
		char *dot = strrchr(argument, '.');
		if (!dot || !read_index(dot + 1, &row->index))
			return false;
		*dot = '\0';
		if (!facts_field_of(argument, &field) || field == FIELD_SERIAL_NUMBER)
			return false;
	}
	row->field = (uint8_t)field;
	return true;
}

static bool never_argument(const char *name, size_t from, struct row *row)
{
	(void)name;
	(void)from;
	row->index = 0;
	return true;
}

#define argument_ONE   no_argument
#define argument_ARN   no_argument
#define argument_LIST  no_argument
#define argument_NAMED attribute_argument
#define argument_FIELD field_argument
#define argument_NEVER never_argument

/* The last key takes every name. */
static struct row row_of(const char *name)
{
	static const struct {
		const char *name;
		argument_fn *argument;
	} keys[POLICY_KEYS] = {
#define KEY(id, name, shape, value) [KEY_##id] = {name, argument_##shape},
#include "policy/key.tbl.h"
#undef KEY
	};
	struct row row = {0};
	for (unsigned key = 0; key < POLICY_KEYS; key++) {
		size_t n = strlen(keys[key].name);
		if (g_ascii_strncasecmp(name, keys[key].name, n) != 0 ||
		    !keys[key].argument(name, n, &row))
			continue;
		row.key = (uint8_t)key;
		break;
	}
	return row;
}

static void append_row(GByteArray *out, const struct row *row, const char *name)
{
	size_t n = MIN(strlen(name), UINT16_MAX);
	bytes_u8(out, row->key);
	bytes_u8(out, row->field);
	bytes_u8(out, row->index);
	bytes_u8(out, (uint8_t)row->from);
	bytes_u8(out, (uint8_t)row->length);
	bytes_u16(out, (uint16_t)n);
	bytes_view(out, (struct view){name, n});
}

struct references references_new(void)
{
	return (struct references){
		.names = g_ptr_array_new_with_free_func(g_free),
		.rows = g_byte_array_new(),
	};
}

void references_clear(struct references *references)
{
	g_ptr_array_unref(references->names);
	g_byte_array_unref(references->rows);
}

int reference_add(struct references *references, struct view name, uint8_t *ret, char **ret_why)
{
	g_autofree char *text = g_strndup(name.p, name.n);
	for (guint i = 0; i < references->names->len; i++) {
		*ret = (uint8_t)i;
		if (strcmp(references->names->pdata[i], text) == 0)
			return 0;
	}
	if (references->names->len == PROGRAM_REFERENCES) {
		*ret_why = g_strdup_printf("'%.128s' would be variable or condition key number %d; "
					   "split the policy, at most %d are taken",
					   text, PROGRAM_REFERENCES + 1, PROGRAM_REFERENCES);
		return -1;
	}
	struct row row = row_of(text);
	append_row(references->rows, &row, text);
	*ret = (uint8_t)references->names->len;
	g_ptr_array_add(references->names, g_steal_pointer(&text));
	return 0;
}

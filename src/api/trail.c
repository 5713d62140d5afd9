#include "api/trail.h"

#define TEXT_MAX   256
#define DETAIL_MAX 8192

int trail_add(struct sql_conn *txn, const struct trail_row *row)
{
	return sql_exec(txn, SQL_trail_add,
			SQL_ARGS(sql_text(row->id), sql_int(row->at_ms), sql_text(row->key_id),
				 sql_text(row->address), sql_text(row->operation),
				 sql_text(row->target), sql_text(row->result),
				 sql_text(row->detail)),
			NULL);
}

int trail_each(struct sql_conn *reader, int64_t since_ms, trail_fn *fn, void *ctx)
{
	struct sql_rows *rows;
	int error = sql_query(reader, SQL_trail_since, SQL_ARGS(sql_int(since_ms)), &rows);
	if (error < 0)
		return error;
	while ((error = sql_next(rows)) == 1) {
		const struct trail_row row = {sql_col_text(rows, 0), sql_col_int(rows, 1),
					      sql_col_text(rows, 2), sql_col_text(rows, 3),
					      sql_col_text(rows, 4), sql_col_text(rows, 5),
					      sql_col_text(rows, 6), sql_col_text(rows, 7)};
		if ((error = fn(&row, ctx)) != 0)
			break;
	}
	sql_rows_free(rows);
	return error;
}

int trail_forget(struct sql_conn *txn, int64_t before_ms)
{
	return sql_exec(txn, SQL_trail_forget, SQL_ARGS(sql_int(before_ms)), NULL);
}

static const char *text_of(const json_t *values, const char *member)
{
	return json_string_value(json_object_get(values, member));
}

static bool is_secret(const struct operation *op, const char *path)
{
	return op->secrets && g_strv_contains(op->secrets, path);
}

/* The first text short enough to be a name; among the required members, or for an answer among all.
 */
static const char *first_name(const struct operation *op, const struct shape *structure,
			      const json_t *values)
{
	for (size_t i = 0; i < structure->n_members; i++) {
		const struct member *member = &structure->members[i];
		const char *text = text_of(values, member->name);
		bool counts = structure == &op->output || member->is_required;
		if (text && counts && strlen(text) <= TEXT_MAX && !is_secret(op, member->name))
			return text;
	}
	return "";
}

char *trail_target(const struct operation *op, const json_t *in, const json_t *out)
{
	GString *target = g_string_new(NULL);
	for (size_t i = 0; i < op->input.n_members; i++) {
		const struct member *member = &op->input.members[i];
		const char *text = text_of(in, member->name);
		if (member->place == PLACE_URI && text)
			g_string_append_printf(target, "%s%s", target->len > 0 ? "/" : "", text);
	}
	if (target->len == 0)
		g_string_append(target, first_name(op, &op->input, in));
	if (target->len == 0 && out)
		g_string_append(target, first_name(op, &op->output, out));
	return g_string_free(target, FALSE);
}

static void shorten(json_t *value);

static void shorten_text(json_t *value)
{
	const char *text = json_string_value(value);
	if (g_utf8_strlen(text, -1) <= TEXT_MAX)
		return;
	g_autofree char *start = g_utf8_substring(text, 0, TEXT_MAX);
	g_autofree char *cut = g_strconcat(start, "...", NULL);
	json_string_set(value, cut);
}

static void shorten(json_t *value)
{
	const char *key;
	size_t i;
	json_t *entry;
	if (json_is_string(value))
		shorten_text(value);
	json_array_foreach(value, i, entry) shorten(entry);
	json_object_foreach(value, key, entry) shorten(entry);
}

static void remove_path(json_t *object, const char *path)
{
	g_auto(GStrv) names = g_strsplit(path, ".", 0);
	size_t i = 0;
	for (; names[i] && names[i + 1]; i++)
		object = json_object_get(object, names[i]);
	json_object_del(object, names[i]);
}

static json_t *recorded(const struct operation *op, const json_t *values)
{
	json_t *copy = json_deep_copy(values);
	for (size_t i = 0; op->secrets && op->secrets[i]; i++)
		remove_path(copy, op->secrets[i]);
	shorten(copy);
	return copy;
}

static char *dump(json_t *detail)
{
	char *text = json_dumps(detail, JSON_COMPACT | JSON_SORT_KEYS | JSON_REAL_PRECISION(15));
	size_t n = strlen(text);
	char *out = n <= DETAIL_MAX ? g_strdup(text) : g_strdup_printf("{\"cut\":%zu}", n);
	free(text);
	json_decref(detail);
	return out;
}

char *trail_detail(const struct operation *op, const json_t *in, const json_t *out)
{
	json_t *detail = json_object();
	json_object_set_new(detail, "in", recorded(op, in));
	json_object_set_new(detail, "out", recorded(op, out));
	return dump(detail);
}

char *trail_message(const char *message)
{
	json_t *detail = json_object(), *text = json_string(message);
	shorten(text);
	json_object_set_new(detail, "message", text);
	return dump(detail);
}

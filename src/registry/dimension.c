#include "registry/dimension.h"

#include "registry/rows.h"
#include "registry/rules.h"
#include "store/change.h"

#include <glib.h>
#include <stdlib.h>

static const struct noun noun_dimension = {"Dimension", "dimension"};

void dimension_clear(struct dimension *dimension)
{
	json_decref(dimension->values);
	g_free(dimension->token);
	*dimension = (struct dimension){0};
}

static int take_dimension(struct sql_rows *row, void *ctx)
{
	struct dimension *ret = ctx;
	*ret = (struct dimension){
		.values = json_loads(sql_col_text(row, 0), 0, NULL),
		.token = g_strdup(sql_col_text(row, 1)),
		.created = sql_col_int(row, 2),
		.modified = sql_col_int(row, 3),
	};
	return 0;
}

/* 1 when it is there, 0 when not. */
static int find(struct registry *r, const char *name, struct dimension *ret)
{
	*ret = (struct dimension){0};
	return rows_find(r->db, SQL_dimension_get, SQL_ARGS(sql_text(name)), take_dimension, ret);
}

int dimension_get(struct registry *r, const char *name, struct dimension *ret)
{
	int found = find(r, name, ret);
	if (found == 0)
		return refuse_unknown(r, &noun_dimension, name);
	return found < 0 ? found : 0;
}

/* The brokers count by it. */
static int tell(struct registry *r, const char *name)
{
	return change_add(r->db, CHANGE_DIMENSION, name, NULL);
}

static int add(struct registry *r, const char *name, const json_t *values, const char *token)
{
	int64_t n;
	int err = rows_number(r->db, SQL_dimension_count, SQL_NO_ARGS, &n);
	if (!err)
		err = check_quota(r, FAULT_LIMIT_EXCEEDED, name, "dimensions of the account", n,
				  r->settings->quota_dimensions);
	if (err)
		return err;
	char *text = json_dumps(values, JSON_COMPACT);
	err = sql_exec(
		r->db, SQL_dimension_add,
		SQL_ARGS(sql_text(name), sql_text(text), sql_text(token), sql_int(r->now_ms)),
		NULL);
	free(text);
	return err ? err : tell(r, name);
}

int dimension_create(struct registry *r, const char *name, const json_t *values, const char *token)
{
	struct dimension there;
	int found = find(r, name, &there);
	if (found <= 0)
		return found < 0 ? found : add(r, name, values, token);
	bool is_repetition = g_str_equal(there.token, token) && json_equal(there.values, values);
	dimension_clear(&there);
	return is_repetition
		       ? 0
		       : refuse_exists(r, &noun_dimension, name, "change it with UpdateDimension");
}

int dimension_update(struct registry *r, const char *name, const json_t *values,
		     struct dimension *ret)
{
	int err = dimension_get(r, name, ret);
	if (err)
		return err;
	char *text = json_dumps(values, JSON_COMPACT);
	err = sql_exec(r->db, SQL_dimension_set,
		       SQL_ARGS(sql_text(name), sql_text(text), sql_int(r->now_ms)), NULL);
	free(text);
	dimension_clear(ret);
	if (!err)
		err = tell(r, name);
	return err ? err : dimension_get(r, name, ret);
}

int dimension_delete(struct registry *r, const char *name)
{
	int64_t gone;
	int err = sql_exec(r->db, SQL_dimension_delete, SQL_ARGS(sql_text(name)), &gone);
	return err || gone == 0 ? err : tell(r, name);
}

int dimension_list(struct registry *r, const char *after, int64_t limit, name_fn *fn, void *ctx)
{
	struct rows_names names = {fn, ctx};
	return rows_each(r->db, SQL_dimension_list, SQL_ARGS(sql_text(after), sql_int(limit)),
			 rows_name, &names);
}

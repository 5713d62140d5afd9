#include "registry/rows.h"

int rows_each(struct sql_conn *db, enum sql_statement statement, const struct sql_arg *args,
	      size_t n_args, row_fn *fn, void *ctx)
{
	struct sql_rows *rows = NULL;
	int err = sql_query(db, statement, args, n_args, &rows);
	if (err)
		return err;
	while ((err = sql_next(rows)) == 1) {
		err = fn(rows, ctx);
		if (err)
			break;
	}
	sql_rows_free(rows);
	return err;
}

int rows_find(struct sql_conn *db, enum sql_statement statement, const struct sql_arg *args,
	      size_t n_args, row_fn *fn, void *ctx)
{
	struct sql_rows *rows = NULL;
	int err = sql_query(db, statement, args, n_args, &rows);
	if (err)
		return err;
	int found = sql_next(rows);
	if (found == 1 && fn)
		err = fn(rows, ctx);
	sql_rows_free(rows);
	return err ? err : found;
}

static int take_number(struct sql_rows *row, void *ret)
{
	*(int64_t *)ret = sql_col_int(row, 0);
	return 0;
}

int rows_number(struct sql_conn *db, enum sql_statement statement, const struct sql_arg *args,
		size_t n_args, int64_t *ret)
{
	*ret = 0;
	int found = rows_find(db, statement, args, n_args, take_number, ret);
	return found < 0 ? found : 0;
}

int rows_name(struct sql_rows *row, void *names)
{
	const struct rows_names *n = names;
	return n->fn(sql_col_text(row, 0), n->ctx);
}

int rows_dated_name(struct sql_rows *row, void *names)
{
	const struct rows_dated_names *n = names;
	return n->fn(sql_col_text(row, 0), sql_col_int(row, 1), n->ctx);
}

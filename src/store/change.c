#include "store/change.h"

#include <errno.h>
#include <glib.h>

int change_add(struct sql_conn *txn, enum change_kind kind, const char *key, int64_t *ret_g)
{
	int64_t g = 0;
	int r = sql_query_int(txn, SQL_change_add, SQL_ARGS(sql_int(kind), sql_text(key)), &g);
	if (r < 0)
		return r;
	if (ret_g)
		*ret_g = g;
	return 0;
}

int change_newest(struct sql_conn *conn, int64_t *ret_g)
{
	int r = sql_query_int(conn, SQL_change_newest, SQL_NO_ARGS, ret_g);
	return r < 0 ? r : 0;
}

/* 1 with the first change after g (its key is the caller's), 0 when there is none. */
static int change_next(struct sql_conn *conn, int64_t g, struct change *ret, char **ret_key)
{
	struct sql_rows *rows;
	int r = sql_query(conn, SQL_change_next, SQL_ARGS(sql_int(g)), &rows);
	if (r < 0)
		return r;
	r = sql_next(rows);
	if (r == 1) {
		*ret_key = g_strdup(sql_col_text(rows, 2));
		*ret = (struct change){
			.g = sql_col_int(rows, 0),
			.kind = (enum change_kind)sql_col_int(rows, 1),
			.key = *ret_key,
		};
	}
	sql_rows_free(rows);
	return r;
}

/* One row a query, so that fn runs while no result is open. */
int change_each(struct sql_conn *conn, int64_t after, change_fn *fn, void *ctx)
{
	for (;;) {
		g_autofree char *key = NULL;
		struct change change;
		int r = change_next(conn, after, &change, &key);
		if (r <= 0)
			return r;
		r = fn(&change, ctx);
		if (r != 0)
			return r;
		after = change.g;
	}
}

int change_forget(struct sql_conn *txn, int64_t upto)
{
	return sql_exec(txn, SQL_change_forget, SQL_ARGS(sql_int(upto)), NULL);
}

#include "store/sql_priv.h"

#include "base/check.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

#define MAIN SQL_MAIN
#define LOG  SQL_LOG
#define ANY  SQL_ANY

static const struct sql_statement_row statements[] = {
#define STATEMENT(name, file, params, results, text)                                               \
	[SQL_##name] = {#name, file, params, results, text},
#include "store/statements.tbl.h"
#undef STATEMENT
};

const struct sql_statement_row *sql_statement_row(enum sql_statement statement)
{
	CHECK((size_t)statement < ARRAY_LEN(statements));
	return &statements[statement];
}

size_t sql_statement_count(void)
{
	return ARRAY_LEN(statements);
}

struct sql_arg sql_text(const char *s)
{
	return sql_textn(s, s ? strlen(s) : 0);
}

struct sql_arg sql_textn(const char *s, size_t n)
{
	return (struct sql_arg){.type = s ? 't' : 0, .p = s, .n = n};
}

struct sql_arg sql_blob(const void *p, size_t n)
{
	return (struct sql_arg){.type = 'b', .p = n ? p : "", .n = n};
}

static bool arg_fits(char letter, const struct sql_arg *arg)
{
	if (arg->type == 0)
		return g_ascii_isupper(letter);
	return g_ascii_tolower(letter) == arg->type;
}

/* Checks what our code says, and refuses text that one of the databases would not take. */
static int args_check(struct sql_conn *conn, enum sql_statement statement,
		      const struct sql_arg *args, size_t n_args)
{
	const struct sql_statement_row *row = sql_statement_row(statement);
	CHECK(row->file == SQL_ANY || row->file == conn->file);
	CHECK(strlen(row->params) == n_args);
	for (size_t i = 0; i < n_args; i++) {
		CHECK(arg_fits(row->params[i], &args[i]));
		if (args[i].type == 't' && !g_utf8_validate_len(args[i].p, args[i].n, NULL))
			return -EINVAL;
	}
	return 0;
}

static void error_keep(struct sql_conn *conn, int r)
{
	const char *words =
		r == -EINVAL ? "a text is no UTF-8 or holds a NUL" : conn->driver->error(conn);
	(void)g_strlcpy(conn->error, words, sizeof(conn->error));
	if (conn->in_txn && conn->txn_error == 0)
		conn->txn_error = r;
}

/* Passes a result on. An error is kept, with its words: a rollback makes the driver forget them. */
static int kept(struct sql_conn *conn, int r)
{
	if (r < 0)
		error_keep(conn, r);
	return r;
}

int sql_run(struct sql_conn *conn, const char *text)
{
	g_autofree char *spelled = sql_translate(text, conn->driver->words, conn->driver->n_words);
	return kept(conn, conn->driver->run(conn, spelled));
}

int sql_exec(struct sql_conn *conn, enum sql_statement statement, const struct sql_arg *args,
	     size_t n_args, int64_t *ret_changed)
{
	int r = args_check(conn, statement, args, n_args);
	int64_t changed = 0;
	if (r == 0)
		r = conn->driver->exec(conn, statement, args, n_args, &changed);
	if (r == 0 && ret_changed)
		*ret_changed = changed;
	return kept(conn, r);
}

int sql_query(struct sql_conn *conn, enum sql_statement statement, const struct sql_arg *args,
	      size_t n_args, struct sql_rows **ret_rows)
{
	int r = args_check(conn, statement, args, n_args);
	struct sql_rows *rows = NULL;
	if (r == 0)
		r = conn->driver->query(conn, statement, args, n_args, &rows);
	if (r == 0) {
		rows->conn = conn;
		rows->statement = statement;
		*ret_rows = rows;
	}
	return kept(conn, r);
}

int sql_next(struct sql_rows *rows)
{
	int r = rows->conn->driver->next(rows);
	rows->on_row = r == 1;
	return kept(rows->conn, r);
}

void sql_rows_free(struct sql_rows *rows)
{
	if (rows)
		rows->conn->driver->rows_free(rows);
}

/* False: the column is NULL. */
static bool column_there(struct sql_rows *rows, unsigned column, char type)
{
	const char *results = sql_statement_row(rows->statement)->results;
	CHECK(rows->on_row && column < strlen(results));
	CHECK(g_ascii_tolower(results[column]) == type);
	bool is_null = rows->conn->driver->col_null(rows, column);
	CHECK(!is_null || g_ascii_isupper(results[column]));
	return !is_null;
}

int sql_col_null(struct sql_rows *rows, unsigned column)
{
	CHECK(rows->on_row && column < strlen(sql_statement_row(rows->statement)->results));
	return rows->conn->driver->col_null(rows, column);
}

int64_t sql_col_int(struct sql_rows *rows, unsigned column)
{
	return column_there(rows, column, 'i') ? rows->conn->driver->col_int(rows, column) : 0;
}

double sql_col_real(struct sql_rows *rows, unsigned column)
{
	return column_there(rows, column, 'd') ? rows->conn->driver->col_real(rows, column) : 0;
}

const char *sql_col_text(struct sql_rows *rows, unsigned column)
{
	size_t n;
	return column_there(rows, column, 't') ? rows->conn->driver->col_bytes(rows, column, &n)
					       : "";
}

const void *sql_col_blob(struct sql_rows *rows, unsigned column, size_t *ret_n)
{
	*ret_n = 0;
	return column_there(rows, column, 'b') ? rows->conn->driver->col_bytes(rows, column, ret_n)
					       : "";
}

int sql_query_int(struct sql_conn *conn, enum sql_statement statement, const struct sql_arg *args,
		  size_t n_args, int64_t *ret)
{
	struct sql_rows *rows;
	int r = sql_query(conn, statement, args, n_args, &rows);
	if (r != 0)
		return r;
	r = sql_next(rows);
	if (r == 1)
		*ret = sql_col_int(rows, 0);
	sql_rows_free(rows);
	return r;
}

const char *sql_error(struct sql_conn *conn)
{
	return conn->error;
}

#define TXN_RUNS_MAX 6 /* once, and 5 times again */

static int txn_once(struct sql_conn *conn, enum sql_txn kind, sql_txn_fn *fn, void *ctx)
{
	CHECK(!conn->in_txn);
	int r = kept(conn, conn->driver->begin(conn, kind));
	if (r < 0)
		return r;
	conn->in_txn = true;
	conn->txn_error = 0;
	r = fn(conn, ctx);
	if (conn->txn_error)
		r = conn->txn_error;
	if (r == 0)
		r = kept(conn, conn->driver->commit(conn));
	if (r != 0)
		conn->driver->rollback(conn);
	conn->in_txn = false;
	return r;
}

int sql_txn(struct sql_conn *conn, enum sql_txn kind, sql_txn_fn *fn, void *ctx)
{
	int r = -EAGAIN;
	for (unsigned run = 0; run < TXN_RUNS_MAX && r == -EAGAIN; run++)
		r = txn_once(conn, kind, fn, ctx);
	return r;
}

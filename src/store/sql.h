/* One SQL text for SQLite and PostgreSQL (architecture section 3, design facts section 3).
 *
 * Every statement of the daemon stands once in store/statements.tbl.h:
 *
 *     STATEMENT(thing_get, MAIN, "t", "tib", "select name, version, attributes from thing where
 * name = ?1")
 *
 * name; which file it lives in when embedded (MAIN, LOG, or ANY: a table that each file has); the
 * types of its parameters, a letter each; the types of its result columns; the text, written with
 * ?1 ?2 (the driver turns them into $1 $2 for PostgreSQL). Types: i 64-bit integer, d double, t
 * text (UTF-8 without NUL), b bytes. Upper case: may be NULL (avoid: sort keys are NOT NULL).
 * Arguments and results are checked against these letters: a mismatch is our own fault and a CHECK.
 * What differs between the databases and is to be written so: cast(sum(x) as bigint) and
 * cast(avg(x) as double precision) (else numeric in PostgreSQL); coalesce(max(x), 0); 0 and 1 for
 * truth, never an expression as a column.
 *
 * Functions return 0 (sql_next: 1 for a row, 0 at the end) or a negative errno: -EAGAIN when the
 * transaction must be run again (serialization failure, busy), -ENOSPC when the disk is full,
 * -EINVAL for text that is no UTF-8 or holds a NUL, -EIO for the rest; sql_error tells the driver's
 * words. After an error within a transaction nothing of it will be committed. */
#ifndef STORE_SQL_H
#define STORE_SQL_H

#include "base/compiler.h"

#include <stddef.h>
#include <stdint.h>

enum sql_statement {
#define STATEMENT(name, file, params, results, text) SQL_##name,
#include "store/statements.tbl.h"
#undef STATEMENT
};

struct sql_arg {
	char type; /* i d t b, or 0 for NULL */
	int64_t i;
	double d;
	const void *p;
	size_t n;
};

static inline struct sql_arg sql_int(int64_t v)
{
	return (struct sql_arg){.type = 'i', .i = v};
}

static inline struct sql_arg sql_real(double v)
{
	return (struct sql_arg){.type = 'd', .d = v};
}

/* The text must outlive the call; NULL gives NULL. */
struct sql_arg sql_text(const char *s);
struct sql_arg sql_textn(const char *s, size_t n);
struct sql_arg sql_blob(const void *p, size_t n);

#define SQL_ARGS(...)                                                                              \
	(const struct sql_arg[]){__VA_ARGS__},                                                     \
		sizeof((const struct sql_arg[]){__VA_ARGS__}) / sizeof(struct sql_arg)
#define SQL_NO_ARGS NULL, 0

struct sql_conn; /* one connection; used by one thread at a time */
struct sql_rows; /* the result of a query on it */

/* Runs a statement for its effect. *ret_changed (may be NULL) gets the number of rows it changed.
 */
int sql_exec(struct sql_conn *conn, enum sql_statement statement, const struct sql_arg *args,
	     size_t n_args, int64_t *ret_changed) MUST_USE;

/* Starts a query. On 0 the caller owns *ret_rows and ends it with sql_rows_free, also after an
 * error of sql_next. */
int sql_query(struct sql_conn *conn, enum sql_statement statement, const struct sql_arg *args,
	      size_t n_args, struct sql_rows **ret_rows) MUST_USE;
int sql_next(struct sql_rows *rows) MUST_USE;
void sql_rows_free(struct sql_rows *rows);

/* Columns of the present row, from 0. Pointers live until the next sql_next or sql_rows_free.
 * NULL reads as 0, "" and no bytes; sql_col_null tells. Text is NUL-terminated. */
int sql_col_null(struct sql_rows *rows, unsigned column);
int64_t sql_col_int(struct sql_rows *rows, unsigned column);
double sql_col_real(struct sql_rows *rows, unsigned column);
const char *sql_col_text(struct sql_rows *rows, unsigned column);
const void *sql_col_blob(struct sql_rows *rows, unsigned column, size_t *ret_n);

/* The first column, an integer, of the first row of a query. 1, or 0 when there is no row (*ret
 * stays). */
int sql_query_int(struct sql_conn *conn, enum sql_statement statement, const struct sql_arg *args,
		  size_t n_args, int64_t *ret) MUST_USE;

/* The driver's words about the last error on this connection. */
const char *sql_error(struct sql_conn *conn);

#endif

/* Queries in the forms that the registry asks them: one row, one number, each row. */
#ifndef REGISTRY_ROWS_H
#define REGISTRY_ROWS_H

#include "store/sql.h"

/* Takes what it needs from the present row; non-zero ends the query and is returned. */
typedef int row_fn(struct sql_rows *row, void *ctx);

/* Calls fn for each row. 0 at the end, else what fn returned or a negative errno. */
int rows_each(struct sql_conn *db, enum sql_statement statement, const struct sql_arg *args,
	      size_t n_args, row_fn *fn, void *ctx) MUST_USE;

/* Calls fn (may be NULL) for the first row. 1 when there is one, 0 when not, or a negative errno.
 * fn returns 0. */
int rows_find(struct sql_conn *db, enum sql_statement statement, const struct sql_arg *args,
	      size_t n_args, row_fn *fn, void *ctx) MUST_USE;

/* The first row's first column, a number; 0 when there is no row. */
int rows_number(struct sql_conn *db, enum sql_statement statement, const struct sql_arg *args,
		size_t n_args, int64_t *ret) MUST_USE;

/* For lists of names: the first column of each row goes to a name_fn. */
struct rows_names {
	int (*fn)(const char *name, void *ctx);
	void *ctx;
};
int rows_name(struct sql_rows *row, void *names) MUST_USE;

/* The same with a time in the second column. */
struct rows_dated_names {
	int (*fn)(const char *name, int64_t created, void *ctx);
	void *ctx;
};
int rows_dated_name(struct sql_rows *row, void *names) MUST_USE;

#endif

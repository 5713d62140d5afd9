/* What the store keeps to itself: the two drivers, the text of statements, transactions.
 *
 *     store.c plog.c change.c        know tables
 *     schema.c                       makes them
 *     sql.c                          checks types against the statement table
 *     sql_sqlite.c  sql_pg.c         know a database each; nobody else does */
#ifndef STORE_SQL_PRIV_H
#define STORE_SQL_PRIV_H

#include "base/fault.h"
#include "store/sql.h"

#include <stdbool.h>

/* The files of the embedded store. In PostgreSQL both are the one database. ANY: a table that
 * stands in each. */
enum sql_file { SQL_MAIN, SQL_LOG, SQL_ANY };

enum sql_txn {
	TXN_READ,   /* one view over several queries */
	TXN_WRITE,  /* control plane: serializable */
	TXN_APPEND, /* the log: whoever holds the partition's row is alone */
	TXN_SCHEMA  /* alone in the whole database */
};

struct sql_statement_row {
	const char *name;
	enum sql_file file;
	const char *params, *results; /* a letter each, see sql.h */
	const char *text;
};

const struct sql_statement_row *sql_statement_row(enum sql_statement statement);
size_t sql_statement_count(void);

/* How a database spells what schema.tbl.h writes for both. */
struct sql_word {
	const char *ours, *theirs;
};

/* The text with every whole word of the table replaced, outside of quotes. The caller frees it with
 * g_free. */
char *sql_translate(const char *text, const struct sql_word *words, size_t n_words) MUST_USE;
/* The text with ?1 written $1, outside of quotes. The caller frees it with g_free. */
char *sql_dollars(const char *text) MUST_USE;

struct sql_target {
	const char *location; /* directory or connection string */
	enum sql_file file;
	bool is_read_only;
	bool is_patient; /* a tool beside the daemon: waits long for the daemon's write lock */
};

/* What a directory with files gives to the process that serves it; -1 when there is nothing such.
 */
struct sql_home {
	int lock;    /* holds the right to serve it until closed */
	int reserve; /* the file of reserve_priv.h */
};

/* What every connection and every result begins with; the driver puts its own behind it. */
struct sql_conn {
	const struct sql_driver *driver;
	enum sql_file file;
	bool in_txn;
	int txn_error; /* the first error of a statement in this transaction: it cannot be committed
			*/
	char error[256];       /* the driver's words about the last one */
	struct sql_conn *next; /* in the store's list of idle readers */
};

struct sql_rows {
	struct sql_conn *conn;
	enum sql_statement statement;
	bool on_row;
};

struct sql_driver {
	/* Makes ready what connections need before the first; exclusively for this process unless
	 * it is a tool. NULL: nothing to do. */
	int (*prepare)(const char *location, bool is_tool, struct sql_home *ret,
		       struct fault *fault);
	struct sql_conn *(*open)(const struct sql_target *target, struct fault *fault);
	void (*close)(struct sql_conn *conn);
	const char *(*error)(struct sql_conn *conn);

	/* Runs schema text as it stands, after translation with `words`. */
	int (*run)(struct sql_conn *conn, const char *text);
	const struct sql_word *words;
	size_t n_words;

	int (*begin)(struct sql_conn *conn, enum sql_txn kind);
	int (*commit)(struct sql_conn *conn);
	void (*rollback)(struct sql_conn *conn);

	/* Arguments have been checked. */
	int (*exec)(struct sql_conn *conn, enum sql_statement statement, const struct sql_arg *args,
		    size_t n_args, int64_t *ret_changed);
	int (*query)(struct sql_conn *conn, enum sql_statement statement,
		     const struct sql_arg *args, size_t n_args, struct sql_rows **ret_rows);
	int (*next)(struct sql_rows *rows);
	void (*rows_free)(struct sql_rows *rows);

	/* Columns of the present row. col_bytes gives text (NUL-terminated) and blobs, never NULL.
	 */
	bool (*col_null)(struct sql_rows *rows, unsigned column);
	int64_t (*col_int)(struct sql_rows *rows, unsigned column);
	double (*col_real)(struct sql_rows *rows, unsigned column);
	const char *(*col_bytes)(struct sql_rows *rows, unsigned column, size_t *ret_n);
};

extern const struct sql_driver sql_sqlite;
extern const struct sql_driver sql_pg;

/* Runs schema text, translated for the database. */
int sql_run(struct sql_conn *conn, const char *text) MUST_USE;

/* Runs fn in a transaction, again up to 5 times while the database says -EAGAIN. Commits when fn
 * returns 0 and no statement failed; else rolls back and returns the statement's error, or what fn
 * returned. */
typedef int sql_txn_fn(struct sql_conn *txn, void *ctx);
int sql_txn(struct sql_conn *conn, enum sql_txn kind, sql_txn_fn *fn, void *ctx) MUST_USE;

/* Brings the tables of `file` to this program's schema, in one transaction. */
int schema_upgrade(struct sql_conn *conn, enum sql_file file, struct fault *fault) MUST_USE;

#endif

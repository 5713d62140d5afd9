/* The embedded database: a directory with main.db and log.db.
 *
 * The log is written by one connection, a row an append: of one report when the fleet is quiet, of
 * 120 KB when it is not. Four pages of every append hold little that is new, so that small ones win
 * by far with short rows; with the longest, pages of 16 KiB would save a seventh (measured,
 * tests/bench/bench_append.c). A checkpoint every 8192 pages (32 MiB) shares its fsyncs among
 * hundreds of appends, and a thread beside them does most of it.
 */
#include "store/sql_priv.h"
#include "store/sql_sqlite_priv.h"

#include "base/check.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* Where transactions begin and end: statements of no table, run a few times for every append. */
enum bound { BEGIN_READING, BEGIN_WRITING, COMMIT, BOUNDS };

static const char *const bound_texts[] = {
	[BEGIN_READING] = "begin", [BEGIN_WRITING] = "begin immediate", [COMMIT] = "commit"};

struct sqlite_conn {
	struct sql_conn base;
	sqlite3 *db;
	struct checkpointer *checkpointer; /* of who writes the log */
	sqlite3_stmt *bounds[BOUNDS];      /* prepared when they are first needed */
	sqlite3_stmt **idle;               /* by statement: prepared and in nobody's hands */
};

struct sqlite_rows {
	struct sql_rows base;
	sqlite3_stmt *stmt;
};

struct sqlite_file {
	const char *name;
	const char *setup; /* of the write connection; page size holds when the file is empty */
	int checkpoint_pages;
};

static const struct sqlite_file files[] = {
	[SQL_MAIN] = {"main.db",
		      "pragma page_size=8192; pragma journal_mode=wal; pragma secure_delete=on;",  1000},
	[SQL_LOG] = {"log.db",
		      "pragma page_size=4096; pragma journal_mode=wal; pragma secure_delete=off;", 8192},
};

#define BUSY_MS         1000
#define BUSY_PATIENT_MS 10000

static struct sqlite_conn *own(struct sql_conn *conn)
{
	return (struct sqlite_conn *)conn;
}

int sqlite_error_of(int rc)
{
	switch (rc & 0xff) {
	case SQLITE_OK:
	case SQLITE_DONE:
	case SQLITE_ROW:
		return 0;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EAGAIN;
	case SQLITE_FULL:
		return -ENOSPC;
	default:
		return -EIO;
	}
}

/* Opens a file that it makes with rights of our own, before SQLite makes it with everybody's. */
static int file_open(int dir, const char *location, const char *name, struct fault *fault)
{
	int fd = openat(dir, name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		(void)fault_set(fault, FAULT_INTERNAL_FAILURE, "store %s: cannot make %s: %s",
				location, name, g_strerror(errno));
	return fd;
}

static int home_take(int dir, const char *location, struct sql_home *home, struct fault *fault)
{
	home->lock = file_open(dir, location, "store.lock", fault);
	if (home->lock < 0)
		return -1;
	if (flock(home->lock, LOCK_EX | LOCK_NB) < 0)
		return fault_set(fault, FAULT_INTERNAL_FAILURE,
				 "store %s: cannot take store.lock: %s", location,
				 errno == EWOULDBLOCK
					 ? "another thingward serves this directory; stop it first"
					 : g_strerror(errno));
	home->reserve = file_open(dir, location, "reserve", fault);
	return home->reserve < 0 ? -1 : 0;
}

static int files_make(int dir, const char *location, struct fault *fault)
{
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		int fd = file_open(dir, location, files[i].name, fault);
		if (fd < 0)
			return -1;
		(void)close(fd);
	}
	if (fsync(dir) < 0)
		return fault_set(fault, FAULT_INTERNAL_FAILURE,
				 "store %s: cannot sync the directory: %s", location,
				 g_strerror(errno));
	return 0;
}

/* What was taken before a failure stays in *ret, and is closed with the store. */
static int sqlite_prepare(const char *location, bool is_tool, struct sql_home *ret,
			  struct fault *fault)
{
	if (g_mkdir_with_parents(location, 0700) < 0)
		return fault_set(fault, FAULT_INTERNAL_FAILURE,
				 "store %s: cannot make the directory: %s", location,
				 g_strerror(errno));
	int dir = open(location, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return fault_set(fault, FAULT_INTERNAL_FAILURE,
				 "store %s: cannot open the directory: %s", location,
				 g_strerror(errno));
	int r = is_tool ? 0 : home_take(dir, location, ret, fault);
	if (r == 0)
		r = files_make(dir, location, fault);
	(void)close(dir);
	return r;
}

static int sqlite_run(struct sql_conn *conn, const char *text)
{
	return sqlite_error_of(sqlite3_exec(own(conn)->db, text, NULL, NULL, NULL));
}

static int checkpoint_when_long(void *ctx, sqlite3 *db, const char *name, int pages)
{
	const struct sqlite_conn *c = ctx;
	int moved;
	if (c->checkpointer)
		return checkpointer_committed(c->checkpointer, db, name, pages);
	return pages < files[c->base.file].checkpoint_pages ? SQLITE_OK
							    : checkpoint_run(db, name, &moved);
}

static int configure(struct sql_conn *conn, const struct sql_target *target)
{
	sqlite3 *db = own(conn)->db;
	(void)sqlite3_extended_result_codes(db, 1);
	(void)sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	(void)sqlite3_busy_timeout(db, target->is_patient ? BUSY_PATIENT_MS : BUSY_MS);
	int r = sqlite_run(conn, "pragma trusted_schema=off; pragma synchronous=full;");
	if (r < 0 || target->is_read_only)
		return r;
	(void)sqlite3_wal_hook(db, checkpoint_when_long, own(conn));
	return sqlite_run(conn, files[target->file].setup);
}

static void sqlite_close(struct sql_conn *conn)
{
	struct sqlite_conn *c = own(conn);
	checkpointer_free(c->checkpointer);
	for (size_t i = 0; i < BOUNDS; i++)
		(void)sqlite3_finalize(c->bounds[i]);
	for (size_t i = 0; i < sql_statement_count(); i++)
		(void)sqlite3_finalize(c->idle[i]);
	(void)sqlite3_close_v2(c->db);
	g_free(c->idle);
	g_free(c);
}

static struct sql_conn *sqlite_open(const struct sql_target *target, struct fault *fault)
{
	g_autofree char *path = g_build_filename(target->location, files[target->file].name, NULL);
	struct sqlite_conn *c = g_new0(struct sqlite_conn, 1);
	c->base = (struct sql_conn){.driver = &sql_sqlite, .file = target->file};
	c->idle = g_new0(sqlite3_stmt *, sql_statement_count());
	int flags = SQLITE_OPEN_NOMUTEX |
		    (target->is_read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE);
	int rc = sqlite3_open_v2(path, &c->db, flags, NULL);
	if (rc == SQLITE_OK && configure(&c->base, target) == 0) {
		if (target->file == SQL_LOG && !target->is_read_only)
			c->checkpointer = checkpointer_new(path, files[SQL_LOG].checkpoint_pages);
		return &c->base;
	}
	(void)fault_set(fault, FAULT_INTERNAL_FAILURE, "store %s: %s", path, sqlite3_errmsg(c->db));
	sqlite_close(&c->base);
	return NULL;
}

static const char *sqlite_error(struct sql_conn *conn)
{
	return sqlite3_errmsg(own(conn)->db);
}

static int prepare(const struct sqlite_conn *c, const char *text, sqlite3_stmt **ret)
{
	return sqlite_error_of(
		sqlite3_prepare_v3(c->db, text, -1, SQLITE_PREPARE_PERSISTENT, ret, NULL));
}

static int run_bound(struct sqlite_conn *c, enum bound bound)
{
	int r = c->bounds[bound] ? 0 : prepare(c, bound_texts[bound], &c->bounds[bound]);
	if (r < 0)
		return r;
	r = sqlite_error_of(sqlite3_step(c->bounds[bound]));
	(void)sqlite3_reset(c->bounds[bound]);
	return r;
}

static int sqlite_begin(struct sql_conn *conn, enum sql_txn kind)
{
	return run_bound(own(conn), kind == TXN_READ ? BEGIN_READING : BEGIN_WRITING);
}

static int sqlite_commit(struct sql_conn *conn)
{
	return run_bound(own(conn), COMMIT);
}

/* Some errors end the transaction by themselves. */
static void sqlite_rollback(struct sql_conn *conn)
{
	if (!sqlite3_get_autocommit(own(conn)->db))
		(void)sqlite_run(conn, "rollback");
}

static int stmt_take(struct sqlite_conn *c, enum sql_statement statement, sqlite3_stmt **ret)
{
	*ret = c->idle[statement];
	c->idle[statement] = NULL;
	if (*ret)
		return 0;
	return prepare(c, sql_statement_row(statement)->text, ret);
}

/* A statement may be in use twice at once (a query within its own loop): one of the two is kept. */
static void stmt_give(struct sqlite_conn *c, enum sql_statement statement, sqlite3_stmt *stmt)
{
	(void)sqlite3_reset(stmt);
	(void)sqlite3_clear_bindings(stmt);
	if (c->idle[statement])
		(void)sqlite3_finalize(stmt);
	else
		c->idle[statement] = stmt;
}

static int bind_one(sqlite3_stmt *stmt, int at, const struct sql_arg *arg,
		    sqlite3_destructor_type life)
{
	switch (arg->type) {
	case 'i':
		return sqlite3_bind_int64(stmt, at, arg->i);
	case 'd':
		return sqlite3_bind_double(stmt, at, arg->d);
	case 't':
		return sqlite3_bind_text64(stmt, at, arg->p, arg->n, life, SQLITE_UTF8);
	case 'b':
		return sqlite3_bind_blob64(stmt, at, arg->p, arg->n, life);
	default:
		return sqlite3_bind_null(stmt, at);
	}
}

static int stmt_bind(sqlite3_stmt *stmt, const struct sql_arg *args, size_t n_args,
		     sqlite3_destructor_type life)
{
	CHECK((size_t)sqlite3_bind_parameter_count(stmt) == n_args);
	int rc = SQLITE_OK;
	for (size_t i = 0; i < n_args && rc == SQLITE_OK; i++)
		rc = bind_one(stmt, (int)i + 1, &args[i], life);
	return sqlite_error_of(rc);
}

static int stmt_start(struct sqlite_conn *c, enum sql_statement statement,
		      const struct sql_arg *args, size_t n_args, sqlite3_destructor_type life,
		      sqlite3_stmt **ret)
{
	sqlite3_stmt *stmt;
	int r = stmt_take(c, statement, &stmt);
	if (r < 0)
		return r;
	r = stmt_bind(stmt, args, n_args, life);
	if (r < 0)
		stmt_give(c, statement, stmt);
	else
		*ret = stmt;
	return r;
}

static int sqlite_exec(struct sql_conn *conn, enum sql_statement statement,
		       const struct sql_arg *args, size_t n_args, int64_t *ret_changed)
{
	struct sqlite_conn *c = own(conn);
	sqlite3_stmt *stmt;
	int r = stmt_start(c, statement, args, n_args, SQLITE_STATIC, &stmt);
	if (r < 0)
		return r;
	int rc;
	do {
		rc = sqlite3_step(stmt);
	} while (rc == SQLITE_ROW);
	*ret_changed = sqlite3_changes64(c->db);
	stmt_give(c, statement, stmt);
	return sqlite_error_of(rc);
}

static int sqlite_query(struct sql_conn *conn, enum sql_statement statement,
			const struct sql_arg *args, size_t n_args, struct sql_rows **ret_rows)
{
	struct sqlite_conn *c = own(conn);
	sqlite3_stmt *stmt;
	int r = stmt_start(c, statement, args, n_args, SQLITE_TRANSIENT, &stmt);
	if (r < 0)
		return r;
	CHECK((size_t)sqlite3_column_count(stmt) == strlen(sql_statement_row(statement)->results));
	struct sqlite_rows *rows = g_new0(struct sqlite_rows, 1);
	rows->stmt = stmt;
	*ret_rows = &rows->base;
	return 0;
}

static sqlite3_stmt *stmt_of(struct sql_rows *rows)
{
	return ((struct sqlite_rows *)rows)->stmt;
}

static int sqlite_next(struct sql_rows *rows)
{
	int rc = sqlite3_step(stmt_of(rows));
	return rc == SQLITE_ROW ? 1 : sqlite_error_of(rc);
}

static void sqlite_rows_free(struct sql_rows *rows)
{
	stmt_give(own(rows->conn), rows->statement, stmt_of(rows));
	g_free(rows);
}

static bool sqlite_col_null(struct sql_rows *rows, unsigned column)
{
	return sqlite3_column_type(stmt_of(rows), (int)column) == SQLITE_NULL;
}

static int64_t sqlite_col_int(struct sql_rows *rows, unsigned column)
{
	CHECK(sqlite3_column_type(stmt_of(rows), (int)column) == SQLITE_INTEGER);
	return sqlite3_column_int64(stmt_of(rows), (int)column);
}

static double sqlite_col_real(struct sql_rows *rows, unsigned column)
{
	return sqlite3_column_double(stmt_of(rows), (int)column);
}

static const char *sqlite_col_bytes(struct sql_rows *rows, unsigned column, size_t *ret_n)
{
	sqlite3_stmt *stmt = stmt_of(rows);
	const void *p = sqlite3_column_type(stmt, (int)column) == SQLITE_TEXT
				? (const void *)sqlite3_column_text(stmt, (int)column)
				: sqlite3_column_blob(stmt, (int)column);
	*ret_n = (size_t)sqlite3_column_bytes(stmt, (int)column);
	return p ? p : "";
}

static const struct sql_word words[] = {
	{"INT",    "integer"},
        {"REAL",   "real"   },
        {"TEXT",   "text"   },
	{"BLOB",   "blob"   },
        {"STRICT", "strict" },
};

const struct sql_driver sql_sqlite = {
	.prepare = sqlite_prepare,
	.open = sqlite_open,
	.close = sqlite_close,
	.error = sqlite_error,
	.run = sqlite_run,
	.words = words,
	.n_words = ARRAY_LEN(words),
	.begin = sqlite_begin,
	.commit = sqlite_commit,
	.rollback = sqlite_rollback,
	.exec = sqlite_exec,
	.query = sqlite_query,
	.next = sqlite_next,
	.rows_free = sqlite_rows_free,
	.col_null = sqlite_col_null,
	.col_int = sqlite_col_int,
	.col_real = sqlite_col_real,
	.col_bytes = sqlite_col_bytes,
};

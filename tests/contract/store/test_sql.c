/* One SQL text for two databases: the traps where they differ, and every statement of the table
 * once. */
#include "fixture.h"

#include "store/change.h"
#include "store/sql_priv.h"

#include <errno.h>
#include <string.h>

/* Runs fn in a transaction of the log's or main's kind, and takes it back. */
static void in_main(struct fixture *f, store_write_fn *fn)
{
	assert_int_equal(store_write(f->store, fn, f), 1);
}

static struct sql_arg sample(char letter)
{
	switch (g_ascii_tolower(letter)) {
	case 'i':
		return sql_int(1);
	case 'd':
		return sql_real(1.5);
	case 't':
		return sql_text("x");
	default:
		return sql_blob("x", 1);
	}
}

static int read_all(struct sql_rows *rows, const char *results)
{
	int r;
	while ((r = sql_next(rows)) == 1) {
		for (unsigned i = 0; results[i]; i++)
			(void)sql_col_null(rows, i);
	}
	return r;
}

static void run_statement(struct sql_conn *conn, enum sql_statement statement)
{
	const struct sql_statement_row *row = sql_statement_row(statement);
	struct sql_arg args[64];
	size_t n = strlen(row->params);
	assert_in_range(n, 0, ARRAY_LEN(args));
	for (size_t i = 0; i < n; i++)
		args[i] = sample(row->params[i]);
	struct sql_rows *rows;
	int r = sql_query(conn, statement, args, n, &rows);
	if (r == 0) {
		r = read_all(rows, row->results);
		sql_rows_free(rows);
	}
	if (r != 0)
		fail_msg("statement %s: %s", row->name, sql_error(conn));
}

static struct sql_conn *open_writer(struct fixture *f, enum sql_file file)
{
	bool is_pg = f->kind == BACKEND_PG;
	struct sql_target target = {.location = is_pg ? f->url : f->url + strlen("sqlite:"),
				    .file = file};
	struct sql_conn *conn = (is_pg ? &sql_pg : &sql_sqlite)->open(&target, NULL);
	assert_non_null(conn);
	return conn;
}

static int run_one(struct sql_conn *txn, void *ctx)
{
	const enum sql_statement *statement = ctx;
	run_statement(txn, *statement);
	return 1;
}

static void every_statement_runs(void **state)
{
	struct fixture *f = *state;
	struct sql_conn *conns[] = {open_writer(f, SQL_MAIN), open_writer(f, SQL_LOG)};
	for (size_t i = 0; i < sql_statement_count(); i++) {
		enum sql_statement statement = (enum sql_statement)i;
		enum sql_file file = sql_statement_row(statement)->file;
		struct sql_conn *conn = conns[file == SQL_LOG ? 1 : 0];
		assert_int_equal(sql_txn(conn, TXN_WRITE, run_one, &statement), 1);
	}
	for (size_t i = 0; i < ARRAY_LEN(conns); i++)
		conns[i]->driver->close(conns[i]);
}

/* `?2` used twice and before ?1's second use binds by number, not by first appearance. */
static int parameters_by_number_in(struct sql_conn *txn, void *ctx)
{
	(void)ctx;
	int64_t changed;
	assert_int_equal(sql_exec(txn, SQL_part_offset_move,
				  SQL_ARGS(sql_int(2), sql_int(0), sql_int(0), sql_int(99)),
				  &changed),
			 0);
	assert_int_equal(changed, 1);
	int64_t off;
	assert_int_equal(sql_query_int(txn, SQL_part_offset, SQL_ARGS(sql_int(2)), &off), 1);
	assert_int_equal(off, 99);
	assert_int_equal(sql_query_int(txn, SQL_part_offset, SQL_ARGS(sql_int(1)), &off), 1);
	assert_int_equal(off, 0);
	return 1;
}

static void parameters_go_by_number(void **state)
{
	in_main(*state, parameters_by_number_in);
}

static int add_thing(struct sql_conn *txn, const char *key, size_t n)
{
	struct sql_rows *rows;
	int r = sql_query(txn, SQL_change_add, SQL_ARGS(sql_int(CHANGE_THING), sql_textn(key, n)),
			  &rows);
	if (r < 0)
		return r;
	r = sql_next(rows);
	sql_rows_free(rows);
	return r == 1 ? 0 : r;
}

static int bad_text_in(struct sql_conn *txn, void *ctx)
{
	(void)ctx;
	assert_int_equal(add_thing(txn, "a\0b", 3), -EINVAL);
	return 0;
}

static int bad_utf8_in(struct sql_conn *txn, void *ctx)
{
	(void)ctx;
	assert_int_equal(add_thing(txn, "\xc3(", 2), -EINVAL);
	return 0;
}

static void refuses_nul_and_bad_utf8(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(store_write(f->store, bad_text_in, NULL), -EINVAL);
	assert_int_equal(store_write(f->store, bad_utf8_in, NULL), -EINVAL);
}

/* "Insert and catch" does not work on PostgreSQL; here it works on neither. */
static int insert_and_catch(struct sql_conn *txn, void *ctx)
{
	(void)ctx;
	int r = sql_exec(txn, SQL_part_offset_move,
			 SQL_ARGS(sql_int(1), sql_int(0), sql_int(0), sql_int(7)), NULL);
	assert_int_equal(r, 0);
	assert_int_equal(add_thing(txn, "\xff", 1), -EINVAL);
	return 0;
}

static int look_at_one(struct sql_conn *txn, void *ctx)
{
	(void)ctx;
	int64_t off;
	assert_int_equal(sql_query_int(txn, SQL_part_offset, SQL_ARGS(sql_int(1)), &off), 1);
	assert_int_equal(off, 0);
	return 1;
}

static void an_error_ends_the_transaction(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(store_write(f->store, insert_and_catch, NULL), -EINVAL);
	in_main(f, look_at_one);
}

static int big_numbers_in(struct sql_conn *txn, void *ctx)
{
	(void)ctx;
	int64_t v;
	assert_int_equal(sql_exec(txn, SQL_part_offset_move,
				  SQL_ARGS(sql_int(0), sql_int(0), sql_int(0), sql_int(INT64_MAX)),
				  NULL),
			 0);
	assert_int_equal(sql_query_int(txn, SQL_part_offset, SQL_ARGS(sql_int(0)), &v), 1);
	assert_true(v == INT64_MAX);
	assert_int_equal(
		sql_exec(txn, SQL_part_offset_move,
			 SQL_ARGS(sql_int(0), sql_int(0), sql_int(INT64_MAX), sql_int(INT64_MIN)),
			 NULL),
		0);
	assert_int_equal(sql_query_int(txn, SQL_part_offset, SQL_ARGS(sql_int(0)), &v), 1);
	assert_true(v == INT64_MIN);
	return 1;
}

static void integers_keep_all_bits(void **state)
{
	in_main(*state, big_numbers_in);
}

/* Text sorts by bytes and LIKE-free: upper case before lower, any script after both. */
static const char *const sorted[] = {"",   "A", "Z",        "a",           "a ",
				     "ab", "b", "\xc3\xa4", "\xe4\xb8\xad"};

static int producers_in(struct sql_conn *txn, void *ctx)
{
	(void)ctx;
	for (size_t i = ARRAY_LEN(sorted); i-- > 0;) {
		int r = sql_exec(txn, SQL_producer_set,
				 SQL_ARGS(sql_int(0), sql_text(sorted[i]), sql_int((int64_t)i + 1)),
				 NULL);
		assert_int_equal(r, 0);
	}
	return 0;
}

static char *shell_sql(struct fixture *f, const char *sql)
{
	if (f->kind == BACKEND_PG)
		return pg_sql(f->url, sql);
	g_autofree char *path = g_strconcat(f->url + strlen("sqlite:"), "/log.db", NULL);
	sqlite3 *db;
	sqlite3_stmt *stmt;
	GString *out = g_string_new(NULL);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
	while (sqlite3_step(stmt) == SQLITE_ROW)
		g_string_append_printf(out, "%s\n", (const char *)sqlite3_column_text(stmt, 0));
	sqlite3_finalize(stmt);
	sqlite3_close(db);
	return g_string_free(out, FALSE);
}

static void text_sorts_by_bytes(void **state)
{
	struct fixture *f = *state;
	struct sql_conn *log = open_writer(f, SQL_LOG);
	assert_int_equal(sql_txn(log, TXN_APPEND, producers_in, NULL), 0);
	log->driver->close(log);
	g_autofree char *order = shell_sql(f, "select last_frame from producer order by producer");
	assert_string_equal(order, "1\n2\n3\n4\n5\n6\n7\n8\n9\n");
}

/* A type that the column does not have is refused, not kept as it is. */
static void columns_are_strict(void **state)
{
	struct fixture *f = *state;
	struct sql_conn *log = open_writer(f, SQL_LOG);
	assert_int_equal(sql_run(log, "insert into part values ('abc', '', 0, 0, 0)"), -EIO);
	assert_true(sql_error(log)[0] != '\0');
	log->driver->close(log);
}

static int one_upsert_in(struct sql_conn *txn, void *ctx)
{
	(void)ctx;
	int64_t changed = -1, last;
	for (int64_t frame = 1; frame <= 2; frame++) {
		assert_int_equal(sql_exec(txn, SQL_producer_set,
					  SQL_ARGS(sql_int(0), sql_text("p"), sql_int(frame)),
					  &changed),
				 0);
		assert_int_equal(changed, 1);
	}
	assert_int_equal(
		sql_query_int(txn, SQL_producer_last, SQL_ARGS(sql_int(0), sql_text("p")), &last),
		1);
	assert_int_equal(last, 2);
	assert_int_equal(sql_exec(txn, SQL_part_add, SQL_ARGS(sql_int(0)), &changed), 0);
	assert_int_equal(changed, 0);
	return 1;
}

static void conflicts_are_told_by_rows(void **state)
{
	struct fixture *f = *state;
	struct sql_conn *log = open_writer(f, SQL_LOG);
	assert_int_equal(sql_txn(log, TXN_WRITE, one_upsert_in, NULL), 1);
	log->driver->close(log);
}

static int nested_in(struct sql_conn *txn, void *ctx)
{
	(void)ctx;
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(add_thing(txn, "k", 1), 0);
	struct sql_rows *outer, *inner;
	assert_int_equal(sql_query(txn, SQL_change_next, SQL_ARGS(sql_int(0)), &outer), 0);
	assert_int_equal(sql_next(outer), 1);
	assert_int_equal(sql_query(txn, SQL_change_next, SQL_ARGS(sql_int(1)), &inner), 0);
	assert_int_equal(sql_next(inner), 1);
	assert_int_equal(sql_col_int(outer, 0), 1);
	assert_int_equal(sql_col_int(inner, 0), 2);
	assert_string_equal(sql_col_text(outer, 2), "k");
	assert_int_equal(sql_next(inner), 0);
	sql_rows_free(inner);
	sql_rows_free(outer);
	return 1;
}

static void a_statement_nests_in_itself(void **state)
{
	in_main(*state, nested_in);
}

static int blobs_in(struct sql_conn *txn, void *ctx)
{
	(void)ctx;
	static const uint8_t bytes[] = {0, 255, 0, 1};
	const struct sql_arg bodies[] = {sql_blob(bytes, sizeof(bytes)), sql_blob(NULL, 0)};
	for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
		int64_t seq = (int64_t)i + 1;
		struct sql_rows *rows;
		size_t n;
		assert_int_equal(sql_exec(txn, SQL_log_add,
					  SQL_ARGS(sql_int(0), sql_int(seq), sql_int(0), bodies[i]),
					  NULL),
				 0);
		assert_int_equal(
			sql_query(txn, SQL_log_next, SQL_ARGS(sql_int(0), sql_int(seq)), &rows), 0);
		assert_int_equal(sql_next(rows), 1);
		const void *p = sql_col_blob(rows, 1, &n);
		assert_int_equal(n, bodies[i].n);
		assert_memory_equal(p, bodies[i].p, n);
		assert_false(sql_col_null(rows, 1));
		sql_rows_free(rows);
	}
	return 1;
}

static void bytes_stay_as_they_are(void **state)
{
	struct fixture *f = *state;
	struct sql_conn *log = open_writer(f, SQL_LOG);
	assert_int_equal(sql_txn(log, TXN_APPEND, blobs_in, NULL), 1);
	log->driver->close(log);
}

/* A reader's snapshot that would start to write fails at once in SQLite: readers cannot write at
 * all. */
static void readers_cannot_write(void **state)
{
	struct fixture *f = *state;
	struct sql_conn *reader = store_reader_open(f->store, NULL);
	assert_non_null(reader);
	assert_int_equal(sql_exec(reader, SQL_change_forget, SQL_ARGS(sql_int(1)), NULL), -EIO);
	store_reader_close(reader);
}

static int always_again(struct sql_conn *txn, void *ctx)
{
	unsigned *runs = ctx;
	++*runs;
	return add_thing(txn, "x", 1) < 0 ? -EIO : -EAGAIN;
}

static int again_twice(struct sql_conn *txn, void *ctx)
{
	unsigned *runs = ctx;
	assert_int_equal(add_thing(txn, "x", 1), 0);
	return ++*runs < 3 ? -EAGAIN : 0;
}

static void runs_again_six_times_at_most(void **state)
{
	struct fixture *f = *state;
	unsigned runs = 0;
	assert_int_equal(store_write(f->store, always_again, &runs), -EAGAIN);
	assert_int_equal(runs, 6);
	runs = 0;
	assert_int_equal(store_write(f->store, again_twice, &runs), 0);
	assert_int_equal(runs, 3);
	struct sql_conn *reader = store_reader_open(f->store, NULL);
	int64_t newest;
	assert_int_equal(change_newest(reader, &newest), 0);
	assert_int_equal(newest, 1);
	store_reader_close(reader);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_BOTH(every_statement_runs),        ON_BOTH(parameters_go_by_number),
		ON_BOTH(refuses_nul_and_bad_utf8),    ON_BOTH(an_error_ends_the_transaction),
		ON_BOTH(integers_keep_all_bits),      ON_BOTH(text_sorts_by_bytes),
		ON_BOTH(columns_are_strict),          ON_BOTH(conflicts_are_told_by_rows),
		ON_BOTH(a_statement_nests_in_itself), ON_BOTH(bytes_stay_as_they_are),
		ON_BOTH(readers_cannot_write),        ON_BOTH(runs_again_six_times_at_most),
	};
	return RUN_GROUP(tests);
}

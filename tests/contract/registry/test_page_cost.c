/* A page costs what it shows, wherever the list stands: lists by time of 20,000 rows, their first
 * and a late page, counted in steps of SQLite's machine. */
#include "backend.h"
#include "store/sql_priv.h"
#include "base/compiler.h"
#include "store/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include <glib.h>
#include <sqlite3.h>
#include <string.h>

#define ROWS  20000
#define PAGE  50
#define LATE  100 /* the time of the late page's place; rows have the times 1..ROWS */
#define TWICE 2   /* how much more the late page may cost */

/* The place's arguments are the first integer and text that `place` names; the last argument is the
 * limit. */
static const struct list {
	enum sql_statement statement;
	int place; /* number of the argument that is a time, the next one is an id */
} lists[] = {
	{SQL_violation_event_list,         1},
	{SQL_violation_event_list_thing,   1},
	{SQL_violation_event_list_profile, 1},
	{SQL_violation_list,               1},
	{SQL_audit_task_list,              4},
	{SQL_audit_finding_list_time,      6},
};

#define NUMBERS                                                                                    \
	"with recursive n(i) as (select 1 union all select i + 1 from n where i < " G_STRINGIFY(   \
		ROWS) ") insert "                                                                  \
		      "into "

static const char fill[] =
	"begin;" NUMBERS "violation_event (part, seq, idx, violation, type, thing, profile, "
	"behavior_json, value, criteria, is_suppressed, is_own, at) "
	"select 0, i, 0, 'v' || i, 'in-alarm', 't', 'p', '', '', 0, 0, 1, i from n;" NUMBERS
	"violation (id, thing, profile, behavior, behavior_json, value, criteria, "
	"is_suppressed, is_own, started, last, seq, idx) "
	"select 'v' || i, 't', 'p', 'b', '', '', 0, 0, 1, i, i, i, 0 from n;" NUMBERS
	"audit_task (id, type, scheduled_audit, status, started, ended) "
	"select 'a' || i, 'T', '', 'COMPLETED', i, i from n;" NUMBERS
	"audit_finding (id, task, check_name, found, is_suppressed, identifier, body) "
	"select 'f' || i, 'a', 'C', i, 0, '', '' from n;"
	"commit; analyze";

/* Any thing, profile and so on: '' and -1; spans and suppression from 0; 't' and 'p' where the
 * index asks for one. */
static void bind_all(sqlite3_stmt *stmt, const struct list *l, int64_t at)
{
	const char *params = sql_statement_row(l->statement)->params;
	int n = (int)strlen(params);
	for (int i = 1; i <= n; i++) {
		if (params[i - 1] == 't')
			sqlite3_bind_text(stmt, i, "", -1, SQLITE_STATIC);
		else
			sqlite3_bind_int64(stmt, i, 0);
	}
	if (l->place == 1) { /* of violations */
		sqlite3_bind_text(stmt, 3,
				  l->statement == SQL_violation_event_list_thing ? "t" : "", -1,
				  SQLITE_STATIC);
		sqlite3_bind_text(stmt, 4,
				  l->statement == SQL_violation_event_list_profile ? "p" : "", -1,
				  SQLITE_STATIC);
		sqlite3_bind_int64(stmt, 5, -1);
		sqlite3_bind_int64(stmt, 6, -1);
	}
	sqlite3_bind_int64(stmt, l->place, at);
	sqlite3_bind_int64(stmt, n, PAGE);
}

static int steps_of(sqlite3 *db, const struct list *l, int64_t at)
{
	const struct sql_statement_row *row = sql_statement_row(l->statement);
	sqlite3_stmt *stmt;
	int rows = 0;
	assert_int_equal(sqlite3_prepare_v2(db, row->text, -1, &stmt, NULL), SQLITE_OK);
	bind_all(stmt, l, at);
	while (sqlite3_step(stmt) == SQLITE_ROW)
		rows++;
	if (rows != PAGE)
		fail_msg("%s: %d rows", row->name, rows);
	int steps = sqlite3_stmt_status(stmt, SQLITE_STMTSTATUS_VM_STEP, 0);
	assert_int_equal(sqlite3_finalize(stmt), SQLITE_OK);
	return steps;
}

static void late_pages_cost_no_more(void **state)
{
	(void)state;
	char *dir = test_dir_make();
	g_autofree char *url = g_strconcat("sqlite:", dir, NULL);
	g_autofree char *path = g_build_filename(dir, "main.db", NULL);
	struct store_options options = {.url = url, .partitions = 1};
	struct fault fault;
	struct store *store;
	sqlite3 *db;
	assert_int_equal(store_open(&options, &store, &fault), 0);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	if (sqlite3_exec(db, fill, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s", sqlite3_errmsg(db));
	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		int first = steps_of(db, &lists[i], ROWS + 1);
		int late = steps_of(db, &lists[i], LATE);
		if (late > TWICE * first)
			fail_msg("%s: %d steps at first, %d late",
				 sql_statement_row(lists[i].statement)->name, first, late);
	}
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	store_close(store);
	test_dir_remove(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(late_pages_cost_no_more)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

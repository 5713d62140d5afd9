/* The numbered steps that make the tables. Each file remembers the last step it has taken. */
#include "store/sql_priv.h"

#include <errno.h>
#include <glib.h>

struct schema_row {
	int64_t step;
	enum sql_file file;
	const char *text;
};

#define MAIN SQL_MAIN
#define LOG  SQL_LOG

static const struct schema_row schema[] = {
#define SCHEMA(step, file, text) {step, file, text},
#include "store/schema.tbl.h"
#undef SCHEMA
};

static const char *const file_names[] = {[SQL_MAIN] = "main", [SQL_LOG] = "log"};

struct upgrade {
	enum sql_file file;
	int64_t found;
};

static int64_t schema_newest(void)
{
	int64_t newest = 0;
	for (size_t i = 0; i < ARRAY_LEN(schema); i++)
		newest = MAX(newest, schema[i].step);
	return newest;
}

static int step_run(struct sql_conn *txn, enum sql_file file, int64_t step)
{
	int r = 0;
	for (size_t i = 0; i < ARRAY_LEN(schema) && r == 0; i++) {
		if (schema[i].step == step && schema[i].file == file)
			r = sql_run(txn, schema[i].text);
	}
	return r;
}

static int upgrade(struct sql_conn *txn, void *ctx)
{
	struct upgrade *u = ctx;
	u->found = 0;
	int r = sql_run(txn, "create table if not exists schema_step"
			     " (file TEXT primary key, step INT not null) STRICT");
	if (r == 0)
		r = sql_query_int(txn, SQL_schema_step_get, SQL_ARGS(sql_text(file_names[u->file])),
				  &u->found);
	if (r < 0)
		return r;
	if (u->found > schema_newest())
		return 1;
	r = 0;
	for (int64_t step = u->found + 1; r == 0 && step <= schema_newest(); step++)
		r = step_run(txn, u->file, step);
	if (r == 0)
		r = sql_exec(txn, SQL_schema_step_set,
			     SQL_ARGS(sql_text(file_names[u->file]), sql_int(schema_newest())),
			     NULL);
	return r;
}

int schema_upgrade(struct sql_conn *conn, enum sql_file file, struct fault *fault)
{
	struct upgrade u = {.file = file};
	int r = sql_txn(conn, TXN_SCHEMA, upgrade, &u);
	if (r > 0)
		return fault_set(
			fault, FAULT_INTERNAL_FAILURE,
			"store: the tables of %s are of schema step %lld, this program knows up to "
			"%lld: "
			"start the newer program, or restore a backup from before the upgrade",
			file_names[file], (long long)u.found, (long long)schema_newest());
	if (r < 0)
		return fault_set(fault, FAULT_INTERNAL_FAILURE,
				 "store: cannot make the tables of %s: %s", file_names[file],
				 sql_error(conn));
	return 0;
}

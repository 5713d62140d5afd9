#include "audit/retention.h"

#include "audit/audit.h"
#include "registry/rows.h"

#include <glib.h>

#define SLICE 500 /* findings deleted in one transaction */

struct forgetting {
	int64_t before_ms;
	char task[ID_HEX_SIZE];
	bool is_done;
};

static int take_task(struct sql_rows *row, void *ctx)
{
	struct forgetting *f = ctx;
	(void)g_strlcpy(f->task, sql_col_text(row, 0), sizeof(f->task));
	return 0;
}

static int forget_slice(struct sql_conn *txn, void *ctx)
{
	struct forgetting *f = ctx;
	int64_t n = 0;
	int found = rows_find(txn, SQL_audit_task_oldest, SQL_ARGS(sql_int(f->before_ms)),
			      take_task, f);
	f->is_done = found != 1;
	if (found != 1)
		return found;
	const struct sql_arg task = sql_text(f->task);
	int err = sql_exec(txn, SQL_audit_finding_forget, SQL_ARGS(task, sql_int(SLICE)), &n);
	if (err || n == SLICE)
		return err;
	err = sql_exec(txn, SQL_audit_task_check_forget, SQL_ARGS(task), NULL);
	return err ? err : sql_exec(txn, SQL_audit_task_forget, SQL_ARGS(task), NULL);
}

int retention_apply(struct store *store, int64_t before_ms)
{
	struct forgetting f = {.before_ms = before_ms};
	int err = 0;
	while (!err && !f.is_done)
		err = store_write(store, forget_slice, &f);
	return err;
}

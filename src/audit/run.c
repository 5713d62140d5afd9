/* The worker: runs the tasks that are in progress, one after the other, slice by slice. */
#include "audit/audit.h"

#include "audit/check.h"
#include "audit/finding.h"
#include "audit/retention.h"
#include "base/check.h"
#include "base/log.h"
#include "base/queue.h"
#include "registry/rows.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

#define SLICE    200   /* resources judged between two writes */
#define RETRY_MS 30000 /* after the store failed */

struct audit {
	struct store *store;
	struct clock *clock;
	struct chance chance;
	const struct registry_settings *settings;
	struct sql_conn *reader;
	struct queue *queue;
	pthread_t thread;
	atomic_bool is_stopping;
};

struct task {
	char id[ID_HEX_SIZE];
	int64_t started_ms;
};

/* A check of a task, on its way. */
struct run {
	struct audit *audit;
	const struct task *task;
	char *name;
	char *done_upto;
	const struct audit_check *check;
	int64_t parameter;
};

/* What a slice found, before it is written. */
struct slice {
	const struct run *run;
	struct audit_terms terms;
	GPtrArray *findings; /* of the present resource */
	GArray *rows;        /* struct finding_row */
	GString *last;
	int64_t resources, non_compliant;
	struct fault fault;
};

/* What ends a run before its last slice, beside the database's errors. */
enum { RUN_IS_OVER = 1, RUN_GOES_ON = 0 };

/* ---- A slice ---- */

static int judge_resource(const struct audit_resource *resource, void *ctx)
{
	struct slice *s = ctx;
	const struct run *run = s->run;
	g_ptr_array_set_size(s->findings, 0);
	if (run->check->judge(&s->terms, resource, s->findings, &s->fault) != 0)
		return -EBADMSG;
	for (guint i = 0; i < s->findings->len; i++) {
		struct finding_row row = finding_row_make(s->findings->pdata[i], run->check,
							  run->task->id, run->task->started_ms,
							  s->terms.now_ms, run->audit->chance);
		g_array_append_val(s->rows, row);
	}
	s->resources++;
	s->non_compliant += s->findings->len > 0;
	g_string_assign(s->last, resource->key);
	return 0;
}

static int take_is_running(struct sql_rows *row, void *ctx)
{
	*(bool *)ctx = strcmp(sql_col_text(row, 0), "IN_PROGRESS") == 0;
	return 0;
}

/* RUN_IS_OVER when the task was cancelled meanwhile. */
static int task_goes_on(struct sql_conn *txn, const char *id)
{
	bool is_running = false;
	int found = rows_find(txn, SQL_audit_task_get, SQL_ARGS(sql_text(id)), take_is_running,
			      &is_running);
	if (found < 0)
		return found;
	return is_running ? RUN_GOES_ON : RUN_IS_OVER;
}

static int write_slice(struct sql_conn *txn, void *ctx)
{
	const struct slice *s = ctx;
	const struct run *run = s->run;
	int err = task_goes_on(txn, run->task->id);
	for (guint i = 0; i < s->rows->len && !err; i++)
		err = finding_row_write(txn, &g_array_index(s->rows, struct finding_row, i));
	if (err)
		return err;
	return sql_exec(txn, SQL_audit_task_check_advance,
			SQL_ARGS(sql_text(run->task->id), sql_text(run->name),
				 sql_text(s->last->str), sql_int(s->resources),
				 sql_int(s->non_compliant)),
			NULL);
}

static void clear_row(void *row)
{
	finding_row_clear(row);
}

static void slice_open(struct slice *s, const struct run *run)
{
	struct audit *audit = run->audit;
	*s = (struct slice){
		.run = run,
		.terms = {clock_now_ms(audit->clock), run->parameter, audit->settings},
		.findings = findings_new(),
		.rows = g_array_new(FALSE, FALSE, sizeof(struct finding_row)),
		.last = g_string_new(run->done_upto),
	};
	g_array_set_clear_func(s->rows, clear_row);
}

static void slice_close(struct slice *s)
{
	g_ptr_array_unref(s->findings);
	g_array_unref(s->rows);
	g_string_free(s->last, TRUE);
}

/* ---- The end of a check ---- */

static int write_complete(struct sql_conn *txn, void *ctx)
{
	const struct run *run = ctx;
	return sql_exec(txn, SQL_audit_task_check_complete,
			SQL_ARGS(sql_text(run->task->id), sql_text(run->name)), NULL);
}

struct failure {
	const struct run *run;
	const char *code, *message;
};

static int write_failure(struct sql_conn *txn, void *ctx)
{
	const struct failure *f = ctx;
	return sql_exec(txn, SQL_audit_task_check_fail,
			SQL_ARGS(sql_text(f->run->task->id), sql_text(f->run->name),
				 sql_text(f->code), sql_text(f->message)),
			NULL);
}

static int fail_check(const struct run *run, const char *code, const char *message)
{
	g_autofree char *text = g_utf8_make_valid(message, -1); /* it may have been cut */
	struct failure failure = {run, code, text};
	return store_write(run->audit->store, write_failure, &failure);
}

/* ---- A check ---- */

/* One slice. *ret_is_last: there are no more resources, or the check failed. */
static int run_slice(struct run *run, bool *ret_is_last)
{
	struct slice s;
	slice_open(&s, run);
	int err = run->check->source(run->audit->reader, run->done_upto, SLICE, judge_resource, &s);
	if (err == -EBADMSG) {
		*ret_is_last = true;
		err = fail_check(run, "", s.fault.message);
	} else if (!err) {
		*ret_is_last = s.resources < SLICE;
		err = store_write(run->audit->store, write_slice, &s);
	}
	if (!err) {
		g_free(run->done_upto);
		run->done_upto = g_strdup(s.last->str);
	}
	slice_close(&s);
	return err;
}

static int take_setting(struct sql_rows *row, void *ctx)
{
	struct run *run = ctx;
	if (sql_col_int(row, 0) == 0)
		return 0;
	run->check = audit_check_find(run->name);
	if (!run->check || !run->check->parameter)
		return 0;
	json_t *parameters = json_loads(sql_col_text(row, 1), 0, NULL);
	const char *value = json_string_value(json_object_get(parameters, run->check->parameter));
	run->parameter = value ? g_ascii_strtoll(value, NULL, 10) : run->check->absent;
	json_decref(parameters);
	return 0;
}

static int run_check(struct run *run)
{
	struct audit *audit = run->audit;
	int found = rows_find(audit->reader, SQL_audit_check_get, SQL_ARGS(sql_text(run->name)),
			      take_setting, run);
	if (found < 0)
		return found;
	if (!run->check)
		return fail_check(run, "AUDIT_CHECK_DISABLED",
				  "The check was disabled before its turn came.");
	int err = 0;
	for (bool is_last = false; !err && !is_last;) {
		if (atomic_load(&audit->is_stopping))
			return -ECANCELED;
		err = run_slice(run, &is_last);
	}
	return err ? err : store_write(audit->store, write_complete, run);
}

/* ---- A task ---- */

static int take_next_check(struct sql_rows *row, void *ctx)
{
	struct run *run = ctx;
	run->name = g_strdup(sql_col_text(row, 0));
	run->done_upto = g_strdup(sql_col_text(row, 1));
	return 0;
}

/* Runs the next check that is in progress. RUN_IS_OVER when there is none. */
static int run_next_check(struct audit *audit, const struct task *task)
{
	struct run run = {.audit = audit, .task = task};
	int found = rows_find(audit->reader, SQL_audit_task_check_next,
			      SQL_ARGS(sql_text(task->id)), take_next_check, &run);
	int err = found == 1 ? run_check(&run) : found < 0 ? found : RUN_IS_OVER;
	g_free(run.name);
	g_free(run.done_upto);
	return err;
}

struct ending {
	const struct task *task;
	int64_t now_ms;
};

static int write_end(struct sql_conn *txn, void *ctx)
{
	const struct ending *end = ctx;
	return sql_exec(txn, SQL_audit_task_end,
			SQL_ARGS(sql_text(end->task->id), sql_int(end->now_ms)), NULL);
}

static int run_task(struct audit *audit, const struct task *task)
{
	int64_t kept_ms = audit->settings->audit_retention_days * INT64_C(86400000);
	int err = retention_apply(audit->store, clock_now_ms(audit->clock) - kept_ms);
	while (err == RUN_GOES_ON)
		err = run_next_check(audit, task);
	if (err != RUN_IS_OVER)
		return err;
	struct ending end = {task, clock_now_ms(audit->clock)};
	return store_write(audit->store, write_end, &end);
}

static int take_task(struct sql_rows *row, void *ctx)
{
	struct task *task = ctx;
	(void)g_strlcpy(task->id, sql_col_text(row, 0), sizeof(task->id));
	task->started_ms = sql_col_int(row, 1);
	return 0;
}

/* In a write transaction although it only reads: so it comes behind the writer that woke us. */
static int find_task(struct sql_conn *txn, void *ctx)
{
	return rows_find(txn, SQL_audit_task_next, SQL_NO_ARGS, take_task, ctx);
}

/* 0 when there is nothing left to do, or a negative errno. */
static int run_tasks(struct audit *audit)
{
	int err = 0;
	while (!err && !atomic_load(&audit->is_stopping)) {
		struct task task;
		int found = store_write(audit->store, find_task, &task);
		if (found <= 0)
			return found;
		err = run_task(audit, &task);
	}
	return err;
}

/* ---- The thread ---- */

static void drop_wakes(struct queue *queue)
{
	for (struct queue_item *item = queue_take(queue), *next; item; item = next) {
		next = item->next;
		g_free(item);
	}
}

/* A task stands behind its last slice, wherever the store failed, and goes on from there. */
static void *work(void *ctx)
{
	struct audit *audit = ctx;
	int err = 0;
	while (!atomic_load(&audit->is_stopping)) {
		(void)queue_wait(audit->queue, err ? RETRY_MS : -1);
		drop_wakes(audit->queue);
		err = run_tasks(audit);
		if (err && err != -ECANCELED)
			log_error("audit", "the store failed (%s): tried again in %d s",
				  g_strerror(-err), RETRY_MS / 1000);
	}
	return NULL;
}

void audit_wake(struct audit *audit)
{
	queue_push(audit->queue, g_new0(struct queue_item, 1));
}

static int audit_open(struct audit *audit, struct fault *fault)
{
	audit->reader = store_reader_open(audit->store, fault);
	if (!audit->reader)
		return -1;
	audit->queue = queue_new();
	if (!audit->queue)
		return fault_set(fault, FAULT_INTERNAL_FAILURE, "audit: no queue: %s",
				 g_strerror(errno));
	audit_wake(audit);
	int err = pthread_create(&audit->thread, NULL, work, audit);
	if (err)
		return fault_set(fault, FAULT_INTERNAL_FAILURE, "audit: no thread: %s",
				 g_strerror(err));
	return 0;
}

static void audit_close(struct audit *audit)
{
	if (audit->queue)
		drop_wakes(audit->queue);
	queue_free(audit->queue);
	store_reader_close(audit->reader);
	g_free(audit);
}

struct audit *audit_new(struct store *store, struct clock *clock, struct chance chance,
			const struct registry_settings *settings, struct fault *fault)
{
	struct audit *audit = g_new0(struct audit, 1);
	audit->store = store;
	audit->clock = clock;
	audit->chance = chance;
	audit->settings = settings;
	if (audit_open(audit, fault) == 0)
		return audit;
	audit_close(audit);
	return NULL;
}

void audit_free(struct audit *audit)
{
	if (!audit)
		return;
	atomic_store(&audit->is_stopping, true);
	audit_wake(audit);
	CHECK(pthread_join(audit->thread, NULL) == 0);
	audit_close(audit);
}

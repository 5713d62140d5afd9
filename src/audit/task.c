#include "audit/audit.h"

#include "audit/check.h"
#include "registry/rows.h"

#include <inttypes.h>

#define ON_DEMAND "ON_DEMAND_AUDIT_TASK"

/* ---- Starting ---- */

static int take_enabled(struct sql_rows *row, void *ctx)
{
	*(bool *)ctx = sql_col_int(row, 0) != 0;
	return 0;
}

static int check_enabled(struct registry *r, const char *name)
{
	bool is_enabled = false;
	int found = rows_find(r->db, SQL_audit_check_get, SQL_ARGS(sql_text(name)), take_enabled,
			      &is_enabled);
	if (found < 0 || is_enabled)
		return found < 0 ? found : 0;
	return fault_set(r->fault, FAULT_INVALID_REQUEST,
			 "targetCheckNames: the check '%.128s' is not enabled; enable it with "
			 "UpdateAccountAuditConfiguration first.",
			 name);
}

static int check_running(struct registry *r)
{
	int64_t running, limit = r->settings->quota_on_demand_audits;
	int err = rows_number(r->db, SQL_audit_task_count, SQL_ARGS(sql_text(ON_DEMAND)), &running);
	if (err || running < limit)
		return err;
	return fault_set(r->fault, FAULT_LIMIT_EXCEEDED,
			 "%" PRId64
			 " audits that were started on demand are in progress and %" PRId64
			 " are allowed; wait for one to end or cancel it.",
			 running, limit);
}

static int add_checks(struct registry *r, const char *id, json_t *check_names)
{
	size_t i;
	json_t *name;
	json_array_foreach(check_names, i, name)
	{
		int err = check_enabled(r, json_string_value(name));
		if (!err)
			err = sql_exec(r->db, SQL_audit_task_check_add,
				       SQL_ARGS(sql_text(id), sql_text(json_string_value(name))),
				       NULL);
		if (err)
			return err;
	}
	return 0;
}

int audit_task_start(struct registry *r, json_t *check_names, char ret_id[ID_HEX_SIZE])
{
	if (json_array_size(check_names) == 0)
		return fault_set(
			r->fault, FAULT_INVALID_REQUEST,
			"targetCheckNames: the list is empty; name at least one enabled check.");
	int err = check_running(r);
	if (err)
		return err;
	id_hex(r->chance, ret_id);
	err = sql_exec(r->db, SQL_audit_task_add,
		       SQL_ARGS(sql_text(ret_id), sql_text(ON_DEMAND), sql_int(r->now_ms)), NULL);
	return err ? err : add_checks(r, ret_id, check_names);
}

/* ---- One task ---- */

struct task {
	char *status, *type, *scheduled_audit;
	int64_t started;
};

static int take_task(struct sql_rows *row, void *ctx)
{
	struct task *task = ctx;
	task->status = g_strdup(sql_col_text(row, 0));
	task->type = g_strdup(sql_col_text(row, 1));
	task->scheduled_audit = g_strdup(sql_col_text(row, 2));
	task->started = sql_col_int(row, 3);
	return 0;
}

static void task_clear(struct task *task)
{
	g_free(task->status);
	g_free(task->type);
	g_free(task->scheduled_audit);
}

/* 0 with the task, to task_clear; else *ret is empty. */
static int task_get(struct registry *r, const char *id, struct task *ret)
{
	*ret = (struct task){.started = 0};
	int found = rows_find(r->db, SQL_audit_task_get, SQL_ARGS(sql_text(id)), take_task, ret);
	if (found != 0)
		return found < 0 ? found : 0;
	return fault_set(r->fault, FAULT_RESOURCE_NOT_FOUND, "Audit task %.40s cannot be found.",
			 id);
}

int audit_task_cancel(struct registry *r, const char *id)
{
	struct task task;
	int64_t changed = 0;
	int err = task_get(r, id, &task);
	if (!err)
		err = sql_exec(r->db, SQL_audit_task_cancel,
			       SQL_ARGS(sql_text(id), sql_int(r->now_ms)), &changed);
	if (!err && changed == 0)
		err = fault_set(
			r->fault, FAULT_INVALID_REQUEST,
			"Audit task %.40s is %s; only a task that is IN_PROGRESS can be cancelled.",
			id, task.status);
	if (!err)
		err = sql_exec(r->db, SQL_audit_task_check_cancel, SQL_ARGS(sql_text(id)), NULL);
	task_clear(&task);
	return err;
}

/* Which member of TaskStatistics counts the checks of a status. */
static const struct {
	const char *status, *statistic;
} statuses[] = {
	{"IN_PROGRESS",                 "inProgressChecks"              },
	{"WAITING_FOR_DATA_COLLECTION", "waitingForDataCollectionChecks"},
	{"COMPLETED_COMPLIANT",         "compliantChecks"               },
	{"COMPLETED_NON_COMPLIANT",     "nonCompliantChecks"            },
	{"FAILED",		      "failedChecks"                  },
	{"CANCELED",                    "canceledChecks"                },
};

struct report {
	json_t *statistics, *details;
};

static void add_one(json_t *object, const char *member)
{
	json_int_t n = json_integer_value(json_object_get(object, member));
	json_object_set_new(object, member, json_integer(n + 1));
}

static void set_unless_empty(json_t *object, const char *member, const char *text)
{
	if (*text)
		json_object_set_new(object, member, json_string(text));
}

static int take_check(struct sql_rows *row, void *ctx)
{
	struct report *report = ctx;
	const char *status = sql_col_text(row, 1);
	json_t *details =
		json_pack("{s:s, s:I, s:I, s:I}", "checkRunStatus", status, "totalResourcesCount",
			  (json_int_t)sql_col_int(row, 2), "nonCompliantResourcesCount",
			  (json_int_t)sql_col_int(row, 3), "suppressedNonCompliantResourcesCount",
			  (json_int_t)sql_col_int(row, 4));
	if (g_str_has_prefix(status, "COMPLETED_"))
		json_object_set_new(details, "checkCompliant",
				    json_boolean(strcmp(status, "COMPLETED_COMPLIANT") == 0));
	set_unless_empty(details, "errorCode", sql_col_text(row, 5));
	set_unless_empty(details, "message", sql_col_text(row, 6));
	json_object_set_new(report->details, sql_col_text(row, 0), details);
	add_one(report->statistics, "totalChecks");
	for (size_t i = 0; i < G_N_ELEMENTS(statuses); i++)
		if (strcmp(statuses[i].status, status) == 0)
			add_one(report->statistics, statuses[i].statistic);
	return 0;
}

static int describe_checks(struct registry *r, const char *id, json_t *out)
{
	struct report report = {json_object(), json_object()};
	json_object_set_new(out, "taskStatistics", report.statistics);
	json_object_set_new(out, "auditDetails", report.details);
	json_object_set_new(report.statistics, "totalChecks", json_integer(0));
	for (size_t i = 0; i < G_N_ELEMENTS(statuses); i++)
		json_object_set_new(report.statistics, statuses[i].statistic, json_integer(0));
	return rows_each(r->db, SQL_audit_task_check_list, SQL_ARGS(sql_text(id)), take_check,
			 &report);
}

int audit_task_describe(struct registry *r, const char *id, json_t *out)
{
	struct task task;
	int err = task_get(r, id, &task);
	if (err)
		return err;
	json_object_set_new(out, "taskStatus", json_string(task.status));
	json_object_set_new(out, "taskType", json_string(task.type));
	json_object_set_new(out, "taskStartTime", json_integer(task.started));
	set_unless_empty(out, "scheduledAuditName", task.scheduled_audit);
	task_clear(&task);
	return describe_checks(r, id, out);
}

/* ---- The list ---- */

struct listing {
	audit_item_fn *fn;
	void *ctx;
};

static int take_item(struct sql_rows *row, void *ctx)
{
	struct listing *list = ctx;
	const char *id = sql_col_text(row, 0);
	json_t *item = json_pack("{s:s, s:s, s:s}", "taskId", id, "taskStatus",
				 sql_col_text(row, 1), "taskType", sql_col_text(row, 2));
	return list->fn(item, (struct audit_place){sql_col_int(row, 3), id}, list->ctx);
}

static int check_span(struct registry *r, int64_t from_ms, int64_t to_ms)
{
	int64_t days = r->settings->audit_retention_days;
	if (to_ms <= from_ms)
		return fault_set(r->fault, FAULT_INVALID_REQUEST,
				 "endTime: it must be later than startTime.");
	if (from_ms < r->now_ms - days * INT64_C(86400000))
		return fault_set(r->fault, FAULT_INVALID_REQUEST,
				 "startTime: it lies more than %" G_GINT64_FORMAT
				 " days back, and tasks are kept no "
				 "longer; give a later one.",
				 days);
	return 0;
}

int audit_task_list(struct registry *r, const struct audit_task_filter *filter,
		    struct audit_place after, int64_t limit, audit_item_fn *fn, void *ctx)
{
	if (check_span(r, filter->from_ms, filter->to_ms) != 0)
		return -1;
	struct listing list = {fn, ctx};
	struct audit_place from = audit_place_within(after, filter->to_ms);
	return rows_each(r->db, SQL_audit_task_list,
			 SQL_ARGS(sql_int(filter->from_ms), sql_text(filter->type),
				  sql_text(filter->status), sql_int(from.at), sql_text(from.id),
				  sql_int(limit)),
			 take_item, &list);
}

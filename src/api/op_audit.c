/* Audit: configuration of the account, tasks, findings. */
#include "api/registry_call.h"
#include "audit/audit.h"

#include <glib.h>

/* ---- Account configuration ---- */

int op_UpdateAccountAuditConfiguration(struct api_call *call)
{
	struct registry r = registry_of(call);
	return audit_configuration_update(&r, in_text(call, "roleArn"),
					  in_json(call, "auditNotificationTargetConfigurations"),
					  in_json(call, "auditCheckConfigurations"));
}

int op_DescribeAccountAuditConfiguration(struct api_call *call)
{
	struct registry r = registry_of(call);
	return audit_configuration_describe(&r, call->out);
}

int op_DeleteAccountAuditConfiguration(struct api_call *call)
{
	struct registry r = registry_of(call);
	return audit_configuration_delete(&r);
}

/* ---- Tasks ---- */

int op_StartOnDemandAuditTask(struct api_call *call)
{
	struct registry r = registry_of(call);
	char id[ID_HEX_SIZE];
	int err = audit_task_start(&r, in_json(call, "targetCheckNames"), id);
	if (err)
		return err;
	audit_wake(call->env->audit);
	out_text(call, "taskId", id);
	return 0;
}

int op_CancelAuditTask(struct api_call *call)
{
	struct registry r = registry_of(call);
	return audit_task_cancel(&r, in_text(call, "taskId"));
}

int op_DescribeAuditTask(struct api_call *call)
{
	struct registry r = registry_of(call);
	return audit_task_describe(&r, in_text(call, "taskId"), call->out);
}

/* ---- Lists, the newest first ---- */

static struct audit_place newest_first(const struct page *page)
{
	struct list_place place = place_of(page);
	return (struct audit_place){place.is_start ? INT64_MAX : place.created, place.key};
}

static int add_item(json_t *item, struct audit_place place, void *page)
{
	return list_dated(page, item, place.at, place.id);
}

static const char *text_or_any(const struct api_call *call, const char *member)
{
	const char *text = in_text(call, member);
	return text ? text : "";
}

int op_ListAuditTasks(struct api_call *call)
{
	struct registry r = registry_of(call);
	struct page page = page_of(call);
	const struct audit_task_filter filter = {
		.from_ms = in_int(call, "startTime", 0),
		.to_ms = in_int(call, "endTime", 0),
		.type = text_or_any(call, "taskType"),
		.status = text_or_any(call, "taskStatus"),
	};
	return list_end(&page, audit_task_list(&r, &filter, newest_first(&page), page.limit + 1,
					       add_item, &page));
}

static int check_which_findings(struct api_call *call)
{
	bool has_task = in_text(call, "taskId") != NULL;
	bool has_start = in_json(call, "startTime") != NULL,
	     has_end = in_json(call, "endTime") != NULL;
	if (has_start != has_end || has_task == has_start)
		return fault_set(&call->fault, FAULT_INVALID_REQUEST,
				 "taskId, startTime, endTime: give either taskId, or startTime and "
				 "endTime.");
	if (has_start && in_int(call, "endTime", 0) <= in_int(call, "startTime", 0))
		return fault_set(&call->fault, FAULT_INVALID_REQUEST,
				 "endTime: it must be later than startTime.");
	return 0;
}

int op_ListAuditFindings(struct api_call *call)
{
	if (check_which_findings(call) != 0)
		return -1;
	struct registry r = registry_of(call);
	struct page page = page_of(call);
	const struct audit_finding_filter filter = {
		.task = in_text(call, "taskId"),
		.from_ms = in_int(call, "startTime", 0),
		.to_ms = in_int(call, "endTime", 0),
		.check = text_or_any(call, "checkName"),
		.identifier = in_json(call, "resourceIdentifier"),
		.suppressed_min = in_bool(call, "listSuppressedFindings", 0),
		.suppressed_max = in_bool(call, "listSuppressedFindings", 1),
	};
	return list_end(&page, audit_finding_list(&r, &filter, newest_first(&page), page.limit + 1,
						  add_item, &page));
}

int op_DescribeAuditFinding(struct api_call *call)
{
	struct registry r = registry_of(call);
	json_t *finding;
	int err = audit_finding_get(&r, in_text(call, "findingId"), &finding);
	if (!err)
		out_json(call, "finding", finding);
	return err;
}

/* None of this version's checks relates its findings to other resources, so only the finding's
 * existence is to be told. */
int op_ListRelatedResourcesForAuditFinding(struct api_call *call)
{
	struct registry r = registry_of(call);
	json_t *finding;
	int err = audit_finding_get(&r, in_text(call, "findingId"), &finding);
	if (err)
		return err;
	json_decref(finding);
	struct page page = page_of(call);
	page_end(&page);
	return 0;
}

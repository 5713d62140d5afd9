#include "audit/finding.h"

#include "audit/audit.h"
#include "registry/rows.h"

#include <string.h>

/* ---- Writing ---- */

static json_t *resource_of(const struct finding *finding, const struct audit_check *check)
{
	json_t *resource = json_pack("{s:s, s:{s:O}}", "resourceType", check->resource_type,
				     "resourceIdentifier", check->identifier, finding->identifier);
	if (finding->additional_info)
		json_object_set(resource, "additionalInfo", finding->additional_info);
	return resource;
}

struct finding_row finding_row_make(const struct finding *finding, const struct audit_check *check,
				    const char *task, int64_t started_ms, int64_t now_ms,
				    struct chance chance)
{
	struct finding_row row = {.check = check, .task = task, .found_ms = now_ms};
	id_hex(chance, row.id);
	json_t *resource = resource_of(finding, check);
	row.identifier = json_dumps(json_object_get(resource, "resourceIdentifier"),
				    JSON_COMPACT | JSON_SORT_KEYS);
	json_t *body = json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:s, s:s, s:b, s:o}", "findingId",
				 row.id, "taskId", task, "checkName", check->name, "severity",
				 check->severity, "taskStartTime", (json_int_t)started_ms,
				 "findingTime", (json_int_t)now_ms, "reasonForNonCompliance",
				 finding->reason, "reasonForNonComplianceCode", finding->code,
				 "isSuppressed", 0, "nonCompliantResource", resource);
	row.body = json_dumps(body, JSON_COMPACT | JSON_SORT_KEYS);
	json_decref(body);
	return row;
}

void finding_row_clear(struct finding_row *row)
{
	g_free(row->identifier);
	g_free(row->body);
}

int finding_row_write(struct sql_conn *txn, const struct finding_row *row)
{
	return sql_exec(txn, SQL_audit_finding_add,
			SQL_ARGS(sql_text(row->id), sql_text(row->task), sql_text(row->check->name),
				 sql_int(row->found_ms), sql_int(0), sql_text(row->identifier),
				 sql_text(row->body)),
			NULL);
}

/* ---- Reading ---- */

static int take_body(struct sql_rows *row, void *ctx)
{
	*(json_t **)ctx = json_loads(sql_col_text(row, 0), 0, NULL);
	return 0;
}

int audit_finding_get(struct registry *r, const char *id, json_t **ret)
{
	int found = rows_find(r->db, SQL_audit_finding_get, SQL_ARGS(sql_text(id)), take_body, ret);
	if (found != 0)
		return found < 0 ? found : 0;
	return fault_set(r->fault, FAULT_RESOURCE_NOT_FOUND,
			 "Audit finding %.128s cannot be found.", id);
}

/* The identifier as findings keep it: sorted, and with the hex digits of certificate ids in lower
 * case. */
static char *identifier_text(json_t *identifier)
{
	static const char *const hex[] = {"deviceCertificateId", "caCertificateId"};
	json_t *copy = json_copy(identifier);
	for (size_t i = 0; i < G_N_ELEMENTS(hex); i++) {
		const char *value = json_string_value(json_object_get(copy, hex[i]));
		g_autofree char *lower = value ? g_ascii_strdown(value, -1) : NULL;
		if (lower)
			json_object_set_new(copy, hex[i], json_string(lower));
	}
	char *text = json_dumps(copy, JSON_COMPACT | JSON_SORT_KEYS);
	json_decref(copy);
	return text;
}

struct listing {
	audit_item_fn *fn;
	void *ctx;
};

static int take_item(struct sql_rows *row, void *ctx)
{
	struct listing *list = ctx;
	json_t *item = json_loads(sql_col_text(row, 0), 0, NULL);
	return list->fn(item, (struct audit_place){sql_col_int(row, 2), sql_col_text(row, 1)},
			list->ctx);
}

int audit_finding_list(struct registry *r, const struct audit_finding_filter *filter,
		       struct audit_place after, int64_t limit, audit_item_fn *fn, void *ctx)
{
	g_autofree char *identifier =
		filter->identifier ? identifier_text(filter->identifier) : g_strdup("");
	struct listing list = {fn, ctx};
	if (filter->task)
		return rows_each(r->db, SQL_audit_finding_list_task,
				 SQL_ARGS(sql_text(filter->task), sql_text(filter->check),
					  sql_text(identifier), sql_int(filter->suppressed_min),
					  sql_int(filter->suppressed_max), sql_int(after.at),
					  sql_text(after.id), sql_int(limit)),
				 take_item, &list);
	struct audit_place from = audit_place_within(after, filter->to_ms);
	return rows_each(r->db, SQL_audit_finding_list_time,
			 SQL_ARGS(sql_int(filter->from_ms), sql_text(filter->check),
				  sql_text(identifier), sql_int(filter->suppressed_min),
				  sql_int(filter->suppressed_max), sql_int(from.at),
				  sql_text(from.id), sql_int(limit)),
			 take_item, &list);
}

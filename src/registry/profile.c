#include "registry/profile.h"

#include "detect/config.h"
#include "registry/behavior.h"
#include "registry/group.h"
#include "registry/rows.h"
#include "registry/rules.h"
#include "store/change.h"

#include <errno.h>
#include <inttypes.h>

static const struct noun noun_profile = {"Security profile", "securityprofile"};

/* ---- One profile ---- */

void profile_row_clear(struct profile_row *row)
{
	json_decref(row->members);
	row->members = NULL;
}

static int take_profile(struct sql_rows *row, void *ctx)
{
	struct profile_row *ret = ctx;
	ret->members = json_loads(sql_col_text(row, 0), 0, NULL);
	ret->version = sql_col_int(row, 1);
	ret->created = sql_col_int(row, 2);
	ret->modified = sql_col_int(row, 3);
	return 0;
}

/* 1 when it is there, 0 when not. */
static int profile_find(struct registry *r, const char *name, struct profile_row *ret)
{
	*ret = (struct profile_row){0};
	return rows_find(r->db, SQL_profile_get, SQL_ARGS(sql_text(name)), take_profile, ret);
}

int profile_get(struct registry *r, const char *name, struct profile_row *ret)
{
	int found = profile_find(r, name, ret);
	if (found == 0)
		return refuse_unknown(r, &noun_profile, name);
	return found < 0 ? found : 0;
}

/* ---- What a profile may say ---- */

static int check_behaviors(struct registry *r, const json_t *members)
{
	struct behavior_rules rules = {
		.settings = r->settings,
		.may_export = json_object_get(members, "metricsExportConfig") != NULL};
	json_t *errors = json_array();
	behaviors_check(json_object_get(members, "behaviors"), &rules, errors);
	g_autoptr(GString) text = g_string_new(NULL);
	for (size_t i = 0; i < json_array_size(errors); i++)
		g_string_append_printf(text, "%s%s", i ? "; " : "",
				       json_string_value(json_array_get(errors, i)));
	json_decref(errors);
	return text->len ? fault_set(r->fault, FAULT_INVALID_REQUEST, "%s", text->str) : 0;
}

/* The metric of an entry of either retained list. */
static const char *retained_name(const json_t *entry)
{
	return json_is_string(entry) ? json_string_value(entry)
				     : json_string_value(json_object_get(entry, "metric"));
}

static int check_retained(struct registry *r, const json_t *members, const char *member)
{
	const json_t *list = json_object_get(members, member);
	bool may_export = json_object_get(members, "metricsExportConfig") != NULL;
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *entry = json_array_get(list, i);
		g_autofree char *wrong = retained_metric_check(
			retained_name(entry), json_object_get(entry, "metricDimension"));
		if (!wrong && !may_export && json_is_true(json_object_get(entry, "exportMetric")))
			wrong = g_strdup("exportMetric needs the profile's metricsExportConfig");
		if (wrong)
			return fault_set(r->fault, FAULT_INVALID_REQUEST, "%s: %s.", member, wrong);
	}
	return 0;
}

static const char *const retained_lists[] = {"additionalMetricsToRetain",
					     "additionalMetricsToRetainV2"};

static int check_members(struct registry *r, const json_t *members)
{
	int rc = check_behaviors(r, members);
	for (size_t i = 0; rc == 0 && i < ARRAY_LEN(retained_lists); i++)
		rc = check_retained(r, members, retained_lists[i]);
	return rc;
}

/* ---- Writing ---- */

static int add_metric(struct registry *r, const char *profile, const char *metric)
{
	return sql_exec(r->db, SQL_profile_metric_add,
			SQL_ARGS(sql_text(metric), sql_text(profile)), NULL);
}

static int add_metrics_of(struct registry *r, const char *profile, const json_t *list)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < json_array_size(list); i++)
		rc = add_metric(r, profile, retained_name(json_array_get(list, i)));
	return rc;
}

static int set_metrics(struct registry *r, const char *profile, const json_t *members)
{
	int rc = sql_exec(r->db, SQL_profile_metric_delete, SQL_ARGS(sql_text(profile)), NULL);
	if (rc == 0)
		rc = add_metrics_of(r, profile, json_object_get(members, "behaviors"));
	for (size_t i = 0; rc == 0 && i < ARRAY_LEN(retained_lists); i++)
		rc = add_metrics_of(r, profile, json_object_get(members, retained_lists[i]));
	return rc;
}

static int store(struct registry *r, enum sql_statement statement, const char *name,
		 const json_t *members)
{
	char *text = json_dumps(members, JSON_COMPACT);
	int rc = sql_exec(r->db, statement,
			  SQL_ARGS(sql_text(name), sql_text(text), sql_int(r->now_ms)), NULL);
	free(text);
	return rc == 0 ? set_metrics(r, name, members) : rc;
}

int profile_create(struct registry *r, const char *name, json_t *members)
{
	struct profile_row present;
	int found = profile_find(r, name, &present);
	profile_row_clear(&present);
	if (found != 0)
		return found < 0 ? found : refuse_exists(r, &noun_profile, name, "");
	int rc = check_members(r, members);
	return rc == 0 ? store(r, SQL_profile_add, name, members) : rc;
}

/* The evaluator knows only profiles that have a target. */
static int note_change(struct registry *r, const char *name, int64_t n_targets)
{
	return n_targets > 0 ? change_add(r->db, CHANGE_CONFIG, name, NULL) : 0;
}

static int has_target(struct sql_rows *row, void *ctx)
{
	(void)row;
	*(int64_t *)ctx = 1;
	return 0;
}

static int note_change_if_attached(struct registry *r, const char *name)
{
	int64_t n = 0;
	int rc = rows_find(r->db, SQL_profile_targets,
			   SQL_ARGS(sql_text(name), sql_int(0), sql_int(0), sql_int(1)), has_target,
			   &n);
	return rc < 0 ? rc : note_change(r, name, n);
}

int profile_update(struct registry *r, const char *name, json_t *changes,
		   const char *const *removed, int64_t expected_version, struct profile_row *ret)
{
	int rc = profile_get(r, name, ret);
	if (rc != 0)
		return rc;
	for (; *removed; removed++)
		(void)json_object_del(ret->members, *removed);
	(void)json_object_update(ret->members, changes);
	rc = check_version(r, &noun_profile, name, ret->version, expected_version);
	if (rc == 0)
		rc = check_members(r, ret->members);
	if (rc == 0)
		rc = store(r, SQL_profile_set, name, ret->members);
	if (rc == 0)
		rc = note_change_if_attached(r, name);
	if (rc != 0) {
		profile_row_clear(ret);
		return rc;
	}
	ret->version++;
	ret->modified = r->now_ms;
	return 0;
}

int profile_delete(struct registry *r, const char *name, int64_t expected_version)
{
	struct profile_row present;
	int64_t n_targets = 0;
	int found = profile_find(r, name, &present);
	profile_row_clear(&present);
	if (found <= 0)
		return found;
	int rc = check_version(r, &noun_profile, name, present.version, expected_version);
	if (rc == 0)
		rc = sql_exec(r->db, SQL_profile_target_delete_all, SQL_ARGS(sql_text(name)),
			      &n_targets);
	if (rc == 0)
		rc = sql_exec(r->db, SQL_profile_metric_delete, SQL_ARGS(sql_text(name)), NULL);
	if (rc == 0)
		rc = sql_exec(r->db, SQL_profile_delete, SQL_ARGS(sql_text(name)), NULL);
	return rc == 0 ? note_change(r, name, n_targets) : rc;
}

int profile_list(struct registry *r, const char *metric, const char *after, int64_t limit,
		 name_fn *fn, void *ctx)
{
	struct rows_names names = {fn, ctx};
	if (metric)
		return rows_each(r->db, SQL_profile_list_metric,
				 SQL_ARGS(sql_text(metric), sql_text(after), sql_int(limit)),
				 rows_name, &names);
	return rows_each(r->db, SQL_profile_list, SQL_ARGS(sql_text(after), sql_int(limit)),
			 rows_name, &names);
}

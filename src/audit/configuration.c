#include "audit/audit.h"

#include "audit/check.h"
#include "registry/rows.h"

#include <inttypes.h>

/* One check's settings as the account has them. */
struct setting {
	bool is_enabled;
	json_t *parameters; /* an object, or NULL: never set */
};

static char *json_text(json_t *json)
{
	return json ? json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS) : g_strdup("");
}

/* ---- Reading ---- */

static int take_setting(struct sql_rows *row, void *ctx)
{
	struct setting *setting = ctx;
	setting->is_enabled = sql_col_int(row, 0) != 0;
	setting->parameters = json_loads(sql_col_text(row, 1), 0, NULL);
	return 0;
}

/* A check that was never configured is disabled. */
static int setting_get(struct registry *r, const char *name, struct setting *ret)
{
	*ret = (struct setting){false, NULL};
	int found =
		rows_find(r->db, SQL_audit_check_get, SQL_ARGS(sql_text(name)), take_setting, ret);
	return found < 0 ? found : 0;
}

struct account {
	char *role_arn;
	json_t *targets; /* an object, or NULL */
};

static int take_account(struct sql_rows *row, void *ctx)
{
	struct account *account = ctx;
	account->role_arn = g_strdup(sql_col_text(row, 0));
	account->targets = json_loads(sql_col_text(row, 1), 0, NULL);
	return 0;
}

/* 1 when the account was configured, 0 when not (and *ret is empty), or a negative errno. */
static int account_get(struct registry *r, struct account *ret)
{
	*ret = (struct account){NULL, NULL};
	return rows_find(r->db, SQL_audit_configuration_get, SQL_NO_ARGS, take_account, ret);
}

static void account_clear(struct account *account)
{
	g_free(account->role_arn);
	json_decref(account->targets);
}

static int describe_checks(struct registry *r, json_t *out)
{
	json_t *checks = json_object();
	json_object_set_new(out, "auditCheckConfigurations", checks);
	for (size_t i = 0; i < audit_checks_count; i++) {
		struct setting setting;
		int err = setting_get(r, audit_checks[i].name, &setting);
		if (err)
			return err;
		json_t *check = json_pack("{s:b}", "enabled", setting.is_enabled);
		if (setting.parameters)
			json_object_set_new(check, "configuration", setting.parameters);
		json_object_set_new(checks, audit_checks[i].name, check);
	}
	return 0;
}

int audit_configuration_describe(struct registry *r, json_t *out)
{
	struct account account;
	int found = account_get(r, &account);
	if (found < 0)
		return found;
	if (found)
		json_object_set_new(out, "roleArn", json_string(account.role_arn));
	if (account.targets)
		json_object_set(out, "auditNotificationTargetConfigurations", account.targets);
	account_clear(&account);
	return describe_checks(r, out);
}

/* ---- Changing ---- */

static int refuse_parameter(struct registry *r, const struct audit_check *check, const char *name,
			    const char *why)
{
	if (!check->parameter)
		return fault_set(r->fault, FAULT_INVALID_REQUEST,
				 "auditCheckConfigurations.%s.configuration.%.64s: this check has "
				 "no settings; leave "
				 "configuration out.",
				 check->name, name);
	return fault_set(r->fault, FAULT_INVALID_REQUEST,
			 "auditCheckConfigurations.%s.configuration.%.64s: %s; give %s as a "
			 "decimal number from %" PRId64 " to %" PRId64 " in quotes.",
			 check->name, name, why, check->parameter, check->min, check->max);
}

static int check_parameter(struct registry *r, const struct audit_check *check, const char *name,
			   json_t *value)
{
	if (!check->parameter || strcmp(check->parameter, name) != 0)
		return refuse_parameter(r, check, name, "this check has no such setting");
	guint64 number;
	const char *text = json_string_value(value);
	if (!text || !g_ascii_string_to_unsigned(text, 10, (guint64)check->min, (guint64)check->max,
						 &number, NULL))
		return refuse_parameter(r, check, name, "the value is out of range");
	return 0;
}

static int check_parameters(struct registry *r, const struct audit_check *check, json_t *parameters)
{
	const char *name;
	json_t *value;
	json_object_foreach(parameters, name, value)
	{
		if (check_parameter(r, check, name, value) != 0)
			return -1;
	}
	return 0;
}

/* 0 with the row of the check, when the request may be taken. */
static int check_request(struct registry *r, const char *name, json_t *given,
			 const struct audit_check **ret)
{
	*ret = audit_check_find(name);
	if (!*ret)
		return fault_set(r->fault, FAULT_INVALID_REQUEST,
				 "auditCheckConfigurations: there is no audit check '%.128s'; "
				 "DescribeAccountAuditConfiguration lists them.",
				 name);
	if (json_is_true(json_object_get(given, "enabled")) && !(*ret)->judge)
		return fault_set(r->fault, FAULT_INVALID_REQUEST,
				 "auditCheckConfigurations: %s is not available in this version; "
				 "leave it disabled.",
				 name);
	return check_parameters(r, *ret, json_object_get(given, "configuration"));
}

static int setting_merge(struct registry *r, const char *name, json_t *given)
{
	const struct audit_check *check;
	struct setting setting;
	if (check_request(r, name, given, &check) != 0)
		return -1;
	int err = setting_get(r, name, &setting);
	if (err)
		return err;
	json_t *enabled = json_object_get(given, "enabled"),
	       *parameters = json_object_get(given, "configuration");
	if (enabled)
		setting.is_enabled = json_is_true(enabled);
	if (parameters) {
		json_decref(setting.parameters);
		setting.parameters = json_incref(parameters);
	}
	g_autofree char *text = json_text(setting.parameters);
	json_decref(setting.parameters);
	return sql_exec(r->db, SQL_audit_check_set,
			SQL_ARGS(sql_text(name), sql_int(setting.is_enabled), sql_text(text)),
			NULL);
}

static int merge_checks(struct registry *r, json_t *checks)
{
	const char *name;
	json_t *given;
	json_object_foreach(checks, name, given)
	{
		int err = setting_merge(r, name, given);
		if (err)
			return err;
	}
	return 0;
}

/* A target is merged member by member, as the checks are. */
static void merge_targets(struct account *account, json_t *targets)
{
	const char *type;
	json_t *given;
	if (targets && !account->targets)
		account->targets = json_object();
	json_object_foreach(targets, type, given)
	{
		json_t *target = json_object_get(account->targets, type);
		if (target)
			json_object_update(target, given);
		else
			json_object_set_new(account->targets, type, json_copy(given));
	}
}

static int merge_account(struct registry *r, struct account *account, const char *role_arn,
			 json_t *targets)
{
	if (role_arn) {
		g_free(account->role_arn);
		account->role_arn = g_strdup(role_arn);
	}
	merge_targets(account, targets);
	g_autofree char *text = json_text(account->targets);
	return sql_exec(r->db, SQL_audit_configuration_set,
			SQL_ARGS(sql_text(account->role_arn), sql_text(text)), NULL);
}

/* The first configuration must be one that audits something. */
static int check_first(struct registry *r)
{
	int64_t enabled;
	int err = rows_number(r->db, SQL_audit_check_count_enabled, SQL_NO_ARGS, &enabled);
	if (err || enabled > 0)
		return err;
	return fault_set(r->fault, FAULT_INVALID_REQUEST,
			 "auditCheckConfigurations: the first configuration of an account enables "
			 "at least one check.");
}

int audit_configuration_update(struct registry *r, const char *role_arn, json_t *targets,
			       json_t *checks)
{
	struct account account;
	int found = account_get(r, &account);
	if (found < 0)
		return found;
	int err = 0;
	if (!found && !role_arn)
		err = fault_set(r->fault, FAULT_INVALID_REQUEST,
				"roleArn: the first configuration of an account needs it.");
	if (!err)
		err = merge_checks(r, checks);
	if (!err && !found)
		err = check_first(r);
	if (!err)
		err = merge_account(r, &account, role_arn, targets);
	account_clear(&account);
	return err;
}

int audit_configuration_delete(struct registry *r)
{
	int64_t changed = 0;
	int err = sql_exec(r->db, SQL_audit_configuration_delete, SQL_NO_ARGS, &changed);
	if (!err && changed == 0)
		return fault_set(r->fault, FAULT_RESOURCE_NOT_FOUND,
				 "The account has no audit configuration to delete.");
	return err ? err : sql_exec(r->db, SQL_audit_check_delete_all, SQL_NO_ARGS, NULL);
}

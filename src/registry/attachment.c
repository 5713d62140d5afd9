#include "registry/attachment.h"

#include "registry/arn.h"
#include "registry/certificate.h"
#include "registry/containment.h"
#include "registry/group.h"
#include "registry/iot_policy.h"
#include "registry/place.h"
#include "registry/rows.h"
#include "registry/rules.h"
#include "store/change.h"

#include <glib.h>
#include <stddef.h>

static int check_group(struct registry *r, const char *name)
{
	int64_t num;
	return group_number(r, name, &num);
}

static const struct {
	const char *type;
	int (*check)(struct registry *r, const char *name);
	size_t quota; /* where it stands in struct registry_settings */
	enum change_kind change;
} kinds[] = {
	[TARGET_CERTIFICATE] = {"cert",       certificate_check,
				offsetof(struct registry_settings, quota_policies_per_certificate),
				CHANGE_CERT },
	[TARGET_GROUP] = {"thinggroup", check_group,
				offsetof(struct registry_settings, quota_policies_per_group),
				CHANGE_GROUP},
};

static int refuse_target(struct registry *r, const char *arn, const char *wanted)
{
	bool is_cognito = !g_str_has_prefix(arn, "arn:") && strchr(arn, ':');
	return fault_set(
		r->fault, FAULT_INVALID_REQUEST,
		is_cognito ? "'%s' looks like a Cognito identity; this server has none. Use %s."
			   : "'%s' is no resource that this can be done with. Use %s.",
		arn, wanted);
}

static bool parse_as(struct registry *r, enum target_kind kind, const char *arn, struct target *ret)
{
	const char *name = arn_name(r->settings, kinds[kind].type, arn);
	if (!name || strlen(name) >= sizeof(ret->name))
		return false;
	ret->kind = kind;
	if (kind == TARGET_CERTIFICATE)
		certificate_id(name, ret->name);
	else
		(void)g_strlcpy(ret->name, name, sizeof(ret->name));
	return true;
}

int target_parse(struct registry *r, const char *arn, struct target *ret)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (parse_as(r, (enum target_kind)i, arn, ret))
			return 0;
	return refuse_target(r, arn, "the ARN of a certificate or a thing group of this account");
}

int target_parse_principal(struct registry *r, const char *arn, struct target *ret)
{
	if (parse_as(r, TARGET_CERTIFICATE, arn, ret))
		return 0;
	return refuse_target(r, arn, "the ARN of a certificate of this account");
}

static int64_t quota_of(struct registry *r, enum target_kind kind)
{
	int64_t quota;
	memcpy(&quota, (const char *)r->settings + kinds[kind].quota, sizeof(quota));
	return quota;
}

/* After the insertion, so that attaching again is no question of room. */
static int check_room(struct registry *r, const struct target *target)
{
	int64_t n;
	int err = rows_number(r->db, SQL_attachment_count_target,
			      SQL_ARGS(sql_text(kinds[target->kind].type), sql_text(target->name)),
			      &n);
	return err ? err
		   : check_quota(r, FAULT_LIMIT_EXCEEDED, target->name, "attached policies", n - 1,
				 quota_of(r, target->kind));
}

static int note(struct registry *r, enum contain_kind kind, const char *policy,
		const struct target *target)
{
	g_autofree char *what = g_strconcat(kinds[target->kind].type, "/", target->name, NULL);
	int err = change_add(r->db, kinds[target->kind].change, target->name, NULL);
	return err ? err : containment_begin(r, kind, policy, what);
}

int attachment_add(struct registry *r, const char *policy, const struct target *target)
{
	int64_t added = 0;
	int err = iot_policy_check(r, policy);
	if (!err)
		err = kinds[target->kind].check(r, target->name);
	if (!err)
		err = sql_exec(r->db, SQL_attachment_add,
			       SQL_ARGS(sql_text(kinds[target->kind].type), sql_text(target->name),
					sql_text(policy), sql_int(r->now_ms)),
			       &added);
	if (err || added == 0)
		return err;
	err = check_room(r, target);
	return err ? err : note(r, CONTAIN_POLICY_ATTACHED, policy, target);
}

int attachment_remove(struct registry *r, const char *policy, const struct target *target)
{
	int64_t removed = 0;
	int err = sql_exec(r->db, SQL_attachment_delete,
			   SQL_ARGS(sql_text(kinds[target->kind].type), sql_text(target->name),
				    sql_text(policy)),
			   &removed);
	return err || removed == 0 ? err : note(r, CONTAIN_POLICY_DETACHED, policy, target);
}

int attachment_each_policy(struct registry *r, const struct target *target, bool is_recursive,
			   const char *after, int64_t limit, name_fn *fn, void *ctx)
{
	struct rows_names each = {fn, ctx};
	int err = kinds[target->kind].check(r, target->name);
	if (err)
		return err;
	if (is_recursive && target->kind == TARGET_GROUP)
		return rows_each(r->db, SQL_attachment_policies_above,
				 SQL_ARGS(sql_text(target->name), sql_text(after), sql_int(limit)),
				 rows_name, &each);
	return rows_each(r->db, SQL_attachment_policies,
			 SQL_ARGS(sql_text(kinds[target->kind].type), sql_text(target->name),
				  sql_text(after), sql_int(limit)),
			 rows_name, &each);
}

struct listing {
	target_fn *fn;
	void *ctx;
};

static int give_target(struct sql_rows *row, void *ctx)
{
	const struct listing *listing = ctx;
	return listing->fn(sql_col_text(row, 0), sql_col_text(row, 1), listing->ctx);
}

int attachment_each_target(struct registry *r, const char *policy, const char *after_type,
			   const char *after_name, int64_t limit, target_fn *fn, void *ctx)
{
	struct listing listing = {fn, ctx};
	int err = iot_policy_check(r, policy);
	return err ? err
		   : rows_each(r->db, SQL_attachment_targets,
			       SQL_ARGS(sql_text(policy), sql_text(after_type),
					sql_text(after_name), sql_int(limit)),
			       give_target, &listing);
}

static int each_dated(struct registry *r, enum sql_statement up, enum sql_statement down,
		      const char *key, const struct list_place *place, int64_t limit,
		      struct rows_dated_names *each)
{
	return rows_each(
		r->db, place->is_ascending ? up : down,
		SQL_ARGS(sql_text(key), place_created(place), place_key(place), sql_int(limit)),
		rows_dated_name, each);
}

int attachment_each_policy_dated(struct registry *r, const char *certificate,
				 const struct list_place *place, int64_t limit, dated_name_fn *fn,
				 void *ctx)
{
	struct rows_dated_names each = {fn, ctx};
	int err = certificate_check(r, certificate);
	return err ? err
		   : each_dated(r, SQL_attachment_policies_up, SQL_attachment_policies_down,
				certificate, place, limit, &each);
}

int attachment_each_principal_dated(struct registry *r, const char *policy,
				    const struct list_place *place, int64_t limit,
				    dated_name_fn *fn, void *ctx)
{
	struct rows_dated_names each = {fn, ctx};
	int err = iot_policy_check(r, policy);
	return err ? err
		   : each_dated(r, SQL_attachment_principals_up, SQL_attachment_principals_down,
				policy, place, limit, &each);
}

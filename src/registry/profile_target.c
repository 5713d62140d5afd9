/* Which things a profile is attached to. */
#include "detect/config.h"
#include "registry/arn.h"
#include "registry/group.h"
#include "registry/profile.h"
#include "registry/rows.h"
#include "registry/rules.h"
#include "store/change.h"

#include <string.h>

static const struct {
	int64_t kind;
	const char *name; /* after "all/" */
} all_targets[] = {
	{TARGET_ALL_THINGS,   "things"             },
	{TARGET_REGISTERED,   "registered-things"  },
	{TARGET_UNREGISTERED, "unregistered-things"},
};

static const char *all_name(int64_t kind)
{
	for (size_t i = 0; i < ARRAY_LEN(all_targets); i++)
		if (all_targets[i].kind == kind)
			return all_targets[i].name;
	return "";
}

int profile_target_parse(struct registry *r, const char *arn, struct profile_target *ret)
{
	const char *all = arn_name(r->settings, "all", arn);
	for (size_t i = 0; all && i < ARRAY_LEN(all_targets); i++) {
		if (strcmp(all, all_targets[i].name) == 0) {
			*ret = (struct profile_target){all_targets[i].kind, 0};
			return 0;
		}
	}
	const char *group = arn_name(r->settings, "thinggroup", arn);
	if (!group)
		return fault_set(r->fault, FAULT_INVALID_REQUEST,
				 "securityProfileTargetArn '%s' is no target. Use the ARN of this "
				 "account that ends in :all/things, :all/registered-things, "
				 ":all/unregistered-things or :thinggroup/NAME.",
				 arn);
	*ret = (struct profile_target){TARGET_GROUP_KIND, 0};
	return group_number(r, group, &ret->num);
}

static int check_profile(struct registry *r, const char *name)
{
	struct profile_row row;
	int rc = profile_get(r, name, &row);
	if (rc == 0)
		profile_row_clear(&row);
	return rc;
}

/* The new row is counted as well: one beyond the quota is taken back with the transaction. */
static int check_room(struct registry *r, const char *name, const struct profile_target *target)
{
	int64_t n;
	int rc = rows_number(r->db, SQL_profile_target_count,
			     SQL_ARGS(sql_int(target->kind), sql_int(target->num)), &n);
	return rc != 0 ? rc
		       : check_quota(r, FAULT_LIMIT_EXCEEDED, name,
				     "security profiles attached to one target", n - 1,
				     r->settings->quota_profiles_per_target);
}

int profile_attach(struct registry *r, const char *name, const struct profile_target *target)
{
	int64_t added = 0;
	int rc = check_profile(r, name);
	if (rc == 0)
		rc = sql_exec(r->db, SQL_profile_target_add,
			      SQL_ARGS(sql_text(name), sql_int(target->kind), sql_int(target->num)),
			      &added);
	if (rc != 0 || added == 0)
		return rc;
	rc = check_room(r, name, target);
	return rc == 0 ? change_add(r->db, CHANGE_CONFIG, name, NULL) : rc;
}

int profile_detach(struct registry *r, const char *name, const struct profile_target *target)
{
	int64_t removed = 0;
	int rc = check_profile(r, name);
	if (rc == 0)
		rc = sql_exec(r->db, SQL_profile_target_delete,
			      SQL_ARGS(sql_text(name), sql_int(target->kind), sql_int(target->num)),
			      &removed);
	return rc != 0 || removed == 0 ? rc : change_add(r->db, CHANGE_CONFIG, name, NULL);
}

/* ---- Lists ---- */

struct mappings {
	const char *profile; /* of all rows, or NULL: in the first column */
	profile_mapping_fn *fn;
	void *ctx;
};

static int take_mapping(struct sql_rows *row, void *ctx)
{
	const struct mappings *m = ctx;
	unsigned at = m->profile ? 0 : 1;
	struct profile_mapping mapping = {
		.profile = m->profile ? m->profile : sql_col_text(row, 0),
		.target = {sql_col_int(row, at), sql_col_int(row, at + 1)},
		.arn_type = "all",
	};
	mapping.arn_name = all_name(mapping.target.kind);
	if (mapping.target.kind == TARGET_GROUP_KIND) {
		mapping.arn_type = "thinggroup";
		mapping.arn_name = sql_col_text(row, at + 2);
	}
	return m->fn(&mapping, m->ctx);
}

int profile_each_target(struct registry *r, const char *name, const struct profile_target *after,
			int64_t limit, profile_mapping_fn *fn, void *ctx)
{
	struct mappings mappings = {name, fn, ctx};
	int rc = check_profile(r, name);
	if (rc != 0)
		return rc;
	return rows_each(
		r->db, SQL_profile_targets,
		SQL_ARGS(sql_text(name), sql_int(after->kind), sql_int(after->num), sql_int(limit)),
		take_mapping, &mappings);
}

int profile_each_for_target(struct registry *r, const struct profile_target *target,
			    bool is_recursive, const char *after_profile, int64_t after_num,
			    int64_t limit, profile_mapping_fn *fn, void *ctx)
{
	struct mappings mappings = {NULL, fn, ctx};
	if (is_recursive && target->kind == TARGET_GROUP_KIND)
		return rows_each(r->db, SQL_profile_for_group_chain,
				 SQL_ARGS(sql_int(target->num), sql_text(after_profile),
					  sql_int(after_num), sql_int(limit)),
				 take_mapping, &mappings);
	return rows_each(r->db, SQL_profile_for_target,
			 SQL_ARGS(sql_int(target->kind), sql_int(target->num),
				  sql_text(after_profile), sql_int(limit)),
			 take_mapping, &mappings);
}

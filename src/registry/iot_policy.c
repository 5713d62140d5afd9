#include "registry/iot_policy.h"

#include "policy/policy.h"
#include "registry/containment.h"
#include "registry/place.h"
#include "registry/rows.h"
#include "registry/rules.h"
#include "store/change.h"

#include <glib.h>
#include <inttypes.h>

void iot_policy_clear(struct iot_policy *policy)
{
	g_free(policy->generation_id);
	*policy = (struct iot_policy){0};
}

void iot_policy_version_clear(struct iot_policy_version *version)
{
	g_free(version->document);
	*version = (struct iot_policy_version){0};
}

static int take_policy(struct sql_rows *row, void *ctx)
{
	struct iot_policy *policy = ctx;
	*policy = (struct iot_policy){
		.default_version = sql_col_int(row, 0),
		.newest_version = sql_col_int(row, 1),
		.created = sql_col_int(row, 2),
		.modified = sql_col_int(row, 3),
		.generation_id = g_strdup(sql_col_text(row, 4)),
	};
	return 0;
}

int iot_policy_get(struct registry *r, const char *name, struct iot_policy *ret)
{
	int found = rows_find(r->db, SQL_policy_get, SQL_ARGS(sql_text(name)),
			      ret ? take_policy : NULL, ret);
	if (found < 0)
		return found;
	return found ? 0 : refuse_unknown(r, &noun_policy, name);
}

int iot_policy_check(struct registry *r, const char *name)
{
	return iot_policy_get(r, name, NULL);
}

/* Compiles the document and stores it as a version. */
static int add_version(struct registry *r, const char *name, int64_t version, const char *document,
		       const struct policy_program *program)
{
	return sql_exec(r->db, SQL_policy_version_add,
			SQL_ARGS(sql_text(name), sql_int(version), sql_text(document),
				 sql_blob(program->bytes, program->n), sql_int(r->now_ms)),
			NULL);
}

static int compile(struct registry *r, const char *document, struct policy_program *ret)
{
	return policy_compile(view_of(document), (size_t)r->settings->quota_policy_chars, ret,
			      r->fault);
}

static int check_new(struct registry *r, const char *name)
{
	int found = rows_find(r->db, SQL_policy_get, SQL_ARGS(sql_text(name)), NULL, NULL);
	if (found < 0)
		return found;
	return found ? refuse_exists(r, &noun_policy, name, "") : 0;
}

static int add(struct registry *r, const char *name)
{
	char generation[ID_UUID_SIZE];
	id_uuid(r->chance, generation);
	int err =
		sql_exec(r->db, SQL_policy_add,
			 SQL_ARGS(sql_text(name), sql_int(r->now_ms), sql_text(generation)), NULL);
	return err ? err : change_add(r->db, CHANGE_POLICY, name, NULL);
}

int iot_policy_create(struct registry *r, const char *name, const char *document)
{
	struct policy_program program = {0};
	int err = compile(r, document, &program);
	if (err)
		return err;
	err = check_new(r, name);
	if (!err)
		err = add(r, name);
	if (!err)
		err = add_version(r, name, 1, document, &program);
	policy_program_clear(&program);
	return err;
}

static int check_deletable(struct registry *r, const char *name)
{
	int64_t attached;
	int64_t versions;
	int err = rows_number(r->db, SQL_attachment_count_policy, SQL_ARGS(sql_text(name)),
			      &attached);
	if (!err)
		err = rows_number(r->db, SQL_policy_version_count, SQL_ARGS(sql_text(name)),
				  &versions);
	if (err)
		return err;
	if (attached > 0)
		return fault_set(r->fault, FAULT_DELETE_CONFLICT,
				 "The policy cannot be deleted as the policy is attached to one or "
				 "more principals (name=%s)",
				 name);
	if (versions > 1)
		return fault_set(r->fault, FAULT_DELETE_CONFLICT,
				 "Cannot delete the policy because it has one or more policy "
				 "versions attached to it "
				 "(name=%s)",
				 name);
	return 0;
}

int iot_policy_delete(struct registry *r, const char *name)
{
	struct iot_policy policy = {0};
	int err = iot_policy_get(r, name, &policy);
	int64_t last = policy.default_version;
	iot_policy_clear(&policy);
	if (!err)
		err = check_deletable(r, name);
	if (!err)
		err = sql_exec(r->db, SQL_policy_version_delete,
			       SQL_ARGS(sql_text(name), sql_int(last)), NULL);
	if (!err)
		err = sql_exec(r->db, SQL_policy_delete, SQL_ARGS(sql_text(name)), NULL);
	return err ? err : change_add(r->db, CHANGE_POLICY, name, NULL);
}

int iot_policy_list(struct registry *r, const struct list_place *place, int64_t limit,
		    dated_name_fn *fn, void *ctx)
{
	struct rows_dated_names each = {fn, ctx};
	return rows_each(r->db, place->is_ascending ? SQL_policy_list_up : SQL_policy_list_down,
			 SQL_ARGS(place_created(place), place_key(place), sql_int(limit)),
			 rows_dated_name, &each);
}

/* ---- Versions ---- */

/* The number that an id stands for, 0 (which no version has) when it is out of range or written
 * otherwise than we do. */
static int64_t version_of(const char *id)
{
	char again[24];
	int64_t version = g_ascii_strtoll(id, NULL, 10);
	(void)g_snprintf(again, sizeof(again), "%" PRId64, version);
	return strcmp(again, id) == 0 ? version : 0;
}

static int take_version(struct sql_rows *row, void *ctx)
{
	struct iot_policy_version *version = ctx;
	version->document = g_strdup(sql_col_text(row, 0));
	version->created = sql_col_int(row, 1);
	return 0;
}

int iot_policy_version_get(struct registry *r, const char *name, const char *id,
			   struct iot_policy_version *ret)
{
	ret->version = version_of(id);
	int err = iot_policy_check(r, name);
	if (err)
		return err;
	int found = rows_find(r->db, SQL_policy_version_get,
			      SQL_ARGS(sql_text(name), sql_int(ret->version)), take_version, ret);
	if (found < 0)
		return found;
	return found ? 0
		     : fault_set(r->fault, FAULT_RESOURCE_NOT_FOUND, "Policy %s has no version %s.",
				 name, id);
}

static int check_room(struct registry *r, const char *name)
{
	int64_t n;
	int err = rows_number(r->db, SQL_policy_version_count, SQL_ARGS(sql_text(name)), &n);
	if (err || n < r->settings->quota_policy_versions)
		return err;
	return fault_set(r->fault, FAULT_VERSIONS_LIMIT_EXCEEDED,
			 "The policy %s already has the maximum number of versions (%" PRId64 ")",
			 name, r->settings->quota_policy_versions);
}

static int set_default(struct registry *r, const char *name, int64_t version)
{
	int err = sql_exec(r->db, SQL_policy_set_default,
			   SQL_ARGS(sql_text(name), sql_int(version), sql_int(r->now_ms)), NULL);
	return err ? err : change_add(r->db, CHANGE_POLICY, name, NULL);
}

static int make_default(struct registry *r, const char *name, int64_t version)
{
	struct iot_policy policy = {0};
	char before[24];
	int err = iot_policy_get(r, name, &policy);
	(void)g_snprintf(before, sizeof(before), "%" PRId64, policy.default_version);
	iot_policy_clear(&policy);
	if (!err)
		err = set_default(r, name, version);
	return err ? err : containment_begin(r, CONTAIN_POLICY_CHANGED, name, before);
}

static int append_version(struct registry *r, const char *name, const char *document,
			  const struct policy_program *program, int64_t *ret_version)
{
	struct iot_policy policy = {0};
	int err = iot_policy_get(r, name, &policy);
	int64_t version = policy.newest_version + 1;
	iot_policy_clear(&policy);
	if (!err)
		err = check_room(r, name);
	if (!err)
		err = add_version(r, name, version, document, program);
	if (!err)
		err = sql_exec(r->db, SQL_policy_set_newest,
			       SQL_ARGS(sql_text(name), sql_int(version), sql_int(r->now_ms)),
			       NULL);
	*ret_version = version;
	return err;
}

int iot_policy_version_create(struct registry *r, const char *name, const char *document,
			      bool is_default, int64_t *ret_version)
{
	struct policy_program program = {0};
	int err = compile(r, document, &program);
	if (err)
		return err;
	err = append_version(r, name, document, &program, ret_version);
	policy_program_clear(&program);
	return err || !is_default ? err : make_default(r, name, *ret_version);
}

/* Finds the version; *ret_is_default: it is the one in force. */
static int locate(struct registry *r, const char *name, const char *id, int64_t *ret_version,
		  bool *ret_is_default)
{
	struct iot_policy_version found = {0};
	struct iot_policy policy = {0};
	int err = iot_policy_version_get(r, name, id, &found);
	if (!err)
		err = iot_policy_get(r, name, &policy);
	*ret_version = found.version;
	*ret_is_default = policy.default_version == found.version;
	iot_policy_version_clear(&found);
	iot_policy_clear(&policy);
	return err;
}

int iot_policy_version_delete(struct registry *r, const char *name, const char *id)
{
	int64_t version;
	bool is_default;
	int err = locate(r, name, id, &version, &is_default);
	if (!err && is_default)
		err = fault_set(r->fault, FAULT_INVALID_REQUEST,
				"Cannot delete the default version of a policy");
	return err ? err
		   : sql_exec(r->db, SQL_policy_version_delete,
			      SQL_ARGS(sql_text(name), sql_int(version)), NULL);
}

int iot_policy_version_set_default(struct registry *r, const char *name, const char *id)
{
	int64_t version;
	bool is_default;
	int err = locate(r, name, id, &version, &is_default);
	return err || is_default ? err : make_default(r, name, version);
}

struct listing {
	iot_policy_version_fn *fn;
	void *ctx;
};

static int give_version(struct sql_rows *row, void *ctx)
{
	const struct listing *listing = ctx;
	return listing->fn(sql_col_int(row, 0), sql_col_int(row, 1), listing->ctx);
}

int iot_policy_version_each(struct registry *r, const char *name, iot_policy_version_fn *fn,
			    void *ctx)
{
	struct listing listing = {fn, ctx};
	int err = iot_policy_check(r, name);
	return err ? err
		   : rows_each(r->db, SQL_policy_version_list, SQL_ARGS(sql_text(name)),
			       give_version, &listing);
}

#include "registry/walk.h"

#include "base/log.h"
#include "policy/decide.h"
#include "policy/policy.h"
#include "registry/rows.h"

#include <errno.h>
#include <glib.h>

/* ---- Side queries: ordered like the main one, read along with it ---- */

/* A query whose rows each belong to a row of the main query, told by the first column. */
struct side {
	struct sql_rows *rows;
	int state; /* 1: there is a row not yet taken; 0: the end; or a negative errno */
};

static int side_open(struct side *side, struct sql_conn *db, enum sql_statement statement)
{
	int err = sql_query(db, statement, SQL_NO_ARGS, &side->rows);
	if (!err)
		side->state = sql_next(side->rows);
	return err ? err : side->state < 0 ? side->state : 0;
}

static void side_close(struct side *side)
{
	if (side->rows)
		sql_rows_free(side->rows);
}

/* Takes the rows that belong to a text key, passing over those of keys that the main query does not
 * have. */
static int side_take(struct side *side, const char *key,
		     void (*take)(struct sql_rows *row, void *ctx), void *ctx)
{
	while (side->state == 1) {
		int order = strcmp(sql_col_text(side->rows, 0), key);
		if (order > 0)
			return 0;
		if (order == 0)
			take(side->rows, ctx);
		side->state = sql_next(side->rows);
	}
	return side->state;
}

/* The same for a number. */
static int side_take_num(struct side *side, int64_t key,
			 void (*take)(struct sql_rows *row, void *ctx), void *ctx)
{
	while (side->state == 1 && sql_col_int(side->rows, 0) <= key) {
		if (sql_col_int(side->rows, 0) == key)
			take(side->rows, ctx);
		side->state = sql_next(side->rows);
	}
	return side->state < 0 ? side->state : 0;
}

static void take_number(struct sql_rows *row, void *numbers)
{
	uint64_t n = (uint64_t)sql_col_int(row, 1);
	g_array_append_val((GArray *)numbers, n);
}

static void take_name(struct sql_rows *row, void *names)
{
	g_ptr_array_add(names, g_strdup(sql_col_text(row, 1)));
}

static GArray *numbers_new(void)
{
	return g_array_new(FALSE, FALSE, sizeof(uint64_t));
}

static const uint64_t *numbers_of(const GArray *numbers)
{
	return (const uint64_t *)(const void *)numbers->data;
}

static const char *const *names_of(const GPtrArray *names)
{
	return (const char *const *)(void *)names->pdata;
}

/* ---- Policies ---- */

struct policy_walk {
	walk_policy_fn *fn;
	void *ctx;
};

/* The stored program is of another version. A policy that is left out may be a Deny: one that does
 * not compile any more ends the walk, and what was published last stays. */
static int give_compiled(const struct policy_walk *walk, struct walk_policy *policy)
{
	struct policy_program program;
	struct fault fault;
	if (policy_compile(policy->document, SIZE_MAX, &program, &fault) < 0) {
		log_error("registry", "policy %s, version %lld, does not compile any more: %s",
			  policy->name, (long long)policy->version, fault.message);
		return -EBADMSG;
	}
	policy->program = (struct view){(const char *)program.bytes, program.n};
	int r = walk->fn(policy, walk->ctx);
	policy_program_clear(&program);
	return r;
}

static int give_policy(struct sql_rows *row, void *ctx)
{
	const struct policy_walk *walk = ctx;
	size_t n;
	const void *program = sql_col_blob(row, 3, &n);
	struct walk_policy policy = {
		.name = sql_col_text(row, 0),
		.version = sql_col_int(row, 1),
		.document = view_of(sql_col_text(row, 2)),
		.program = {program, n},
	};
	if (!policy_program_valid(program, n))
		return give_compiled(walk, &policy);
	return walk->fn(&policy, walk->ctx);
}

int registry_each_policy(struct sql_conn *reader, walk_policy_fn *fn, void *ctx)
{
	struct policy_walk walk = {fn, ctx};
	return rows_each(reader, SQL_walk_policies, SQL_NO_ARGS, give_policy, &walk);
}

/* ---- Groups ---- */

struct group_walk {
	struct side above, policies;
	GArray *ancestors;
	GPtrArray *names;
	walk_group_fn *fn;
	void *ctx;
};

static int give_group(struct sql_rows *row, void *ctx)
{
	struct group_walk *walk = ctx;
	int64_t num = sql_col_int(row, 0);
	g_array_set_size(walk->ancestors, 0);
	g_ptr_array_set_size(walk->names, 0);
	int err = side_take_num(&walk->above, num, take_number, walk->ancestors);
	if (!err)
		err = side_take_num(&walk->policies, num, take_name, walk->names);
	if (err)
		return err;
	struct walk_group group = {
		.num = (uint64_t)num,
		.name = sql_col_text(row, 1),
		.ancestors = numbers_of(walk->ancestors),
		.n_ancestors = walk->ancestors->len,
		.policies = names_of(walk->names),
		.n_policies = walk->names->len,
	};
	return walk->fn(&group, walk->ctx);
}

int registry_each_group(struct sql_conn *reader, walk_group_fn *fn, void *ctx)
{
	struct group_walk walk = {
		.ancestors = numbers_new(),
		.names = g_ptr_array_new_with_free_func(g_free),
		.fn = fn,
		.ctx = ctx,
	};
	int err = side_open(&walk.above, reader, SQL_walk_group_above);
	if (!err)
		err = side_open(&walk.policies, reader, SQL_walk_group_policies);
	if (!err)
		err = rows_each(reader, SQL_walk_groups, SQL_NO_ARGS, give_group, &walk);
	side_close(&walk.above);
	side_close(&walk.policies);
	g_array_unref(walk.ancestors);
	g_ptr_array_unref(walk.names);
	return err;
}

/* ---- Things ---- */

struct thing_walk {
	struct side groups;
	GArray *direct, *all;
	walk_thing_fn *fn;
	void *ctx;
};

/* Each group comes with itself and its ancestors as rows of their own. */
static void take_group(struct sql_rows *row, void *ctx)
{
	struct thing_walk *walk = ctx;
	take_number(row, walk->all);
	if (sql_col_int(row, 1) == sql_col_int(row, 2))
		take_number(row, walk->direct);
}

static gint compare_numbers(gconstpointer a, gconstpointer b)
{
	uint64_t x = *(const uint64_t *)a;
	uint64_t y = *(const uint64_t *)b;
	return (x > y) - (x < y);
}

static int give_thing(struct sql_rows *row, void *ctx)
{
	struct thing_walk *walk = ctx;
	const char *name = sql_col_text(row, 0);
	g_array_set_size(walk->direct, 0);
	g_array_set_size(walk->all, 0);
	int err = side_take(&walk->groups, name, take_group, walk);
	if (err)
		return err;
	/* No number comes twice: a thing is in one group of a hierarchy only (registry/member.h).
	 */
	g_array_sort(walk->all, compare_numbers);
	struct walk_thing thing = {
		.name = name,
		.direct = numbers_of(walk->direct),
		.n_direct = walk->direct->len,
		.groups = numbers_of(walk->all),
		.n_groups = walk->all->len,
	};
	return walk->fn(&thing, walk->ctx);
}

int registry_each_thing(struct sql_conn *reader, walk_thing_fn *fn, void *ctx)
{
	struct thing_walk walk = {
		.direct = numbers_new(),
		.all = numbers_new(),
		.fn = fn,
		.ctx = ctx,
	};
	int err = side_open(&walk.groups, reader, SQL_walk_thing_groups);
	if (!err)
		err = rows_each(reader, SQL_walk_things, SQL_NO_ARGS, give_thing, &walk);
	side_close(&walk.groups);
	g_array_unref(walk.direct);
	g_array_unref(walk.all);
	return err;
}

/* ---- Certificates ---- */

struct attached {
	GPtrArray *things;
	bool is_exclusive;
};

struct certificate_walk {
	struct side things, policies;
	struct attached attached;
	GPtrArray *names;
	walk_certificate_fn *fn;
	void *ctx;
};

static void take_attached(struct sql_rows *row, void *ctx)
{
	struct attached *attached = ctx;
	take_name(row, attached->things);
	attached->is_exclusive = sql_col_int(row, 2) != 0;
}

static int give_certificate(struct sql_rows *row, void *ctx)
{
	struct certificate_walk *walk = ctx;
	const char *id = sql_col_text(row, 0);
	g_ptr_array_set_size(walk->attached.things, 0);
	g_ptr_array_set_size(walk->names, 0);
	walk->attached.is_exclusive = false;
	int err = side_take(&walk->things, id, take_attached, &walk->attached);
	if (!err)
		err = side_take(&walk->policies, id, take_name, walk->names);
	if (err)
		return err;
	struct walk_certificate certificate = {
		.id = id,
		.status = sql_col_text(row, 1),
		.not_before = sql_col_int(row, 2),
		.not_after = sql_col_int(row, 3),
		.things = names_of(walk->attached.things),
		.n_things = walk->attached.things->len,
		.is_exclusive = walk->attached.is_exclusive,
		.policies = names_of(walk->names),
		.n_policies = walk->names->len,
	};
	return walk->fn(&certificate, walk->ctx);
}

int registry_each_certificate(struct sql_conn *reader, walk_certificate_fn *fn, void *ctx)
{
	struct certificate_walk walk = {
		.attached.things = g_ptr_array_new_with_free_func(g_free),
		.names = g_ptr_array_new_with_free_func(g_free),
		.fn = fn,
		.ctx = ctx,
	};
	int err = side_open(&walk.things, reader, SQL_walk_certificate_things);
	if (!err)
		err = side_open(&walk.policies, reader, SQL_walk_certificate_policies);
	if (!err)
		err = rows_each(reader, SQL_walk_certificates, SQL_NO_ARGS, give_certificate,
				&walk);
	side_close(&walk.things);
	side_close(&walk.policies);
	g_ptr_array_unref(walk.attached.things);
	g_ptr_array_unref(walk.names);
	return err;
}

/* ---- One thing ---- */

static int append_number(struct sql_rows *row, void *numbers)
{
	uint64_t n = (uint64_t)sql_col_int(row, 0);
	g_array_append_val((GArray *)numbers, n);
	return 0;
}

int registry_thing_groups(struct sql_conn *conn, const char *thing, uint64_t **ret_nums,
			  size_t *ret_n, bool *ret_is_registered)
{
	int found = rows_find(conn, SQL_thing_get, SQL_ARGS(sql_text(thing)), NULL, NULL);
	if (found < 0)
		return found;
	g_autoptr(GArray) numbers = numbers_new();
	int err = rows_each(conn, SQL_member_closure, SQL_ARGS(sql_text(thing)), append_number,
			    numbers);
	if (err)
		return err;
	*ret_is_registered = found == 1;
	*ret_n = numbers->len;
	*ret_nums = numbers->len ? (uint64_t *)(void *)g_array_steal(numbers, NULL) : NULL;
	return 0;
}

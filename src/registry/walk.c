#include "registry/walk.h"

#include "base/log.h"
#include "policy/decide.h"
#include "policy/policy.h"
#include "registry/facts.h"
#include "registry/quarantine.h"
#include "registry/rows.h"

#include <errno.h>
#include <glib.h>
#include <jansson.h>

#define RANGE_ARGS(range) SQL_ARGS(sql_text((range).first), sql_text((range).last))

/* ---- Side queries: ordered like the main one, read along with it ---- */

/* A query whose rows each belong to a row of the main query, told by the first column. */
struct side {
	struct sql_rows *rows;
	int state; /* 1: there is a row not yet taken; 0: the end; or a negative errno */
};

static int side_open(struct side *side, struct sql_conn *db, enum sql_statement statement,
		     struct walk_range range)
{
	int err = sql_query(db, statement, RANGE_ARGS(range), &side->rows);
	if (!err)
		side->state = sql_next(side->rows);
	return err ? err : side->state < 0 ? side->state : 0;
}

static void side_close(struct side *side)
{
	if (side->rows)
		sql_rows_free(side->rows);
}

/* Takes the rows that belong to a key, passing over those of keys that the main query does not
 * have.
 */
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

static void take_name(struct sql_rows *row, void *names)
{
	g_ptr_array_add(names, g_strdup(sql_col_text(row, 1)));
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
static int give_compiled(const struct policy_walk *walk, struct walk_policy *policy,
			 const char *document)
{
	struct policy_program program;
	struct fault fault;
	if (policy_compile(view_of(document), SIZE_MAX, &program, &fault) < 0) {
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
		.program = {program, n},
	};
	if (!policy_program_valid(program, n))
		return give_compiled(walk, &policy, sql_col_text(row, 2));
	return walk->fn(&policy, walk->ctx);
}

int registry_each_policy(struct sql_conn *reader, struct walk_range range, walk_policy_fn *fn,
			 void *ctx)
{
	struct policy_walk walk = {fn, ctx};
	return rows_each(reader, SQL_walk_policies, RANGE_ARGS(range), give_policy, &walk);
}

/* ---- Groups ---- */

struct group_walk {
	struct side policies;
	GPtrArray *names;
	walk_group_fn *fn;
	void *ctx;
};

static int give_group(struct sql_rows *row, void *ctx)
{
	struct group_walk *walk = ctx;
	const char *name = sql_col_text(row, 0);
	g_ptr_array_set_size(walk->names, 0);
	int err = side_take(&walk->policies, name, take_name, walk->names);
	if (err)
		return err;
	struct walk_group group = {
		.name = name,
		.is_quarantine = quarantine_is_marked(sql_col_text(row, 1)),
		.policies = names_of(walk->names),
		.n_policies = walk->names->len,
	};
	return walk->fn(&group, walk->ctx);
}

int registry_each_group(struct sql_conn *reader, struct walk_range range, walk_group_fn *fn,
			void *ctx)
{
	struct group_walk walk = {
		.names = g_ptr_array_new_with_free_func(g_free),
		.fn = fn,
		.ctx = ctx,
	};
	int err = side_open(&walk.policies, reader, SQL_walk_group_policies, range);
	if (!err)
		err = rows_each(reader, SQL_walk_groups, RANGE_ARGS(range), give_group, &walk);
	side_close(&walk.policies);
	g_ptr_array_unref(walk.names);
	return err;
}

/* ---- Things ---- */

struct thing_walk {
	struct side groups;
	GArray *numbers;
	GPtrArray *names;
	GByteArray *facts;
	walk_thing_fn *fn;
	void *ctx;
};

/* Each group comes with itself and its ancestors as rows of their own; none comes twice, since a
 * thing is in one group of a hierarchy only (registry/member.h). */
static void take_group(struct sql_rows *row, void *ctx)
{
	struct thing_walk *walk = ctx;
	uint64_t number = (uint64_t)sql_col_int(row, 2);
	g_array_append_val(walk->numbers, number);
	take_name(row, walk->names);
}

static int give_thing(struct sql_rows *row, void *ctx)
{
	struct thing_walk *walk = ctx;
	const char *name = sql_col_text(row, 0);
	g_array_set_size(walk->numbers, 0);
	g_ptr_array_set_size(walk->names, 0);
	g_byte_array_set_size(walk->facts, 0);
	int err = side_take(&walk->groups, name, take_group, walk);
	if (err)
		return err;
	facts_of_thing(sql_col_text(row, 1), walk->facts);
	struct walk_thing thing = {
		.name = name,
		.facts = {(const char *)walk->facts->data, walk->facts->len},
		.groups = (const uint64_t *)(const void *)walk->numbers->data,
		.group_names = names_of(walk->names),
		.n_groups = walk->numbers->len,
	};
	return walk->fn(&thing, walk->ctx);
}

int registry_each_thing(struct sql_conn *reader, struct walk_range range, walk_thing_fn *fn,
			void *ctx)
{
	struct thing_walk walk = {
		.numbers = g_array_new(FALSE, FALSE, sizeof(uint64_t)),
		.names = g_ptr_array_new_with_free_func(g_free),
		.facts = g_byte_array_new(),
		.fn = fn,
		.ctx = ctx,
	};
	int err = side_open(&walk.groups, reader, SQL_walk_thing_groups, range);
	if (!err)
		err = rows_each(reader, SQL_walk_things, RANGE_ARGS(range), give_thing, &walk);
	side_close(&walk.groups);
	g_array_unref(walk.numbers);
	g_ptr_array_unref(walk.names);
	g_byte_array_unref(walk.facts);
	return err;
}

/* ---- Certificates ---- */

struct attached {
	GPtrArray *things;
	bool is_exclusive;
};

struct certificate_walk {
	struct side things, policies, facts;
	struct attached attached;
	GPtrArray *names;
	GByteArray *known;
	walk_certificate_fn *fn;
	void *ctx;
};

static void take_attached(struct sql_rows *row, void *ctx)
{
	struct attached *attached = ctx;
	take_name(row, attached->things);
	attached->is_exclusive = sql_col_int(row, 2) != 0;
}

static void take_facts(struct sql_rows *row, void *known)
{
	size_t n;
	const void *facts = sql_col_blob(row, 1, &n);
	g_byte_array_append(known, facts, (guint)n);
}

static int give_certificate(struct sql_rows *row, void *ctx)
{
	struct certificate_walk *walk = ctx;
	const char *id = sql_col_text(row, 0);
	g_ptr_array_set_size(walk->attached.things, 0);
	g_ptr_array_set_size(walk->names, 0);
	walk->attached.is_exclusive = false;
	g_byte_array_set_size(walk->known, 0);
	int err = side_take(&walk->things, id, take_attached, &walk->attached);
	if (!err)
		err = side_take(&walk->policies, id, take_name, walk->names);
	if (!err)
		err = side_take(&walk->facts, id, take_facts, walk->known);
	if (err)
		return err;
	struct walk_certificate certificate = {
		.id = id,
		.status = sql_col_text(row, 1),
		.not_before = sql_col_int(row, 2),
		.not_after = sql_col_int(row, 3),
		.facts = {(const char *)walk->known->data, walk->known->len},
		.things = names_of(walk->attached.things),
		.n_things = walk->attached.things->len,
		.is_exclusive = walk->attached.is_exclusive,
		.policies = names_of(walk->names),
		.n_policies = walk->names->len,
	};
	return walk->fn(&certificate, walk->ctx);
}

int registry_each_certificate(struct sql_conn *reader, struct walk_range range,
			      walk_certificate_fn *fn, void *ctx)
{
	struct certificate_walk walk = {
		.attached.things = g_ptr_array_new_with_free_func(g_free),
		.names = g_ptr_array_new_with_free_func(g_free),
		.known = g_byte_array_new(),
		.fn = fn,
		.ctx = ctx,
	};
	int err = side_open(&walk.things, reader, SQL_walk_certificate_things, range);
	if (!err)
		err = side_open(&walk.policies, reader, SQL_walk_certificate_policies, range);
	if (!err)
		err = side_open(&walk.facts, reader, SQL_walk_certificate_facts, range);
	if (!err)
		err = rows_each(reader, SQL_walk_certificates, RANGE_ARGS(range), give_certificate,
				&walk);
	side_close(&walk.things);
	side_close(&walk.policies);
	side_close(&walk.facts);
	g_ptr_array_unref(walk.attached.things);
	g_ptr_array_unref(walk.names);
	g_byte_array_unref(walk.known);
	return err;
}

/* ---- Dimensions ---- */

struct dimension_walk {
	walk_dimension_fn *fn;
	void *ctx;
};

static int give_dimension(struct sql_rows *row, void *ctx)
{
	const struct dimension_walk *walk = ctx;
	g_autoptr(GPtrArray) filters = g_ptr_array_new();
	json_t *values = json_loads(sql_col_text(row, 1), 0, NULL), *value;
	size_t i;
	json_array_foreach(values, i, value)
		g_ptr_array_add(filters, (gpointer)(uintptr_t)json_string_value(value));
	struct walk_dimension dimension = {
		.name = sql_col_text(row, 0),
		.filters = names_of(filters),
		.n_filters = filters->len,
	};
	int r = walk->fn(&dimension, walk->ctx);
	json_decref(values);
	return r;
}

int registry_each_dimension(struct sql_conn *reader, struct walk_range range, walk_dimension_fn *fn,
			    void *ctx)
{
	struct dimension_walk walk = {fn, ctx};
	return rows_each(reader, SQL_walk_dimensions, RANGE_ARGS(range), give_dimension, &walk);
}

/* ---- Pages ---- */

static const enum sql_statement pages[WALK_KINDS] = {
	[WALK_POLICIES] = SQL_walk_policy_page,
	[WALK_GROUPS] = SQL_walk_group_page,
	[WALK_THINGS] = SQL_walk_thing_page,
	[WALK_CERTIFICATES] = SQL_walk_certificate_page,
	[WALK_DIMENSIONS] = SQL_walk_dimension_page,
};

struct page {
	char *first, *last;
	bool is_empty;
};

static int take_page(struct sql_rows *row, void *ctx)
{
	struct page *page = ctx;
	page->is_empty = sql_col_int(row, 2) == 0;
	if (!page->is_empty) {
		page->first = g_strdup(sql_col_text(row, 0));
		page->last = g_strdup(sql_col_text(row, 1));
	}
	return 0;
}

int registry_next_page(struct sql_conn *reader, enum walk_kind kind, const char *after,
		       int64_t limit, char **ret_first, char **ret_last)
{
	struct page page = {0};
	int r = rows_find(reader, pages[kind], SQL_ARGS(sql_text(after), sql_int(limit)), take_page,
			  &page);
	if (r < 0 || page.is_empty)
		return MIN(r, 0);
	*ret_first = page.first;
	*ret_last = page.last;
	return 1;
}

int registry_each_principal(struct sql_conn *reader, const char *thing,
			    int (*fn)(const char *certificate, void *ctx), void *ctx)
{
	struct rows_names each = {fn, ctx};
	return rows_each(reader, SQL_walk_thing_certificates, SQL_ARGS(sql_text(thing)), rows_name,
			 &each);
}

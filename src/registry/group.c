#include "registry/group.h"

#include "registry/attributes.h"
#include "registry/containment.h"
#include "registry/quarantine.h"
#include "registry/rows.h"
#include "registry/rules.h"
#include "store/change.h"

#include <glib.h>

#define GROUP_ATTRIBUTES_MAX 50   /* AWS does not let it be adjusted either */
#define MEMBER_SLICE         1000 /* names held at once while a group is deleted */

void group_clear(struct group *group)
{
	g_free(group->id);
	g_free(group->description);
	g_free(group->attributes);
	*group = (struct group){0};
}

static int take_group(struct sql_rows *row, void *ctx)
{
	struct group *group = ctx;
	*group = (struct group){
		.num = sql_col_int(row, 0),
		.id = g_strdup(sql_col_text(row, 1)),
		.parent = sql_col_int(row, 2),
		.depth = sql_col_int(row, 3),
		.description = g_strdup(sql_col_text(row, 4)),
		.attributes = g_strdup(sql_col_text(row, 5)),
		.version = sql_col_int(row, 6),
		.created = sql_col_int(row, 7),
	};
	return 0;
}

/* 1 found, 0 not. */
static int find(struct registry *r, const char *name, struct group *ret)
{
	return rows_find(r->db, SQL_group_get, SQL_ARGS(sql_text(name)), take_group, ret);
}

int group_get(struct registry *r, const char *name, struct group *ret)
{
	int found = find(r, name, ret);
	if (found < 0)
		return found;
	return found ? 0 : refuse_unknown(r, &noun_group, name);
}

int group_number(struct registry *r, const char *name, int64_t *ret_num)
{
	struct group group = {0};
	int err = group_get(r, name, &group);
	*ret_num = group.num;
	group_clear(&group);
	return err;
}

static int check_same(struct registry *r, const char *name, const struct group *there,
		      const struct group *wanted)
{
	if (there->parent == wanted->parent &&
	    g_strcmp0(there->description, wanted->description) == 0 &&
	    g_strcmp0(there->attributes, wanted->attributes) == 0)
		return 0;
	return refuse_exists(r, &noun_group, name,
			     " with a different parent or different properties");
}

/* Number and depth of a group's parent-to-be. */
static int take_parent(struct registry *r, const char *parent, struct group *wanted)
{
	wanted->depth = 1;
	if (!parent)
		return 0;
	struct group found = {0};
	int err = group_get(r, parent, &found);
	wanted->parent = found.num;
	wanted->depth = found.depth + 1;
	group_clear(&found);
	return err;
}

static int check_place(struct registry *r, const char *parent, const struct group *wanted)
{
	if (!parent)
		return 0;
	int64_t children;
	int err = rows_number(r->db, SQL_group_children, SQL_ARGS(sql_int(wanted->parent)),
			      &children);
	if (!err)
		err = check_quota(r, FAULT_INVALID_REQUEST, parent, "child groups", children,
				  r->settings->quota_group_children);
	if (!err)
		err = check_quota(r, FAULT_INVALID_REQUEST, parent, "levels of a group hierarchy",
				  wanted->depth - 1, r->settings->quota_group_depth);
	return err;
}

static int next_number(struct registry *r, int64_t *ret)
{
	int err = sql_exec(r->db, SQL_counter_next, SQL_ARGS(sql_text("thing_group")), NULL);
	return err ? err
		   : rows_number(r->db, SQL_counter_get, SQL_ARGS(sql_text("thing_group")), ret);
}

static int insert(struct registry *r, const char *name, const struct group *g)
{
	int err = sql_exec(r->db, SQL_group_add,
			   SQL_ARGS(sql_int(g->num), sql_text(name), sql_text(g->id),
				    sql_int(g->parent), sql_int(g->depth), sql_text(g->description),
				    sql_text(g->attributes), sql_int(g->created)),
			   NULL);
	if (!err)
		err = sql_exec(r->db, SQL_group_above_self, SQL_ARGS(sql_int(g->num)), NULL);
	if (!err && g->parent != 0)
		err = sql_exec(r->db, SQL_group_above_parent,
			       SQL_ARGS(sql_int(g->num), sql_int(g->parent)), NULL);
	return err ? err : change_add(r->db, CHANGE_GROUP, name, NULL);
}

static int add(struct registry *r, const char *name, const char *parent, struct group *wanted)
{
	int err = check_place(r, parent, wanted);
	if (!err)
		err = next_number(r, &wanted->num);
	return err ? err : insert(r, name, wanted);
}

static int compose(struct registry *r, const char *name, const char *parent,
		   const char *description, const json_t *attributes, struct group *wanted)
{
	wanted->description = g_strdup(description ? description : "");
	wanted->created = r->now_ms;
	wanted->version = 1;
	wanted->id = g_malloc(ID_UUID_SIZE);
	id_uuid(r->chance, wanted->id);
	int err = quarantine_check(r, attributes);
	if (!err)
		err = attributes_lay(r, name, NULL, attributes, GROUP_ATTRIBUTES_MAX,
				     &wanted->attributes);
	return err ? err : take_parent(r, parent, wanted);
}

int group_create(struct registry *r, const char *name, const char *parent, const char *description,
		 const json_t *attributes, struct group *ret)
{
	struct group wanted = {0};
	struct group there = {0};
	int err = compose(r, name, parent, description, attributes, &wanted);
	int found = err ? err : find(r, name, &there);
	if (found == 1)
		err = check_same(r, name, &there, &wanted);
	else if (!err)
		err = found < 0 ? found : add(r, name, parent, &wanted);
	group_clear(found == 1 ? &wanted : &there);
	struct group *winner = found == 1 ? &there : &wanted;
	if (err)
		group_clear(winner);
	*ret = *winner;
	return err;
}

/* The mark came or went: the snapshot is to have it. */
static int note_mark(struct registry *r, const char *name, const char *before, const char *after)
{
	bool is_marked = quarantine_is_marked(after);
	if (quarantine_is_marked(before) == is_marked)
		return 0;
	int err = change_add(r->db, CHANGE_GROUP, name, NULL);
	if (!err && !is_marked)
		return containment_lift(r, CONTAIN_QUARANTINE, name);
	return err ? err : containment_begin(r, CONTAIN_GROUP_QUARANTINED, name, "");
}

static int set_properties(struct registry *r, const char *name, const struct group *group,
			  const struct group_update *update)
{
	g_autofree char *kept = NULL;
	bool is_on_top = update->is_merge || !update->attributes;
	int err = quarantine_check(r, update->attributes);
	if (!err)
		err = attributes_lay(r, name, is_on_top ? group->attributes : NULL,
				     update->attributes, GROUP_ATTRIBUTES_MAX, &kept);
	if (err)
		return err;
	const char *description = update->description ? update->description : group->description;
	err = sql_exec(r->db, SQL_group_set,
		       SQL_ARGS(sql_int(group->num), sql_text(description), sql_text(kept)), NULL);
	return err ? err : note_mark(r, name, group->attributes, kept);
}

int group_update(struct registry *r, const char *name, const struct group_update *update,
		 int64_t *ret_version)
{
	struct group group = {0};
	int err = group_get(r, name, &group);
	if (!err)
		err = check_version(r, &noun_group, name, group.version, update->expected_version);
	if (!err)
		err = set_properties(r, name, &group, update);
	*ret_version = group.version + 1;
	group_clear(&group);
	return err;
}

static int collect(const char *name, void *names)
{
	g_ptr_array_add(names, g_strdup(name));
	return 0;
}

/* One slice of a group's members, from behind *after, which moves to the last of them; empty at the
 * end. */
static int note_slice(struct registry *r, int64_t num, char **after)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
	struct rows_names each = {collect, names};
	int err = rows_each(r->db, SQL_member_things,
			    SQL_ARGS(sql_int(num), sql_text(*after), sql_int(MEMBER_SLICE)),
			    rows_name, &each);
	for (guint i = 0; !err && i < names->len; i++)
		err = change_add(r->db, CHANGE_THING, names->pdata[i], NULL);
	g_free(*after);
	*after = names->len ? g_strdup(names->pdata[names->len - 1]) : NULL;
	return err;
}

static int note_members(struct registry *r, int64_t num)
{
	int err = 0;
	char *after = g_strdup("");
	while (!err && after)
		err = note_slice(r, num, &after);
	g_free(after);
	return err;
}

static int check_deletable(struct registry *r, const char *name, const struct group *group,
			   int64_t expected_version)
{
	int64_t children;
	int err = check_version(r, &noun_group, name, group->version, expected_version);
	if (!err)
		err = rows_number(r->db, SQL_group_children, SQL_ARGS(sql_int(group->num)),
				  &children);
	if (!err && children > 0)
		err = fault_set(r->fault, FAULT_INVALID_REQUEST,
				"Cannot delete thing group : %s when there are still child groups "
				"attached to it.",
				name);
	return err;
}

static int remove_rows(struct registry *r, const char *name, int64_t num)
{
	int err = sql_exec(r->db, SQL_member_delete_group, SQL_ARGS(sql_int(num)), NULL);
	if (!err)
		err = sql_exec(r->db, SQL_attachment_delete_target,
			       SQL_ARGS(sql_text("thinggroup"), sql_text(name)), NULL);
	if (!err)
		err = sql_exec(r->db, SQL_group_above_delete, SQL_ARGS(sql_int(num)), NULL);
	if (!err)
		err = sql_exec(r->db, SQL_group_delete, SQL_ARGS(sql_int(num)), NULL);
	return err ? err : change_add(r->db, CHANGE_GROUP, name, NULL);
}

int group_delete(struct registry *r, const char *name, int64_t expected_version)
{
	struct group group = {0};
	int found = find(r, name, &group);
	int err = found == 1 ? check_deletable(r, name, &group, expected_version) : found;
	if (found == 1 && !err)
		err = note_members(r, group.num);
	if (found == 1 && !err && !quarantine_is_marked(group.attributes))
		err = containment_begin(r, CONTAIN_GROUP_DELETED, name, "");
	if (found == 1 && !err)
		err = remove_rows(r, name, group.num);
	group_clear(&group);
	return err;
}

int group_each_ancestor(struct registry *r, int64_t num, name_fn *fn, void *ctx)
{
	struct rows_names each = {fn, ctx};
	return rows_each(r->db, SQL_group_ancestors, SQL_ARGS(sql_int(num)), rows_name, &each);
}

int group_list(struct registry *r, const struct group_filter *filter, const char *after,
	       int64_t limit, name_fn *fn, void *ctx)
{
	struct rows_names each = {fn, ctx};
	/* '{' follows every character that a name may have. */
	g_autofree char *end = g_strconcat(filter->prefix, "{", NULL);
	if (filter->parent == GROUP_ANY_PARENT)
		return rows_each(r->db, SQL_group_list,
				 SQL_ARGS(sql_text(after), sql_text(filter->prefix), sql_text(end),
					  sql_int(limit)),
				 rows_name, &each);
	return rows_each(r->db,
			 filter->is_recursive ? SQL_group_list_below : SQL_group_list_children,
			 SQL_ARGS(sql_text(after), sql_text(filter->prefix), sql_text(end),
				  sql_int(limit), sql_int(filter->parent)),
			 rows_name, &each);
}

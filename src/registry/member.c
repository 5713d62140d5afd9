#include "registry/member.h"

#include "registry/containment.h"
#include "registry/group.h"
#include "registry/quarantine.h"
#include "registry/rows.h"
#include "registry/rules.h"
#include "registry/thing.h"
#include "store/change.h"

#include <glib.h>

static int find_both(struct registry *r, const char *thing, const char *group, int64_t *ret_num)
{
	int err = thing_check(r, thing);
	return err ? err : group_number(r, group, ret_num);
}

static int take_name(struct sql_rows *row, void *ret)
{
	*(char **)ret = g_strdup(sql_col_text(row, 0));
	return 0;
}

static int check_hierarchy(struct registry *r, const char *thing, const char *group, int64_t num)
{
	g_autofree char *other = NULL;
	int found = rows_find(r->db, SQL_member_same_hierarchy,
			      SQL_ARGS(sql_text(thing), sql_int(num)), take_name, &other);
	if (found != 1)
		return found;
	return fault_set(r->fault, FAULT_INVALID_REQUEST,
			 "Thing %s is in group %s, which belongs to the same hierarchy as %s; "
			 "remove it from there first.",
			 thing, other, group);
}

static int check_room(struct registry *r, const char *thing)
{
	int64_t n;
	int err = rows_number(r->db, SQL_member_count, SQL_ARGS(sql_text(thing)), &n);
	return err ? err
		   : check_quota(r, FAULT_INVALID_REQUEST, thing, "groups of a thing", n,
				 r->settings->quota_groups_per_thing);
}

/* A quarantine takes away by being one, other groups by what their policies deny. */
static int begin_containment(struct registry *r, const char *thing, const char *group)
{
	bool is_quarantine;
	int err = quarantine_holds(r, group, &is_quarantine);
	return err ? err
		   : containment_begin(r,
				       is_quarantine ? CONTAIN_QUARANTINED : CONTAIN_GROUP_ENTERED,
				       thing, group);
}

static int note_added(struct registry *r, const char *thing, const char *group)
{
	int err = change_add(r->db, CHANGE_THING, thing, NULL);
	return err ? err : begin_containment(r, thing, group);
}

static int keep_group(const char *name, void *groups)
{
	g_ptr_array_add(groups, g_strdup(name));
	return 0;
}

int member_note_certificate(struct registry *r, const char *thing)
{
	g_autoptr(GPtrArray) groups = g_ptr_array_new_with_free_func(g_free);
	int err = member_each_group(r, thing, "", INT64_MAX, keep_group, groups);
	for (guint i = 0; !err && i < groups->len; i++)
		err = begin_containment(r, thing, groups->pdata[i]);
	return err;
}

static int note_removed(struct registry *r, const char *thing, const char *group)
{
	bool is_quarantine;
	int err = change_add(r->db, CHANGE_THING, thing, NULL);
	if (!err)
		err = quarantine_holds(r, group, &is_quarantine);
	if (!err && is_quarantine)
		return containment_lift(r, CONTAIN_QUARANTINE, thing);
	return err ? err : containment_begin(r, CONTAIN_GROUP_LEFT, thing, group);
}

int member_add(struct registry *r, const char *thing, const char *group)
{
	int64_t num;
	int64_t is_member = 0;
	int err = find_both(r, thing, group, &num);
	if (!err)
		err = rows_number(r->db, SQL_member_has, SQL_ARGS(sql_text(thing), sql_int(num)),
				  &is_member);
	if (err || is_member)
		return err;
	err = check_hierarchy(r, thing, group, num);
	if (!err)
		err = check_room(r, thing);
	if (!err)
		err = sql_exec(r->db, SQL_member_add, SQL_ARGS(sql_text(thing), sql_int(num)),
			       NULL);
	return err ? err : note_added(r, thing, group);
}

int member_remove(struct registry *r, const char *thing, const char *group)
{
	int64_t num;
	int64_t removed = 0;
	int err = find_both(r, thing, group, &num);
	if (!err)
		err = sql_exec(r->db, SQL_member_delete, SQL_ARGS(sql_text(thing), sql_int(num)),
			       &removed);
	return err || removed == 0 ? err : note_removed(r, thing, group);
}

int member_each_group(struct registry *r, const char *thing, const char *after, int64_t limit,
		      name_fn *fn, void *ctx)
{
	struct rows_names each = {fn, ctx};
	int err = thing_check(r, thing);
	return err ? err
		   : rows_each(r->db, SQL_member_groups,
			       SQL_ARGS(sql_text(thing), sql_text(after), sql_int(limit)),
			       rows_name, &each);
}

int member_each_thing(struct registry *r, const char *group, bool is_recursive, const char *after,
		      int64_t limit, name_fn *fn, void *ctx)
{
	struct rows_names each = {fn, ctx};
	int64_t num;
	int err = group_number(r, group, &num);
	return err ? err
		   : rows_each(r->db, is_recursive ? SQL_member_things_below : SQL_member_things,
			       SQL_ARGS(sql_int(num), sql_text(after), sql_int(limit)), rows_name,
			       &each);
}

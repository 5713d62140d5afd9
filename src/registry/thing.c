#include "registry/thing.h"

#include "registry/attributes.h"
#include "registry/rows.h"
#include "registry/rules.h"
#include "store/change.h"

#include <glib.h>

void thing_clear(struct thing *thing)
{
	g_free(thing->id);
	g_free(thing->attributes);
	g_free(thing->billing_group);
	*thing = (struct thing){0};
}

static int take_thing(struct sql_rows *row, void *ctx)
{
	struct thing *thing = ctx;
	*thing = (struct thing){
		.id = g_strdup(sql_col_text(row, 0)),
		.attributes = g_strdup(sql_col_text(row, 1)),
		.billing_group = g_strdup(sql_col_text(row, 2)),
		.version = sql_col_int(row, 3),
		.created = sql_col_int(row, 4),
	};
	return 0;
}

/* 1 found, 0 not. */
static int find(struct registry *r, const char *name, struct thing *ret)
{
	return rows_find(r->db, SQL_thing_get, SQL_ARGS(sql_text(name)), ret ? take_thing : NULL,
			 ret);
}

int thing_get(struct registry *r, const char *name, struct thing *ret)
{
	int found = find(r, name, ret);
	if (found < 0)
		return found;
	return found ? 0 : refuse_unknown(r, &noun_thing, name);
}

int thing_check(struct registry *r, const char *name)
{
	return thing_get(r, name, NULL);
}

/* Thing types come with their own operations; until then no name is one. */
static int check_type(struct registry *r, const char *type_name)
{
	return type_name ? fault_set(r->fault, FAULT_RESOURCE_NOT_FOUND,
				     "Thing type %s cannot be found.", type_name)
			 : 0;
}

static int check_same(struct registry *r, const char *name, const struct thing *there,
		      const struct thing *wanted)
{
	if (strcmp(there->attributes, wanted->attributes) == 0 &&
	    strcmp(there->billing_group, wanted->billing_group) == 0)
		return 0;
	return refuse_exists(r, &noun_thing, name, " with different attributes or billing group");
}

static int add(struct registry *r, const char *name, const struct thing *thing)
{
	int err =
		sql_exec(r->db, SQL_thing_add,
			 SQL_ARGS(sql_text(name), sql_text(thing->id), sql_text(thing->attributes),
				  sql_text(thing->billing_group), sql_int(thing->created)),
			 NULL);
	return err ? err : change_add(r->db, CHANGE_THING, name, NULL);
}

static struct thing thing_new(struct registry *r, char *attributes, const char *billing_group)
{
	struct thing thing = {
		.id = g_malloc(ID_UUID_SIZE),
		.attributes = attributes,
		.billing_group = g_strdup(billing_group ? billing_group : ""),
		.version = 1,
		.created = r->now_ms,
	};
	id_uuid(r->chance, thing.id);
	return thing;
}

int thing_create(struct registry *r, const char *name, const char *type_name,
		 const json_t *attributes, const char *billing_group, struct thing *ret)
{
	char *kept = NULL;
	int err = check_type(r, type_name);
	if (!err)
		err = attributes_lay(r, name, NULL, attributes, r->settings->quota_thing_attributes,
				     &kept);
	if (err)
		return err;
	struct thing wanted = thing_new(r, kept, billing_group);
	struct thing there = {0};
	int found = find(r, name, &there);
	if (found == 1)
		err = check_same(r, name, &there, &wanted);
	else
		err = found < 0 ? found : add(r, name, &wanted);
	struct thing *loser = found == 1 ? &wanted : &there;
	thing_clear(loser);
	struct thing *winner = found == 1 ? &there : &wanted;
	if (err)
		thing_clear(winner);
	*ret = *winner;
	return err;
}

static int check_update(struct registry *r, const struct thing_update *update)
{
	if (update->type_name && update->is_type_removed)
		return fault_set(
			r->fault, FAULT_INVALID_REQUEST,
			"removeThingType and thingTypeName exclude one another; send one of them.");
	return check_type(r, update->type_name);
}

static int change_attributes(struct registry *r, const char *name, const struct thing *thing,
			     const struct thing_update *update)
{
	g_autofree char *kept = NULL;
	bool is_on_top = update->is_merge || !update->attributes;
	int err = attributes_lay(r, name, is_on_top ? thing->attributes : NULL, update->attributes,
				 r->settings->quota_thing_attributes, &kept);
	if (!err)
		err = sql_exec(r->db, SQL_thing_set_attributes,
			       SQL_ARGS(sql_text(name), sql_text(kept)), NULL);
	if (err || strcmp(kept, thing->attributes) == 0)
		return err;
	return change_add(r->db, CHANGE_THING, name, NULL); /* policies ask for them */
}

int thing_update(struct registry *r, const char *name, const struct thing_update *update)
{
	struct thing thing = {0};
	int err = check_update(r, update);
	if (!err)
		err = thing_get(r, name, &thing);
	if (!err)
		err = check_version(r, &noun_thing, name, thing.version, update->expected_version);
	if (!err)
		err = change_attributes(r, name, &thing, update);
	thing_clear(&thing);
	return err;
}

static int check_deletable(struct registry *r, const char *name, int64_t version,
			   int64_t expected_version)
{
	int64_t principals;
	int err = check_version(r, &noun_thing, name, version, expected_version);
	if (!err)
		err = rows_number(r->db, SQL_principal_count_thing, SQL_ARGS(sql_text(name)),
				  &principals);
	if (!err && principals > 0)
		err = fault_set(
			r->fault, FAULT_INVALID_REQUEST,
			"Cannot delete. Thing %s is still attached to one or more principals",
			name);
	return err;
}

int thing_delete(struct registry *r, const char *name, int64_t expected_version)
{
	struct thing thing = {0};
	int found = find(r, name, &thing);
	int64_t version = thing.version;
	thing_clear(&thing);
	if (found != 1)
		return found;
	int err = check_deletable(r, name, version, expected_version);
	if (!err)
		err = sql_exec(r->db, SQL_member_delete_thing, SQL_ARGS(sql_text(name)), NULL);
	if (!err)
		err = sql_exec(r->db, SQL_thing_delete, SQL_ARGS(sql_text(name)), NULL);
	return err ? err : change_add(r->db, CHANGE_THING, name, NULL);
}

struct listing {
	thing_item_fn *fn;
	void *ctx;
};

static int give_item(struct sql_rows *row, void *ctx)
{
	const struct listing *listing = ctx;
	struct thing_item item = {sql_col_text(row, 0), sql_col_text(row, 1), sql_col_int(row, 2)};
	return listing->fn(&item, listing->ctx);
}

int thing_list(struct registry *r, const char *after, int64_t limit, thing_item_fn *fn, void *ctx)
{
	struct listing listing = {fn, ctx};
	return rows_each(r->db, SQL_thing_list, SQL_ARGS(sql_text(after), sql_int(limit)),
			 give_item, &listing);
}

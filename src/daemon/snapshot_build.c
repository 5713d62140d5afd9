#include "daemon/snapshot_build.h"

#include "base/chance.h"
#include "base/log.h"
#include "registry/walk.h"

#include <glib.h>
#include <string.h>

/* The snapshot names its records by index; the registry by name or number. */
struct build {
	struct snapshot_builder *builder;
	GHashTable *policies, *things; /* name -> index */
	GHashTable *groups;            /* number -> index */
	GArray *a, *b;                 /* of uint32_t: the record's lists, made anew for each */
};

static void put(GHashTable *table, void *key, uint32_t index)
{
	(void)g_hash_table_insert(table, key, GUINT_TO_POINTER(index));
}

/* Appends the index of key; a key without one (it went between two walks of different views) is
 * left out. */
static void list_add(GArray *list, GHashTable *table, const void *key)
{
	gpointer value;
	if (!g_hash_table_lookup_extended(table, key, NULL, &value))
		return;
	uint32_t index = GPOINTER_TO_UINT(value);
	(void)g_array_append_val(list, index);
}

static const uint32_t *indices(const GArray *list)
{
	return (const uint32_t *)(void *)list->data;
}

static void list_names(GArray *list, GHashTable *table, const char *const *names, size_t n)
{
	(void)g_array_set_size(list, 0);
	for (size_t i = 0; i < n; i++)
		list_add(list, table, names[i]);
}

static int add_policy(const struct walk_policy *policy, void *ctx)
{
	struct build *b = ctx;
	put(b->policies, g_strdup(policy->name),
	    snapshot_add_policy(b->builder, view_of(policy->name), policy->program));
	return 0;
}

static int add_group(const struct walk_group *group, void *ctx)
{
	struct build *b = ctx;
	list_names(b->a, b->policies, group->policies, group->n_policies);
	put(b->groups, g_memdup2(&group->num, sizeof(group->num)),
	    snapshot_add_group(b->builder, view_of(group->name), indices(b->a), b->a->len));
	return 0;
}

static int add_thing(const struct walk_thing *thing, void *ctx)
{
	struct build *b = ctx;
	(void)g_array_set_size(b->a, 0);
	for (size_t i = 0; i < thing->n_groups; i++)
		list_add(b->a, b->groups, &thing->groups[i]);
	put(b->things, g_strdup(thing->name),
	    snapshot_add_thing(b->builder, view_of(thing->name), indices(b->a), b->a->len));
	return 0;
}

static int add_certificate(const struct walk_certificate *c, void *ctx)
{
	struct build *b = ctx;
	uint8_t fingerprint[SNAPSHOT_FINGERPRINT];
	if (strlen(c->id) != 2 * sizeof(fingerprint) ||
	    hex_decode(c->id, fingerprint, sizeof(fingerprint)) < 0) {
		log_error("publish", "certificate id %s is no fingerprint: left out", c->id);
		return 0;
	}
	list_names(b->a, b->things, c->things, c->n_things);
	list_names(b->b, b->policies, c->policies, c->n_policies);
	snapshot_add_cert(b->builder, fingerprint,
			  strcmp(c->status, "ACTIVE") == 0 ? SNAPSHOT_CERT_ACTIVE
							   : SNAPSHOT_CERT_INACTIVE,
			  c->not_before, c->not_after, c->is_exclusive, indices(b->a), b->a->len,
			  indices(b->b), b->b->len);
	return 0;
}

static int walk(struct sql_conn *reader, struct build *b)
{
	int r = registry_each_policy(reader, add_policy, b);
	if (r == 0)
		r = registry_each_group(reader, add_group, b);
	if (r == 0)
		r = registry_each_thing(reader, add_thing, b);
	if (r == 0)
		r = registry_each_certificate(reader, add_certificate, b);
	return r;
}

int snapshot_build(struct sql_conn *reader, uint64_t generation,
		   const struct registry_settings *settings, struct snapshot_builder **ret)
{
	struct build b = {
		.builder = snapshot_builder_new(generation, settings->partition, settings->region,
						settings->account_id),
		.policies = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
		.things = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
		.groups = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL),
		.a = g_array_new(FALSE, FALSE, sizeof(uint32_t)),
		.b = g_array_new(FALSE, FALSE, sizeof(uint32_t)),
	};
	int r = walk(reader, &b);
	g_hash_table_destroy(b.policies);
	g_hash_table_destroy(b.things);
	g_hash_table_destroy(b.groups);
	(void)g_array_free(b.a, TRUE);
	(void)g_array_free(b.b, TRUE);
	if (r == 0)
		*ret = b.builder;
	else
		snapshot_builder_free(b.builder);
	return r;
}

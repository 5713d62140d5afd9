#include "daemon/snapshot_build.h"

#include "base/chance.h"
#include "base/log.h"
#include "registry/walk.h"

#include <glib.h>
#include <string.h>

struct build {
	struct snapshot_builder *builder;
	GHashTable *groups; /* number -> name */
	GPtrArray *names;   /* of a thing's groups, made anew for each; theirs are of `groups` */
};

static int add_policy(const struct walk_policy *policy, void *ctx)
{
	const struct build *b = ctx;
	snapshot_add_policy(b->builder, policy->name, (uint32_t)policy->version, policy->program);
	return 0;
}

static int add_group(const struct walk_group *group, void *ctx)
{
	const struct build *b = ctx;
	(void)g_hash_table_insert(b->groups, g_memdup2(&group->num, sizeof(group->num)),
				  g_strdup(group->name));
	snapshot_add_group(b->builder, group->name, false, group->policies, group->n_policies);
	return 0;
}

static int add_thing(const struct walk_thing *thing, void *ctx)
{
	const struct build *b = ctx;
	(void)g_ptr_array_set_size(b->names, 0);
	for (size_t i = 0; i < thing->n_groups; i++) {
		char *name = g_hash_table_lookup(b->groups, &thing->groups[i]);
		if (name)
			g_ptr_array_add(b->names, name);
	}
	snapshot_add_thing(b->builder, thing->name, (struct view){0},
			   (const char *const *)(void *)b->names->pdata, b->names->len);
	return 0;
}

static int add_certificate(const struct walk_certificate *c, void *ctx)
{
	const struct build *b = ctx;
	struct snapshot_new_cert cert = {
		.status = snapshot_cert_status_of(c->status),
		.not_before = c->not_before,
		.not_after = c->not_after,
		.is_exclusive = c->is_exclusive,
		.things = c->things,
		.n_things = c->n_things,
		.policies = c->policies,
		.n_policies = c->n_policies,
	};
	if (strlen(c->id) != 2 * sizeof(cert.fingerprint) ||
	    hex_decode(c->id, cert.fingerprint, sizeof(cert.fingerprint)) < 0)
		log_error("publish", "certificate id %s is no fingerprint: left out", c->id);
	else
		snapshot_add_cert(b->builder, &cert);
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

int snapshot_build(struct sql_conn *reader, const struct registry_settings *settings,
		   struct snapshot_builder **ret)
{
	struct build b = {
		.builder = snapshot_builder_new(),
		.groups = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free),
		.names = g_ptr_array_new(),
	};
	snapshot_add_account(b.builder, settings->partition, settings->region,
			     settings->account_id);
	int r = walk(reader, &b);
	g_hash_table_destroy(b.groups);
	g_ptr_array_free(b.names, TRUE);
	if (r == 0)
		*ret = b.builder;
	else
		snapshot_builder_free(b.builder);
	return r;
}

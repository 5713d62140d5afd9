#include "daemon/snapshot_build.h"

#include "base/chance.h"
#include "base/log.h"

#include <errno.h>
#include <string.h>

#define PAGE 2000 /* keys: well under 250 ms */

/* ---- Records ---- */

static int put_policy(const struct walk_policy *policy, void *builder)
{
	snapshot_add_policy(builder, policy->name, (uint32_t)policy->version, policy->program);
	return 0;
}

static int put_group(const struct walk_group *group, void *builder)
{
	snapshot_add_group(builder, group->name, group->is_quarantine, group->policies,
			   group->n_policies);
	return 0;
}

static int put_dimension(const struct walk_dimension *dimension, void *builder)
{
	snapshot_add_dimension(builder, dimension->name, dimension->filters, dimension->n_filters);
	return 0;
}

void snapshot_put_thing(struct snapshot_builder *b, const struct walk_thing *thing)
{
	snapshot_add_thing(b, thing->name, thing->facts, thing->group_names, thing->n_groups);
}

/* -1: the id is none that a certificate can have. */
static int fingerprint_of(const char *id, uint8_t ret[SNAPSHOT_FINGERPRINT])
{
	if (strlen(id) == (size_t)2 * SNAPSHOT_FINGERPRINT &&
	    hex_decode(id, ret, SNAPSHOT_FINGERPRINT) == 0)
		return 0;
	log_error("publish", "certificate id %s is no fingerprint: left out", id);
	return -1;
}

void snapshot_put_cert(struct snapshot_builder *b, const struct walk_certificate *c)
{
	struct snapshot_new_cert cert = {
		.status = snapshot_cert_status_of(c->status),
		.not_before = c->not_before,
		.not_after = c->not_after,
		.is_exclusive = c->is_exclusive,
		.facts = c->facts,
		.things = c->things,
		.n_things = c->n_things,
		.policies = c->policies,
		.n_policies = c->n_policies,
	};
	if (fingerprint_of(c->id, cert.fingerprint) == 0)
		snapshot_add_cert(b, &cert);
}

/* ---- One key ---- */

/* Nothing was walked: the key names nothing any more. */
static int gone_unless(uint64_t size_before, struct snapshot_builder *b, enum snapshot_kind kind,
		       const char *name)
{
	if (snapshot_builder_size(b) == size_before)
		snapshot_remove(b, kind, view_of(name));
	return 0;
}

int snapshot_build_policy(struct sql_conn *reader, const char *name, struct snapshot_builder *b)
{
	uint64_t before = snapshot_builder_size(b);
	int r = registry_each_policy(reader, WALK_ONE(name), put_policy, b);
	return r < 0 ? r : gone_unless(before, b, SNAPSHOT_POLICY, name);
}

int snapshot_build_group(struct sql_conn *reader, const char *name, struct snapshot_builder *b)
{
	uint64_t before = snapshot_builder_size(b);
	int r = registry_each_group(reader, WALK_ONE(name), put_group, b);
	return r < 0 ? r : gone_unless(before, b, SNAPSHOT_GROUP, name);
}

int snapshot_build_dimension(struct sql_conn *reader, const char *name, struct snapshot_builder *b)
{
	uint64_t before = snapshot_builder_size(b);
	int r = registry_each_dimension(reader, WALK_ONE(name), put_dimension, b);
	return r < 0 ? r : gone_unless(before, b, SNAPSHOT_DIMENSION, name);
}

static int put_walked_cert(const struct walk_certificate *c, void *builder)
{
	snapshot_put_cert(builder, c);
	return 0;
}

int snapshot_build_cert(struct sql_conn *reader, const char *id, struct snapshot_builder *b)
{
	uint8_t print[SNAPSHOT_FINGERPRINT];
	uint64_t before = snapshot_builder_size(b);
	int r = registry_each_certificate(reader, WALK_ONE(id), put_walked_cert, b);
	if (r == 0 && snapshot_builder_size(b) == before && fingerprint_of(id, print) == 0)
		snapshot_remove(b, SNAPSHOT_CERT,
				(struct view){(const char *)print, sizeof(print)});
	return r;
}

/* ---- Everything ---- */

static int put_walked_thing(const struct walk_thing *thing, void *builder)
{
	snapshot_put_thing(builder, thing);
	return 0;
}

static int each_policy(struct sql_conn *reader, struct walk_range range, struct snapshot_builder *b)
{
	return registry_each_policy(reader, range, put_policy, b);
}

static int each_group(struct sql_conn *reader, struct walk_range range, struct snapshot_builder *b)
{
	return registry_each_group(reader, range, put_group, b);
}

static int each_thing(struct sql_conn *reader, struct walk_range range, struct snapshot_builder *b)
{
	return registry_each_thing(reader, range, put_walked_thing, b);
}

static int each_cert(struct sql_conn *reader, struct walk_range range, struct snapshot_builder *b)
{
	return registry_each_certificate(reader, range, put_walked_cert, b);
}

static int each_dimension(struct sql_conn *reader, struct walk_range range,
			  struct snapshot_builder *b)
{
	return registry_each_dimension(reader, range, put_dimension, b);
}

static int (*const walks[WALK_KINDS])(struct sql_conn *reader, struct walk_range range,
				      struct snapshot_builder *b) = {
	[WALK_POLICIES] = each_policy,      [WALK_GROUPS] = each_group,
	[WALK_THINGS] = each_thing,         [WALK_CERTIFICATES] = each_cert,
	[WALK_DIMENSIONS] = each_dimension,
};

/* Where a walk over all keys of a kind stands. */
struct place {
	enum walk_kind kind;
	char *after; /* the last key taken; g_free */
};

/* The next page's records. 1: there may be more; 0: that was the last. */
static int walk_page(struct sql_conn *reader, struct place *place, struct snapshot_builder *b)
{
	g_autofree char *first = NULL;
	char *last = NULL;
	int r = registry_next_page(reader, place->kind, place->after, PAGE, &first, &last);
	if (r <= 0)
		return r;
	r = walks[place->kind](reader, (struct walk_range){first, last}, b);
	g_free(place->after);
	place->after = last;
	return r < 0 ? r : 1;
}

static int walk_page_in_a_view(struct sql_conn *reader, struct place *place,
			       struct snapshot_builder *b)
{
	int r = store_read_begin(reader);
	if (r < 0)
		return r;
	r = walk_page(reader, place, b);
	store_read_end(reader);
	return r;
}

static int write_kind(struct sql_conn *reader, enum walk_kind kind, struct snapshot_builder *b,
		      struct snapshot_file *file, const atomic_bool *is_stopping)
{
	struct place place = {kind, g_strdup("")};
	int r = 1;
	while (r == 1) {
		snapshot_builder_empty(b);
		r = walk_page_in_a_view(reader, &place, b);
		int written = r < 0 ? r : snapshot_file_add(file, b);
		if (written < 0)
			r = written;
		else if (is_stopping && atomic_load(is_stopping))
			r = -ECANCELED;
	}
	g_free(place.after);
	return r;
}

int snapshot_build(struct sql_conn *reader, const struct registry_settings *settings,
		   struct snapshot_file *file, const atomic_bool *is_stopping)
{
	struct snapshot_builder *b = snapshot_builder_new();
	snapshot_add_account(b, settings->partition, settings->region, settings->account_id);
	int r = snapshot_file_add(file, b);
	for (unsigned kind = 0; r == 0 && kind < WALK_KINDS; kind++)
		r = write_kind(reader, (enum walk_kind)kind, b, file, is_stopping);
	snapshot_builder_free(b);
	return r;
}

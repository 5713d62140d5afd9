#include "daemon/publish_round.h"

#include "base/check.h"
#include "daemon/snapshot_build.h"
#include "detect/entry.h"
#include "registry/profile.h"
#include "store/change.h"

#include <errno.h>
#include <string.h>

/* ---- Telling the log and the snapshot ---- */

/* False when it was told already. */
static bool is_news(struct publish_round *round, const char *consumer, enum change_kind kind,
		    const char *key)
{
	return g_hash_table_add(round->told, g_strdup_printf("%s %d %s", consumer, (int)kind, key));
}

/* Takes the body. */
static void add_entry(struct publish_round *round, enum entry_kind kind, GByteArray *body)
{
	struct plog_entry entry = {
		.at_ms = round->now_ms,
		.kind = (uint8_t)kind,
		.body = {(const char *)body->data, body->len}
        };
	g_ptr_array_add(round->bodies, body);
	(void)g_array_append_val(round->entries, entry);
}

static int log_config(struct publish_round *round, const char *key)
{
	(void)key;
	if (!is_news(round, "log", CHANGE_CONFIG, ""))
		return 0;
	GByteArray *body = g_byte_array_new();
	int r = profile_config_build(round->reader, body, &round->fault);
	add_entry(round, ENTRY_CONFIG, body);
	return r;
}

static void write_thing(struct publish_round *round, const char *name, bool is_registered,
			const uint64_t *groups, size_t n)
{
	GByteArray *body = g_byte_array_new();
	g_byte_array_set_size(body, (guint)(strlen(name) + 8 * n + 64));
	struct writer w = writer_of(body->data, body->len);
	entry_write_thing(&w, view_of(name), is_registered, groups, (uint32_t)n);
	CHECK(!w.full);
	g_byte_array_set_size(body, (guint)w.len);
	add_entry(round, ENTRY_THING, body);
}

static int log_walked_thing(const struct walk_thing *thing, void *ctx)
{
	struct publish_round *round = ctx;
	(void)is_news(round, "log", CHANGE_THING, thing->name);
	write_thing(round, thing->name, true, thing->groups,
		    MIN(thing->n_groups, ENTRY_GROUPS_MAX));
	return 0;
}

static int log_thing(struct publish_round *round, const char *name)
{
	if (!is_news(round, "log", CHANGE_THING, name))
		return 0;
	guint before = round->entries->len;
	int r = registry_each_thing(round->reader, WALK_ONE(name), log_walked_thing, round);
	if (r == 0 && round->entries->len == before)
		write_thing(round, name, false, NULL, 0);
	return r;
}

static int put_cert(struct publish_round *round, const char *id)
{
	if (!is_news(round, "snapshot", CHANGE_CERT, id))
		return 0;
	return snapshot_build_cert(round->reader, id, round->records);
}

static int put_policy(struct publish_round *round, const char *name)
{
	if (!is_news(round, "snapshot", CHANGE_POLICY, name))
		return 0;
	return snapshot_build_policy(round->reader, name, round->records);
}

static int put_group(struct publish_round *round, const char *name)
{
	if (!is_news(round, "snapshot", CHANGE_GROUP, name))
		return 0;
	return snapshot_build_group(round->reader, name, round->records);
}

static int put_dimension(struct publish_round *round, const char *name)
{
	if (!is_news(round, "snapshot", CHANGE_DIMENSION, name))
		return 0;
	return snapshot_build_dimension(round->reader, name, round->records);
}

static int collect(const char *certificate, void *ids)
{
	g_ptr_array_add(ids, g_strdup(certificate));
	return 0;
}

/* The records of a thing's certificates say nothing new: they tell a plugin whose sessions are
 * concerned. */
static int put_certs_of(struct publish_round *round, const char *thing)
{
	g_autoptr(GPtrArray) ids = g_ptr_array_new_with_free_func(g_free);
	int r = registry_each_principal(round->reader, thing, collect, ids);
	for (guint i = 0; r == 0 && i < ids->len; i++)
		r = put_cert(round, g_ptr_array_index(ids, i));
	return r;
}

static int put_walked_thing(const struct walk_thing *thing, void *records)
{
	snapshot_put_thing(records, thing);
	return 0;
}

static int put_thing(struct publish_round *round, const char *name)
{
	uint64_t before = snapshot_builder_size(round->records);
	if (!is_news(round, "snapshot", CHANGE_THING, name))
		return 0;
	int r = registry_each_thing(round->reader, WALK_ONE(name), put_walked_thing,
				    round->records);
	if (r == 0 && snapshot_builder_size(round->records) == before)
		snapshot_remove(round->records, SNAPSHOT_THING, view_of(name));
	return r < 0 ? r : put_certs_of(round, name);
}

/* ---- Changes ---- */

typedef int tell_fn(struct publish_round *round, const char *key);

/* What each kind of change tells whom. Settings change at a start only, which writes the snapshot
 * whole. */
static const struct {
	tell_fn *log, *snapshot;
} tellers[] = {
	[CHANGE_CONFIG] = {log_config, NULL         },
          [CHANGE_THING] = {log_thing,  put_thing    },
	[CHANGE_CERT] = {NULL,       put_cert     },
          [CHANGE_POLICY] = {NULL,       put_policy   },
	[CHANGE_GROUP] = {NULL,       put_group    },
          [CHANGE_SETTINGS] = {NULL,       NULL         },
	[CHANGE_DIMENSION] = {NULL,       put_dimension},
};

static int take_change(const struct change *change, void *ctx)
{
	struct publish_round *round = ctx;
	uint64_t g = (uint64_t)change->g;
	size_t kind = (size_t)change->kind;
	int r = 0;
	if (kind < ARRAY_LEN(tellers) && tellers[kind].log && g > round->logged)
		r = tellers[kind].log(round, change->key);
	if (r == 0 && kind < ARRAY_LEN(tellers) && tellers[kind].snapshot && g > round->written)
		r = tellers[kind].snapshot(round, change->key);
	size_t end = round->entries->len;
	if (g > round->logged)
		(void)g_array_append_val(round->ends, end);
	return r;
}

static int tell_everything(struct publish_round *round)
{
	int r = log_config(round, "");
	return r < 0 ? r : registry_each_thing(round->reader, WALK_ALL, log_walked_thing, round);
}

/* A change for each generation, or the two databases are not of one daemon. */
static int check_changes(struct publish_round *round)
{
	if (round->g >= round->logged && round->ends->len == round->g - round->logged)
		return 0;
	(void)fault_set(&round->fault, FAULT_INTERNAL,
			"the log has changes up to %llu, the store %u from there to %llu: the two "
			"databases are not of one daemon",
			(unsigned long long)round->logged, round->ends->len,
			(unsigned long long)round->g);
	return -EBADMSG;
}

static int look(struct publish_round *round)
{
	int64_t newest;
	uint64_t from = MIN(round->logged, round->written);
	int r = change_newest(round->reader, &newest);
	if (r == 0)
		round->g = (uint64_t)newest;
	if (r == 0 && round->is_fresh)
		r = tell_everything(round);
	if (r == 0)
		r = change_each(round->reader, (int64_t)from, take_change, round);
	return r < 0 ? r : check_changes(round);
}

int publish_round_look(struct publish_round *round)
{
	int r = store_read_begin(round->reader);
	if (r == 0) {
		r = look(round);
		store_read_end(round->reader);
	}
	return r;
}

void publish_round_init(struct publish_round *round)
{
	round->entries = g_array_new(FALSE, FALSE, sizeof(struct plog_entry));
	round->ends = g_array_new(FALSE, FALSE, sizeof(size_t));
	round->bodies = g_ptr_array_new_with_free_func((GDestroyNotify)g_byte_array_unref);
	round->told = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	round->records = snapshot_builder_new();
}

void publish_round_clear(struct publish_round *round)
{
	snapshot_builder_free(round->records);
	(void)g_array_free(round->entries, TRUE);
	(void)g_array_free(round->ends, TRUE);
	g_ptr_array_free(round->bodies, TRUE);
	g_hash_table_destroy(round->told);
}

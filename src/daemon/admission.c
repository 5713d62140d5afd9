#include "daemon/admission.h"

#include <glib.h>
#include <string.h>

#define RECENT 4 /* ids remembered of a thing: more than one only counts with short intervals */

struct key {
	uint64_t hash;
	struct view name;
};

struct record {
	struct key key; /* first: the hash table's key is the record's address */
	struct record *newer, *older;
	int64_t last_ms;
	uint64_t recent[RECENT]; /* newest first; 0: none */
	char name[];
};

struct admission {
	struct admission_limits limits;
	GHashTable *things;
	struct record *newest, *oldest; /* by last report; eviction takes the oldest */
	int64_t second;                 /* that `taken` counts in */
	int64_t taken;
	uint64_t evicted;
};

static guint key_hash(gconstpointer p)
{
	const struct key *key = p;
	return (guint)key->hash;
}

static gboolean key_equal(gconstpointer a, gconstpointer b)
{
	const struct key *x = a, *y = b;
	return x->hash == y->hash && view_eq(x->name, y->name);
}

static struct key key_of(const struct admission *a, struct view name)
{
	uint64_t h = a->limits.seed;
	for (size_t i = 0; i < name.n; i++) {
		h = (h ^ (uint8_t)name.p[i]) * 0x9e3779b97f4a7c15U;
		h ^= h >> 29;
	}
	return (struct key){h ^ (h >> 32), name};
}

struct admission *admission_new(const struct admission_limits *limits)
{
	struct admission *a = g_new0(struct admission, 1);
	a->limits = *limits;
	a->things = g_hash_table_new_full(key_hash, key_equal, NULL, g_free);
	return a;
}

void admission_free(struct admission *a)
{
	if (!a)
		return;
	g_hash_table_destroy(a->things);
	g_free(a);
}

static void unlink_record(struct admission *a, struct record *r)
{
	*(r->newer ? &r->newer->older : &a->newest) = r->older;
	*(r->older ? &r->older->newer : &a->oldest) = r->newer;
}

static void link_newest(struct admission *a, struct record *r)
{
	r->newer = NULL;
	r->older = a->newest;
	*(a->newest ? &a->newest->newer : &a->oldest) = r;
	a->newest = r;
}

static void evict_oldest(struct admission *a)
{
	struct record *r = a->oldest;
	unlink_record(a, r);
	(void)g_hash_table_remove(a->things, &r->key);
	a->evicted++;
}

static struct record *find(const struct admission *a, struct view thing)
{
	struct key key = key_of(a, thing);
	return g_hash_table_lookup(a->things, &key);
}

static struct record *add(struct admission *a, struct view thing)
{
	if (g_hash_table_size(a->things) >= a->limits.max_devices)
		evict_oldest(a);
	struct record *r = g_malloc0(sizeof(*r) + thing.n);
	memcpy(r->name, thing.p, thing.n);
	r->key = key_of(a, (struct view){r->name, thing.n});
	(void)g_hash_table_insert(a->things, &r->key, r);
	link_newest(a, r);
	return r;
}

static void remember(struct admission *a, struct record *r, uint64_t report_id, int64_t at_ms)
{
	memmove(r->recent + 1, r->recent, sizeof(r->recent) - sizeof(r->recent[0]));
	r->recent[0] = report_id;
	r->last_ms = at_ms;
	unlink_record(a, r);
	link_newest(a, r);
}

void admission_learn(struct admission *a, struct view thing, uint64_t report_id, int64_t at_ms)
{
	struct record *r = find(a, thing);
	if (!r)
		r = add(a, thing);
	if (r->recent[0] != report_id)
		remember(a, r, report_id, at_ms);
}

static bool is_too_soon(const struct admission *a, const struct record *r, int64_t at_ms)
{
	int64_t least = a->limits.min_interval_ms - a->limits.min_interval_ms / 30;
	return least > 0 && at_ms - r->last_ms < least;
}

/* Of seconds that are over, what comes late was bounded by the queue that it waited in. */
static bool take_rate(struct admission *a, int64_t at_ms)
{
	int64_t second = at_ms / 1000;
	if (second < a->second)
		return true;
	if (second > a->second)
		a->taken = 0;
	a->second = second;
	return a->taken++ < a->limits.account_rate;
}

enum admission_verdict admission_judge(struct admission *a, struct view thing, uint64_t report_id,
				       int64_t at_ms)
{
	struct record *r = find(a, thing);
	if (r && r->recent[0] == report_id)
		return ADMISSION_REPEATED;
	if (r && is_too_soon(a, r, at_ms))
		return ADMISSION_TOO_SOON;
	if (!take_rate(a, at_ms))
		return ADMISSION_RATE;
	remember(a, r ? r : add(a, thing), report_id, at_ms);
	return ADMISSION_NEW;
}

bool admission_knows(const struct admission *a, struct view thing, uint64_t report_id)
{
	const struct record *r = find(a, thing);
	for (size_t i = 0; r && i < RECENT; i++) {
		if (r->recent[i] == report_id)
			return true;
	}
	return false;
}

uint64_t admission_evicted(const struct admission *a)
{
	return a->evicted;
}

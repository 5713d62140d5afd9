#include "detect/device.h"

#include "detect/detect.h"
#include "detect/window.h"

#include <stdlib.h>

#define BUCKETS_FIRST 16U

/* ---- Keys ---- */

/* FNV-1a: which shard a name is in never changes, for the order of effects follows it. */
static uint32_t shard_of(struct view name)
{
	uint64_t h = 0xcbf29ce484222325U;
	for (size_t i = 0; i < name.n; i++)
		h = (h ^ (uint8_t)name.p[i]) * 0x100000001b3U;
	return (uint32_t)(h >> 32) % DETECT_SHARDS;
}

static uint64_t rotate(uint64_t v, unsigned by)
{
	return v << by | v >> (64 - by);
}

static void sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[2] += v[3];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] = rotate(v[0], 32);
	v[2] += v[1];
	v[0] += v[3];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] = rotate(v[2], 32);
}

/* SipHash-1-3 (Aumasson, Bernstein 2012): names are chosen by devices, and nobody who does not know
 * the secret can aim many of them at one bucket. */
static uint32_t hash_of(struct view name, const uint64_t secret[2])
{
	uint64_t v[4] = {secret[0] ^ 0x736f6d6570736575U, secret[1] ^ 0x646f72616e646f6dU,
			 secret[0] ^ 0x6c7967656e657261U, secret[1] ^ 0x7465646279746573U};
	struct reader r = reader_of(name.p, name.n);
	while (reader_left(&r) >= 8) {
		uint64_t word = read_u64(&r);
		v[3] ^= word;
		sip_round(v);
		v[0] ^= word;
	}
	uint64_t tail = (uint64_t)name.n << 56;
	for (unsigned i = 0; reader_left(&r) > 0; i++)
		tail |= (uint64_t)read_u8(&r) << (8 * i);
	v[3] ^= tail;
	sip_round(v);
	v[0] ^= tail;
	v[2] ^= 0xff;
	for (int i = 0; i < 3; i++)
		sip_round(v);
	return (uint32_t)(v[0] ^ v[1] ^ v[2] ^ v[3]);
}

struct device_key device_key_of(struct view name, const uint64_t secret[2])
{
	return (struct device_key){name, shard_of(name), hash_of(name, secret)};
}

/* ---- The table ---- */

static struct device *device_at(const struct shard *s, uint32_t at)
{
	return at ? arena_at(&s->arena, at) : NULL;
}

static size_t device_size(struct view name)
{
	return sizeof(struct device) + name.n;
}

struct device *device_find(const struct shard *s, const struct device_key *key, bool is_registered)
{
	if (s->n_buckets == 0)
		return NULL;
	struct device *d = device_at(s, s->buckets[key->hash % s->n_buckets]);
	while (d && !(d->hash == key->hash && d->is_registered == is_registered &&
		      view_eq(device_name(d), key->name)))
		d = device_at(s, d->chain);
	return d;
}

static void bucket_add(struct shard *s, struct device *d)
{
	uint32_t *bucket = &s->buckets[d->hash % s->n_buckets];
	d->chain = *bucket;
	*bucket = d->at;
}

static bool buckets_grow(struct shard *s)
{
	uint32_t n = s->n_buckets ? s->n_buckets * 2 : BUCKETS_FIRST;
	uint32_t *buckets = calloc(n, sizeof(*buckets));
	if (!buckets)
		return false;
	free(s->buckets);
	s->buckets = buckets;
	s->n_buckets = n;
	for (struct device *d = device_first(s); d; d = device_next(s, d))
		bucket_add(s, d);
	return true;
}

struct device *device_add(struct shard *s, const struct device_key *key, bool is_registered)
{
	if (s->n_devices >= s->n_buckets && !buckets_grow(s))
		return NULL;
	uint32_t at = arena_take(&s->arena, device_size(key->name));
	if (!at)
		return NULL;
	struct device *d = device_at(s, at), *last = device_at(s, s->last);
	d->at = at;
	d->hash = key->hash;
	d->is_registered = is_registered;
	d->n_name = (uint8_t)key->name.n;
	memcpy(d->name, key->name.p, key->name.n);
	d->prev = s->last;
	*(last ? &last->next : &s->first) = at;
	s->last = at;
	s->n_devices++;
	s->n_registered += is_registered;
	bucket_add(s, d);
	return d;
}

static void bucket_remove(struct shard *s, const struct device *d)
{
	uint32_t *link = &s->buckets[d->hash % s->n_buckets];
	while (*link != d->at)
		link = &device_at(s, *link)->chain;
	*link = d->chain;
}

static void order_remove(struct shard *s, const struct device *d)
{
	struct device *prev = device_at(s, d->prev), *next = device_at(s, d->next);
	*(prev ? &prev->next : &s->first) = d->next;
	*(next ? &next->prev : &s->last) = d->prev;
}

static void parts_give(struct shard *s, struct device *d)
{
	struct track *tracks = device_tracks(s, d);
	for (uint32_t i = 0; i < d->n_tracks; i++)
		track_drop_alarm(s, d, &tracks[i]);
	if (d->n_tracks)
		arena_give(&s->arena, d->tracks, d->n_tracks * sizeof(struct track));
	if (d->n_groups)
		arena_give(&s->arena, d->groups, d->n_groups * sizeof(uint64_t));
	for (unsigned i = 0; i < REPORT_COUNTERS; i++)
		window_drop(&s->arena, &d->windows[i]);
}

void device_remove(struct shard *s, struct device *d)
{
	bucket_remove(s, d);
	order_remove(s, d);
	parts_give(s, d);
	s->n_devices--;
	s->n_registered -= d->is_registered;
	arena_give(&s->arena, d->at, device_size(device_name(d)));
}

bool device_set_groups(struct shard *s, struct device *d, struct reader groups, uint32_t n)
{
	uint32_t at = n ? arena_take(&s->arena, n * sizeof(uint64_t)) : 0;
	if (n && !at)
		return false;
	if (d->n_groups)
		arena_give(&s->arena, d->groups, d->n_groups * sizeof(uint64_t));
	d->groups = at;
	d->n_groups = n;
	uint64_t *to = device_groups(s, d);
	for (uint32_t i = 0; i < n; i++)
		to[i] = read_u64(&groups);
	return true;
}

struct device *device_first(const struct shard *s)
{
	return device_at(s, s->first);
}

struct device *device_next(const struct shard *s, const struct device *d)
{
	return device_at(s, d->next);
}

uint64_t *device_groups(const struct shard *s, const struct device *d)
{
	return d->n_groups ? arena_at(&s->arena, d->groups) : NULL;
}

struct track *device_tracks(const struct shard *s, const struct device *d)
{
	return d->n_tracks ? arena_at(&s->arena, d->tracks) : NULL;
}

struct alarm *track_alarm(const struct shard *s, const struct track *t)
{
	return t->alarm ? arena_at(&s->arena, t->alarm) : NULL;
}

struct alarm *track_add_alarm(struct shard *s, struct device *d, struct track *t)
{
	t->alarm = arena_take(&s->arena, sizeof(struct alarm));
	if (!t->alarm)
		return NULL;
	d->n_alarms++;
	s->n_alarms++;
	return track_alarm(s, t);
}

void track_drop_alarm(struct shard *s, struct device *d, struct track *t)
{
	if (!t->alarm)
		return;
	arena_give(&s->arena, t->alarm, sizeof(struct alarm));
	t->alarm = 0;
	d->n_alarms--;
	s->n_alarms--;
}

void shard_release(struct shard *s)
{
	arena_release(&s->arena);
	free(s->buckets);
	*s = (struct shard){0};
}

#include "mosquitto/principal.h"

#include <stdlib.h>

#include "mosquitto/hash.h"
#include "mosquitto/slab.h"

struct principals {
	struct principal **by_key;
	struct slab *slab;
	size_t buckets, n;
	uint64_t seed;
};

struct principals *principals_new(size_t buckets, uint64_t seed)
{
	struct principals *all = calloc(1, sizeof(*all));
	if (!all)
		return NULL;
	*all = (struct principals){.buckets = buckets, .seed = seed};
	all->by_key = calloc(buckets, sizeof(struct principal *));
	all->slab = slab_new();
	if (all->by_key && all->slab)
		return all;
	principals_free(all);
	return NULL;
}

void principals_free(struct principals *all)
{
	if (!all)
		return;
	slab_free(all->slab);
	free(all->by_key);
	free(all);
}

static bool has_certificate(const uint8_t fingerprint[EVENT_FINGERPRINT])
{
	static const uint8_t none[EVENT_FINGERPRINT];
	return memcmp(fingerprint, none, EVENT_FINGERPRINT) != 0;
}

static struct principal **bucket_of(const struct principals *all, const uint8_t *fingerprint,
				    struct view username)
{
	uint64_t h = hash_bytes(all->seed, fingerprint, EVENT_FINGERPRINT);
	return &all->by_key[hash_text(h, username) & (all->buckets - 1)];
}

struct view principal_username(const struct principal *one)
{
	return (struct view){one->username, one->username_n};
}

static struct principal *principal_new(struct principals *all, const uint8_t *fingerprint,
				       struct view username)
{
	struct principal *one = slab_take(all->slab, sizeof(*one) + username.n);
	if (!one)
		return NULL;
	memcpy(one->fingerprint, fingerprint, EVENT_FINGERPRINT);
	one->username_n = username.n;
	if (username.n)
		memcpy(one->username, username.p, username.n);
	return one;
}

static struct view username_of(const struct event_identity *who)
{
	if (has_certificate(who->fingerprint))
		return (struct view){0};
	return event_clip(who->username, EVENT_USERNAME_MAX);
}

struct principal *principal_find(const struct principals *all, const struct event_identity *who)
{
	struct view username = username_of(who);
	struct principal *one = *bucket_of(all, who->fingerprint, username);
	while (one && (memcmp(one->fingerprint, who->fingerprint, EVENT_FINGERPRINT) != 0 ||
		       !view_eq(principal_username(one), username)))
		one = one->next;
	return one;
}

struct principal *principal_take(struct principals *all, const struct event_identity *who)
{
	struct view username = username_of(who);
	struct principal *one = principal_find(all, who);
	if (!one) {
		one = principal_new(all, who->fingerprint, username);
		if (!one)
			return NULL;
		struct principal **bucket = bucket_of(all, who->fingerprint, username);
		one->next = *bucket;
		*bucket = one;
		all->n++;
	}
	one->references++;
	return one;
}

void principal_release(struct principals *all, struct principal *one)
{
	if (--one->references > 0)
		return;
	struct principal **at = bucket_of(all, one->fingerprint, principal_username(one));
	while (*at != one)
		at = &(*at)->next;
	*at = one->next;
	all->n--;
	slab_give(all->slab, one, sizeof(*one) + one->username_n);
}

size_t principals_count(const struct principals *all)
{
	return all->n;
}

uint64_t principals_seed(const struct principals *all)
{
	return all->seed;
}

bool principal_has_certificate(const struct principal *one)
{
	return has_certificate(one->fingerprint);
}

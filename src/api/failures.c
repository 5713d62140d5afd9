#include "api/failures.h"

#include "api/rate.h"

#include <glib.h>
#include <pthread.h>

#define SLOTS 4096 /* a power of two */
#define WAYS  8    /* places an entry may stand in */

static const struct rate address_rate = {.burst = 60, .per_minute = 60};
static const struct rate pair_rate = {.burst = 10, .per_minute = 10};

struct slot {
	uint64_t hash;
	struct rate_bucket bucket;
};

struct failures {
	uint64_t seed;
	pthread_mutex_t lock;
	struct slot slots[SLOTS];
};

struct failures *failures_new(uint64_t seed)
{
	struct failures *failures = g_new0(struct failures, 1);
	failures->seed = seed;
	pthread_mutex_init(&failures->lock, NULL);
	return failures;
}

void failures_free(struct failures *failures)
{
	if (!failures)
		return;
	pthread_mutex_destroy(&failures->lock);
	g_free(failures);
}

/* FNV-1a from a random start. */
static uint64_t hash(uint64_t h, const char *text)
{
	for (const char *p = text; *p != '\0'; p++)
		h = (h ^ (unsigned char)*p) * UINT64_C(0x100000001b3);
	return h ^ (h >> 29);
}

/* The slot of that hash, or the one that makes room for it. */
static struct slot *slot_of(struct failures *failures, uint64_t h)
{
	struct slot *oldest = &failures->slots[h % SLOTS];
	for (uint64_t i = 0; i < WAYS; i++) {
		struct slot *slot = &failures->slots[(h + i) % SLOTS];
		if (slot->hash == h)
			return slot;
		if (slot->bucket.at_ms < oldest->bucket.at_ms)
			oldest = slot;
	}
	*oldest = (struct slot){.hash = h};
	return oldest;
}

bool failures_allow(struct failures *failures, const char *address, const char *key_id,
		    int64_t now_ms)
{
	uint64_t by_address = hash(failures->seed, address), by_pair = hash(by_address, key_id);
	pthread_mutex_lock(&failures->lock);
	bool allowed = rate_has(&address_rate, &slot_of(failures, by_address)->bucket, now_ms) &&
		       rate_has(&pair_rate, &slot_of(failures, by_pair)->bucket, now_ms);
	pthread_mutex_unlock(&failures->lock);
	return allowed;
}

void failures_add(struct failures *failures, const char *address, const char *key_id,
		  int64_t now_ms)
{
	uint64_t by_address = hash(failures->seed, address), by_pair = hash(by_address, key_id);
	pthread_mutex_lock(&failures->lock);
	(void)rate_take(&address_rate, &slot_of(failures, by_address)->bucket, now_ms);
	(void)rate_take(&pair_rate, &slot_of(failures, by_pair)->bucket, now_ms);
	pthread_mutex_unlock(&failures->lock);
}

/* A hash for the plugin's tables, whose keys clients choose. The seed is drawn at the start of each
 * run, so that no client knows which keys meet in a bucket; who finds out all the same makes one
 * look-up slow, for the tables are bounded. */
#ifndef PLUGIN_HASH_H
#define PLUGIN_HASH_H

#include "base/view.h"

#include <stdint.h>

#define HASH_PRIME 0x100000001B3U

/* Adds n bytes to a hash that began with the seed. */
static inline uint64_t hash_bytes(uint64_t h, const void *bytes, size_t n)
{
	const uint8_t *p = bytes;
	for (size_t i = 0; i < n; i++)
		h = (h ^ p[i]) * HASH_PRIME;
	return h ^ h >> 32;
}

/* Adds a text and its length, so that "ab" "c" and "a" "bc" differ. */
static inline uint64_t hash_text(uint64_t h, struct view text)
{
	h = hash_bytes(h, &text.n, sizeof(text.n));
	return hash_bytes(h, text.p, text.n);
}

/* The smallest power of two that is not below n: buckets for n entries. */
static inline size_t hash_buckets(size_t n)
{
	size_t buckets = 1;
	while (buckets < n)
		buckets *= 2;
	return buckets;
}

#endif

/* Memory of one shard, addressed by 32-bit offsets instead of pointers: half the size, no header
 * per block, one free list per size. Pages never move, so a block's address is good until it is
 * given back. An offset counts units of 16 bytes; 0 is "none". */
#ifndef DETECT_ARENA_H
#define DETECT_ARENA_H

#include "base/compiler.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARENA_UNIT    16
#define ARENA_SMALL   32 /* classes of 1..32 units; above them powers of two */
#define ARENA_CLASSES (ARENA_SMALL + 28)

struct arena_page {
	uint8_t *p;
	bool is_owner; /* false: inside the block of an earlier page */
};

struct arena {
	struct arena_page *pages;
	uint32_t n_pages, cap_pages;
	uint32_t next;                /* first unit never handed out, in the last page */
	uint32_t free[ARENA_CLASSES]; /* head of each class's free list */
	uint64_t bytes;               /* in pages */
};

/* A block of at least n zero bytes, or 0 when there is no memory. It is given back with the same n.
 */
uint32_t arena_take(struct arena *a, size_t n) MUST_USE;
void arena_give(struct arena *a, uint32_t at, size_t n);
void *arena_at(const struct arena *a, uint32_t at);
void arena_release(struct arena *a);

#endif

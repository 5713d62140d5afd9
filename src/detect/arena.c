#include "detect/arena.h"

#include "base/check.h"

#include <stdlib.h>
#include <string.h>

#define PAGE_UNITS     4096U /* 64 KiB */
#define PAGE_BYTES     ((size_t)PAGE_UNITS * ARENA_UNIT)
#define SIZE_MAX_CLASS (1U << 27)

/* The class of a block and, through ret_units, how long its blocks are. */
static unsigned size_class_of(size_t n, uint32_t *ret_units)
{
	CHECK(n > 0 && n <= SIZE_MAX_CLASS);
	uint32_t units = (uint32_t)((n + ARENA_UNIT - 1) / ARENA_UNIT);
	unsigned size_class = units - 1;
	if (units > ARENA_SMALL) {
		size_class = ARENA_SMALL;
		uint32_t size = ARENA_SMALL * 2;
		for (; size < units; size *= 2)
			size_class++;
		units = size;
	}
	*ret_units = units;
	return size_class;
}

void *arena_at(const struct arena *a, uint32_t at)
{
	return a->pages[at / PAGE_UNITS].p + (size_t)(at % PAGE_UNITS) * ARENA_UNIT;
}

static bool pages_reserve(struct arena *a, uint32_t more)
{
	uint32_t need = a->n_pages + more, cap = a->cap_pages ? a->cap_pages : 4;
	if (need >= UINT32_MAX / PAGE_UNITS)
		return false;
	while (cap < need)
		cap *= 2;
	if (cap == a->cap_pages)
		return true;
	struct arena_page *grown = realloc(a->pages, cap * sizeof(*grown));
	if (!grown)
		return false;
	a->pages = grown;
	a->cap_pages = cap;
	return true;
}

/* New pages, one piece of memory, for a block of that many units. Unit 0 of all is left out. */
static bool pages_add(struct arena *a, uint32_t units)
{
	uint32_t skip = a->n_pages == 0;
	uint32_t n = (units + skip + PAGE_UNITS - 1) / PAGE_UNITS;
	if (!pages_reserve(a, n))
		return false;
	uint8_t *p = malloc(n * PAGE_BYTES);
	if (!p)
		return false;
	a->next = a->n_pages * PAGE_UNITS + skip;
	for (uint32_t i = 0; i < n; i++)
		a->pages[a->n_pages++] = (struct arena_page){p + i * PAGE_BYTES, i == 0};
	a->bytes += n * PAGE_BYTES;
	return true;
}

static uint32_t take_fresh(struct arena *a, uint32_t units)
{
	if (a->n_pages * PAGE_UNITS - a->next < units && !pages_add(a, units))
		return 0;
	uint32_t at = a->next;
	a->next += units;
	return at;
}

uint32_t arena_take(struct arena *a, size_t n)
{
	uint32_t units;
	unsigned size_class = size_class_of(n, &units);
	uint32_t at = a->free[size_class];
	if (at)
		memcpy(&a->free[size_class], arena_at(a, at), sizeof(at));
	else
		at = take_fresh(a, units);
	if (at)
		memset(arena_at(a, at), 0, (size_t)units * ARENA_UNIT);
	return at;
}

void arena_give(struct arena *a, uint32_t at, size_t n)
{
	if (!at)
		return;
	uint32_t units;
	unsigned size_class = size_class_of(n, &units);
	memcpy(arena_at(a, at), &a->free[size_class], sizeof(at));
	a->free[size_class] = at;
}

void arena_release(struct arena *a)
{
	for (uint32_t i = 0; i < a->n_pages; i++)
		if (a->pages[i].is_owner)
			free(a->pages[i].p);
	free(a->pages);
	*a = (struct arena){0};
}

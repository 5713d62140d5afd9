#include "daemon/pages.h"

#include "base/check.h"

#include <glib.h>
#include <stdalign.h>

#define PAGE_SIZE   (4 * REPORT_ARENA_SIZE)
#define ALIGN_UP(n) (((n) + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1))

struct pages {
	GPtrArray *all;
	uint8_t *page; /* the last of them, */
	size_t used, cap;
	size_t size; /* taken of all */
};

struct pages *pages_new(void)
{
	struct pages *p = g_new0(struct pages, 1);
	p->all = g_ptr_array_new_with_free_func(g_free);
	return p;
}

void pages_free(struct pages *p)
{
	if (!p)
		return;
	g_ptr_array_free(p->all, TRUE);
	g_free(p);
}

static void make_room(struct pages *p, size_t n)
{
	if (p->cap - p->used >= n)
		return;
	p->cap = MAX(n, PAGE_SIZE);
	p->used = 0;
	p->page = g_malloc(p->cap);
	g_ptr_array_add(p->all, p->page);
}

void *pages_take(struct pages *p, size_t n)
{
	n = ALIGN_UP(n);
	make_room(p, n);
	void *piece = p->page + p->used;
	p->used += n;
	p->size += n;
	return piece;
}

struct view pages_copy(struct pages *p, struct view v)
{
	char *to = pages_take(p, v.n);
	if (v.n)
		memcpy(to, v.p, v.n);
	return (struct view){to, v.n};
}

struct report_arena pages_arena(struct pages *p)
{
	make_room(p, REPORT_ARENA_SIZE);
	return (struct report_arena){p->page + p->used, REPORT_ARENA_SIZE, 0};
}

void pages_keep(struct pages *p, const struct report_arena *arena)
{
	CHECK(arena->buf == p->page + p->used && arena->used <= arena->cap);
	size_t n = MIN(ALIGN_UP(arena->used), p->cap - p->used);
	p->used += n;
	p->size += n;
}

size_t pages_size(const struct pages *p)
{
	return p->size;
}

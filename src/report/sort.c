#include "report/sort.h"

/* Up to here insertion beats the heap; typical lists are this short and nearly sorted. */
#define SHORT_LIST 24

struct items {
	uint8_t *at;
	size_t size;
	sort_cmp_fn *cmp;
};

static uint8_t *item(const struct items *s, uint32_t i)
{
	return s->at + i * s->size;
}

static void insertion_sort(const struct items *s, uint32_t n)
{
	uint8_t moved[SORT_ITEM_MAX];
	for (uint32_t i = 1; i < n; i++) {
		uint32_t to = i;
		while (to > 0 && s->cmp(item(s, to - 1), item(s, i)) > 0)
			to--;
		if (to == i)
			continue;
		memcpy(moved, item(s, i), s->size);
		memmove(item(s, to + 1), item(s, to), (i - to) * s->size);
		memcpy(item(s, to), moved, s->size);
	}
}

static void swap(const struct items *s, uint32_t a, uint32_t b)
{
	uint8_t kept[SORT_ITEM_MAX];
	memcpy(kept, item(s, a), s->size);
	memcpy(item(s, a), item(s, b), s->size);
	memcpy(item(s, b), kept, s->size);
}

static void sift_down(const struct items *s, uint32_t i, uint32_t n)
{
	for (uint32_t child; (child = 2 * i + 1) < n; i = child) {
		if (child + 1 < n && s->cmp(item(s, child + 1), item(s, child)) > 0)
			child++;
		if (s->cmp(item(s, i), item(s, child)) >= 0)
			return;
		swap(s, i, child);
	}
}

static void heap_sort(const struct items *s, uint32_t n)
{
	for (uint32_t i = n / 2; i-- > 0;)
		sift_down(s, i, n);
	for (uint32_t end = n; end-- > 1;) {
		swap(s, 0, end);
		sift_down(s, 0, end);
	}
}

uint32_t sort_distinct(void *items, uint32_t n, size_t size, sort_cmp_fn *cmp)
{
	const struct items s = {items, size, cmp};
	if (n < 2)
		return n;
	if (n <= SHORT_LIST)
		insertion_sort(&s, n);
	else
		heap_sort(&s, n);
	uint32_t kept = 1;
	for (uint32_t i = 1; i < n; i++) {
		if (cmp(item(&s, kept - 1), item(&s, i)) == 0)
			continue;
		if (kept != i)
			memcpy(item(&s, kept), item(&s, i), size);
		kept++;
	}
	return kept;
}

static int name_cmp(const struct name *a, const struct name *b)
{
	if (a->text.n != b->text.n)
		return a->text.n < b->text.n ? -1 : 1;
	return a->text.n ? memcmp(a->text.p, b->text.p, a->text.n) : 0;
}

static struct name *merge(struct name *a, struct name *b)
{
	struct name *list = NULL, **last = &list;
	while (a && b) {
		struct name **less = name_cmp(a, b) <= 0 ? &a : &b;
		*last = *less;
		last = &(*less)->next;
		*less = *last;
	}
	*last = a ? a : b;
	return list;
}

/* Cuts the list behind its first half and returns the second. */
static struct name *cut_in_half(struct name *list)
{
	struct name *middle = list;
	for (struct name *n = list->next; n && n->next; n = n->next->next)
		middle = middle->next;
	struct name *second = middle->next;
	middle->next = NULL;
	return second;
}

/* The recursion is as deep as the logarithm of the length. */
struct name *sort_names(struct name *list)
{
	if (!list || !list->next)
		return list;
	struct name *second = cut_in_half(list);
	return merge(sort_names(list), sort_names(second));
}

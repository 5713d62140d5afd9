/* Sorting for lists whose length and order a peer chose: in place, without allocation, never
 * quadratic. */
#ifndef REPORT_SORT_H
#define REPORT_SORT_H

#include "base/view.h"

#include <stdint.h>

/* Items of `size` bytes, at most SORT_ITEM_MAX. */
#define SORT_ITEM_MAX 16
typedef int sort_cmp_fn(const void *a, const void *b);

/* Sorts and drops repetitions. Returns how many are left. */
uint32_t sort_distinct(void *items, uint32_t n, size_t size, sort_cmp_fn *cmp);

/* Names to be compared with each other; the nodes are the caller's. */
struct name {
	struct name *next;
	struct view text;
};

/* The same list sorted by length, then bytes. */
struct name *sort_names(struct name *list);

#endif

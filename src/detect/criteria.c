#include "detect/criteria.h"

bool addr_is_v4(const struct report_addr *addr)
{
	static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
	return memcmp(addr->b, mapped, sizeof(mapped)) == 0;
}

int view_order(const void *a, const void *b)
{
	const struct view *x = a, *y = b;
	size_t n = x->n < y->n ? x->n : y->n;
	int order = n ? memcmp(x->p, y->p, n) : 0;
	return order ? order : (x->n > y->n) - (x->n < y->n);
}

/* ---- Inequalities ---- */

/* -1, 0 or 1. Two counts are compared as integers; a custom number with a count as doubles. */
static int order_of(const struct value *v, const struct behavior *b)
{
	if (v->kind == VALUE_COUNT)
		return (v->count > b->count) - (v->count < b->count);
	double limit = b->kind == VALUE_COUNT ? (double)b->count : b->number;
	return (v->number > limit) - (v->number < limit);
}

static bool inequality_holds(const struct behavior *b, const struct value *v)
{
	enum { BELOW = 1, EQUAL = 2, ABOVE = 4 };
	static const uint8_t allowed[COMPARISON_COUNT] = {
		[COMPARE_LESS] = BELOW,
		[COMPARE_LESS_EQUALS] = BELOW | EQUAL,
		[COMPARE_GREATER] = ABOVE,
		[COMPARE_GREATER_EQUALS] = ABOVE | EQUAL,
	};
	return (allowed[b->op] & 1U << (order_of(v, b) + 1)) != 0;
}

/* ---- Sets: is element i of the value in the behavior's set? ---- */

static bool has_number(const struct behavior *b, const struct value *v, uint32_t i)
{
	uint32_t lo = 0, hi = b->n;
	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		if (b->numbers[mid] < v->numbers[i])
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < b->n && !(v->numbers[i] < b->numbers[lo]);
}

static bool has_port(const struct behavior *b, const struct value *v, uint32_t i)
{
	uint32_t lo = 0, hi = b->n;
	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		if (b->ports[mid] < v->ports[i])
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < b->n && b->ports[lo] == v->ports[i];
}

/* The first range of the address's family that ends at it or behind it, if that holds it. */
static bool has_address(const struct behavior *b, const struct value *v, uint32_t i)
{
	const struct report_addr *addr = &v->addrs[i];
	bool is_v4 = addr_is_v4(addr);
	uint32_t lo = is_v4 ? 0 : b->n_v4, end = is_v4 ? b->n_v4 : b->n, hi = end;
	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		if (memcmp(b->ranges[mid].hi.b, addr->b, sizeof(addr->b)) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < end && memcmp(b->ranges[lo].lo.b, addr->b, sizeof(addr->b)) <= 0;
}

static bool has_string(const struct behavior *b, const struct value *v, uint32_t i)
{
	uint32_t lo = 0, hi = b->n;
	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		if (view_order(&b->strings[mid], &v->strings[i]) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < b->n && view_eq(b->strings[lo], v->strings[i]);
}

static bool set_holds(const struct behavior *b, const struct value *v)
{
	static bool (*const has_kind[])(const struct behavior *, const struct value *, uint32_t) = {
		[VALUE_NUMBERS] = has_number,
		[VALUE_PORTS] = has_port,
		[VALUE_ADDRS] = has_address,
		[VALUE_STRINGS] = has_string,
	};
	bool is_negated = comparisons[b->op].is_negated;
	for (uint32_t i = 0; i < v->n; i++)
		if (has_kind[v->kind](b, v, i) == is_negated)
			return false;
	return true;
}

bool criteria_hold(const struct behavior *b, const struct value *v)
{
	return comparisons[b->op].is_set ? set_holds(b, v) : inequality_holds(b, v);
}

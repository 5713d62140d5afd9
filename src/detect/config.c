/* The reading half: a body is checked whole and compiled, lists are sorted for binary search. */
#include "detect/config.h"

#include "detect/criteria.h"
#include "detect/form.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#define NAME_MAX_BYTES 128
#define DURATION_MAX_S 3600
#define DATAPOINTS_MAX 10
#define TARGETS_ALL    (TARGET_ALL_THINGS | TARGET_REGISTERED | TARGET_UNREGISTERED)

/* Room for n elements that take `wire` bytes each in what is left of r. A number of elements that
 * cannot be there makes r bad, so that nothing is allocated on the word of a damaged body. */
static int list_new(struct reader *r, uint32_t n, size_t wire, size_t size, void *ret)
{
	if (n > reader_left(r) / wire) {
		r->bad = true;
		return -EBADMSG;
	}
	void *list = calloc(n ? n : 1, size);
	if (!list)
		return -ENOMEM;
	memcpy(ret, &list, sizeof(list));
	/* cppcheck-suppress memleak */
	return 0;
}

/* ---- Values ---- */

static int read_count(struct reader *r, struct behavior *b)
{
	b->count = read_u64(r);
	return 0;
}

static int read_number(struct reader *r, struct behavior *b)
{
	b->number = read_f64(r);
	return isfinite(b->number) ? 0 : -EBADMSG;
}

static int compare_numbers(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static int read_numbers(struct reader *r, struct behavior *b)
{
	b->n = read_u32(r);
	int rc = list_new(r, b->n, sizeof(double), sizeof(double), &b->numbers);
	for (uint32_t i = 0; rc == 0 && i < b->n; i++) {
		b->numbers[i] = read_f64(r);
		rc = isfinite(b->numbers[i]) ? 0 : -EBADMSG;
	}
	if (rc == 0)
		qsort(b->numbers, b->n, sizeof(*b->numbers), compare_numbers);
	return rc;
}

static int compare_ports(const void *a, const void *b)
{
	return *(const uint16_t *)a - *(const uint16_t *)b;
}

static int read_ports(struct reader *r, struct behavior *b)
{
	b->n = read_u32(r);
	int rc = list_new(r, b->n, sizeof(uint16_t), sizeof(uint16_t), &b->ports);
	for (uint32_t i = 0; rc == 0 && i < b->n; i++)
		b->ports[i] = read_u16(r);
	if (rc == 0)
		qsort(b->ports, b->n, sizeof(*b->ports), compare_ports);
	return rc;
}

static int read_strings(struct reader *r, struct behavior *b)
{
	b->n = read_u32(r);
	int rc = list_new(r, b->n, sizeof(uint16_t), sizeof(struct view), &b->strings);
	for (uint32_t i = 0; rc == 0 && i < b->n; i++)
		b->strings[i] = read_str16(r);
	if (rc == 0)
		qsort(b->strings, b->n, sizeof(*b->strings), view_order);
	return rc;
}

/* IPv4 before IPv6, then by address: the order that the search needs. */
static int compare_ranges(const void *a, const void *b)
{
	const struct config_range *x = a, *y = b;
	bool x_v6 = !addr_is_v4(&x->lo), y_v6 = !addr_is_v4(&y->lo);
	return x_v6 != y_v6 ? x_v6 - y_v6 : memcmp(x->lo.b, y->lo.b, sizeof(x->lo.b));
}

static struct config_range range_of(struct report_addr addr, uint8_t prefix)
{
	struct config_range range = {addr, addr};
	for (unsigned bit = prefix; bit < 128; bit++)
		range.hi.b[bit / 8] |= (uint8_t)(0x80U >> bit % 8);
	return range;
}

/* Sorted ranges become disjoint. A network before the IPv4-mapped ones never swallows them: those
 * are compared with IPv4 networks only, whatever IPv6 network encloses them. */
static void ranges_merge(struct behavior *b)
{
	uint32_t kept = 0;
	for (uint32_t i = 0; i < b->n; i++) {
		struct config_range *last = kept ? &b->ranges[kept - 1] : NULL;
		const struct config_range *next = &b->ranges[i];
		bool is_v4 = addr_is_v4(&next->lo);
		if (last && addr_is_v4(&last->lo) == is_v4 &&
		    memcmp(next->lo.b, last->hi.b, sizeof(next->lo.b)) <= 0) {
			if (memcmp(next->hi.b, last->hi.b, sizeof(next->hi.b)) > 0)
				last->hi = next->hi;
			continue;
		}
		b->ranges[kept++] = *next;
		b->n_v4 += is_v4;
	}
	b->n = kept;
}

static int read_cidrs(struct reader *r, struct behavior *b)
{
	b->n = read_u32(r);
	int rc = list_new(r, b->n, sizeof(struct report_addr) + 1, sizeof(*b->ranges), &b->ranges);
	for (uint32_t i = 0; rc == 0 && i < b->n; i++) {
		struct report_addr addr = {{0}};
		const uint8_t *bytes = read_raw(r, sizeof(addr.b));
		if (bytes)
			memcpy(addr.b, bytes, sizeof(addr.b));
		uint8_t prefix = read_u8(r);
		rc = prefix <= 128 ? 0 : -EBADMSG;
		b->ranges[i] = range_of(addr, prefix);
	}
	if (rc == 0) {
		qsort(b->ranges, b->n, sizeof(*b->ranges), compare_ranges);
		ranges_merge(b);
	}
	return rc;
}

static int read_value(struct reader *r, struct behavior *b)
{
	static int (*const read_kind[])(struct reader *, struct behavior *) = {
		[VALUE_COUNT] = read_count,     [VALUE_NUMBER] = read_number,
		[VALUE_NUMBERS] = read_numbers, [VALUE_PORTS] = read_ports,
		[VALUE_ADDRS] = read_cidrs,     [VALUE_STRINGS] = read_strings,
	};
	uint8_t kind = read_u8(r);
	if (r->bad || kind >= ARRAY_LEN(read_kind))
		return -EBADMSG;
	b->kind = (enum value_kind)kind;
	return read_kind[kind](r, b);
}

/* ---- Behaviors ---- */

static bool within(uint32_t v, uint32_t min, uint32_t max)
{
	return v >= min && v <= max;
}

static int read_rule(struct view bytes, struct behavior *b)
{
	struct reader r = reader_of(bytes.p, bytes.n);
	uint8_t op = read_u8(&r);
	b->duration_s = read_u32(&r);
	b->to_alarm = read_u8(&r);
	b->to_clear = read_u8(&r);
	uint8_t suppressed = read_u8(&r);
	if (r.bad || op >= COMPARISON_COUNT || b->duration_s > DURATION_MAX_S ||
	    !within(b->to_alarm, 1, DATAPOINTS_MAX) || !within(b->to_clear, 1, DATAPOINTS_MAX) ||
	    suppressed > 1)
		return -EBADMSG;
	b->op = (enum comparison)op;
	b->is_suppressed = suppressed == 1;
	int rc = read_value(&r, b);
	if (rc != 0)
		return rc;
	bool fits = (comparisons[op].kinds & 1U << b->kind) != 0;
	return reader_done(&r) && fits ? 0 : -EBADMSG;
}

/* A behavior that this version cannot evaluate is never taken as one that always conforms. */
static bool can_be_evaluated(const struct behavior *b)
{
	if (b->type != CRITERIA_STATIC)
		return false;
	if (!b->metric)
		return !metric_is_builtin(b->metric_name);
	return b->metric->side == SIDE_DEVICE && b->metric->kind == b->kind;
}

static int read_behavior(struct reader *r, uint32_t profile, struct behavior *b)
{
	*b = (struct behavior){.profile = profile, .name = read_str16(r)};
	b->json = read_bytes32(r);
	b->metric_name = read_str16(r);
	b->metric = metric_find(b->metric_name);
	b->type = (enum criteria_type)read_u8(r);
	b->rule = read_bytes32(r);
	if (r->bad || !within((uint32_t)b->name.n, 1, NAME_MAX_BYTES) || b->metric_name.n == 0)
		return -EBADMSG;
	int rc = read_rule(b->rule, b);
	return rc != 0 ? rc : can_be_evaluated(b) ? 0 : -EBADMSG;
}

static bool name_is_new(const struct config *c, const struct profile *p, struct view name)
{
	for (uint32_t i = 0; i < p->n_behaviors; i++)
		if (view_eq(c->behaviors[p->first + i].name, name))
			return false;
	return true;
}

static void note_duration(struct config *c, const struct behavior *b)
{
	unsigned counter = b->metric ? metric_counter(b->metric->id) : REPORT_COUNTERS;
	if (counter < REPORT_COUNTERS && b->duration_s > c->counter_duration_s[counter])
		c->counter_duration_s[counter] = b->duration_s;
}

static int read_behaviors(struct reader *r, struct config *c, struct profile *p, uint16_t n)
{
	size_t total = (size_t)c->n_behaviors + n;
	struct behavior *grown = realloc(c->behaviors, (total ? total : 1) * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	c->behaviors = grown;
	for (uint16_t i = 0; i < n; i++) {
		struct behavior *b = &c->behaviors[c->n_behaviors++];
		int rc = read_behavior(r, (uint32_t)(p - c->profiles), b);
		if (rc != 0)
			return rc;
		if (!name_is_new(c, p, b->name))
			return -EBADMSG;
		p->n_behaviors++;
		note_duration(c, b);
	}
	return 0;
}

/* ---- Profiles ---- */

static int read_groups(struct reader *r, struct profile *p)
{
	p->n_groups = read_u32(r);
	int rc = list_new(r, p->n_groups, sizeof(uint64_t), sizeof(uint64_t), &p->groups);
	for (uint32_t i = 0; rc == 0 && i < p->n_groups; i++) {
		p->groups[i] = read_u64(r);
		if (i > 0 && p->groups[i] <= p->groups[i - 1])
			rc = -EBADMSG;
	}
	return rc;
}

static int read_profile(struct reader *r, struct config *c)
{
	struct profile *p = &c->profiles[c->n_profiles++];
	*p = (struct profile){
		.name = read_str16(r), .targets = read_u8(r), .first = c->n_behaviors};
	if (r->bad || !within((uint32_t)p->name.n, 1, NAME_MAX_BYTES) || p->targets > TARGETS_ALL)
		return -EBADMSG;
	if (p > c->profiles && view_order(&p[-1].name, &p->name) >= 0)
		return -EBADMSG;
	int rc = read_groups(r, p);
	if (rc != 0)
		return rc;
	uint16_t n = read_u16(r);
	return r->bad ? -EBADMSG : read_behaviors(r, c, p, n);
}

static int read_body(struct config *c)
{
	struct reader r = reader_of(c->body, c->body_n);
	if (read_u16(&r) != CONFIG_VERSION)
		return -EBADMSG;
	uint32_t n = read_u32(&r);
	static const size_t profile_min = 2 + 1 + 4 + 2;
	int rc = list_new(&r, n, profile_min, sizeof(*c->profiles), &c->profiles);
	for (uint32_t i = 0; rc == 0 && i < n; i++)
		rc = read_profile(&r, c);
	return rc != 0 ? rc : reader_done(&r) ? 0 : -EBADMSG;
}

int config_open(struct view body, struct config **ret)
{
	struct config *c = calloc(1, sizeof(*c));
	uint8_t *copy = malloc(body.n ? body.n : 1);
	if (!c || !copy) {
		free(c);
		free(copy);
		return -ENOMEM;
	}
	if (body.n)
		memcpy(copy, body.p, body.n);
	c->body = copy;
	c->body_n = body.n;
	int rc = read_body(c);
	if (rc != 0) {
		config_free(c);
		return rc;
	}
	*ret = c;
	return 0;
}

void config_free(struct config *c)
{
	if (!c)
		return;
	for (uint32_t i = 0; i < c->n_behaviors; i++) {
		free(c->behaviors[i].numbers);
		free(c->behaviors[i].ports);
		free(c->behaviors[i].ranges);
		free(c->behaviors[i].strings);
	}
	for (uint32_t i = 0; i < c->n_profiles; i++)
		free(c->profiles[i].groups);
	free(c->behaviors);
	free(c->profiles);
	free(c->body);
	free(c);
}

static bool groups_meet(const struct profile *p, const uint64_t *groups, uint32_t n)
{
	for (uint32_t i = 0, k = 0; i < p->n_groups && k < n;) {
		if (p->groups[i] == groups[k])
			return true;
		if (p->groups[i] < groups[k])
			i++;
		else
			k++;
	}
	return false;
}

bool profile_covers(const struct profile *p, bool is_registered, const uint64_t *groups,
		    uint32_t n_groups)
{
	unsigned own = is_registered ? TARGET_REGISTERED : TARGET_UNREGISTERED;
	return (p->targets & (TARGET_ALL_THINGS | own)) != 0 || groups_meet(p, groups, n_groups);
}

/* Within the policy module: walking bytes that policy_program_valid has let pass. The numbers are
 * those of base/cursor.h, without its look at the end before each: this runs for every message of
 * every device. */
#ifndef POLICY_SCAN_H
#define POLICY_SCAN_H

#include "base/view.h"

#include <stdint.h>

struct scan {
	const uint8_t *at, *end;
};

static inline struct scan scan_of(struct view v)
{
	const uint8_t *p = (const uint8_t *)v.p;
	return (struct scan){p, p + v.n};
}

static inline bool scan_more(const struct scan *s)
{
	return s->at < s->end;
}

static inline uint8_t scan_u8(struct scan *s)
{
	return *s->at++;
}

static inline uint16_t bytes_at_u16(const uint8_t *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static inline uint32_t bytes_at_u32(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline uint32_t scan_u32(struct scan *s)
{
	s->at += sizeof(uint32_t);
	return bytes_at_u32(s->at - sizeof(uint32_t));
}

static inline uint64_t scan_u64(struct scan *s)
{
	uint64_t low = scan_u32(s);
	return low | (uint64_t)scan_u32(s) << 32;
}

/* The next n bytes. */
static inline struct view scan_raw(struct scan *s, size_t n)
{
	s->at += n;
	return (struct view){(const char *)s->at - n, n};
}

static inline struct view scan_bytes32(struct scan *s)
{
	size_t n = scan_u32(s);
	return scan_raw(s, n);
}

/* What is left. */
static inline struct view scan_rest(const struct scan *s)
{
	return (struct view){(const char *)s->at, (size_t)(s->end - s->at)};
}

#endif

#include <endian.h>
#include <string.h>

#include "broker/snapshot_format.h"

#define LANES (SUM_BLOCK / 8)
#define MIX   0x9E3779B97F4A7C15U

static inline uint64_t mix(uint64_t lane, uint64_t word)
{
	lane = (lane ^ word) * MIX;
	return lane ^ lane >> 32;
}

static inline uint64_t word_at(const uint8_t *p)
{
	uint64_t v;
	memcpy(&v, p, sizeof(v));
	return le64toh(v);
}

void snapshot_sum_begin(struct snapshot_sum *sum)
{
	*sum = (struct snapshot_sum){
		.lanes = {1, 2, 3, 4}
        };
}

static const uint8_t *add_blocks(struct snapshot_sum *sum, const uint8_t *p, size_t n)
{
	uint64_t a = sum->lanes[0], b = sum->lanes[1], c = sum->lanes[2], d = sum->lanes[3];
	const uint8_t *end = p + n / SUM_BLOCK * SUM_BLOCK;
	for (; p < end; p += SUM_BLOCK) {
		a = mix(a, word_at(p));
		b = mix(b, word_at(p + 8));
		c = mix(c, word_at(p + 16));
		d = mix(d, word_at(p + 24));
	}
	memcpy(sum->lanes, (const uint64_t[]){a, b, c, d}, sizeof(sum->lanes));
	return p;
}

void snapshot_sum_add(struct snapshot_sum *sum, const uint8_t *p, size_t n)
{
	if (n == 0)
		return;
	const uint8_t *end = p + n;
	size_t held = sum->n % SUM_BLOCK;
	sum->n += n;
	if (held) {
		size_t more = SUM_BLOCK - held < n ? SUM_BLOCK - held : n;
		memcpy(sum->tail + held, p, more);
		p += more;
		if (held + more < SUM_BLOCK)
			return;
		(void)add_blocks(sum, sum->tail, SUM_BLOCK);
	}
	p = add_blocks(sum, p, (size_t)(end - p));
	memcpy(sum->tail, p, (size_t)(end - p));
}

uint64_t snapshot_sum_end(struct snapshot_sum *sum, uint64_t generation)
{
	size_t held = sum->n % SUM_BLOCK;
	memset(sum->tail + held, 0, SUM_BLOCK - held);
	(void)add_blocks(sum, sum->tail, SUM_BLOCK);
	uint64_t whole = mix(sum->n, generation);
	for (unsigned i = 0; i < LANES; i++)
		whole = mix(whole, sum->lanes[i]);
	return whole;
}

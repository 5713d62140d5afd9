#include "policy/facts.h"

#define FACT_HEADER 6 /* u8, u8, u32 */

static uint32_t little_endian(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

bool facts_next(struct view *facts, struct fact *ret)
{
	if (facts->n < FACT_HEADER)
		return false;
	const uint8_t *header = (const uint8_t *)facts->p;
	size_t name_n = header[1], value_n = little_endian(header + 2);
	size_t left = facts->n - FACT_HEADER;
	if (name_n > left || value_n > left - name_n)
		return false;
	const char *name = facts->p + FACT_HEADER;
	*ret = (struct fact){
		.kind = (uint8_t)(header[0] & ~FACT_RAW),
		.is_raw = (header[0] & FACT_RAW) != 0,
		.name = {name,          name_n },
		.value = {name + name_n, value_n},
	};
	*facts = (struct view){name + name_n + value_n, left - name_n - value_n};
	return true;
}

bool facts_find(struct view facts, uint8_t kind, struct view name, unsigned index, struct fact *ret)
{
	struct fact fact;
	while (facts_next(&facts, &fact)) {
		if (fact.kind != kind || !view_eq(fact.name, name) || index-- > 0)
			continue;
		*ret = fact;
		return true;
	}
	return false;
}

#include "broker/snapshot_table.h"

#include <stdlib.h>

#include "broker/snapshot_format.h"

#define SLOTS_MIN 16

struct snapshot_record snapshot_record_at(const uint8_t *p)
{
	struct reader r = reader_of(p, RECORD_HEADER);
	uint32_t length = read_u32(&r);
	uint8_t kind = read_u8(&r);
	bool is_deleted = read_u8(&r) != 0;
	uint16_t n_key = read_u16(&r);
	const uint8_t *key = p + RECORD_HEADER;
	return (struct snapshot_record){
		.kind = (enum snapshot_kind)kind,
		.is_deleted = is_deleted,
		.key = {(const char *)key, n_key},
		.body = reader_of(key + n_key, length - n_key),
	};
}

const uint8_t *snapshot_record_next(const uint8_t *p)
{
	struct reader r = reader_of(p, RECORD_HEADER);
	return p + record_padded((size_t)RECORD_HEADER + read_u32(&r));
}

/* FNV-1a, its high half folded down. */
static uint64_t hash(struct view key)
{
	uint64_t h = 0xCBF29CE484222325U;
	for (size_t i = 0; i < key.n; i++)
		h = (h ^ (uint8_t)key.p[i]) * 0x100000001B3U;
	return h ^ h >> 32;
}

/* The slot of a key, or the free one where it belongs. There is always a free one. */
static const uint8_t **slot_of(const struct snapshot_table *t, struct view key)
{
	size_t at = hash(key) & (t->n_slots - 1);
	while (t->slots[at] && !view_eq(snapshot_record_at(t->slots[at]).key, key))
		at = (at + 1) & (t->n_slots - 1);
	return &t->slots[at];
}

const uint8_t *snapshot_table_find(const struct snapshot_table *t, struct view key)
{
	if (t->n_slots == 0)
		return NULL;
	const uint8_t *record = *slot_of(t, key);
	return record && !snapshot_record_at(record).is_deleted ? record : NULL;
}

static int grow(struct snapshot_table *t, size_t n_slots)
{
	struct snapshot_table next = {calloc(n_slots, sizeof(*next.slots)), n_slots, t->n};
	if (!next.slots)
		return -1;
	for (size_t i = 0; i < t->n_slots; i++)
		if (t->slots[i])
			*slot_of(&next, snapshot_record_at(t->slots[i]).key) = t->slots[i];
	free(t->slots);
	*t = next;
	return 0;
}

/* At most three quarters full. */
int snapshot_table_reserve(struct snapshot_table *t, size_t n)
{
	size_t n_slots = t->n_slots ? t->n_slots : SLOTS_MIN;
	while (n_slots / 4 * 3 < t->n + n)
		n_slots *= 2;
	return n_slots == t->n_slots ? 0 : grow(t, n_slots);
}

void snapshot_table_put(struct snapshot_table *t, const uint8_t *record)
{
	const uint8_t **slot = slot_of(t, snapshot_record_at(record).key);
	t->n += *slot == NULL;
	*slot = record;
}

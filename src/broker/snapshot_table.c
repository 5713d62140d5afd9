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

static inline uint64_t mix(uint64_t h, uint64_t word)
{
	h = (h ^ word) * 0x9E3779B97F4A7C15U;
	return h ^ h >> 32;
}

static uint64_t hash_of(struct view key)
{
	uint64_t h = key.n, word;
	size_t whole = key.n / sizeof(word) * sizeof(word);
	for (size_t i = 0; i < whole; i += sizeof(word)) {
		memcpy(&word, key.p + i, sizeof(word));
		h = mix(h, word);
	}
	word = 0;
	memcpy(&word, key.p + whole, key.n - whole);
	return mix(h, word);
}

/* The slot of a key, or the free one where it belongs. There is always a free one. */
static struct snapshot_slot *slot_of(const struct snapshot_table *t, uint64_t hash, struct view key)
{
	size_t at = hash & (t->n_slots - 1);
	for (;; at = (at + 1) & (t->n_slots - 1)) {
		struct snapshot_slot *slot = &t->slots[at];
		if (!slot->record ||
		    (slot->hash == hash && view_eq(snapshot_record_at(slot->record).key, key)))
			return slot;
	}
}

const uint8_t *snapshot_table_find(const struct snapshot_table *t, struct view key)
{
	if (t->n_slots == 0)
		return NULL;
	const uint8_t *record = slot_of(t, hash_of(key), key)->record;
	return record && !snapshot_record_at(record).is_deleted ? record : NULL;
}

/* Keys that are all different need no comparing. */
static void move_to(struct snapshot_table *t, const struct snapshot_slot *slot)
{
	size_t at = slot->hash & (t->n_slots - 1);
	while (t->slots[at].record)
		at = (at + 1) & (t->n_slots - 1);
	t->slots[at] = *slot;
}

static int grow(struct snapshot_table *t, size_t n_slots)
{
	struct snapshot_table next = {calloc(n_slots, sizeof(*next.slots)), n_slots, t->n};
	if (!next.slots)
		return -1;
	for (size_t i = 0; i < t->n_slots; i++)
		if (t->slots[i].record)
			move_to(&next, &t->slots[i]);
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
	struct view key = snapshot_record_at(record).key;
	uint64_t hash = hash_of(key);
	struct snapshot_slot *slot = slot_of(t, hash, key);
	t->n += slot->record == NULL;
	*slot = (struct snapshot_slot){hash, record};
}

/* A snapshot in memory: the bytes that were read, and for each kind a hash table from a record's
 * key to the newest record of that key. snapshot_load.c fills it, snapshot_read.c asks it. */
#ifndef BROKER_SNAPSHOT_TABLE_H
#define BROKER_SNAPSHOT_TABLE_H

#include "base/compiler.h"
#include "base/cursor.h"
#include "broker/snapshot.h"

struct snapshot_slot {
	uint64_t hash; /* of the record's key: another key's record is hardly ever looked at */
	const uint8_t *record; /* NULL: free */
};

/* Open addressing with linear steps. What is gone keeps its slot: its record says so. */
struct snapshot_table {
	struct snapshot_slot *slots;
	size_t n_slots; /* 0, or a power of two */
	size_t n;
};

struct snapshot_chunk;

struct snapshot {
	uint64_t generation;
	struct snapshot_table tables[SNAPSHOT_KINDS];
	struct snapshot_chunk *chunks; /* the parts' records, newest first */
	size_t memory;

	/* Where they came from. */
	int fd;               /* -1: bytes, */
	const uint8_t *bytes; /* which are the caller's, while it loads */
	uint64_t size;        /* as seen last */
	uint64_t at;          /* end of what was read */
	uint64_t base_end;    /* of the base; 0: not read yet */
	uid_t owner;
	dev_t dev;
	ino_t ino;
};

struct snapshot_record {
	enum snapshot_kind kind;
	bool is_deleted;
	struct view key;
	struct reader body;
};

/* The record that stands at p, which is known to be whole. */
struct snapshot_record snapshot_record_at(const uint8_t *p);
/* Where the one behind it stands. */
const uint8_t *snapshot_record_next(const uint8_t *p);

/* The newest record of a key, NULL: none, or it is gone. */
const uint8_t *snapshot_table_find(const struct snapshot_table *t, struct view key);
/* Makes room for n records more. -1: no memory, and the table is as before. */
int snapshot_table_reserve(struct snapshot_table *t, size_t n) MUST_USE;
/* Puts a record in, for which there is room. */
void snapshot_table_put(struct snapshot_table *t, const uint8_t *record);

#endif

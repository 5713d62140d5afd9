/* How a snapshot lies in its file; snapshot_write.c and snapshot_load.c share it.
 *
 *   file:    magic u64 | version u64 | part ...
 *   part:    length u64 | generation u64 | checksum u64 | record ...
 *   record:  length u32 | kind u8 | is_deleted u8 | key length u16 | key | body | zeros up to 8
 *
 * The first part is the base: a record for everything there is. Each later part is one round of
 * changes: the new records, or that a key is gone. A later record of the same kind and key takes
 * the place of an earlier one, wherever they stand; records name each other by key, never by place.
 *
 *   kind      key           body
 *   ACCOUNT   ""            partition str16, region str16, account str16
 *   POLICY    name          version u32, program: the rest
 *   GROUP     name          is_quarantine u8, policies names
 *   THING     name          facts bytes32, groups names
 *   CERT      fingerprint   status u8, is_exclusive u8, not_before i64, not_after i64,
 *                           facts bytes32, things names, policies names
 *   DIMENSION name          filters names
 *
 * names: bytes32 that hold one str16 after the other. All numbers are little endian. A part's
 * length is that of its records, a multiple of 8; a record's length is that of key and body. */
#ifndef BROKER_SNAPSHOT_FORMAT_H
#define BROKER_SNAPSHOT_FORMAT_H

#include <stddef.h>
#include <stdint.h>

#define SNAPSHOT_MAGIC   0x3150414E53575400U /* "\0TWSNAP1" */
#define SNAPSHOT_VERSION 2

#define HEADER_SIZE    16
#define PART_HEADER    24
#define RECORD_HEADER  8
#define RECORD_ALIGN   8
#define PART_BYTES_MAX ((uint64_t)64 << 20) /* of a part that is not the base */

/* What the parts behind a base of n bytes may have in all: more than a quarter only while the next
 * base is being made. */
#define DELTA_BYTES_MAX(n) ((uint64_t)(n) + ((uint64_t)256 << 20))

static inline size_t record_padded(size_t n)
{
	return (n + RECORD_ALIGN - 1) / RECORD_ALIGN * RECORD_ALIGN;
}

/* 64 bits over the bytes added and a generation. 32 bytes a step in four independent lanes: ((lane
 * ^ word) * odd constant), high half folded down. Each step is a bijection of the word, so a change
 * within one word is always seen, and others but for 2^-64. It finds damage; it is not a seal: the
 * file's owner is what makes it trustworthy. */
#define SUM_BLOCK 32
struct snapshot_sum {
	uint64_t lanes[SUM_BLOCK / 8];
	uint64_t n;
	uint8_t tail[SUM_BLOCK]; /* the n % SUM_BLOCK bytes that fill no block yet */
};

void snapshot_sum_begin(struct snapshot_sum *sum);
void snapshot_sum_add(struct snapshot_sum *sum, const uint8_t *p, size_t n);
uint64_t snapshot_sum_end(struct snapshot_sum *sum, uint64_t generation);

#endif

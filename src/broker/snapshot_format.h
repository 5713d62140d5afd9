/* How a snapshot lies in its file; snapshot_write.c and snapshot_read.c share it.
 *
 *   magic u64 | version u32 | sections u32 | generation u64 | length u64 | { offset u64, count u64
 * } per section the sections, in the order of enum snapshot_section, each at a multiple of 8
 *   checksum u64 over all bytes before it
 *
 * All numbers are little endian. A record names text and programs by a span of BYTES { offset u32,
 * n u32 } and other records by a span of LISTS, whose elements are indexes of records. */
#ifndef BROKER_SNAPSHOT_FORMAT_H
#define BROKER_SNAPSHOT_FORMAT_H

#include <stddef.h>
#include <stdint.h>

#define SNAPSHOT_MAGIC   0x3150414E53575400U /* "\0TWSNAP1" */
#define SNAPSHOT_VERSION 1

enum snapshot_section {
	SECTION_BYTES,    /* names and programs */
	SECTION_LISTS,    /* u32 indexes */
	SECTION_ACCOUNT,  /* partition, region, account */
	SECTION_POLICIES, /* name, program */
	SECTION_GROUPS,   /* name, list of policies */
	SECTION_THINGS,   /* name, list of groups */
	SECTION_CERTS,    /* see CERT_* */
	SECTION_BUCKETS,  /* hash table: certificate index + 1, or 0; a power of two of them */
	SNAPSHOT_SECTIONS
};

/* Bytes of one element of each section. */
#define SPAN_SIZE   8
#define RECORD_SIZE (2 * SPAN_SIZE)
#define CERT_SIZE   72
static const uint32_t snapshot_element_size[SNAPSHOT_SECTIONS] = {
	[SECTION_BYTES] = 1,
	[SECTION_LISTS] = 4,
	[SECTION_ACCOUNT] = SPAN_SIZE,
	[SECTION_POLICIES] = RECORD_SIZE,
	[SECTION_GROUPS] = RECORD_SIZE,
	[SECTION_THINGS] = RECORD_SIZE,
	[SECTION_CERTS] = CERT_SIZE,
	[SECTION_BUCKETS] = 4,
};

#define HEADER_FIXED  32
#define HEADER_SIZE   (HEADER_FIXED + SNAPSHOT_SECTIONS * 16)
#define TRAILER_SIZE  8
#define ACCOUNT_NAMES 3
#define SECTION_ALIGN 8

/* A certificate's fields, by offset in its record. */
#define CERT_FINGERPRINT 0
#define CERT_NOT_BEFORE  32
#define CERT_NOT_AFTER   40
#define CERT_THINGS      48
#define CERT_POLICIES    56
#define CERT_FLAGS       64 /* u64 */
#define CERT_ACTIVE      1U
#define CERT_EXCLUSIVE   2U

/* 64 bits over n bytes, 32 bytes a step in four independent lanes: ((lane ^ word) * odd constant),
 * high half folded down. Each step is a bijection of the word, so a change within one word is
 * always seen, and others but for 2^-64. It finds damage; it is not a seal: the file's owner is
 * what makes it trustworthy. */
uint64_t snapshot_checksum(const uint8_t *p, size_t n);

/* Where a fingerprint's search starts. It is a SHA-256: any 8 bytes of it are a hash. */
static inline uint64_t snapshot_hash(const uint8_t *fingerprint)
{
	uint64_t h = 0;
	for (unsigned i = 0; i < 8; i++)
		h |= (uint64_t)fingerprint[i] << (8 * i);
	return h;
}

#endif

/* A pull reader for CBOR (RFC 8949), in the manner of base/json_reader and with the same values, so
 * that one decoder serves both. Definite and indefinite lengths; half, single and double floats;
 * tags are passed over and their content used.
 *
 * Map keys must be text. Text is checked to be UTF-8; text in pieces is put together in the
 * caller's scratch. Byte strings and simple values without a JSON counterpart come out as
 * VALUE_OTHER, undefined as null (RFC 8949 section 6.1). */
#ifndef REPORT_CBOR_H
#define REPORT_CBOR_H

#include "base/compiler.h"
#include "base/cursor.h"
#include "base/value.h"

#define CBOR_DEPTH_MAX 16

struct cbor {
	struct reader in;
	const uint8_t *start;
	const char *error; /* NULL, or the first thing that is wrong, as half a sentence */
	unsigned depth;
	uint64_t left[CBOR_DEPTH_MAX]; /* items (maps: pairs) to come in each open container */
	uint8_t *scratch, *scratch_end;
};

/* As json_open, json_value, json_member, json_element and json_done. */
void cbor_open(struct cbor *c, const void *p, size_t n, void *scratch, size_t scratch_n);
bool cbor_value(struct cbor *c, struct value *ret) MUST_USE;
bool cbor_member(struct cbor *c, struct view *ret_name) MUST_USE;
bool cbor_element(struct cbor *c) MUST_USE;
bool cbor_done(struct cbor *c) MUST_USE;

static inline bool cbor_ok(const struct cbor *c)
{
	return !c->error;
}

static inline size_t cbor_offset(const struct cbor *c)
{
	return (size_t)(c->in.at - c->start);
}

#endif

/* A pull reader for JSON (RFC 8259, strictly): one pass over a buffer, no tree, no allocation.
 *
 * The caller drives and the reader checks. json_value gives the next value: a scalar whole, or the
 * opening of a container, which the caller then walks to its end:
 *
 *     struct value v;                          object:  while (json_member(&j, &key)) {
 * json_value(&j, &v); ... } if (json_value(&j, &v)) ...              array:   while
 * (json_element(&j))      { json_value(&j, &v); ... } if (!json_done(&j)) refuse(j.error);
 *
 * Errors are sticky: after the first, every call returns false and json_ok tells the end of a
 * container from an error. Nothing is skipped unseen: what the caller does not want, it still
 * walks. Member names are handed out as they come; that they are distinct is the caller's to check.
 *
 * Refused, besides what the grammar refuses: nesting deeper than the caller allows, bytes that are
 * not UTF-8, escapes that make a lone surrogate, numbers beyond a double's range, a byte order
 * mark. Numbers are exact or correctly rounded (see base/value.h). Strings are views into the
 * input; one with escapes is decoded into the caller's scratch. */
#ifndef BASE_JSON_READER_H
#define BASE_JSON_READER_H

#include "base/compiler.h"
#include "base/value.h"

struct json {
	const uint8_t *start, *at, *end;
	const char *error; /* NULL, or the first thing that is wrong, as half a sentence;
			      json_offset says where */
	unsigned depth, depth_max;
	bool is_first; /* just behind an opening: no comma is due */
	uint8_t *scratch, *scratch_end;
};

/* Reads n bytes at p, which stay the caller's and unchanged while views are in use. Scratch of n
 * bytes is enough for every document; with less, a document with many escapes may be refused.
 * depth_max: how many containers may be open at once. */
void json_open(struct json *j, const void *p, size_t n, unsigned depth_max, void *scratch,
	       size_t scratch_n);

bool json_value(struct json *j, struct value *ret) MUST_USE;
/* In an object: true with the next member's name, whose value is then to be read; false at its end
 * or an error. */
bool json_member(struct json *j, struct view *ret_name) MUST_USE;
/* In an array: true when there is another element, which is then to be read; false at its end or an
 * error. */
bool json_element(struct json *j) MUST_USE;

/* True when the whole input was one value and no more. Otherwise an error stands. */
bool json_done(struct json *j) MUST_USE;

static inline bool json_ok(const struct json *j)
{
	return !j->error;
}

/* Where the reader is, in bytes from the start; after an error, where it was found. */
static inline size_t json_offset(const struct json *j)
{
	return (size_t)(j->at - j->start);
}

#endif

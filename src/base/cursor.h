/* Bounded reading and writing of our own binary formats (frames, log entries, snapshot,
 * checkpoints).
 *
 * Both ends are sticky: after the first step beyond the end a reader is `bad` and gives zeros and
 * empty views; a writer is `full` and writes nothing. So ten fields are read, and the error is
 * tested once. Numbers are little endian. Strings are a 16-bit (str16) or 32-bit (bytes32) length
 * and the bytes.
 *
 *     buf ........ at ........ end
 *          done        left
 *
 * Plain C11 without allocation; the plugin and the evaluator use it. */
#ifndef BASE_CURSOR_H
#define BASE_CURSOR_H

#include "base/view.h"

#include <stdint.h>

struct reader {
	const uint8_t *at, *end;
	bool bad;
};

struct writer {
	uint8_t *buf;
	size_t len, cap;
	bool full;
};

static inline struct reader reader_of(const void *p, size_t n)
{
	return (struct reader){p, n ? (const uint8_t *)p + n : p, false};
}

static inline size_t reader_left(const struct reader *r)
{
	return r->bad ? 0 : (size_t)(r->end - r->at);
}

/* True when everything was read and nothing was missing. */
static inline bool reader_done(const struct reader *r)
{
	return !r->bad && r->at == r->end;
}

/* The next n bytes, or NULL (and the reader is bad). */
static inline const uint8_t *read_raw(struct reader *r, size_t n)
{
	if (r->bad || (size_t)(r->end - r->at) < n) {
		r->bad = true;
		return NULL;
	}
	const uint8_t *p = r->at;
	r->at += n;
	return p;
}

uint8_t read_u8(struct reader *r);
uint16_t read_u16(struct reader *r);
uint32_t read_u32(struct reader *r);
uint64_t read_u64(struct reader *r);
int64_t read_i64(struct reader *r);
double read_f64(struct reader *r);
struct view read_str16(struct reader *r);
struct view read_bytes32(struct reader *r);

static inline struct writer writer_of(void *p, size_t cap)
{
	return (struct writer){p, 0, cap, false};
}

/* Room for n bytes at the end, or NULL (and the writer is full). */
uint8_t *write_room(struct writer *w, size_t n);
void write_raw(struct writer *w, const void *p, size_t n);
void write_u8(struct writer *w, uint8_t v);
void write_u16(struct writer *w, uint16_t v);
void write_u32(struct writer *w, uint32_t v);
void write_u64(struct writer *w, uint64_t v);
void write_i64(struct writer *w, int64_t v);
void write_f64(struct writer *w, double v);
/* A string longer than 65535 bytes makes the writer full. */
void write_str16(struct writer *w, struct view s);
void write_bytes32(struct writer *w, struct view s);

#endif

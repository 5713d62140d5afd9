#include "base/cursor.h"

static uint64_t read_le(struct reader *r, unsigned bytes)
{
	const uint8_t *p = read_raw(r, bytes);
	uint64_t v = 0;
	for (unsigned i = 0; p && i < bytes; i++)
		v |= (uint64_t)p[i] << (8 * i);
	return v;
}

uint8_t read_u8(struct reader *r)
{
	return (uint8_t)read_le(r, 1);
}

uint16_t read_u16(struct reader *r)
{
	return (uint16_t)read_le(r, 2);
}

uint32_t read_u32(struct reader *r)
{
	return (uint32_t)read_le(r, 4);
}

uint64_t read_u64(struct reader *r)
{
	return read_le(r, 8);
}

int64_t read_i64(struct reader *r)
{
	return (int64_t)read_le(r, 8);
}

double read_f64(struct reader *r)
{
	uint64_t bits = read_le(r, 8);
	double v;
	memcpy(&v, &bits, sizeof(v));
	return v;
}

static struct view read_view(struct reader *r, size_t n)
{
	const uint8_t *p = read_raw(r, n);
	return (struct view){p ? (const char *)p : "", p ? n : 0};
}

struct view read_str16(struct reader *r)
{
	return read_view(r, read_u16(r));
}

struct view read_bytes32(struct reader *r)
{
	return read_view(r, read_u32(r));
}

uint8_t *write_room(struct writer *w, size_t n)
{
	if (w->full || w->cap - w->len < n) {
		w->full = true;
		return NULL;
	}
	uint8_t *p = w->buf + w->len;
	w->len += n;
	return p;
}

void write_raw(struct writer *w, const void *p, size_t n)
{
	uint8_t *to = write_room(w, n);
	if (to && n)
		memcpy(to, p, n);
}

static void write_le(struct writer *w, uint64_t v, unsigned bytes)
{
	uint8_t *to = write_room(w, bytes);
	for (unsigned i = 0; to && i < bytes; i++)
		to[i] = (uint8_t)(v >> (8 * i));
}

void write_u8(struct writer *w, uint8_t v)
{
	write_le(w, v, 1);
}

void write_u16(struct writer *w, uint16_t v)
{
	write_le(w, v, 2);
}

void write_u32(struct writer *w, uint32_t v)
{
	write_le(w, v, 4);
}

void write_u64(struct writer *w, uint64_t v)
{
	write_le(w, v, 8);
}

void write_i64(struct writer *w, int64_t v)
{
	write_le(w, (uint64_t)v, 8);
}

void write_f64(struct writer *w, double v)
{
	uint64_t bits;
	memcpy(&bits, &v, sizeof(bits));
	write_le(w, bits, 8);
}

void write_str16(struct writer *w, struct view s)
{
	if (s.n > UINT16_MAX) {
		w->full = true;
		return;
	}
	write_u16(w, (uint16_t)s.n);
	write_raw(w, s.p, s.n);
}

void write_bytes32(struct writer *w, struct view s)
{
	if (s.n > UINT32_MAX) {
		w->full = true;
		return;
	}
	write_u32(w, (uint32_t)s.n);
	write_raw(w, s.p, s.n);
}

#include "policy/glob.h"

#include "base/cursor.h"

/* A place in a text of pieces: never at the end of a piece that another follows. */
struct place {
	const struct view *piece, *end;
	size_t offset;
};

/* Where the matcher stands: what is left of the pattern, and of the text. */
struct walk {
	struct reader ops;
	struct place at;
};

static struct place place_normal(struct place at)
{
	while (at.piece < at.end && at.offset == at.piece->n) {
		at.piece++;
		at.offset = 0;
	}
	return at;
}

static bool is_end(struct place at)
{
	return at.piece == at.end;
}

static void step_byte(struct place *at)
{
	at->offset++;
	*at = place_normal(*at);
}

static bool is_continuation(struct place at)
{
	return !is_end(at) && ((unsigned char)at.piece->p[at.offset] & 0xc0) == 0x80;
}

static bool take_character(struct place *at)
{
	if (is_end(*at))
		return false;
	do
		step_byte(at);
	while (is_continuation(*at));
	return true;
}

static bool take_bytes(struct place *at, struct view want, uint64_t *steps)
{
	while (want.n > 0) {
		if (is_end(*at))
			return false;
		size_t left = at->piece->n - at->offset, n = left < want.n ? left : want.n;
		*steps += n;
		if (memcmp(at->piece->p + at->offset, want.p, n) != 0)
			return false;
		want = (struct view){want.p + n, want.n - n};
		at->offset += n;
		*at = place_normal(*at);
	}
	return true;
}

/* One op other than GLOB_RUN. */
static bool take_op(uint8_t op, struct walk *w, const struct view *values, uint64_t *steps)
{
	++*steps;
	if (op == GLOB_ONE)
		return take_character(&w->at);
	if (op == GLOB_VALUE)
		return take_bytes(&w->at, values[read_u8(&w->ops)], steps);
	return take_bytes(&w->at, read_bytes32(&w->ops), steps);
}

static size_t text_length(struct glob_text text)
{
	size_t n = 0;
	for (unsigned i = 0; i < text.n; i++)
		n += text.pieces[i].n;
	return n;
}

/* The least number of bytes that the pattern can match. */
static size_t shortest(struct view pattern, const struct view *values)
{
	struct reader r = reader_of(pattern.p, pattern.n);
	size_t n = 0;
	while (reader_left(&r) > 0) {
		uint8_t op = read_u8(&r);
		if (op == GLOB_LITERAL)
			n += read_bytes32(&r).n;
		else if (op == GLOB_VALUE)
			n += values[read_u8(&r)].n;
		else if (op == GLOB_ONE)
			n++;
	}
	return n;
}

/* Only the last run ever has to grow: when a later part matched after a longer earlier run, it also
 * matches after the shortest. So there is one place to go back to, not a tree of them. */
bool glob_match(struct view pattern, struct glob_text text, const struct view *values,
		uint64_t *steps)
{
	if (shortest(pattern, values) > text_length(text))
		return false;
	struct place start = place_normal((struct place){text.pieces, text.pieces + text.n, 0});
	struct walk now = {reader_of(pattern.p, pattern.n), start}, after_run = now;
	bool has_run = false;
	for (;;) {
		bool is_done = reader_left(&now.ops) == 0;
		if (is_done && is_end(now.at))
			return true;
		uint8_t op = is_done ? 0 : read_u8(&now.ops);
		if (op == GLOB_RUN) {
			if (reader_left(&now.ops) == 0)
				return true;
			has_run = true;
			after_run = now;
		} else if (is_done || !take_op(op, &now, values, steps)) {
			if (!has_run || is_end(after_run.at))
				return false;
			step_byte(&after_run.at);
			now = after_run;
		}
	}
}

static bool op_valid(struct reader *r, unsigned n_values, uint32_t *keys)
{
	uint8_t op = read_u8(r);
	if (op == GLOB_LITERAL)
		return read_bytes32(r).n > 0;
	if (op != GLOB_VALUE)
		return op == GLOB_ONE || op == GLOB_RUN;
	uint8_t key = read_u8(r);
	if (r->bad || key >= n_values)
		return false;
	*keys |= UINT32_C(1) << key;
	return true;
}

bool glob_valid(struct view pattern, unsigned n_values, uint32_t *keys)
{
	struct reader r = reader_of(pattern.p, pattern.n);
	*keys = 0;
	while (reader_left(&r) > 0)
		if (!op_valid(&r, n_values, keys))
			return false;
	return reader_done(&r);
}

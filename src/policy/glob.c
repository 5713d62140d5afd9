#include "policy/glob.h"

#include "base/cursor.h"
#include "policy/scan.h"

/* A place in a text of pieces: never at the end of a piece that another follows. */
struct place {
	const struct view *piece, *end;
	size_t offset;
};

/* Where the matcher stands: what is left of the pattern, and of the text. */
struct walk {
	struct scan ops;
	struct place at;
};

static inline struct place place_normal(struct place at)
{
	while (at.piece < at.end && at.offset == at.piece->n) {
		at.piece++;
		at.offset = 0;
	}
	return at;
}

static inline bool is_end(struct place at)
{
	return at.piece == at.end;
}

static inline void step_byte(struct place *at)
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

static inline unsigned char fold(char c)
{
	return (unsigned char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

static bool same_folded(const char *a, const char *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (fold(a[i]) != fold(b[i]))
			return false;
	return true;
}

static inline bool take_bytes(struct place *at, struct view want, struct glob_terms *terms)
{
	while (want.n > 0) {
		if (is_end(*at))
			return false;
		size_t left = at->piece->n - at->offset, n = left < want.n ? left : want.n;
		const char *have = at->piece->p + at->offset;
		terms->steps += n;
		if (terms->is_folded ? !same_folded(have, want.p, n) : memcmp(have, want.p, n) != 0)
			return false;
		want = (struct view){want.p + n, want.n - n};
		at->offset += n;
		*at = place_normal(*at);
	}
	return true;
}

static bool take_value(struct place *at, struct glob_text value, struct glob_terms *terms)
{
	for (unsigned i = 0; i < value.n; i++)
		if (!take_bytes(at, value.pieces[i], terms))
			return false;
	return true;
}

/* One op other than GLOB_RUN. */
static inline bool take_op(uint8_t op, struct walk *w, struct glob_terms *terms)
{
	terms->steps++;
	if (op == GLOB_LITERAL)
		return take_bytes(&w->at, scan_bytes32(&w->ops), terms);
	if (op == GLOB_ONE)
		return take_character(&w->at);
	return take_value(&w->at, terms->values[scan_u8(&w->ops)], terms);
}

static size_t left_of(struct place at)
{
	size_t n = 0;
	for (; at.piece < at.end; at.piece++, at.offset = 0)
		n += at.piece->n - at.offset;
	return n;
}

static struct place moved(struct place at, size_t n)
{
	while (n > at.piece->n - at.offset) {
		n -= at.piece->n - at.offset;
		at.piece++;
		at.offset = 0;
	}
	at.offset += n;
	return place_normal(at);
}

/* The ops end with one literal: it can only stand at the text's end. */
static bool is_last_literal(struct scan ops, struct view *ret)
{
	if (scan_u8(&ops) != GLOB_LITERAL)
		return false;
	*ret = scan_bytes32(&ops);
	return !scan_more(&ops);
}

static bool ends_with(struct place at, struct view literal, struct glob_terms *terms)
{
	size_t left = left_of(at);
	if (left < literal.n)
		return false;
	at = moved(at, left - literal.n);
	return take_bytes(&at, literal, terms);
}

/* The next place where what follows a run can begin: the next byte, or, when a literal follows, the
 * next of its first byte within the piece. */
static inline void grow_run(struct walk *run, struct glob_terms *terms)
{
	step_byte(&run->at);
	terms->steps++;
	if (is_end(run->at) || terms->is_folded || *run->ops.at != GLOB_LITERAL)
		return;
	const char *from = run->at.piece->p + run->at.offset;
	size_t n = run->at.piece->n - run->at.offset;
	const char *found = memchr(from, run->ops.at[1 + sizeof(uint32_t)], n);
	size_t passed = found ? (size_t)(found - from) : n;
	terms->steps += passed;
	run->at.offset += passed;
	run->at = place_normal(run->at);
}

/* Only the last run ever has to grow: when a later part matched after a longer earlier run, it also
 * matches after the shortest. So there is one place to go back to, not a tree of them. */
static bool match(struct scan ops, struct glob_text text, struct glob_terms *terms)
{
	struct walk now = {
		ops, {text.pieces, text.pieces + text.n, 0}
        };
	now.at = place_normal(now.at);
	struct walk run = now;
	struct view last;
	bool has_run = false;
	for (;;) {
		bool is_done = !scan_more(&now.ops);
		if (is_done && is_end(now.at))
			return true;
		if (!is_done && *now.ops.at == GLOB_RUN) {
			(void)scan_u8(&now.ops);
			if (!scan_more(&now.ops))
				return true;
			if (is_last_literal(now.ops, &last))
				return ends_with(now.at, last, terms);
			has_run = true;
			run = now;
		} else if (is_done || !take_op(scan_u8(&now.ops), &now, terms)) {
			if (!has_run || is_end(run.at))
				return false;
			grow_run(&run, terms);
			now = run;
		}
	}
}

/* The account, the region, a whole client id: most patterns beside the name are plain words. */
bool glob_match(struct view pattern, struct glob_text text, struct glob_terms *terms)
{
	struct scan ops = scan_of(pattern);
	struct view word;
	(void)scan_u32(&ops);
	if (text.n != 1 || terms->is_folded || !scan_more(&ops) || !is_last_literal(ops, &word))
		return match(ops, text, terms);
	terms->steps += word.n;
	return view_eq(word, text.pieces[0]);
}

bool glob_may_match(struct view pattern, struct view text)
{
	struct scan ops = scan_of(pattern);
	if (scan_u32(&ops) > text.n)
		return false;
	if (!scan_more(&ops) || scan_u8(&ops) != GLOB_LITERAL)
		return true;
	struct view literal = scan_bytes32(&ops);
	return memcmp(text.p, literal.p, literal.n) == 0;
}

static bool op_valid(struct reader *r, unsigned n_values, uint64_t *uses, uint64_t *least)
{
	uint8_t op = read_u8(r);
	if (op == GLOB_LITERAL) {
		size_t n = read_bytes32(r).n;
		*least += n;
		return n > 0;
	}
	*least += op == GLOB_ONE;
	if (op != GLOB_VALUE)
		return op == GLOB_ONE || op == GLOB_RUN;
	uint8_t value = read_u8(r);
	if (r->bad || value >= n_values)
		return false;
	*uses |= UINT64_C(1) << value;
	return true;
}

bool glob_valid(struct view pattern, unsigned n_values, uint64_t *uses)
{
	struct reader r = reader_of(pattern.p, pattern.n);
	uint64_t stated = read_u32(&r), least = 0;
	*uses = 0;
	while (reader_left(&r) > 0)
		if (!op_valid(&r, n_values, uses, &least))
			return false;
	return reader_done(&r) && stated == least;
}

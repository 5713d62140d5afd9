#include "report/cbor.h"

#include "base/utf8.h"

/* Items of a container that ends with a break. No definite one has that many: they would not fit
 * into the input. */
#define UNTIL_BREAK UINT64_MAX

#define INDEFINITE 31

#define BREAK 0xff

enum major { UNSIGNED, NEGATIVE, BYTES, TEXT, ARRAY, MAP, TAG, SIMPLE };

/* The head of a data item (RFC 8949 section 3). */
struct head {
	enum major major;
	unsigned info;
	uint64_t arg; /* of a container, UNTIL_BREAK with an indefinite length */
};

void cbor_open(struct cbor *c, const void *p, size_t n, void *scratch, size_t scratch_n)
{
	*c = (struct cbor){.in = reader_of(p, n),
			   .start = p,
			   .scratch = scratch,
			   .scratch_end = scratch_n ? (uint8_t *)scratch + scratch_n : scratch};
}

COLD static bool fail(struct cbor *c, const char *why)
{
	if (!c->error)
		c->error = why;
	c->in.end = c->in.at;
	return false;
}

static bool is_break_next(const struct cbor *c)
{
	return c->in.at < c->in.end && *c->in.at == BREAK;
}

static bool read_argument(struct cbor *c, struct head *h)
{
	size_t n = (size_t)1 << (h->info - 24);
	const uint8_t *p = read_raw(&c->in, n);
	if (!p)
		return fail(c, "data item cut short");
	h->arg = 0;
	for (size_t i = 0; i < n; i++)
		h->arg = h->arg << 8 | p[i];
	return true;
}

static inline bool read_head(struct cbor *c, struct head *h)
{
	const uint8_t *p = read_raw(&c->in, 1);
	if (!p)
		return fail(c, "end where a data item should be");
	*h = (struct head){(enum major)(*p >> 5), *p & 31, *p & 31};
	if (h->info < 24)
		return true;
	if (h->info < 28)
		return read_argument(c, h);
	if (h->info != INDEFINITE || h->major < BYTES || h->major > MAP)
		return fail(c, *p == BREAK ? "break where a data item should be"
					   : "reserved kind of data item");
	h->arg = UNTIL_BREAK;
	return true;
}

static bool read_piece(struct cbor *c, const struct head *h, struct view *ret)
{
	const uint8_t *p = h->arg <= reader_left(&c->in) ? read_raw(&c->in, (size_t)h->arg) : NULL;
	if (!p)
		return fail(c, "string longer than the input");
	*ret = (struct view){(const char *)p, (size_t)h->arg};
	return h->major == BYTES || utf8_valid(*ret) || fail(c, "string is not UTF-8");
}

static bool put(struct cbor *c, struct view piece)
{
	if ((size_t)(c->scratch_end - c->scratch) < piece.n)
		return fail(c, "too much text in pieces");
	if (piece.n)
		memcpy(c->scratch, piece.p, piece.n);
	c->scratch += piece.n;
	return true;
}

/* The pieces of an indefinite string are strings of its kind and definite. */
COLD static bool read_pieces(struct cbor *c, const struct head *h, struct view *ret)
{
	const uint8_t *from = c->scratch;
	while (!is_break_next(c)) {
		struct head part = {0};
		struct view piece;
		if (!read_head(c, &part))
			return false;
		if (part.major != h->major || part.info == INDEFINITE)
			return fail(c, "string with a piece of another kind");
		if (!read_piece(c, &part, &piece) || (h->major == TEXT && !put(c, piece)))
			return false;
	}
	c->in.at++;
	*ret = (struct view){(const char *)from, (size_t)(c->scratch - from)};
	return true;
}

/* A string whose head has been read. */
static inline bool read_string(struct cbor *c, const struct head *h, struct view *ret)
{
	return h->info == INDEFINITE ? read_pieces(c, h, ret) : read_piece(c, h, ret);
}

static bool enter(struct cbor *c, const struct head *h)
{
	if (c->depth == CBOR_DEPTH_MAX)
		return fail(c, "nested too deeply");
	if (h->info != INDEFINITE && h->arg > reader_left(&c->in))
		return fail(c, "container longer than the input");
	c->left[c->depth++] = h->arg;
	return true;
}

static double double_of_half(uint64_t half)
{
	uint64_t sign = half >> 15 << 63, exponent = half >> 10 & 31, fraction = half & 1023;
	if (!exponent)
		return (sign ? -0x1p-24 : 0x1p-24) * (double)fraction;
	uint64_t bits =
		sign | (exponent == 31 ? 2047 : exponent - 15 + 1023) << 52 | fraction << 42;
	double v;
	memcpy(&v, &bits, sizeof(v));
	return v;
}

static double double_of_single(uint64_t arg)
{
	uint32_t bits = (uint32_t)arg;
	float v;
	memcpy(&v, &bits, sizeof(v));
	return (double)v;
}

static double double_of_double(uint64_t bits)
{
	double v;
	memcpy(&v, &bits, sizeof(v));
	return v;
}

static bool simple_value(struct cbor *c, const struct head *h, struct value *ret)
{
	static double (*const floats[])(uint64_t) = {double_of_half, double_of_single,
						     double_of_double};
	static const struct value words[] = {
		{.kind = VALUE_BOOL, .b = false},
		{.kind = VALUE_BOOL,                  .b = true},
		{.kind = VALUE_NULL},
		{.kind = VALUE_NULL},
	};
	if (h->info >= 25) {
		*ret = (struct value){.kind = VALUE_DOUBLE, .is_single = h->info < 27};
		ret->d = floats[h->info - 25](h->arg);
		return true;
	}
	if (h->info == 24 && h->arg < 32)
		return fail(c, "simple value in a form that is not allowed");
	if (h->arg >= 20 && h->arg < 24)
		*ret = words[h->arg - 20];
	else
		*ret = (struct value){.kind = VALUE_OTHER};
	return true;
}

static bool unsigned_value(struct cbor *c, const struct head *h, struct value *ret)
{
	(void)c;
	*ret = (struct value){.kind = VALUE_UINT, .u = h->arg};
	return true;
}

static bool negative_value(struct cbor *c, const struct head *h, struct value *ret)
{
	(void)c;
	if (h->arg <= INT64_MAX)
		*ret = (struct value){.kind = VALUE_NEGATIVE, .i = -1 - (int64_t)h->arg};
	else
		*ret = (struct value){.kind = VALUE_DOUBLE, .d = -1.0 - (double)h->arg};
	return true;
}

static bool bytes_value(struct cbor *c, const struct head *h, struct value *ret)
{
	struct view bytes;
	*ret = (struct value){.kind = VALUE_OTHER};
	return read_string(c, h, &bytes);
}

static bool text_value(struct cbor *c, const struct head *h, struct value *ret)
{
	*ret = (struct value){.kind = VALUE_STRING};
	return read_string(c, h, &ret->s);
}

static bool array_value(struct cbor *c, const struct head *h, struct value *ret)
{
	*ret = (struct value){.kind = VALUE_ARRAY};
	return enter(c, h);
}

static bool map_value(struct cbor *c, const struct head *h, struct value *ret)
{
	*ret = (struct value){.kind = VALUE_OBJECT};
	return enter(c, h);
}

/* Over tags, to the head of what they are about. */
static inline bool read_content_head(struct cbor *c, struct head *h)
{
	do {
		if (!read_head(c, h))
			return false;
	} while (h->major == TAG);
	return true;
}

bool cbor_value(struct cbor *c, struct value *ret)
{
	static bool (*const by_major[])(struct cbor *, const struct head *, struct value *) = {
		[UNSIGNED] = unsigned_value, [NEGATIVE] = negative_value, [BYTES] = bytes_value,
		[TEXT] = text_value,         [ARRAY] = array_value,       [MAP] = map_value,
		[SIMPLE] = simple_value,
	};
	struct head h;
	return read_content_head(c, &h) && by_major[h.major](c, &h, ret);
}

/* To the next item of the innermost open container, which is closed when there is none. */
static inline bool next_item(struct cbor *c)
{
	if (c->error)
		return false;
	uint64_t *left = &c->left[c->depth - 1];
	if (*left == UNTIL_BREAK) {
		if (!is_break_next(c))
			return true;
		c->in.at++;
	} else if (*left > 0) {
		--*left;
		return true;
	}
	c->depth--;
	return false;
}

bool cbor_element(struct cbor *c)
{
	return next_item(c);
}

bool cbor_member(struct cbor *c, struct view *ret_name)
{
	struct head h;
	if (!next_item(c) || !read_content_head(c, &h))
		return false;
	if (h.major != TEXT)
		return fail(c, "map with a key that is not text");
	return read_string(c, &h, ret_name);
}

bool cbor_done(struct cbor *c)
{
	if (c->error)
		return false;
	return reader_left(&c->in) == 0 || fail(c, "more behind the end of the document");
}

#include "base/json_reader.h"

#include "base/utf8.h"

#include <endian.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

void json_open(struct json *j, const void *p, size_t n, unsigned depth_max, void *scratch,
	       size_t scratch_n)
{
	*j = (struct json){
		.start = p,
		.at = p,
		.end = n ? (const uint8_t *)p + n : p,
		.depth_max = depth_max,
		.scratch = scratch,
		.scratch_end = scratch_n ? (uint8_t *)scratch + scratch_n : scratch,
	};
}

/* Ending the input where it is makes every later step fail without a test of its own. */
COLD static bool fail(struct json *j, const char *why)
{
	if (!j->error)
		j->error = why;
	j->end = j->at;
	return false;
}

/* The next byte that is not white space, which stays to be read; -1 at the end. */
static inline int peek(struct json *j)
{
	for (; j->at < j->end; j->at++) {
		uint8_t c = *j->at;
		if (c > ' ' || (c != ' ' && c != '\n' && c != '\r' && c != '\t'))
			return c;
	}
	return -1;
}

#define EACH_BYTE(b) (UINT64_C(0x0101010101010101) * (b))

/* The lowest 0x80 set tells the first byte (in memory order) that is a quote, a backslash, a
 * control character or not ASCII. Bits above it may be false: a subtraction borrows only from a
 * byte that is itself found. */
static uint64_t find_special(uint64_t w)
{
	uint64_t quote = w ^ EACH_BYTE('"'), escape = w ^ EACH_BYTE('\\');
	uint64_t found = ((w - EACH_BYTE(0x20)) & ~w) | ((quote - EACH_BYTE(1)) & ~quote) |
			 ((escape - EACH_BYTE(1)) & ~escape) | w;
	return found & EACH_BYTE(0x80);
}

static bool is_special(uint8_t c)
{
	return c == '"' || c == '\\' || c < 0x20 || c >= 0x80;
}

/* The first byte of a string that is not plain ASCII text, or end. */
static const uint8_t *plain_end(const uint8_t *p, const uint8_t *end)
{
	for (; end - p >= 8; p += 8) {
		uint64_t w;
		memcpy(&w, p, sizeof(w));
		w = find_special(le64toh(w));
		if (w)
			return p + __builtin_ctzll(w) / 8;
	}
	while (p < end && !is_special(*p))
		p++;
	return p;
}

/* Goes over text that stands for itself, to the quote or backslash that ends it. */
static inline bool skip_text(struct json *j)
{
	for (size_t k;; j->at += k) {
		j->at = plain_end(j->at, j->end);
		if (j->at == j->end)
			return fail(j, "string without end");
		if (*j->at == '"' || *j->at == '\\')
			return true;
		if (*j->at < 0x20)
			return fail(j, "control character in a string");
		k = utf8_len(j->at, (size_t)(j->end - j->at));
		if (!k)
			return fail(j, "string is not UTF-8");
	}
}

static bool put(struct json *j, const uint8_t *p, size_t n)
{
	if ((size_t)(j->scratch_end - j->scratch) < n)
		return fail(j, "too much text with escapes");
	if (n)
		memcpy(j->scratch, p, n);
	j->scratch += n;
	return true;
}

static bool read_hex4(struct json *j, uint32_t *ret)
{
	uint32_t code = 0;
	if (j->end - j->at < 4)
		return fail(j, "escape \\u without four hex digits");
	for (unsigned i = 0; i < 4; i++, j->at++) {
		uint8_t c = *j->at, letter = c | 0x20;
		if (c >= '0' && c <= '9')
			code = code << 4 | (uint32_t)(c - '0');
		else if (letter >= 'a' && letter <= 'f')
			code = code << 4 | (uint32_t)(letter - 'a' + 10);
		else
			return fail(j, "escape \\u without four hex digits");
	}
	*ret = code;
	return true;
}

/* Behind "\u". */
static bool read_unicode(struct json *j)
{
	uint32_t code, low;
	if (!read_hex4(j, &code))
		return false;
	if (code >= 0xdc00 && code < 0xe000)
		return fail(j, "lone surrogate in an escape");
	if (code >= 0xd800 && code < 0xdc00) {
		if (j->end - j->at < 2 || j->at[0] != '\\' || j->at[1] != 'u')
			return fail(j, "lone surrogate in an escape");
		j->at += 2;
		if (!read_hex4(j, &low))
			return false;
		if (low < 0xdc00 || low >= 0xe000)
			return fail(j, "lone surrogate in an escape");
		code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
	}
	uint8_t utf8[4];
	return put(j, utf8, utf8_put(code, utf8));
}

/* At the backslash. */
static bool read_escape(struct json *j)
{
	static const char names[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
	if (j->end - j->at < 2)
		return fail(j, "string without end");
	uint8_t c = j->at[1];
	if (c == 'u') {
		j->at += 2;
		return read_unicode(j);
	}
	const char *name = c ? strchr(names, c) : NULL;
	if (!name)
		return fail(j, "unknown escape in a string");
	j->at += 2;
	return put(j, (const uint8_t *)&meant[name - names], 1);
}

/* The rest of a string that began at `from` and has its first escape at j->at. */
COLD static bool read_escaped(struct json *j, const uint8_t *from, struct view *ret)
{
	const uint8_t *decoded = j->scratch;
	while (put(j, from, (size_t)(j->at - from)) && *j->at != '"') {
		if (!read_escape(j))
			return false;
		from = j->at;
		if (!skip_text(j))
			return false;
	}
	if (j->error)
		return false;
	j->at++;
	*ret = (struct view){(const char *)decoded, (size_t)(j->scratch - decoded)};
	return true;
}

/* At the opening quote. */
static inline bool read_string(struct json *j, struct view *ret)
{
	const uint8_t *from = ++j->at;
	if (!skip_text(j))
		return false;
	if (*j->at == '\\')
		return read_escaped(j, from, ret);
	*ret = (struct view){(const char *)from, (size_t)(j->at - from)};
	j->at++;
	return true;
}

/* A number as digits x 10^exponent. A uint64_t holds any 19 digits and some 20; what comes after
 * them is dropped. */
#define DIGITS_SURE 19

struct decimal {
	uint64_t digits;
	uint64_t n_seen;  /* significant digits, up to the first that was dropped at least */
	bool is_cut;      /* a dropped digit was not 0 */
	int64_t exponent; /* of 10, for `digits` */
	int64_t written;  /* what stood behind the e */
};

static bool is_digit(uint8_t c)
{
	return (uint8_t)(c - '0') < 10;
}

static bool keep_digit(struct decimal *d, unsigned digit)
{
	if (d->n_seen < DIGITS_SURE) {
		d->digits = 10 * d->digits + digit;
		d->n_seen += d->digits != 0;
		return true;
	}
	bool is_last = d->n_seen++ == DIGITS_SURE;
	if (!is_last || d->digits > (UINT64_MAX - digit) / 10)
		return false;
	d->digits = 10 * d->digits + digit;
	return true;
}

/* Takes the digits that come next; each has the weight `step` (0 before the point, -1 behind it).
 * False when none. */
static bool take_digits(struct json *j, struct decimal *d, int step)
{
	const uint8_t *from = j->at;
	for (; j->at < j->end && is_digit(*j->at); j->at++) {
		unsigned digit = *j->at - '0';
		d->exponent += step;
		if (!keep_digit(d, digit)) {
			d->is_cut |= digit != 0;
			d->exponent++;
		}
	}
	return j->at > from;
}

/* An exponent that no input can bring back into range, and that cannot overflow. */
#define EXPONENT_MAX INT64_C(1000000000000000)

static bool take_exponent(struct json *j, struct decimal *d)
{
	j->at++;
	bool is_negative = j->at < j->end && *j->at == '-';
	if (is_negative || (j->at < j->end && *j->at == '+'))
		j->at++;
	const uint8_t *from = j->at;
	int64_t e = 0;
	for (; j->at < j->end && is_digit(*j->at); j->at++) {
		if (e < EXPONENT_MAX)
			e = 10 * e + (*j->at - '0');
	}
	if (j->at == from)
		return fail(j, "number without digits in its exponent");
	d->written = is_negative ? -e : e;
	d->exponent += d->written;
	return true;
}

static bool take_decimal(struct json *j, struct decimal *d)
{
	const uint8_t *from = j->at;
	if (!take_digits(j, d, 0))
		return fail(j, "number without digits");
	if (*from == '0' && j->at - from > 1)
		return fail(j, "number with a leading 0");
	if (j->at < j->end && *j->at == '.') {
		j->at++;
		if (!take_digits(j, d, -1))
			return fail(j, "number without digits behind its point");
	}
	if (j->at < j->end && (*j->at | 0x20) == 'e')
		return take_exponent(j, d);
	return true;
}

/* True when the number is whole and below 2^64, exactly. */
static bool decimal_whole(const struct decimal *d, uint64_t *ret)
{
	uint64_t v = d->digits;
	int64_t e = d->exponent;
	if (d->is_cut || e > DIGITS_SURE || e < -DIGITS_SURE) {
		*ret = 0;
		return v == 0;
	}
	for (; e < 0 && v % 10 == 0; e++)
		v /= 10;
	for (; e > 0; e--) {
		if (__builtin_mul_overflow(v, 10U, &v))
			return false;
	}
	*ret = v;
	return e == 0;
}

/* A double's rounding is decided by its first 768 significant digits and whether anything follows.
 */
#define ROUNDING_DIGITS 800

/* The C library rounds correctly; it gets the digits without a point, so that no locale matters. */
COLD static double round_exactly(const uint8_t *p, const uint8_t *end, int64_t exponent)
{
	char text[ROUNDING_DIGITS + 32];
	size_t n = 0;
	bool is_fraction = false, has_rest = false;
	for (; p < end && (*p | 0x20) != 'e'; p++) {
		if (*p == '.') {
			is_fraction = true;
			continue;
		}
		exponent -= is_fraction;
		if (n == ROUNDING_DIGITS) {
			has_rest |= *p != '0';
			exponent++;
		} else if (n > 0 || *p != '0') {
			text[n++] = (char)*p;
		}
	}
	if (has_rest) {
		text[n++] = '1';
		exponent--;
	}
	exponent = exponent > 9999 ? 9999 : exponent < -9999 ? -9999 : exponent;
	(void)snprintf(text + n, sizeof(text) - n, "e%" PRId64, exponent);
	return strtod(text, NULL);
}

/* Two exact doubles and one operation round once (Clinger 1990). */
static bool decimal_quick(const struct decimal *d, double *ret)
{
	static const double tens[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
				      1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
				      1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
	int64_t e = d->exponent, span = e < 0 ? -e : e;
	if (d->is_cut || d->digits > UINT64_C(1) << 53 || span >= (int64_t)ARRAY_LEN(tens))
		return false;
	double v = (double)d->digits;
	*ret = e < 0 ? v / tens[span] : v * tens[span];
	return true;
}

static bool read_number(struct json *j, struct value *ret)
{
	bool is_negative = *j->at == '-';
	j->at += is_negative;
	const uint8_t *from = j->at;
	struct decimal d = {0};
	uint64_t whole;
	if (!take_decimal(j, &d))
		return false;
	if (decimal_whole(&d, &whole) && (!is_negative || whole <= UINT64_C(1) << 63)) {
		if (is_negative && whole)
			*ret = (struct value){.kind = VALUE_NEGATIVE, .i = (int64_t)(0 - whole)};
		else
			*ret = (struct value){.kind = VALUE_UINT, .u = whole};
		return true;
	}
	double v;
	if (!decimal_quick(&d, &v))
		v = round_exactly(from, j->at, d.written);
	if (isinf(v))
		return fail(j, "number beyond the range of a double");
	*ret = (struct value){.kind = VALUE_DOUBLE, .d = is_negative ? -v : v};
	return true;
}

static bool read_word(struct json *j, struct value *ret)
{
	static const struct {
		struct view text;
		struct value value;
	} words[] = {
		{VIEW_INIT("null"),  {.kind = VALUE_NULL}            },
		{VIEW_INIT("true"),  {.kind = VALUE_BOOL, .b = true} },
		{VIEW_INIT("false"), {.kind = VALUE_BOOL, .b = false}},
	};
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		size_t n = words[i].text.n;
		if ((size_t)(j->end - j->at) < n || memcmp(j->at, words[i].text.p, n) != 0)
			continue;
		j->at += n;
		*ret = words[i].value;
		return true;
	}
	return fail(j, j->at == j->end ? "end where a value should be"
				       : "no value where one should be");
}

static bool enter(struct json *j, struct value *ret, enum value_kind kind)
{
	if (j->depth == j->depth_max)
		return fail(j, "nested too deeply");
	j->depth++;
	j->at++;
	j->is_first = true;
	*ret = (struct value){.kind = kind};
	return true;
}

bool json_value(struct json *j, struct value *ret)
{
	int c = peek(j);
	if (c == '"') {
		*ret = (struct value){.kind = VALUE_STRING};
		return read_string(j, &ret->s);
	}
	if (c == '-' || (c >= '0' && c <= '9'))
		return read_number(j, ret);
	if (c == '{')
		return enter(j, ret, VALUE_OBJECT);
	if (c == '[')
		return enter(j, ret, VALUE_ARRAY);
	return read_word(j, ret);
}

/* To the next item of the container that `close` ends. */
static inline bool next_item(struct json *j, int close)
{
	int c = peek(j);
	bool is_first = j->is_first;
	j->is_first = false;
	if (c == close) {
		j->at++;
		j->depth--;
		return false;
	}
	if (is_first && c >= 0)
		return true;
	if (c != ',')
		return fail(j, c < 0 ? "container without end" : "no comma between two items");
	j->at++;
	return true;
}

bool json_member(struct json *j, struct view *ret_name)
{
	if (!next_item(j, '}'))
		return false;
	if (peek(j) != '"')
		return fail(j, "no name where a member should be");
	if (!read_string(j, ret_name))
		return false;
	if (peek(j) != ':')
		return fail(j, "no colon behind a member's name");
	j->at++;
	return true;
}

bool json_element(struct json *j)
{
	return next_item(j, ']');
}

bool json_done(struct json *j)
{
	if (j->error)
		return false;
	return peek(j) < 0 || fail(j, "more behind the end of the document");
}

#include "base/utf8.h"

#include "base/compiler.h"

/* Which second bytes may follow a first byte decides everything that is special about UTF-8
 * (RFC 3629 section 4): what is left out here are long forms, surrogates and what lies above. */
static const struct lead {
	uint8_t first, last; /* range of the first byte */
	uint8_t len;
	uint8_t low, high; /* range of the second byte */
} leads[] = {
	{0xc2, 0xdf, 2, 0x80, 0xbf},
        {0xe0, 0xe0, 3, 0xa0, 0xbf},
        {0xe1, 0xec, 3, 0x80, 0xbf},
	{0xed, 0xed, 3, 0x80, 0x9f},
        {0xee, 0xef, 3, 0x80, 0xbf},
        {0xf0, 0xf0, 4, 0x90, 0xbf},
	{0xf1, 0xf3, 4, 0x80, 0xbf},
        {0xf4, 0xf4, 4, 0x80, 0x8f},
};

static bool is_tail(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return false;
	}
	return true;
}

size_t utf8_len(const uint8_t *p, size_t n)
{
	if (p[0] < 0x80)
		return 1;
	for (size_t i = 0; i < ARRAY_LEN(leads); i++) {
		const struct lead *l = &leads[i];
		if (p[0] < l->first || p[0] > l->last)
			continue;
		bool is_whole = n >= l->len && p[1] >= l->low && p[1] <= l->high;
		return is_whole && is_tail(p + 2, (size_t)l->len - 2) ? l->len : 0;
	}
	return 0;
}

static uint64_t word_at(const uint8_t *p)
{
	uint64_t w;
	memcpy(&w, p, sizeof(w));
	return w;
}

/* Whole words first, then a last one that overlaps. */
static bool is_ascii(const uint8_t *p, size_t n)
{
	uint64_t bits = 0;
	if (n < sizeof(bits)) {
		for (size_t i = 0; i < n; i++)
			bits |= p[i];
		return bits < 0x80;
	}
	for (size_t i = 0; i < n - sizeof(bits); i += sizeof(bits))
		bits |= word_at(p + i);
	return !((bits | word_at(p + n - sizeof(bits))) & UINT64_C(0x8080808080808080));
}

bool utf8_valid(struct view s)
{
	const uint8_t *p = (const uint8_t *)s.p;
	if (is_ascii(p, s.n))
		return true;
	for (size_t i = 0, k; i < s.n; i += k) {
		k = utf8_len(p + i, s.n - i);
		if (!k)
			return false;
	}
	return true;
}

size_t utf8_put(uint32_t code, uint8_t out[4])
{
	if (code < 0x80) {
		out[0] = (uint8_t)code;
		return 1;
	}
	size_t n = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
	for (size_t i = n - 1; i > 0; i--, code >>= 6)
		out[i] = (uint8_t)(0x80 | (code & 0x3f));
	static const uint8_t lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
	out[0] = (uint8_t)(lead[n] | code);
	return n;
}

#include "base/chance.h"

#include "base/check.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

static void fill_system(void *ctx, void *buf, size_t n)
{
	(void)ctx;
	for (uint8_t *p = buf; n > 0;) {
		ssize_t got = getrandom(p, n, 0);
		CHECK(got > 0 || errno == EINTR);
		if (got > 0) {
			p += got;
			n -= (size_t)got;
		}
	}
}

struct chance chance_system(void)
{
	return (struct chance){fill_system, NULL};
}

/* splitmix64 (Steele, Lea, Flood 2014): small, and every seed is a good one. */
static void fill_seeded(void *ctx, void *buf, size_t n)
{
	uint64_t *state = ctx;
	for (size_t i = 0; i < n; i++) {
		uint64_t z = *state += 0x9e3779b97f4a7c15U;
		z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
		z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
		((uint8_t *)buf)[i] = (uint8_t)(z ^ (z >> 31));
	}
}

struct chance chance_seeded(uint64_t *state)
{
	return (struct chance){fill_seeded, state};
}

void hex_encode(const void *p, size_t n, char *out)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *b = p;
	for (size_t i = 0; i < n; i++) {
		*out++ = digits[b[i] >> 4];
		*out++ = digits[b[i] & 15];
	}
	*out = '\0';
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int hex_decode(const char *s, void *out, size_t n)
{
	uint8_t *to = out;
	for (size_t i = 0; i < n; i++) {
		int high = hex_digit(s[2 * i]);
		int low = high < 0 ? -1 : hex_digit(s[2 * i + 1]);
		if (low < 0)
			return -1;
		to[i] = (uint8_t)(high << 4 | low);
	}
	return s[2 * n] == '\0' ? 0 : -1;
}

void id_hex(struct chance chance, char out[ID_HEX_SIZE])
{
	uint8_t b[16];
	chance.fill(chance.ctx, b, sizeof(b));
	hex_encode(b, sizeof(b), out);
}

void id_uuid(struct chance chance, char out[ID_UUID_SIZE])
{
	uint8_t b[16];
	chance.fill(chance.ctx, b, sizeof(b));
	b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
	b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
	static const size_t parts[] = {4, 2, 2, 2, 6};
	const uint8_t *from = b;
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		hex_encode(from, parts[i], out);
		from += parts[i];
		out += 2 * parts[i];
		*out++ = i + 1 < ARRAY_LEN(parts) ? '-' : '\0';
	}
}

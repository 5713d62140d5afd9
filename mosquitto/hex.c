#include "mosquitto/hex.h"

#include <endian.h>
#include <stdint.h>
#include <string.h>
#include <sys/random.h>

static const char digits_of[] = "0123456789abcdef";

#define EACH_BYTE(b) (UINT64_C(0x0101010101010101) * (b))

/* The digits of four bytes, each in a byte of its own. */
static uint64_t spread(const uint8_t *p)
{
	uint64_t x = (uint64_t)p[3] << 48 | (uint64_t)p[2] << 32 | (uint64_t)p[1] << 16 | p[0];
	return (x >> 4 | x << 8) & EACH_BYTE(0x0F);
}

/* Eight digits at once: a certificate's id is written for every message. */
static void write_four(const uint8_t *p, char *out)
{
	uint64_t digits = spread(p);
	uint64_t is_letter = (digits + EACH_BYTE(6)) >> 4 & EACH_BYTE(1);
	uint64_t text = htole64(digits + EACH_BYTE('0') + is_letter * ('a' - '0' - 10));
	memcpy(out, &text, sizeof(text));
}

void hex_write(const void *bytes, size_t n, char *out)
{
	const uint8_t *p = bytes;
	for (; n >= 4; n -= 4, p += 4, out += 8)
		write_four(p, out);
	for (; n; n--, p++) {
		*out++ = digits_of[*p >> 4];
		*out++ = digits_of[*p & 15];
	}
	*out = '\0';
}

static int digit_value(char c)
{
	const char *at = c ? strchr(digits_of, c) : NULL;
	return at ? (int)(at - digits_of) : -1;
}

int hex_read(const char *digits, void *out, size_t n)
{
	uint8_t *to = out;
	for (size_t i = 0; i < n; i++) {
		int high = digit_value(digits[2 * i]);
		int low = high < 0 ? -1 : digit_value(digits[2 * i + 1]);
		if (low < 0)
			return -1;
		to[i] = (uint8_t)(high << 4 | low);
	}
	return digits[2 * n] == '\0' ? 0 : -1;
}

int hex_random(char *out, size_t n)
{
	uint8_t bytes[32];
	if (n / 2 > sizeof(bytes) || getrandom(bytes, n / 2, 0) != (ssize_t)(n / 2))
		return -1;
	hex_write(bytes, n / 2, out);
	return 0;
}

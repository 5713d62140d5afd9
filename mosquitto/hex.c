#include "mosquitto/hex.h"

#include <stdint.h>
#include <string.h>
#include <sys/random.h>

static const char digits_of[] = "0123456789abcdef";

void hex_write(const void *bytes, size_t n, char *out)
{
	const uint8_t *p = bytes;
	for (size_t i = 0; i < n; i++) {
		*out++ = digits_of[p[i] >> 4];
		*out++ = digits_of[p[i] & 15];
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

#include "base/log.h"

#include "base/utf8.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static _Atomic int max_level = LOG_INFO;

void log_set_level(enum log_level level)
{
	atomic_store(&max_level, (int)level);
}

/* Characters that act on whoever shows them: C0, DEL and C1 on terminals; separators of lines;
 * marks that turn the direction of writing, so that what is read is not what stands there. */
static const struct {
	uint32_t first, last;
} acting[] = {
	{0x00,   0x1f  },
        {0x7f,   0x9f  },
        {0x61c,  0x61c },
	{0x200e, 0x200f},
        {0x2028, 0x202e},
        {0x2066, 0x2069},
};

/* Of a whole sequence of k bytes. */
static uint32_t code_of(const uint8_t *p, size_t k)
{
	static const uint8_t lead[] = {[1] = 0x7f, [2] = 0x1f, [3] = 0x0f, [4] = 0x07};
	uint32_t code = p[0] & lead[k];
	for (size_t i = 1; i < k; i++)
		code = code << 6 | (p[i] & 0x3fU);
	return code;
}

static bool is_inert(const uint8_t *p, size_t k)
{
	uint32_t code = code_of(p, k);
	for (size_t i = 0; i < ARRAY_LEN(acting); i++)
		if (acting[i].first <= code && code <= acting[i].last)
			return false;
	return true;
}

char *log_inert(const char *text, size_t n, char *out, size_t cap)
{
	size_t len = 0;
	for (size_t i = 0; i < n;) {
		const uint8_t *p = (const uint8_t *)text + i;
		size_t k = utf8_len(p, n - i);
		bool is_kept = k && is_inert(p, k);
		size_t need = is_kept ? k : 4;
		if (len + need + 1 > cap)
			break;
		if (is_kept)
			memcpy(out + len, p, k);
		else
			(void)snprintf(out + len, 5, "\\x%02x", (unsigned)*p);
		len += need;
		i += is_kept ? k : 1;
	}
	if (cap)
		out[len] = '\0';
	return out;
}

void log_line(enum log_level level, const char *module, const char *fmt, ...)
{
	if ((int)level > atomic_load(&max_level))
		return;
	char text[2048], inert[4096], line[4200];
	va_list args;
	va_start(args, fmt);
	int n = vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (n < 0)
		return;
	size_t used = (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1;
	(void)log_inert(text, used, inert, sizeof(inert));
	n = snprintf(line, sizeof(line), "<%d>%s: %s\n", (int)level, module, inert);
	/* One write a line, so that lines of several threads do not mix. */
	if (n < 0)
		return;
	used = (size_t)n < sizeof(line) ? (size_t)n : sizeof(line) - 1;
	line[used - 1] = '\n';
	if (write(STDERR_FILENO, line, used) < 0)
		return;
}

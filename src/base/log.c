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

char *log_inert(const char *text, size_t n, char *out, size_t cap)
{
	size_t len = 0;
	for (size_t i = 0; i < n;) {
		const uint8_t *p = (const uint8_t *)text + i;
		size_t k = utf8_len(p, n - i);
		/* C0, DEL and C1 (U+0080-U+009F) act on terminals. */
		bool is_inert =
			k && *p >= 0x20 && *p != 0x7f && !(k == 2 && p[0] == 0xc2 && p[1] < 0xa0);
		size_t need = is_inert ? k : 4;
		if (len + need + 1 > cap)
			break;
		if (is_inert)
			memcpy(out + len, p, k);
		else
			(void)snprintf(out + len, 5, "\\x%02x", (unsigned)*p);
		len += need;
		i += is_inert ? k : 1;
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

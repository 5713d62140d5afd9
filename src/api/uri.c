#include "api/uri.h"

#include <glib.h>

/* The byte at p: itself, or the escape's. -1 when the escape is broken. */
static int byte_at(struct view raw, size_t i)
{
	if (raw.p[i] != '%')
		return (unsigned char)raw.p[i];
	if (i + 2 >= raw.n || !g_ascii_isxdigit(raw.p[i + 1]) || !g_ascii_isxdigit(raw.p[i + 2]))
		return -1;
	return g_ascii_xdigit_value(raw.p[i + 1]) * 16 + g_ascii_xdigit_value(raw.p[i + 2]);
}

char *uri_decode(struct view raw)
{
	g_autofree char *out = g_malloc(raw.n + 1);
	size_t n = 0;
	for (size_t i = 0; i < raw.n; i += raw.p[i] == '%' ? 3 : 1) {
		int byte = byte_at(raw, i);
		if (byte <= 0)
			return NULL;
		out[n++] = (char)byte;
	}
	out[n] = '\0';
	return g_utf8_validate(out, (gssize)n, NULL) ? g_steal_pointer(&out) : NULL;
}

bool uri_piece(struct view *rest, char separator, struct view *ret)
{
	if (!rest->p)
		return false;
	const char *at = memchr(rest->p, separator, rest->n);
	*ret = (struct view){rest->p, at ? (size_t)(at - rest->p) : rest->n};
	*rest = at ? (struct view){at + 1, rest->n - ret->n - 1} : (struct view){NULL, 0};
	return true;
}

bool uri_query_pair(struct view *rest, struct view *ret_name, struct view *ret_value)
{
	struct view pair;
	do {
		if (!uri_piece(rest, '&', &pair))
			return false;
	} while (pair.n == 0);
	(void)uri_piece(&pair, '=', ret_name);
	*ret_value = pair.p ? pair : VIEW_LIT("");
	return true;
}

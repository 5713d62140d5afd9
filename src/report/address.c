#include "report/address.h"

#include <arpa/inet.h>

/* Takes a decimal number of at most `digits` digits and no superfluous 0 off the front of s. -1
 * when there is none. */
static int take_number(struct view *s, size_t digits)
{
	int v = 0;
	size_t n = 0;
	for (; n < s->n && n < digits && s->p[n] >= '0' && s->p[n] <= '9'; n++)
		v = 10 * v + (s->p[n] - '0');
	if (n == 0 || (n > 1 && s->p[0] == '0'))
		return -1;
	*s = (struct view){s->p + n, s->n - n};
	return v;
}

static bool parse_v4(struct view s, struct report_addr *ret)
{
	struct report_addr a = {
		{[10] = 0xff, [11] = 0xff}
        };
	for (unsigned i = 0; i < 4; i++) {
		if (i > 0) {
			if (s.n == 0 || s.p[0] != '.')
				return false;
			s = (struct view){s.p + 1, s.n - 1};
		}
		int v = take_number(&s, 3);
		if (v < 0 || v > 255)
			return false;
		a.b[12 + i] = (uint8_t)v;
	}
	if (s.n > 0)
		return false;
	*ret = a;
	return true;
}

static bool parse_v6(struct view s, struct report_addr *ret)
{
	char text[INET6_ADDRSTRLEN];
	if (s.n < 2 || s.n >= sizeof(text) || memchr(s.p, '\0', s.n))
		return false;
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	return inet_pton(AF_INET6, text, ret->b) == 1;
}

bool address_parse(struct view s, struct report_addr *ret)
{
	return parse_v4(s, ret) || parse_v6(s, ret);
}

static bool is_port(struct view s)
{
	int v = take_number(&s, 5);
	return v >= 0 && v <= 65535 && s.n == 0;
}

/* "[v6]" or "[v6]:port". */
static bool parse_bracketed(struct view s, struct report_addr *ret)
{
	const char *close = memchr(s.p, ']', s.n);
	if (!close)
		return false;
	struct view inside = {s.p + 1, (size_t)(close - s.p) - 1};
	struct view rest = {close + 1, s.n - inside.n - 2};
	if (rest.n > 0 && (rest.p[0] != ':' || !is_port((struct view){rest.p + 1, rest.n - 1})))
		return false;
	return parse_v6(inside, ret);
}

bool address_of_remote(struct view s, struct report_addr *ret)
{
	if (s.n > 0 && s.p[0] == '[')
		return parse_bracketed(s, ret);
	const char *colon = s.n ? memrchr(s.p, ':', s.n) : NULL;
	if (colon) {
		struct view host = {s.p, (size_t)(colon - s.p)};
		struct view port = {colon + 1, s.n - host.n - 1};
		if (is_port(port) && address_parse(host, ret))
			return true;
	}
	return address_parse(s, ret);
}

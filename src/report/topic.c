#include "report/report.h"

#include "base/utf8.h"

static bool take_prefix(struct view *s, struct view prefix)
{
	if (s->n < prefix.n || memcmp(s->p, prefix.p, prefix.n) != 0)
		return false;
	*s = (struct view){s->p + prefix.n, s->n - prefix.n};
	return true;
}

bool report_topic(struct view topic, struct view *ret_thing, enum report_format *ret_format)
{
	static const struct view tails[] = {
		[REPORT_JSON] = VIEW_INIT("/defender/metrics/json"),
		[REPORT_CBOR] = VIEW_INIT("/defender/metrics/cbor"),
	};
	if (!take_prefix(&topic, VIEW_LIT("$aws/things/")))
		return false;
	const char *slash = topic.n ? memchr(topic.p, '/', topic.n) : NULL;
	if (!slash)
		return false;
	struct view thing = {topic.p, (size_t)(slash - topic.p)};
	struct view tail = {slash, topic.n - thing.n};
	for (size_t i = 0; i < ARRAY_LEN(tails); i++) {
		if (!view_eq(tail, tails[i]))
			continue;
		*ret_thing = thing;
		*ret_format = (enum report_format)i;
		return true;
	}
	return false;
}

/* C0, DEL and C1 (U+0080-U+009F). */
static bool has_control(struct view s)
{
	const uint8_t *p = (const uint8_t *)s.p;
	for (size_t i = 0; i < s.n; i++) {
		if (p[i] < 0x20 || p[i] == 0x7f || (p[i] == 0xc2 && i + 1 < s.n && p[i + 1] < 0xa0))
			return true;
	}
	return false;
}

bool report_thing_valid(struct view thing)
{
	return thing.n > 0 && thing.n <= REPORT_THING_MAX && utf8_valid(thing) &&
	       !has_control(thing);
}

#include "mosquitto/topic.h"

#include "base/utf8.h"

static void skip(struct view *v, size_t n)
{
	v->p += n;
	v->n -= n;
}

/* Takes the level up to the next '/' off the front of *rest. */
static struct view take_level(struct view *rest)
{
	const char *slash = rest->n ? memchr(rest->p, '/', rest->n) : NULL;
	size_t n = slash ? (size_t)(slash - rest->p) : rest->n;
	struct view level = {rest->p, n};
	skip(rest, slash ? n + 1 : n);
	return level;
}

static bool take_prefix(struct view *rest, struct view prefix)
{
	if (rest->n < prefix.n || memcmp(rest->p, prefix.p, prefix.n) != 0)
		return false;
	skip(rest, prefix.n);
	return true;
}

static bool take_defender_metrics(struct view *rest, struct view *ret_thing)
{
	if (!take_prefix(rest, VIEW_LIT("$aws/things/")))
		return false;
	*ret_thing = take_level(rest);
	return take_prefix(rest, VIEW_LIT("defender/metrics/"));
}

static enum topic_kind kind_after_format(struct view rest, bool has_more)
{
	if (!has_more)
		return TOPIC_REPORT;
	return view_is(rest, "accepted") || view_is(rest, "rejected") ? TOPIC_REPLY
								      : TOPIC_ORDINARY;
}

struct topic topic_of(struct view name)
{
	struct topic t = {.kind = TOPIC_ORDINARY};
	struct view rest = name;
	if (take_prefix(&rest, VIEW_LIT("$aws/events/"))) {
		t.kind = TOPIC_EVENTS;
		return t;
	}
	if (!take_defender_metrics(&rest, &t.thing))
		return t;
	struct view format = take_level(&rest);
	t.is_cbor = view_is(format, "cbor");
	if (t.is_cbor || view_is(format, "json"))
		t.kind = kind_after_format(rest, format.p + format.n != name.p + name.n);
	return t;
}

/* Takes "$share/GROUP/" off the front. */
static bool take_share(struct view *rest)
{
	if (!take_prefix(rest, VIEW_LIT("$share/")))
		return false;
	(void)take_level(rest);
	return true;
}

bool topic_filter_is_report(struct view filter)
{
	struct view rest = filter, thing;
	(void)take_share(&rest);
	if (!take_defender_metrics(&rest, &thing))
		return false;
	return view_is(rest, "json") || view_is(rest, "cbor") || view_is(rest, "+");
}

bool topic_filter_is_shared_reserved(struct view filter)
{
	struct view rest = filter;
	return take_share(&rest) && view_is(take_level(&rest), "$aws");
}

/* True when the level that the filter stands at the begin of is `wildcard`. */
static bool is_level(struct view filter, char wildcard)
{
	return filter.n && filter.p[0] == wildcard && (filter.n == 1 || filter.p[1] == '/');
}

/* Takes what one step of the filter stands for off both. */
static bool take_step(struct view *topic, struct view *filter, bool is_level_begin,
		      struct view client_id)
{
	if (is_level_begin && is_level(*filter, '+')) {
		const char *slash = topic->n ? memchr(topic->p, '/', topic->n) : NULL;
		size_t level = slash ? (size_t)(slash - topic->p) : topic->n;
		skip(topic, level);
		skip(filter, 1);
		return true;
	}
	if (take_prefix(filter, VIEW_LIT("${iot:ClientId}")))
		return take_prefix(topic, client_id);
	if (!topic->n || topic->p[0] != filter->p[0])
		return false;
	skip(topic, 1);
	skip(filter, 1);
	return true;
}

bool topic_matches(struct view topic, struct view filter, struct view client_id)
{
	bool is_level_begin = true;
	if (topic.n && topic.p[0] == '$' && (is_level(filter, '+') || is_level(filter, '#')))
		return false;
	while (filter.n) {
		if (is_level_begin && view_is(filter, "#"))
			return true;
		if (topic.n == 0 && view_is(filter, "/#"))
			return true;
		const char *at = filter.p;
		if (!take_step(&topic, &filter, is_level_begin, client_id))
			return false;
		is_level_begin = *at == '/';
	}
	return topic.n == 0;
}

/* C0, DEL, and C1 as UTF-8 writes it. */
static bool is_control(const uint8_t *p, size_t left)
{
	return p[0] < 0x20 || p[0] == 0x7F || (p[0] == 0xC2 && left > 1 && p[1] < 0xA0);
}

enum cause topic_fault(struct view name)
{
	struct view rest = name;
	unsigned slashes = 0;
	(void)take_share(&rest);
	if (rest.n > TOPIC_BYTES_MAX)
		return CAUSE_TOPIC_TOO_LONG;
	for (size_t i = 0; i < name.n; i++)
		if (is_control((const uint8_t *)name.p + i, name.n - i))
			return CAUSE_TOPIC_CONTROL;
	for (size_t i = 0; i < rest.n; i++)
		slashes += rest.p[i] == '/';
	if (slashes > TOPIC_SLASHES_MAX)
		return CAUSE_TOPIC_TOO_LONG;
	return utf8_valid(name) ? CAUSE_NONE : CAUSE_TOPIC_CONTROL;
}

#include "mosquitto/topic.h"

/* Takes the level up to the next '/' off the front of *rest. */
static struct view take_level(struct view *rest)
{
	const char *slash = rest->n ? memchr(rest->p, '/', rest->n) : NULL;
	size_t n = slash ? (size_t)(slash - rest->p) : rest->n;
	struct view level = {rest->p, n};
	size_t step = slash ? n + 1 : n;
	rest->p += step;
	rest->n -= step;
	return level;
}

static bool take_prefix(struct view *rest, struct view prefix)
{
	if (rest->n < prefix.n || memcmp(rest->p, prefix.p, prefix.n) != 0)
		return false;
	rest->p += prefix.n;
	rest->n -= prefix.n;
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

bool topic_filter_is_report(struct view filter)
{
	struct view rest = filter, thing;
	if (take_prefix(&rest, VIEW_LIT("$share/")))
		(void)take_level(&rest);
	if (!take_defender_metrics(&rest, &thing))
		return false;
	return view_is(rest, "json") || view_is(rest, "cbor") || view_is(rest, "+");
}

bool topic_fits(struct view name)
{
	return name.n <= TOPIC_BYTES_MAX;
}

#include "mosquitto/notice.h"

#include <inttypes.h>
#include <mosquitto.h>
#include <mosquitto_broker.h>
#include <stdarg.h>
#include <stdio.h>

#include "mosquitto/plugin.h"

#define LINES_A_SECOND  50
#define EVENTS_A_SECOND 500
#define LINE_SIZE       1024

/* Takes one of `limit` a second. *ret_left_out is what the seconds before left out, to be told
 * once. */
static bool rate_take(struct rate *r, unsigned limit, int64_t now_ms, uint64_t *ret_left_out)
{
	*ret_left_out = 0;
	if (now_ms - r->since_ms >= 1000) {
		*ret_left_out = r->left_out;
		*r = (struct rate){.since_ms = now_ms};
	}
	if (r->used < limit) {
		r->used++;
		return true;
	}
	r->left_out++;
	return false;
}

static void make_inert(char *line)
{
	for (char *c = line; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7F)
			*c = '?';
}

void notice_log(struct plugin *p, int level, const char *fmt, ...)
{
	uint64_t left_out;
	if (!rate_take(&p->notices.lines, LINES_A_SECOND, p->now_ms, &left_out))
		return;
	if (left_out)
		mosquitto_log_printf(MOSQ_LOG_WARNING, "thingward: %" PRIu64 " lines left out",
				     left_out);
	char line[LINE_SIZE];
	va_list args;
	va_start(args, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	make_inert(line);
	mosquitto_log_printf(level, "thingward: %s", line);
}

void notice_refused_quietly(struct plugin *p, const struct event_refused *e)
{
	uint64_t left_out;
	if (rate_take(&p->notices.events, EVENTS_A_SECOND, p->now_ms, &left_out))
		plugin_count(p, uplink_event(p->uplink, &(struct event){.kind = EVENT_REFUSED,
									.refused = *e}));
	p->left_out += left_out;
}

static int printed(struct view s)
{
	return s.n < 256 ? (int)s.n : 256;
}

void notice_refused(struct plugin *p, const struct event_refused *e)
{
	const char *action = e->action == EVENT_ACTION_TLS
				     ? "TLS handshake"
				     : policy_action_name((enum policy_action)e->action);
	notice_log(p, MOSQ_LOG_NOTICE, "refused %s of client \"%.*s\" from %.*s on \"%.*s\": %.*s",
		   action, printed(e->who.client_id), e->who.client_id.p, printed(e->who.address),
		   e->who.address.p, printed(e->resource), e->resource.p, printed(e->missing),
		   e->missing.p);
	notice_refused_quietly(p, e);
}

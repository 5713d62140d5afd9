/* What the plugin has to say: lines in the broker's log and EVENT_REFUSED to the daemon. Both are
 * limited in rate, so that a hostile peer cannot fill either; what is left out is counted, and
 * said. */
#ifndef PLUGIN_NOTICE_H
#define PLUGIN_NOTICE_H

#include "base/compiler.h"
#include "broker/frame.h"

struct plugin;

struct rate {
	int64_t since_ms;
	unsigned used;
	uint64_t left_out;
};

struct notices {
	struct rate lines, events;
};

/* A line at level MOSQ_LOG_...; bytes that a terminal would obey are replaced. */
void notice_log(struct plugin *p, int level, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* Somebody was refused something: one line and one event. */
void notice_refused(struct plugin *p, const struct event_refused *e);
/* The same without a line, for what happens on every delivery. */
void notice_refused_quietly(struct plugin *p, const struct event_refused *e);

#endif

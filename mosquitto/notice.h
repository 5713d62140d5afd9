/* What the plugin has to say: lines in the broker's log, limited in rate, so that a hostile peer
 * cannot fill it; what is left out is counted, and said. */
#ifndef PLUGIN_NOTICE_H
#define PLUGIN_NOTICE_H

#include "base/compiler.h"

#include <stdint.h>

struct plugin;

struct notices {
	int64_t since_ms;
	unsigned used;
	uint64_t left_out;
};

/* A line at level MOSQ_LOG_...; bytes that a terminal would obey are replaced. */
void notice_log(struct plugin *p, int level, const char *fmt, ...) PRINTF_LIKE(3, 4);

#endif

#include "mosquitto/notice.h"

#include <inttypes.h>
#include <mosquitto.h>
#include <mosquitto_broker.h>
#include <stdarg.h>
#include <stdio.h>

#include "mosquitto/plugin.h"

#define LINES_A_SECOND 50
#define LINE_SIZE      1024

/* Takes one line of this second's. *ret_left_out is what the seconds before left out, to be told
 * once. */
static bool take_line(struct notices *n, int64_t now_ms, uint64_t *ret_left_out)
{
	*ret_left_out = 0;
	if (now_ms - n->since_ms >= 1000) {
		*ret_left_out = n->left_out;
		*n = (struct notices){.since_ms = now_ms};
	}
	if (n->used < LINES_A_SECOND) {
		n->used++;
		return true;
	}
	n->left_out++;
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
	if (!take_line(&p->notices, p->now_ms, &left_out))
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

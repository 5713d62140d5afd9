/* Server time in the broker: the plugin has no clock of its own for data, it follows the daemon's
 * (architecture section 7). Between two words of the daemon it goes on with CLOCK_MONOTONIC, unless
 * the daemon's clock is manual. */
#ifndef PLUGIN_SERVER_TIME_H
#define PLUGIN_SERVER_TIME_H

#include <stdbool.h>
#include <stdint.h>

struct server_time {
	int64_t told_ms;    /* what the daemon said last; 0: nothing yet */
	int64_t told_at_ms; /* monotonic, when it said so */
	bool is_manual;
};

/* Milliseconds of CLOCK_MONOTONIC, from the kernel's coarse clock (4 ms steps, no system call). */
int64_t monotonic_ms(void);

void server_time_told(struct server_time *t, int64_t now_ms, int64_t at_ms);
/* Milliseconds since the epoch at monotonic `at_ms`; the system's clock while the daemon has said
 * nothing. */
int64_t server_time_ms(const struct server_time *t, int64_t at_ms);

#endif

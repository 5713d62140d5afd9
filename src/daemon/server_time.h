/* The daemon's clock, and where a manual one stands between two runs (architecture section 7). */
#ifndef DAEMON_SERVER_TIME_H
#define DAEMON_SERVER_TIME_H

#include "base/clock.h"
#include "base/fault.h"

/* The system's clock, or a manual one that goes on where state/clock says the last one stood, at
 * first at the system's time. NULL with the reason. */
struct clock *server_time_open(bool is_manual, const char *file, struct fault *fault) MUST_USE;

/* Writes down where a manual clock stands. 0, or a negative errno. */
int server_time_save(struct clock *clock, const char *file) MUST_USE;

#endif

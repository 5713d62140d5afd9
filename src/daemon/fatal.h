/* The end of the process when going on would risk what was promised: a failed fsync, a lost lease,
 * a damaged log. */
#ifndef DAEMON_FATAL_H
#define DAEMON_FATAL_H

#include "base/compiler.h"

/* Logs and exits at once with status 1, from any thread; what is durable is found again at the next
 * start. */
void fatal(const char *module, const char *fmt, ...) PRINTF_LIKE(2, 3) NO_RETURN;

#endif

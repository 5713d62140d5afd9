/* Refusals as commands show them: `thingward why-denied`, `thingward would-refuse`. */
#ifndef DAEMON_DENIALS_H
#define DAEMON_DENIALS_H

#include "daemon/tool.h"
#include "ledger/denied.h"

#include <jansson.h>

/* "24h", "7d", "30m" or "90s": the server time so long ago, in *ret_ms. 0, or the exit code; it has
 * said what is wrong. */
int denials_since(const struct common *common, const char *since, int64_t *ret_ms) MUST_USE;

/* "2026-11-22T18:00:03Z". Freed with g_free. */
char *denials_time(int64_t at_ms);

/* What was asked, why it was refused, and the cure, without who asked: `iot:Publish on "a/b"`. */
void denials_tell_request(const struct denied *d, GString *text);
json_t *denials_json(const struct denied *d) MUST_USE;

#endif

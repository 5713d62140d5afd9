/* Points in time on the wire (spec/api.md section 1): numbers in bodies, ISO 8601 in query strings;
 * either is taken anywhere. Inside they are milliseconds since the epoch. */
#ifndef API_TIMESTAMP_H
#define API_TIMESTAMP_H

#include "base/compiler.h"

#include <jansson.h>
#include <stdint.h>

/* "2026-01-01T00:00:00.5Z", "2026-01-01T01:00:00+01:00", "1767225600", "1.7672256E9". -1 when it is
 * none of these, or outside the years 1 to 9999. *ret_ms is touched only on 0. */
int timestamp_parse(const char *text, int64_t *ret_ms) MUST_USE;

/* A JSON number of seconds, or a text as above. */
int timestamp_read(const json_t *value, int64_t *ret_ms) MUST_USE;

/* Seconds, with a fraction when there is one. The caller owns it. */
json_t *timestamp_write(int64_t ms);

#endif

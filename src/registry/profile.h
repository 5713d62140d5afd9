/* Security profiles: what is stored of them, and the evaluator's configuration made from it
 * (spec/detect.md sections 1 and 2).
 *
 * A profile is kept as the API gave it: its members as JSON text, never with defaults filled in, so
 * that Describe echoes exactly what Create got. A target is a mask of the three `all/...` forms or
 * a thing group by its number. The operations themselves stand in api/op_profiles.c; what makes a
 * behavior valid in registry/behavior.h. */
#ifndef REGISTRY_PROFILE_H
#define REGISTRY_PROFILE_H

#include "base/fault.h"
#include "store/sql.h"

#include <glib.h>

/* Appends the body of an ENTRY_CONFIG: every profile that has a target, with all its behaviors, in
 * the order of their names (detect/config.h). The same tables give the same bytes. Runs in the
 * caller's transaction or read view. 0, or a negative errno of the sql_ functions; -EBADMSG when a
 * stored behavior cannot be read, which is our own fault and said in *ret_fault (may be NULL). */
int profile_config_build(struct sql_conn *conn, GByteArray *body, struct fault *ret_fault) MUST_USE;

#endif

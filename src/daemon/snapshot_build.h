/* The brokers' snapshot, made from the registry's walks (registry/walk.h, broker/snapshot.h). */
#ifndef DAEMON_SNAPSHOT_BUILD_H
#define DAEMON_SNAPSHOT_BUILD_H

#include "broker/snapshot_write.h"
#include "registry/settings.h"
#include "store/sql.h"

/* Everything the registry holds as of the reader's view. 0 with a builder that the caller frees, or
 * a negative errno. */
int snapshot_build(struct sql_conn *reader, const struct registry_settings *settings,
		   struct snapshot_builder **ret) MUST_USE;

#endif

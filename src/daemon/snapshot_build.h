/* From the registry's rows to the snapshot's records (registry/walk.h, broker/snapshot_write.h). */
#ifndef DAEMON_SNAPSHOT_BUILD_H
#define DAEMON_SNAPSHOT_BUILD_H

#include "broker/snapshot_write.h"
#include "registry/settings.h"
#include "registry/walk.h"
#include "store/store.h"

#include <stdatomic.h>

/* ---- A base ---- */

/* Writes a record for everything the registry holds into the file. It reads a page at a time, each
 * in a view of its own, so that no view is held for long; what changes meanwhile may be in or not,
 * whole in any case (daemon/publish.h tells why that is enough). 0, or a negative errno; -ECANCELED
 * when *is_stopping became true (may be NULL). */
int snapshot_build(struct sql_conn *reader, const struct registry_settings *settings,
		   struct snapshot_file *file, const atomic_bool *is_stopping) MUST_USE;

/* ---- Changes: the record of what a key names now, or that it is gone ---- */

void snapshot_put_thing(struct snapshot_builder *b, const struct walk_thing *thing);
void snapshot_put_cert(struct snapshot_builder *b, const struct walk_certificate *c);
int snapshot_build_policy(struct sql_conn *reader, const char *name,
			  struct snapshot_builder *b) MUST_USE;
int snapshot_build_group(struct sql_conn *reader, const char *name,
			 struct snapshot_builder *b) MUST_USE;
int snapshot_build_dimension(struct sql_conn *reader, const char *name,
			     struct snapshot_builder *b) MUST_USE;
int snapshot_build_cert(struct sql_conn *reader, const char *id,
			struct snapshot_builder *b) MUST_USE;

#endif

/* The publisher's end of the snapshot file: appends the rounds of changes, and makes a new base
 * when they have become too many. daemon/publish.h tells the order and why it holds over crashes.
 *
 * A new base is written by a thread of its own while rounds go on being appended to the file in
 * use; then the rounds that came meanwhile are copied behind it and it takes the file's place. A
 * broker needs a while to read it, and follows the old file until it has: for BEFORE_MS rounds are
 * appended to that, too. So no news comes by a new file alone, which a broker may still be reading
 * when it judges a connect; only a start of the daemon has nothing before it.
 *
 * All calls of one publisher's rounds, one at a time. */
#ifndef DAEMON_PUBLISH_FILE_H
#define DAEMON_PUBLISH_FILE_H

#include "daemon/snapshot_build.h"

struct publish_file;

struct publish_file_options {
	struct store *store;
	const struct registry_settings *settings;
	const char *path; /* of the file, */
	mode_t mode;      /* its mode and group (broker/snapshot_write.h) */
	gid_t gid;
	uint64_t delta_bytes; /* changes that are never too many, however small the base */
};

#define BEFORE_MS 60000

/* Nothing is written yet. The options' strings are borrowed. */
struct publish_file *publish_file_new(const struct publish_file_options *options);
/* Waits for the thread, if there is one. Takes NULL. */
void publish_file_free(struct publish_file *f);

/* Writes a whole new file from the registry, of a generation that is committed, and puts it in its
 * place; it takes as long as that takes. 0, or a negative errno with the old file in its place. */
int publish_file_write(struct publish_file *f, struct sql_conn *reader,
		       uint64_t generation) MUST_USE;
/* Makes the records durable, as of a generation. Writes a whole new file instead when somebody
 * touched the one in its place, or the records are too many for one that is followed. */
int publish_file_append(struct publish_file *f, struct sql_conn *reader,
			const struct snapshot_builder *records, uint64_t generation) MUST_USE;
/* What is due between appends: a base that is done takes its place, one that is needed is begun,
 * the one before is let go. 1: a new file is in its place; 0: none; or a negative errno of a base
 * that came to nothing: the file in use goes on. */
int publish_file_turn(struct publish_file *f);
/* True when there is no file of ours in the place: none yet, or somebody touched it. */
bool publish_file_is_lost(const struct publish_file *f);
/* True when it is of use to call for a round though nothing changed. */
bool publish_file_is_due(const struct publish_file *f);
/* Has a new base made at the next turn, whatever the size. */
void publish_file_want_base(struct publish_file *f);

#endif

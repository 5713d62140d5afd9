/* The publisher: brings the changes of the store to the log and to the brokers' snapshot
 * (store/change.h).
 *
 * The order of the durable steps, for changes up to generation g:
 *   1. the change rows are committed, with what they are about, in the API's transaction;
 *   2. one view of the store: entries for what the log must know (`config`, `thing`), and the
 * snapshot;
 *   3. the snapshot file with generation g replaces the old one; the plugins are told;
 *   4. the entries are appended as frames last+1 .. g of producer "change": after a crash the
 * producer's last frame tells which are taken, so each is taken once. A crash between any two
 * leaves work that the next start takes up: it always publishes anew. Whatever fails (a full disk)
 * is done again every few seconds, from the main loop of whoever made the publisher. */
#ifndef DAEMON_PUBLISH_H
#define DAEMON_PUBLISH_H

#include "base/clock.h"
#include "daemon/ingest.h"
#include "registry/settings.h"

struct publisher;

struct publisher_options {
	struct store *store;
	unsigned part;
	struct clock *clock;
	struct ready *ready;
	struct ingest *ingest;
	const struct registry_settings *settings;
	const char *snapshot; /* path of the file, */
	mode_t mode;          /* its mode and group (broker/snapshot.h) */
	gid_t gid;
};

/* Catches up with the store and tells the plugins. With `is_fresh` the log also gets the whole
 * configuration and every thing: the evaluator's state is empty. 0, or -1 with the reason. */
int publisher_new(const struct publisher_options *options, bool is_fresh, struct publisher **ret,
		  struct fault *fault) MUST_USE;
void publisher_free(struct publisher *p);

/* For api_env: returns when log and snapshot have every change committed before the call; 0 or a
 * negative errno. Callers of several threads that come while one is at work share the next round.
 */
int publisher_publish(void *publisher);

#endif

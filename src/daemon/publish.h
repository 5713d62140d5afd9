/* The publisher: brings the changes of the store to the log and to the brokers' snapshot
 * (store/change.h).
 *
 * The order of the durable steps, for changes up to generation g:
 *   1. the change rows are committed, with what they are about, in the API's transaction;
 *   2. one view of the store: entries for what the log must know (`config`, `thing`), and records
 * for the snapshot, a bounded number for each change (publish_round.h);
 *   3. the records are appended to the snapshot's file as of generation g, durably; the plugins are
 *      told;
 *   4. the entries are appended as frames last+1 .. g of producer "change": after a crash the
 *      producer's last frame tells which are taken, so each is taken once.
 * Then the API answers. A crash between any two leaves work that the next start takes up: it writes
 * the snapshot anew and gives the log what is missing. Whatever fails (a full disk) is done again
 * every few seconds, from the main loop of whoever made the publisher.
 *
 * A new base (publish_file.h) is made while this goes on, and no view of the store is held for
 * long: it is read in pages, each as of its own moment. Why what it becomes is right all the same:
 * let G be the generation of the file in use when the base began. Each page was seen after G was
 * committed, so each record is as of G or later. A key that changed after G has a record in a round
 * behind G; these are copied or appended behind the base, in order, so that the last of them wins,
 * and it is as of the newest published change. A key that did not change after G is in the base as
 * it is. So base and rounds up to g hold every key as of g or, where a change is committed and not
 * answered yet, a moment later, until its own round comes and says the same.
 *
 * Whenever the power goes, the file in its place is either the old one, with every round that was
 * answered, or the new one, with the same rounds copied behind its base before the rename: readers
 * find what was answered last, or later. A round that was cut short by the crash was not answered;
 * readers leave it alone and the next start's file does without it. */
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
	mode_t mode;          /* its mode and group (broker/snapshot_write.h) */
	gid_t gid;
	uint64_t delta_bytes; /* of changes before a new base is thought of (publish_file.h) */
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

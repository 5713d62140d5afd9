/* The registry: things, groups, certificates, policies and what ties them
 * (spec/registry-and-policies.md sections 1-8).
 *
 * Every rule is a function over `struct registry`: one operation's connection, settings, time and
 * chance, and the place where a refusal is told. All functions of registry/ return 0, or -1 with
 * *fault filled, or another negative errno of the database (-EAGAIN: the transaction is to be run
 * again). Those that change something run in a write transaction and note in it what the snapshot
 * or the evaluation must take over (store/change.h).
 *
 * Lists hand each item to a callback, in key order from behind `after`, at most `limit`; the
 * callback ends the list by returning non-zero. What a callback gets lives during the call. */
#ifndef REGISTRY_REGISTRY_H
#define REGISTRY_REGISTRY_H

#include "base/chance.h"
#include "base/fault.h"
#include "registry/settings.h"
#include "store/sql.h"

#include <stdbool.h>

struct registry {
	struct sql_conn *db;
	const struct registry_settings *settings;
	struct chance chance;
	int64_t now_ms;
	struct fault *fault;
	/* Who asks, for what is kept of it: the call's record in the trail and its key; NULL: not a
	 * call. */
	const char *request_id, *key_id;
};

#define REGISTRY_NO_VERSION INT64_MIN /* no expectedVersion was given */

/* A place in a list ordered by (time, name); what lies behind it comes next. */
struct list_place {
	bool is_ascending, is_start; /* is_start: from the beginning, the rest is unused */
	int64_t created;
	const char *key;
};

/* Items that are a name, and names in order of their time. */
typedef int name_fn(const char *name, void *ctx);
typedef int dated_name_fn(const char *name, int64_t created, void *ctx);

#endif

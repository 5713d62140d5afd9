/* Walks over the whole registry, for the snapshot's publisher and the audits.
 *
 * Each walk is a few ordered queries merged, never a query per row. The caller gives a reader's
 * connection and, when several walks must agree, holds one view over them (store_read_begin).
 * Everything handed to a callback lives during the call. A callback returns 0 to go on; anything
 * else ends the walk and is returned. Otherwise: 0, or a negative errno. */
#ifndef REGISTRY_WALK_H
#define REGISTRY_WALK_H

#include "base/compiler.h"
#include "base/view.h"
#include "store/sql.h"

#include <stdbool.h>

/* A policy's default version, by name ascending. */
struct walk_policy {
	const char *name;
	int64_t version;
	struct view document; /* as it was given */
	struct view
		program; /* policy_compile's; made anew when a version before this one stored it */
};
typedef int walk_policy_fn(const struct walk_policy *policy, void *ctx);
/* -EBADMSG, with a log line that names it: a document that this version does not compile. */
int registry_each_policy(struct sql_conn *reader, walk_policy_fn *fn, void *ctx) MUST_USE;

/* A thing group, by number ascending: a parent always comes before its children. */
struct walk_group {
	uint64_t num;
	const char *name;
	const uint64_t *ancestors; /* ascending, that is root first; without the group itself */
	size_t n_ancestors;
	const char *const
		*policies; /* the group's own, by name; those of its ancestors are theirs */
	size_t n_policies;
};
typedef int walk_group_fn(const struct walk_group *group, void *ctx);
int registry_each_group(struct sql_conn *reader, walk_group_fn *fn, void *ctx) MUST_USE;

/* A registered thing, by name ascending. */
struct walk_thing {
	const char *name;
	const uint64_t *direct; /* the groups it was put into, ascending */
	size_t n_direct;
	const uint64_t *groups; /* those and all their ancestors, ascending, each once */
	size_t n_groups;
};
typedef int walk_thing_fn(const struct walk_thing *thing, void *ctx);
int registry_each_thing(struct sql_conn *reader, walk_thing_fn *fn, void *ctx) MUST_USE;

/* A device certificate of any status, by id ascending. */
struct walk_certificate {
	const char *id;                /* 64 lower-case hex digits: the SHA-256 fingerprint */
	const char *status;            /* "ACTIVE", "INACTIVE", "REVOKED", ... */
	int64_t not_before, not_after; /* seconds since the epoch */
	const char *const *things;     /* names, ascending */
	size_t n_things;
	bool is_exclusive;           /* attached with EXCLUSIVE_THING: then n_things is 1 */
	const char *const *policies; /* names, ascending */
	size_t n_policies;
};
typedef int walk_certificate_fn(const struct walk_certificate *certificate, void *ctx);
int registry_each_certificate(struct sql_conn *reader, walk_certificate_fn *fn, void *ctx) MUST_USE;

/* One thing: is it registered, and its groups with all ancestors, ascending. *ret_nums is the
 * caller's (g_free), NULL when there are none. An unknown thing is not registered and in no group.
 */
int registry_thing_groups(struct sql_conn *conn, const char *thing, uint64_t **ret_nums,
			  size_t *ret_n, bool *ret_is_registered) MUST_USE;

#endif

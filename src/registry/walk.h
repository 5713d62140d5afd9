/* Walks over the registry, for the snapshot's publisher.
 *
 * A walk goes over a range of keys: all, a page, or one. It is a few ordered queries merged, never
 * a query per row. The caller gives a reader's connection and, when several walks must agree, holds
 * one view over them (store_read_begin). Everything handed to a callback lives during the call. A
 * callback returns 0 to go on; anything else ends the walk and is returned. Otherwise: 0, or a
 * negative errno. */
#ifndef REGISTRY_WALK_H
#define REGISTRY_WALK_H

#include "base/compiler.h"
#include "base/view.h"
#include "store/sql.h"

#include <stdbool.h>

/* Keys from first to last, both included, in the order of their bytes. */
struct walk_range {
	const char *first, *last;
};
/* Every key there can be: names and ids are printable ASCII. */
#define WALK_ALL      ((struct walk_range){"", "\x7f"})
#define WALK_ONE(key) ((struct walk_range){(key), (key)})

/* A policy's default version, by name ascending. */
struct walk_policy {
	const char *name;
	int64_t version;
	/* policy_compile's; made anew when a version before this one stored it */
	struct view program;
};
typedef int walk_policy_fn(const struct walk_policy *policy, void *ctx);
/* -EBADMSG, with a log line that names it: a document that this version does not compile. */
int registry_each_policy(struct sql_conn *reader, struct walk_range range, walk_policy_fn *fn,
			 void *ctx) MUST_USE;

/* A thing group, by name ascending. */
struct walk_group {
	const char *name;
	bool is_quarantine;          /* registry/quarantine.h */
	const char *const *policies; /* its own, by name; those of its ancestors are theirs */
	size_t n_policies;
};
typedef int walk_group_fn(const struct walk_group *group, void *ctx);
int registry_each_group(struct sql_conn *reader, struct walk_range range, walk_group_fn *fn,
			void *ctx) MUST_USE;

/* A registered thing, by name ascending. */
struct walk_thing {
	const char *name;
	struct view facts;      /* policy/facts.h */
	const uint64_t *groups; /* those it was put into and all their ancestors, ascending */
	const char *const *group_names; /* of the same */
	size_t n_groups;
};
typedef int walk_thing_fn(const struct walk_thing *thing, void *ctx);
int registry_each_thing(struct sql_conn *reader, struct walk_range range, walk_thing_fn *fn,
			void *ctx) MUST_USE;

/* A device certificate of any status, by id ascending. */
struct walk_certificate {
	const char *id;                /* 64 lower-case hex digits: the SHA-256 fingerprint */
	const char *status;            /* "ACTIVE", "INACTIVE", "REVOKED", ... */
	int64_t not_before, not_after; /* seconds since the epoch */
	struct view facts;             /* policy/facts.h */
	const char *const *things;     /* names, ascending */
	size_t n_things;
	bool is_exclusive;           /* attached with EXCLUSIVE_THING: then n_things is 1 */
	const char *const *policies; /* names, ascending */
	size_t n_policies;
};
typedef int walk_certificate_fn(const struct walk_certificate *certificate, void *ctx);
int registry_each_certificate(struct sql_conn *reader, struct walk_range range,
			      walk_certificate_fn *fn, void *ctx) MUST_USE;

/* A dimension, by name ascending. */
struct walk_dimension {
	const char *name;
	const char *const *filters;
	size_t n_filters;
};
typedef int walk_dimension_fn(const struct walk_dimension *dimension, void *ctx);
int registry_each_dimension(struct sql_conn *reader, struct walk_range range, walk_dimension_fn *fn,
			    void *ctx) MUST_USE;

/* What is walked. */
enum walk_kind {
	WALK_POLICIES,
	WALK_GROUPS,
	WALK_THINGS,
	WALK_CERTIFICATES,
	WALK_DIMENSIONS,
	WALK_KINDS
};

/* The first `limit` keys behind `after` ("": from the start): the first and the last of them are
 * the caller's (g_free). 1, 0: there are none, or a negative errno. */
int registry_next_page(struct sql_conn *reader, enum walk_kind kind, const char *after,
		       int64_t limit, char **ret_first, char **ret_last) MUST_USE;

/* The ids of a thing's certificates, ascending. */
int registry_each_principal(struct sql_conn *reader, const char *thing,
			    int (*fn)(const char *certificate, void *ctx), void *ctx) MUST_USE;

#endif

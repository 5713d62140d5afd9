/* What changed in the registry and the configuration, for its two consumers: the log (entries
 * `config` and `thing`) and the broker's snapshot (architecture section 2, last paragraph).
 *
 * A transaction that changes something they depend on writes a `change` row in itself; its
 * generation g is one more than the last. After the commit the API calls the publisher
 * (daemon/publish.h), which returns when both consumers have g. Each consumer remembers the g it
 * has, so that a change is taken exactly once over crashes. */
#ifndef STORE_CHANGE_H
#define STORE_CHANGE_H

#include "store/store.h"

enum change_kind {
	CHANGE_CONFIG = 1, /* profiles, custom metrics or their targets; key: the profile's name */
	CHANGE_THING = 2,  /* registered, deleted, attributes, groups or principals of a thing; key:
			      its name */
	CHANGE_CERT =
		3, /* a certificate's status, existence, policies or things; key: certificate id */
	CHANGE_POLICY = 4,   /* a policy's default version; key: policy name */
	CHANGE_GROUP = 5,    /* a group's existence, mark or policies; key: group name */
	CHANGE_SETTINGS = 6, /* a start: the snapshot is written whole; key: "" */
	CHANGE_DIMENSION = 7 /* a dimension's existence or filters; key: its name */
};

struct change {
	int64_t g;
	enum change_kind kind;
	const char *key;
};

/* Adds a change in the caller's write transaction. *ret_g (may be NULL) gets its generation. */
int change_add(struct sql_conn *txn, enum change_kind kind, const char *key,
	       int64_t *ret_g) MUST_USE;

/* The newest generation, 0 when nothing ever changed. */
int change_newest(struct sql_conn *conn, int64_t *ret_g) MUST_USE;

/* Calls fn for every change with g > after, ascending, until it returns non-zero (returned). The
 * key lives during the call. */
typedef int change_fn(const struct change *change, void *ctx);
int change_each(struct sql_conn *conn, int64_t after, change_fn *fn, void *ctx) MUST_USE;

/* Forgets changes with g <= upto: both consumers have them. The newest row is kept. */
int change_forget(struct sql_conn *txn, int64_t upto) MUST_USE;

#endif

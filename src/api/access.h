/* Access keys: who may call the API, and in which role (S17, S21, S24).
 *
 * An id is "TWAK" and 16 letters or digits, a secret 40 characters; both may be chosen by the
 * caller (the first key from the environment). The secret is shown once, by whoever created it, and
 * stands sealed in the store. `thingward key` uses these functions without a daemon; a key that is
 * deleted is refused at its next request. */
#ifndef API_ACCESS_H
#define API_ACCESS_H

#include "api/model.h"
#include "api/seal.h"
#include "store/store.h"

#define ACCESS_ID_MAX     128
#define ACCESS_SECRET_MAX 128

struct access_key {
	char id[ACCESS_ID_MAX + 1];
	char secret[ACCESS_SECRET_MAX + 1]; /* wipe with access_key_wipe */
	enum role role;
};

void access_key_wipe(struct access_key *key);

/* What creating and deleting need. */
struct access {
	struct store *store;
	struct chance chance;
	const struct seal_key *seal_key;
};

/* Stores a key with key->role. An empty id or secret is made up and filled in. -1 with the fault
 * when the id is taken or holds anything but letters, digits and "_-". */
int access_key_create(const struct access *access, int64_t now_ms, struct access_key *key,
		      struct fault *fault) MUST_USE;

/* -1 with FAULT_RESOURCE_NOT_FOUND, or FAULT_DELETE_CONFLICT for the last key of role admin. */
int access_key_delete(const struct access *access, const char *id, struct fault *fault) MUST_USE;

/* Fills *ret with the key of that id. 0; -ENOENT: there is none; -EBADMSG: its secret does not open
 * under seal_key; else the database's error. */
int access_key_get(struct sql_conn *reader, const struct seal_key *seal_key, const char *id,
		   struct access_key *ret) MUST_USE;

/* Calls fn for each key, oldest first, until it returns non-zero (which is returned). Secrets are
 * not shown. */
typedef int access_key_fn(const char *id, enum role role, int64_t created_ms, void *ctx);
int access_key_each(struct sql_conn *reader, access_key_fn *fn, void *ctx) MUST_USE;

#endif

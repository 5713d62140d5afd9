/* Secrets at rest (S24): AES-256-GCM under a key that is kept outside the store, so that a dump of
 * the database alone reveals none. The key is a file of 32 random bytes, mode 0600, owned by the
 * account that runs the daemon. */
#ifndef API_SEAL_H
#define API_SEAL_H

#include "base/chance.h"
#include "base/fault.h"
#include "base/view.h"

#define SEAL_KEY_SIZE 32
#define SEAL_OVERHEAD 28 /* nonce and tag */

struct seal_key {
	unsigned char bytes[SEAL_KEY_SIZE];
};

/* Reads the key; makes the file when it is not there. A file of another size, or open to group or
 * others, is refused. */
int seal_key_load(const char *path, struct chance chance, struct seal_key *ret,
		  struct fault *fault) MUST_USE;

/* Writes n + SEAL_OVERHEAD bytes to `out`. `label` (the row's key) is bound in: a secret moved to
 * another row does not open. */
void seal(const struct seal_key *key, struct chance chance, const char *label, const void *plain,
	  size_t n, void *out);

/* Writes n - SEAL_OVERHEAD bytes to `plain`. -1 when it was not sealed with this key and label. */
int unseal(const struct seal_key *key, const char *label, const void *sealed, size_t n,
	   void *plain) MUST_USE;

/* A key of its own for another purpose, derived from this one. */
void seal_derive(const struct seal_key *key, const char *purpose, unsigned char out[SEAL_KEY_SIZE]);

#endif

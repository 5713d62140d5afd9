/* Failed signatures, limited by address and by address with key id (S14). By key id alone would let
 * a stranger lock a key's owner out. The table is fixed: when it is crowded, the entry looked at
 * longest ago makes room. Safe for threads. */
#ifndef API_FAILURES_H
#define API_FAILURES_H

#include <stdbool.h>
#include <stdint.h>

struct failures;

/* `seed` is any random number: it keeps strangers from choosing their place in the table. */
struct failures *failures_new(uint64_t seed);
void failures_free(struct failures *failures);

/* Whether a signature by this key from there is still looked at. */
bool failures_allow(struct failures *failures, const char *address, const char *key_id,
		    int64_t now_ms);
void failures_add(struct failures *failures, const char *address, const char *key_id,
		  int64_t now_ms);

#endif

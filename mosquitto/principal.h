/* Principals: who answers for what clients do. A certificate, or the user name of a session that
 * has none. A client chooses its client ids freely, so what must be bounded (entries of tables,
 * bytes of the queue) is reckoned by principal.
 *
 * A principal exists while somebody refers to it: its sessions, and an identity's counters, which
 * outlive them until they are delivered. */
#ifndef PLUGIN_PRINCIPAL_H
#define PLUGIN_PRINCIPAL_H

#include "base/compiler.h"
#include "event/event.h"
#include "mosquitto/share.h"

#include <sys/queue.h>

struct session;
struct tally;

struct principal {
	struct principal *next; /* in its bucket */
	size_t references;
	LIST_HEAD(principal_sessions, session) sessions; /* that are open, the newest first */
	uint32_t open;                                   /* how many */
	size_t identities;                               /* that have counters of their own */
	struct tally *others; /* counters of those beyond the cap, NULL: none so far */
	struct share share;   /* of the queue */
	uint8_t fingerprint[EVENT_FINGERPRINT]; /* zeros: none */
	size_t username_n;
	char username[];
};

struct principals;

/* `buckets` is a power of two. NULL without memory. */
struct principals *principals_new(size_t buckets, uint64_t seed);
/* Frees what nobody released, too. */
void principals_free(struct principals *all);
/* The principal of an identity, made when there is none, with one reference more. The user name
 * counts when there is no certificate. NULL without memory. */
struct principal *principal_take(struct principals *all, const struct event_identity *who);
/* The principal, when there is one. */
struct principal *principal_find(const struct principals *all, const struct event_identity *who);
void principal_release(struct principals *all, struct principal *one);
/* How many there are. */
size_t principals_count(const struct principals *all);
/* False for one that is only a user name. */
bool principal_has_certificate(const struct principal *one);
/* For hashes of what clients choose (mosquitto/hash.h). */
uint64_t principals_seed(const struct principals *all);
struct view principal_username(const struct principal *one);

#endif

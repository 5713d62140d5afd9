/* The sessions that are open: who they are, and by which rules they stand.
 *
 * A session is on one of three lists: fresh (judged by the rules in force), stale (by earlier
 * ones), doomed (to be cut from the next TICK, the only callback that may; what it stood by may be
 * gone). New rules make all fresh ones stale at once, a changed certificate its own; so many are
 * judged again a turn, and a stale one that acts at once (mosquitto/judge.h, mosquitto/patrol.h).
 *
 * It is found by the broker's object, by its client id and, through its principal, by its
 * certificate. Its strings lie behind it, what sessions share is held once, so that a million of
 * them fit. */
#ifndef PLUGIN_SESSION_H
#define PLUGIN_SESSION_H

#include "base/compiler.h"
#include "event/event.h"
#include "mosquitto/policy_set.h"
#include "mosquitto/principal.h"

#include <sys/queue.h>

struct mosquitto;
struct tally;

enum session_list { SESSION_FRESH, SESSION_STALE, SESSION_DOOMED, SESSION_LISTS };

/* What every message touches comes first. */
struct session {
	struct mosquitto *client; /* the broker's object: an identity, never followed */
	struct session *next_by_client;
	struct principal *principal;
	struct tally *tally; /* counters of its identity; NULL: none yet, or there was no memory */
	const char *client_id, *address, *domain; /* in text; address, domain: NULL: not known */
	uint16_t port;                            /* of the listener, 0: not known */
	uint8_t flags;                            /* EVENT_CLEAN ... EVENT_QUARANTINED */
	uint8_t list;                             /* enum session_list */
	uint8_t refusal;  /* enum cause: why it may not go on; CAUSE_NONE: it may */
	uint8_t ending;   /* enum cause: why it is being ended by us; CAUSE_NONE: it is not */
	bool is_doorbell; /* the daemon's own connection: may ping and nothing else */
	bool is_websocket;

	/* What its certificate and the rules say; good while it is not stale. */
	struct policy_set *policies; /* NULL: none */
	struct view thing, thing_facts, cert_facts;
	int64_t not_before, not_after; /* of the certificate, seconds since the epoch */

	int64_t heard_ms, connected_ms;   /* server time */
	int64_t share_bytes, share_at_ms; /* what it may still report, and when that was reckoned */
	int64_t rejected_ms;              /* until when rejections of its reports are used up */
	int64_t cut_ms;                   /* when it was last tried to be cut, 0: never */
	uint64_t number;                  /* in this run of the plugin, from 1 */
	int fd;                           /* its socket, -1: not known */
	uint16_t keep_alive_s;            /* 0: none */

	TAILQ_ENTRY(session) link;
	LIST_ENTRY(session) of_principal;
	struct session *next_by_id;
	char text[];
};

/* What a session is made of. */
struct session_facts {
	struct mosquitto *client;
	const uint8_t *fingerprint; /* NULL: no certificate */
	const char *username;       /* of one without certificate, NULL: none */
	const char *client_id;
	const char *address, *domain; /* NULL: not known */
};

struct session_table;

/* Borrows principals and sets. NULL without memory. */
struct session_table *session_table_new(struct principals *principals, struct policy_sets *sets);
void session_table_free(struct session_table *t);
size_t session_table_count(const struct session_table *t);

/* Makes a session outside the table (a will's, one that is away), or for it. Copies the strings.
 * NULL without memory. */
struct session *session_new(struct session_table *t, const struct session_facts *facts);
/* Frees one that is not in the table; takes NULL. */
void session_free(struct session_table *t, struct session *s);

/* The open session of a client, NULL: none. */
struct session *session_find(struct session_table *t, const struct mosquitto *client);
/* Of a client id, the newest. */
struct session *session_find_id(const struct session_table *t, const char *client_id);
/* The newest of its principal's others, NULL: it is the only one. */
const struct session *session_other(const struct session *s);
/* Takes s into the table, fresh. 0, or -1 without memory: then s stays the caller's. */
int session_add(struct session_table *t, struct session *s) MUST_USE;
/* Takes s out of the table: it is the caller's. */
void session_take(struct session_table *t, struct session *s);
/* Takes out and frees. */
void session_remove(struct session_table *t, struct session *s);

bool session_has_certificate(const struct session *s);
static inline bool session_is_observed(const struct session *s)
{
	return s->flags & EVENT_OBSERVED;
}
struct event_identity session_identity(const struct session *s);

/* ---- The lists ---- */

/* New rules: all are to be judged again; or those of one certificate. */
void session_table_outdate(struct session_table *t);
void session_outdate_cert(struct session_table *t, const uint8_t *fingerprint);
/* The longest stale, NULL: none. */
struct session *session_next_stale(const struct session_table *t);
/* The one that was longest not looked at among the fresh, NULL: none; it goes to their end. */
struct session *session_next_fresh(struct session_table *t);
/* It was judged: fresh, or doomed when it may not go on. New rules save nobody from being cut, and
 * nobody is cut where we only observe. */
void session_was_judged(struct session_table *t, struct session *s);
/* A doomed session that was not tried to be cut in the last second; NULL: none. It stays doomed
 * until it is removed, which is when its end was seen. */
struct session *session_next_doomed(struct session_table *t, int64_t now_ms);
/* All have been judged by the rules in force, and those that had to go are gone. */
bool session_table_is_settled(const struct session_table *t);

#endif

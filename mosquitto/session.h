/* The sessions that this plugin let in: who they are, and what they may do, resolved once a
 * snapshot.
 *
 * A session is on one of three lists: fresh (judged by the rules in force), stale (by earlier
 * ones), doomed (to be cut from the next TICK, the only callback that may). New rules make all
 * fresh ones stale at once; the sweep judges so many a turn, and a stale session that acts is
 * judged then. */
#ifndef PLUGIN_SESSION_H
#define PLUGIN_SESSION_H

#include "base/compiler.h"
#include "event/event.h"
#include "mosquitto/rules.h"

#include <sys/queue.h>

struct mosquitto;
struct tally;

#define USERNAME_SIZE (2 * SNAPSHOT_FINGERPRINT + 1)

enum session_list { SESSION_FRESH, SESSION_STALE, SESSION_DOOMED, SESSION_LISTS };

struct session {
	TAILQ_ENTRY(session) link;
	enum session_list list;
	struct session *next_by_client, *next_by_cert;
	struct mosquitto *client; /* the broker's object: an identity, never followed */
	uint64_t number;          /* among the sessions of this run, from 1 */
	bool is_doorbell;         /* the daemon's own connection: may ping and nothing else */

	uint8_t fingerprint[SNAPSHOT_FINGERPRINT];
	char username[USERNAME_SIZE]; /* fingerprint in hex: the certificate's id */
	char *client_id;
	char *address; /* NULL: not known */

	uint64_t epoch;      /* of the rules that judged it, 0: none yet */
	const char *refusal; /* why it may not go on; NULL: it may */
	struct snapshot_cert cert;
	struct policy_request request;
	struct view *programs;
	unsigned n_programs;

	int64_t share_bytes, share_at_ms; /* what it may still report, and when that was reckoned */
	int64_t rejected_ms;              /* until when rejections of its reports are used up */
	int64_t cut_ms;                   /* when it was last tried to be cut, 0: never */

	struct tally *tally; /* counters of its identity; NULL: there was no memory */
};

/* Makes a session object outside the table (a will, an offline session), or for it. Copies the
 * strings; fingerprint NULL: none. 0, or -1 without memory. */
int session_init(struct session *s, struct mosquitto *client, const uint8_t *fingerprint,
		 const char *client_id, const char *address) MUST_USE;
void session_release(struct session *s);
/* Resolves certificate, thing and policies and decides iot:Connect. Sets s->refusal. */
void session_judge(struct session *s, const struct rules *rules, int64_t now_s);
/* Who it is, for events. */
struct event_identity session_identity(const struct session *s);
/* Decides an action of a judged session; type: "topic", "topicfilter". */
bool session_may(const struct session *s, enum policy_action action, struct view type,
		 struct view name);

/* ---- The table ---- */

struct session_table;

struct session_table *session_table_new(void);
void session_table_free(struct session_table *t);
/* The session of a client, NULL: none. */
struct session *session_find(const struct session_table *t, const struct mosquitto *client);
/* Takes s (from malloc, initialised, judged). 0, or -1 without memory: then s stays the caller's.
 */
int session_add(struct session_table *t, struct session *s) MUST_USE;
/* Removes and frees. */
void session_remove(struct session_table *t, struct session *s);
/* New rules: all are to be judged again. */
void session_table_outdate(struct session_table *t);
/* Judges up to n stale sessions. */
void session_table_sweep(struct session_table *t, const struct rules *rules, int64_t now_s,
			 unsigned n);
/* Judges s if it is stale. False when it may not go on. */
bool session_stands(struct session_table *t, struct session *s, const struct rules *rules,
		    int64_t now_s);
/* Dooms all sessions of a certificate. */
void session_doom_cert(struct session_table *t, const uint8_t *fingerprint);
/* A doomed session that was not tried to be cut in the last second; NULL: none. It stays doomed
 * until it is removed, which is when its end was seen. */
struct session *session_next_doomed(struct session_table *t, int64_t now_ms);
/* All have been judged by the rules in force, and those that had to go are gone. */
bool session_table_is_settled(const struct session_table *t);

#endif

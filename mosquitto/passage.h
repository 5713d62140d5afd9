/* Coming and going: sessions begin, are taken over and end, and each is told once.
 *
 *   BASIC_AUTH ──► arriving ──► the broker's next event: it is in        CONNECT, TAKEOVER
 *                     └───────► DISCONNECT before any other: it was refused
 *   DISCONNECT ──► leaving ───► the next event, unless it is the check of its will
 *
 * The broker answers a CONNECT within the call that asks us, so whoever asked last has been let in
 * when anything else happens, and only a DISCONNECT of the same client, without an id or with the
 * reason "not authorised", says otherwise. That tells where we leave the decision to the broker,
 * and costs nothing where we take it. A session that ended is kept for that one check, so that its
 * will is judged by who it was. */
#ifndef PLUGIN_PASSAGE_H
#define PLUGIN_PASSAGE_H

#include "mosquitto/judge.h"

struct plugin;

struct passage {
	struct mosquitto *arriving; /* whose CONNECT was answered last; NULL: it is settled */
	struct session *session;    /* its, in the table; NULL: it was refused by us, and told */
	struct denial would_be;     /* what we would have refused it for, were it not observed */
	struct session *outgoing;   /* its client id was taken, and its end is not seen yet */
	struct session *ended;      /* out of the table, for its will */
};

/* At the begin of every callback. keep_ended: it is the check of a will of the session that just
 * ended. */
void passage_settle(struct plugin *p, bool keep_ended);
/* A CONNECT was answered with yes, or left to the broker: s, judged, goes into the table. 0, or -1
 * without memory: then s stays the caller's. */
int passage_arrives(struct plugin *p, struct session *s, const struct denial *would_be) MUST_USE;
/* A CONNECT was answered with no, which has been told. */
void passage_refused(struct plugin *p, struct mosquitto *client);
/* A session that is open already, and of which no CONNECT was seen. As passage_arrives. */
int passage_found(struct plugin *p, struct session *s, const struct denial *would_be) MUST_USE;

/* True when the DISCONNECT of this client is the end of a CONNECT that was refused; then nothing is
 * left to do. */
bool passage_was_refused(struct plugin *p, struct mosquitto *client, bool has_client_id,
			 int reason);
/* An open session ended; reason: the broker's. */
void passage_leaves(struct plugin *p, struct session *s, int reason);
/* True when a publish of this open session can only be its will. */
bool passage_is_outgoing(const struct plugin *p, const struct session *s);
/* At the end of the plugin. */
void passage_release(struct plugin *p);

#endif

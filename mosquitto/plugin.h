/* Thingward in the broker: a guest that decides who may connect and do what, hands reports to the
 * daemon and carries its answers back (architecture section 5). It never blocks and never aborts
 * its host; a request that it cannot serve is refused, counted and logged.
 *
 *   options     settings                  rules     the snapshot in force
 *   trust       TLS handshake             applicant who asks to come in
 *   session     who is connected          judge     what each may do, and by which rule
 *   passage     coming and going          patrol    judging again, cutting
 *   defer       what the broker would do without us
 *   peer_socket a listener's port         policy_set, principal: what sessions share
 *   connect, acl, message, disconnect, tick: the broker's callbacks, a file each
 *   uplink    the channel's end        down      what the daemon sends
 *   notice    log lines, limited in rate
 *   tally     counters of each identity     refusals   what was refused, to whom and why
 *   dimensions  topics that are counted apart
 *   presence  what the daemon was told of who is connected
 *   share     who may fill the queue with reports
 *
 * All state hangs from one struct plugin. The broker calls on its one thread. */
#ifndef PLUGIN_PLUGIN_H
#define PLUGIN_PLUGIN_H

#include "mosquitto/applicant.h"
#include "mosquitto/defer.h"
#include "mosquitto/dimensions.h"
#include "mosquitto/judge.h"
#include "mosquitto/notice.h"
#include "mosquitto/options.h"
#include "mosquitto/passage.h"
#include "mosquitto/patrol.h"
#include "mosquitto/peer_socket.h"
#include "mosquitto/presence.h"
#include "mosquitto/refusal_table.h"
#include "mosquitto/refusals.h"
#include "mosquitto/rules.h"
#include "mosquitto/server_time.h"
#include "mosquitto/session.h"
#include "mosquitto/tally.h"
#include "mosquitto/trust.h"
#include "mosquitto/uplink.h"

struct mosquitto_plugin_id_t;

struct plugin {
	struct mosquitto_plugin_id_t *id; /* the broker's handle of us */
	struct options options;
	struct rules rules;
	struct dimensions dimensions;
	struct principals *principals;
	struct policy_sets *policy_sets;
	struct session_table *sessions;
	struct passage passage;
	struct peer_sockets sockets;
	struct defer defer;
	struct trust trust;
	struct uplink *uplink;
	struct tallies *tallies;
	struct refusal_table *refusals;
	struct presence *presence;
	struct notices notices;
	struct server_time time;
	char doorbell_token[FRAME_TOKEN + 1]; /* empty before the first WELCOME */
	int64_t now_ms;                       /* monotonic, of the callback that runs */
	int64_t second_ms;                    /* when what is done once a second was done last */
	int64_t cut_ms;                       /* the last mark for which EVENT_CUT went */
	uint64_t applied;                     /* the generation for which EVENT_APPLIED went last */
	uint64_t left_out;                    /* events that found no room */
	struct {
		uint64_t queue, identities, refusals;
	} told;            /* what the tables had left out when EVENT_TABLE went last */
	uint64_t begun;    /* sessions, in this run */
	bool is_reloading; /* from SIGHUP to the next TICK */
	char away_why[UPLINK_WHY_SIZE]; /* what was logged last of the daemon's absence, "": it is
					   there */
};

/* At the begin of every callback: takes the time, and settles what the one before left open. */
void plugin_begin(struct plugin *p);
/* The same for the check of a will of the session that just ended. */
void plugin_begin_will(struct plugin *p);
/* Takes the time and all that the daemon has sent: at the start of each decision about who may come
 * in. */
void plugin_attend(struct plugin *p);
/* Takes what is new of the snapshot: whose sessions it concerns are judged again; says why when it
 * is refused. */
void plugin_poll_rules(struct plugin *p);
/* Counts an event that the queue had no room for. */
void plugin_count(struct plugin *p, bool is_taken);
/* Seconds since the epoch of the system's clock: certificates are judged by it, as TLS does. */
int64_t plugin_now_s(void);

/* Listeners with use_identity_as_username, and other plugins that know authentication methods, let
 * clients in without asking us. Where we observe, such a session begins when it is first met; where
 * we do not it is refused all it does: NULL. */
struct session *plugin_meet(struct plugin *p, const struct applicant *a);

/* The callbacks: event data and struct plugin in, MOSQ_ERR_... out. */
int plugin_on_connect(int event, void *data, void *ctx);
int plugin_on_ext_auth(int event, void *data, void *ctx);
int plugin_on_acl(int event, void *data, void *ctx);
int plugin_on_message(int event, void *data, void *ctx);
int plugin_on_delivered(int event, void *data, void *ctx);
int plugin_on_connected(int event, void *data, void *ctx);
int plugin_on_disconnect(int event, void *data, void *ctx);
int plugin_on_tick(int event, void *data, void *ctx);
int plugin_on_reload(int event, void *data, void *ctx);

/* What the channel brings (down.c). */
struct uplink_handlers plugin_uplink_handlers(struct plugin *p);

#endif

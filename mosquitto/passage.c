#include "mosquitto/passage.h"

#include <mosquitto.h>

#include "mosquitto/plugin.h"

static int64_t server_now(const struct plugin *p)
{
	return server_time_ms(&p->time, p->now_ms);
}

static uint64_t since(int64_t then_ms, int64_t now_ms)
{
	return now_ms > then_ms ? (uint64_t)(now_ms - then_ms) : 0;
}

static void forget_ended(struct plugin *p)
{
	session_free(p->sessions, p->passage.ended);
	p->passage.ended = NULL;
}

/* ---- Beginning ---- */

static void tell_connect(struct plugin *p, const struct session *s)
{
	const struct session *other = session_has_certificate(s) ? session_other(s) : NULL;
	const struct event e = {
		.kind = EVENT_CONNECT,
		.connect = {.who = session_identity(s),
			    .thing = s->thing,
			    .at_ms = s->connected_ms,
			    .keep_alive_s = s->keep_alive_s,
			    .flags = s->flags,
			    .others = other ? s->principal->open - 1 : 0,
			    .other_client_id = view_of(other ? other->client_id : NULL),
			    .other_address = view_of(other ? other->address : NULL)}
        };
	presence_began(p->presence, &e);
}

static void tell_takeover(struct plugin *p, const struct session *old, const struct session *s)
{
	const struct event e = {
		.kind = EVENT_TAKEOVER,
		.takeover = {.old_who = session_identity(old),
			     .new_who = session_identity(s),
			     .at_ms = s->connected_ms,
			     .old_connected_ms = since(old->connected_ms, s->connected_ms),
			     .old_idle_ms = since(old->heard_ms, s->connected_ms),
			     .old_keep_alive_s = old->keep_alive_s,
			     .new_keep_alive_s = s->keep_alive_s,
			     .old_flags = old->flags,
			     .new_flags = s->flags}
        };
	plugin_count(p, uplink_event(p->uplink, &e));
}

static void tell_would_be(struct plugin *p, const struct session *s, const struct denial *d)
{
	if (!d->cause)
		return;
	struct event_identity who = session_identity(s);
	struct event_refused e = denial_event(d, &who, who.client_id, true);
	refusals_add(p, &e);
}

/* It is in. */
static void begin(struct plugin *p, struct session *s, const struct denial *would_be)
{
	struct event_identity who = session_identity(s);
	tell_connect(p, s);
	if (p->passage.outgoing)
		tell_takeover(p, p->passage.outgoing, s);
	tell_would_be(p, s, would_be);
	s->tally = tally_open(p->tallies, &who, s->thing);
}

static int enter(struct plugin *p, struct session *s)
{
	struct session *old = session_find_id(p->sessions, s->client_id);
	if (session_add(p->sessions, s) < 0)
		return -1;
	peer_socket_take(&p->sockets, s->fd);
	s->number = ++p->begun;
	s->connected_ms = s->heard_ms = server_now(p);
	s->share_at_ms = p->now_ms;
	s->share_bytes = INT64_MAX; /* cut to what a session may hold at its first report */
	p->passage.outgoing = old;
	return 0;
}

int passage_arrives(struct plugin *p, struct session *s, const struct denial *would_be)
{
	if (enter(p, s) < 0)
		return -1;
	p->passage.arriving = s->client;
	p->passage.session = s;
	p->passage.would_be = *would_be;
	return 0;
}

int passage_found(struct plugin *p, struct session *s, const struct denial *would_be)
{
	if (enter(p, s) < 0)
		return -1;
	p->passage.outgoing = NULL; /* both are open: the broker has seen its end already */
	begin(p, s, would_be);
	return 0;
}

void passage_refused(struct plugin *p, struct mosquitto *client)
{
	p->passage.arriving = client;
	p->passage.session = NULL;
}

void passage_settle(struct plugin *p, bool keep_ended)
{
	struct passage *passage = &p->passage;
	if (passage->arriving && passage->session && !passage->session->is_doorbell)
		begin(p, passage->session, &passage->would_be);
	passage->arriving = NULL;
	passage->session = NULL;
	if (!keep_ended)
		forget_ended(p);
}

/* ---- The end ---- */

static void tell_broker_refused(struct plugin *p, const struct session *s)
{
	struct event_identity who = session_identity(s);
	const struct denial d = denial_of(POLICY_CONNECT, CAUSE_BROKER_REFUSED);
	struct event_refused e = denial_event(&d, &who, who.client_id, false);
	e.who.session = 0;
	refusals_add(p, &e);
	tally_attempt(p->tallies, &who, session_standing(s, &p->rules));
}

static void drop(struct plugin *p, struct session *s)
{
	peer_socket_release(&p->sockets, s->fd);
	if (p->passage.outgoing == s)
		p->passage.outgoing = NULL;
	session_take(p->sessions, s);
}

bool passage_was_refused(struct plugin *p, struct mosquitto *client, bool has_client_id, int reason)
{
	struct passage *passage = &p->passage;
	struct session *s = passage->session;
	if (passage->arriving != client || (has_client_id && reason != MOSQ_ERR_AUTH))
		return false;
	passage->arriving = NULL;
	passage->session = NULL;
	passage->outgoing = NULL;
	if (s) {
		tell_broker_refused(p, s);
		drop(p, s);
		session_free(p->sessions, s);
	}
	return true;
}

/* How a session ended, as far as the broker tells: 2.1 gives reasons, 2.0 does not. */
static const struct {
	int reason;
	enum end end;
} ends[] = {
	{MOSQ_ERR_SUCCESS,          END_LEFT      },
        {MOSQ_ERR_KEEPALIVE,        END_KEEP_ALIVE},
	{MOSQ_ERR_CONN_LOST,        END_NETWORK   },
        {MOSQ_ERR_ERRNO,            END_NETWORK   },
	{MOSQ_ERR_PROTOCOL,         END_PROTOCOL  },
        {MOSQ_ERR_MALFORMED_PACKET, END_PROTOCOL  },
};

static enum end end_of(const struct plugin *p, const struct session *s, int reason)
{
	if (p->passage.outgoing == s)
		return END_TAKEN_OVER;
	if (s->ending || s->list == SESSION_DOOMED)
		return END_CUT;
	for (size_t i = 0; i < ARRAY_LEN(ends); i++)
		if (ends[i].reason == reason)
			return ends[i].end;
	return END_ENDED;
}

static enum cause cut_cause(const struct session *s)
{
	if (s->ending)
		return s->ending;
	return s->refusal ? s->refusal : CAUSE_SESSION_CUT;
}

void passage_leaves(struct plugin *p, struct session *s, int reason)
{
	enum end end = end_of(p, s, reason);
	int64_t now_ms = server_now(p);
	if (!s->is_doorbell) {
		const struct event e = {
			.kind = EVENT_DISCONNECT,
			.disconnect = {.who = session_identity(s),
				       .at_ms = now_ms,
				       .connected_ms = since(s->connected_ms, now_ms),
				       .end = end,
				       .cause = end == END_CUT ? cut_cause(s) : CAUSE_NONE}
                };
		presence_ended(p->presence, &e);
		tally_ended(s->tally);
		s->tally = NULL;
	}
	drop(p, s);
	p->passage.ended = s;
}

bool passage_is_outgoing(const struct plugin *p, const struct session *s)
{
	return p->passage.outgoing == s;
}

void passage_release(struct plugin *p)
{
	forget_ended(p);
}

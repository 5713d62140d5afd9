#include "ledger/contained.h"

#include "ledger/ledger_priv.h"
#include "policy/decide.h"
#include "registry/clone_case.h"
#include "registry/containment.h"

/* As the databases want it. g_free. */
static char *text_of(struct view v)
{
	return g_utf8_make_valid(v.p ? v.p : "", (gssize)v.n);
}

static int take_applied(struct sql_conn *txn, const struct entry_event *e, int64_t at_ms)
{
	g_autofree char *broker = text_of(e->broker);
	return containment_note_applied(txn, broker, e->event.number, at_ms);
}

/* As much of it as there is room for. */
static void put_text(char *to, size_t cap, struct view from)
{
	g_autofree char *text = text_of(from);
	(void)g_strlcpy(to, text, cap);
}

static struct clone_end end_of(const struct event_identity *who, uint16_t keep_alive_s,
			       uint8_t flags)
{
	struct clone_end end = {
		.keep_alive_s = keep_alive_s,
		.flags = flags & (EVENT_CLEAN | EVENT_TLS | EVENT_MQTT5),
	};
	memcpy(end.fingerprint, who->fingerprint, sizeof(end.fingerprint));
	put_text(end.address, sizeof(end.address), who->address);
	put_text(end.client, sizeof(end.client), who->client_id);
	return end;
}

static int note_session(struct sql_conn *txn, const struct entry_event *e, const char *certificate)
{
	const struct event_connect *c = &e->event.connect;
	g_autofree char *client = text_of(c->who.client_id);
	g_autofree char *address = text_of(c->who.address);
	g_autofree char *broker = text_of(e->broker);
	g_autofree char *words =
		g_strdup_printf("a session of client \"%s\" from %s began on broker %s afterwards",
				client, address, broker);
	return containment_note_session(txn, certificate, broker, words, c->at_ms);
}

/* Another session of the certificate is open, under another client id and at another address. */
static int note_beside(struct sql_conn *txn, const struct event_connect *c, const char *certificate)
{
	if (c->others == 0 || c->other_address.n == 0 ||
	    view_eq(c->other_client_id, c->who.client_id) ||
	    view_eq(c->other_address, c->who.address))
		return 0;
	const struct clone_end here = end_of(&c->who, c->keep_alive_s, c->flags);
	struct clone_end there = {.flags = here.flags};
	memcpy(there.fingerprint, here.fingerprint, sizeof(there.fingerprint));
	put_text(there.address, sizeof(there.address), c->other_address);
	put_text(there.client, sizeof(there.client), c->other_client_id);
	return clone_case_beside(txn, certificate, &there, &here, c->at_ms);
}

static int take_connect(struct sql_conn *txn, const struct entry_event *e, int64_t at_ms)
{
	const struct event_connect *c = &e->event.connect;
	char certificate[LEDGER_CERTIFICATE_SIZE];
	(void)at_ms;
	ledger_certificate(c->who.fingerprint, certificate);
	if (!*certificate)
		return 0;
	int r = note_session(txn, e, certificate);
	return r ? r : note_beside(txn, c, certificate);
}

/* A session that is cut has not tried to come. */
static bool is_refused_connect(const struct event_refused *e)
{
	return !e->is_observed && e->who.session == 0 &&
	       (e->action == POLICY_CONNECT || e->action == EVENT_ACTION_TLS);
}

/* In the TLS handshake a client has not said who it is. */
static char *client_words(const struct event_refused *refused)
{
	if (refused->who.client_id.n == 0)
		return g_strdup("");
	g_autofree char *client = text_of(refused->who.client_id);
	return g_strdup_printf(" of client \"%s\"", client);
}

static int take_refused(struct sql_conn *txn, const struct entry_event *e, int64_t at_ms)
{
	const struct event_refused *refused = &e->event.refused;
	char certificate[LEDGER_CERTIFICATE_SIZE];
	(void)at_ms;
	ledger_certificate(refused->who.fingerprint, certificate);
	if (!is_refused_connect(refused) || !*certificate)
		return 0;
	g_autofree char *client = client_words(refused);
	g_autofree char *address = text_of(refused->who.address);
	g_autofree char *words = g_strdup_printf("a connect%s from %s was refused: %s", client,
						 address, cause_word(refused->cause));
	return containment_note_refused(txn, certificate, words, refused->last_ms);
}

static int take_takeover(struct sql_conn *txn, const struct entry_event *e, int64_t at_ms)
{
	const struct event_takeover *t = &e->event.takeover;
	const struct clone_takeover takeover = {
		.from = end_of(&t->old_who, t->old_keep_alive_s, t->old_flags),
		.to = end_of(&t->new_who, t->new_keep_alive_s, t->new_flags),
		.at_ms = t->at_ms,
		.from_connected_ms = (int64_t)MIN(t->old_connected_ms, INT64_MAX),
		.from_idle_ms = (int64_t)MIN(t->old_idle_ms, INT64_MAX),
	};
	(void)at_ms;
	g_autofree char *client = text_of(t->new_who.client_id);
	return clone_case_take(txn, client, &takeover);
}

/* A sign of life of a certificate's session: heard at this time or later, or open then. */
static int note_life(struct sql_conn *txn, const struct event_identity *who, int64_t at_ms,
		     bool was_heard)
{
	char certificate[LEDGER_CERTIFICATE_SIZE];
	ledger_certificate(who->fingerprint, certificate);
	if (!*certificate)
		return 0;
	g_autofree char *client = text_of(who->client_id);
	return clone_case_lives(txn, certificate, client, at_ms, was_heard);
}

static int take_counters(struct sql_conn *txn, const struct entry_event *e, int64_t at_ms)
{
	const struct event_counters *c = &e->event.counters;
	(void)at_ms;
	int r = c->messages.sent ? note_life(txn, &c->who, c->from_ms, true) : 0;
	return r || !c->is_connected ? r : note_life(txn, &c->who, c->to_ms, false);
}

static int take_disconnect(struct sql_conn *txn, const struct entry_event *e, int64_t at_ms)
{
	const struct event_disconnect *d = &e->event.disconnect;
	(void)at_ms;
	int r = note_life(txn, &d->who, d->at_ms, false);
	bool is_by_others =
		d->end == END_TAKEN_OVER || d->end == END_CUT || d->end == END_BROKER_STOPPED;
	if (r || is_by_others)
		return r;
	g_autofree char *client = text_of(d->who.client_id);
	return clone_case_ended(txn, client, d->at_ms);
}

typedef int take_fn(struct sql_conn *txn, const struct entry_event *e, int64_t at_ms);

static take_fn *const takers[] = {
	[EVENT_APPLIED] = take_applied,       [EVENT_CONNECT] = take_connect,
	[EVENT_REFUSED] = take_refused,       [EVENT_TAKEOVER] = take_takeover,
	[EVENT_DISCONNECT] = take_disconnect, [EVENT_COUNTERS] = take_counters,
};

int contained_take(struct sql_conn *txn, const struct entry_event *e, int64_t at_ms)
{
	size_t kind = (size_t)e->event.kind;
	return kind < ARRAY_LEN(takers) && takers[kind] ? takers[kind](txn, e, at_ms) : 0;
}

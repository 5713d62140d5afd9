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

static int take_connect(struct sql_conn *txn, const struct entry_event *e, int64_t at_ms)
{
	const struct event_connect *c = &e->event.connect;
	char certificate[LEDGER_CERTIFICATE_SIZE];
	(void)at_ms;
	ledger_certificate(c->who.fingerprint, certificate);
	if (!*certificate)
		return 0;
	g_autofree char *client = text_of(c->who.client_id);
	g_autofree char *address = text_of(c->who.address);
	g_autofree char *words = g_strdup_printf(
		"a session of client \"%s\" from %s began on broker %.*s afterwards", client,
		address, (int)e->broker.n, e->broker.p);
	return containment_note_session(txn, certificate, words, c->at_ms);
}

static bool is_refused_connect(const struct event_refused *e)
{
	return !e->is_observed && (e->action == POLICY_CONNECT || e->action == EVENT_ACTION_TLS);
}

static int take_refused(struct sql_conn *txn, const struct entry_event *e, int64_t at_ms)
{
	const struct event_refused *refused = &e->event.refused;
	char certificate[LEDGER_CERTIFICATE_SIZE];
	(void)at_ms;
	ledger_certificate(refused->who.fingerprint, certificate);
	if (!is_refused_connect(refused) || !*certificate)
		return 0;
	g_autofree char *client = text_of(refused->who.client_id);
	g_autofree char *address = text_of(refused->who.address);
	g_autofree char *words =
		g_strdup_printf("a connect of client \"%s\" from %s was refused: %s", client,
				address, cause_word(refused->cause));
	return containment_note_refused(txn, certificate, words, refused->last_ms);
}

static struct clone_end end_of(const struct event_identity *who, uint16_t keep_alive_s,
			       uint8_t flags)
{
	struct clone_end end = {
		.keep_alive_s = keep_alive_s,
		.flags = flags & (EVENT_CLEAN | EVENT_TLS | EVENT_MQTT5),
	};
	memcpy(end.fingerprint, who->fingerprint, sizeof(end.fingerprint));
	size_t n = MIN(who->address.n, sizeof(end.address) - 1);
	if (n)
		memcpy(end.address, who->address.p, n);
	return end;
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

/* Ends that are neither ours nor another's doing. */
static int take_disconnect(struct sql_conn *txn, const struct entry_event *e, int64_t at_ms)
{
	const struct event_disconnect *d = &e->event.disconnect;
	(void)at_ms;
	if (d->end == END_TAKEN_OVER || d->end == END_CUT || d->end == END_BROKER_STOPPED)
		return 0;
	g_autofree char *client = text_of(d->who.client_id);
	return clone_case_ended(txn, client, d->at_ms);
}

typedef int take_fn(struct sql_conn *txn, const struct entry_event *e, int64_t at_ms);

static take_fn *const takers[] = {
	[EVENT_APPLIED] = take_applied,       [EVENT_CONNECT] = take_connect,
	[EVENT_REFUSED] = take_refused,       [EVENT_TAKEOVER] = take_takeover,
	[EVENT_DISCONNECT] = take_disconnect,
};

int contained_take(struct sql_conn *txn, const struct entry_event *e, int64_t at_ms)
{
	size_t kind = (size_t)e->event.kind;
	return kind < ARRAY_LEN(takers) && takers[kind] ? takers[kind](txn, e, at_ms) : 0;
}

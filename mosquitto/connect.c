/* The connect decision (S1, S2, S8). The broker asks again for every connected client on SIGHUP:
 * then the same client object is there, and it is no new session, but "no" ends it. */
#include <arpa/inet.h>
#include <mosquitto.h>
#include <mosquitto_broker.h>
#include <openssl/crypto.h>

#include "mosquitto/applicant.h"
#include "mosquitto/hex.h"
#include "mosquitto/plugin.h"

#define DOORBELL_USERNAME "thingward-doorbell"
#define USERNAME_SIZE     (2 * EVENT_FINGERPRINT + 1)

static bool is_ip(const char *address)
{
	struct in6_addr any;
	return address &&
	       (inet_pton(AF_INET, address, &any) == 1 || inet_pton(AF_INET6, address, &any) == 1);
}

/* The daemon's own connection comes over a unix socket and proves itself with the token of the last
 * WELCOME. */
static bool is_doorbell(const struct plugin *p, const struct applicant *a,
			const struct mosquitto_evt_basic_auth *e)
{
	return !a->cert && !is_ip(a->address) && e->username &&
	       strcmp(e->username, DOORBELL_USERNAME) == 0 && e->password && p->doorbell_token[0] &&
	       strlen(e->password) == FRAME_TOKEN &&
	       CRYPTO_memcmp(e->password, p->doorbell_token, FRAME_TOKEN) == 0;
}

/* Says no, and lets go of the session. */
static int refuse(struct plugin *p, struct session *s, const struct denial *d)
{
	struct event_identity who = session_identity(s);
	struct event_refused e = denial_event(d, &who, who.client_id, false);
	refusals_add(p, &e);
	tally_attempt(p->tallies, &who, session_standing(s, &p->rules));
	passage_refused(p, s->client);
	session_free(p->sessions, s);
	return MOSQ_ERR_AUTH;
}

static int refuse_for_memory(struct plugin *p, struct session *s)
{
	const struct denial d = denial_of(POLICY_CONNECT, CAUSE_NO_MEMORY);
	return refuse(p, s, &d);
}

/* The fingerprint becomes the username: it says who a session is while it is away. */
static int name_client(const struct session *s)
{
	char username[USERNAME_SIZE];
	hex_write(s->principal->fingerprint, EVENT_FINGERPRINT, username);
	return mosquitto_set_username(s->client, username);
}

/* There is no memory for a session either. */
static int refuse_applicant(struct plugin *p, const struct applicant *a)
{
	const struct denial d = denial_of(POLICY_CONNECT, CAUSE_NO_MEMORY);
	struct event_identity who = {.client_id = view_of(a->client_id),
				     .address = view_of(a->address),
				     .port = a->peer.port};
	if (a->cert)
		memcpy(who.fingerprint, a->fingerprint, EVENT_FINGERPRINT);
	else
		who.username = view_of(a->username);
	struct event_refused e = denial_event(&d, &who, who.client_id, false);
	refusals_add(p, &e);
	return MOSQ_ERR_AUTH;
}

static int answer_enforced(struct plugin *p, struct session *s, const struct denial *d)
{
	const struct denial none = denial_of(POLICY_CONNECT, CAUSE_NONE);
	if (d->cause)
		return refuse(p, s, d);
	if (!s->is_doorbell && name_client(s) != MOSQ_ERR_SUCCESS)
		return refuse_for_memory(p, s);
	if (passage_arrives(p, s, &none) < 0)
		return refuse_for_memory(p, s);
	return MOSQ_ERR_SUCCESS;
}

static int answer_observed(struct plugin *p, struct session *s, const struct denial *d)
{
	struct mosquitto *client = s->client;
	if (passage_arrives(p, s, d) < 0)
		session_free(p->sessions, s);
	return defer_connect(p, client, false);
}

static int answer(struct plugin *p, const struct applicant *a,
		  const struct mosquitto_evt_basic_auth *e)
{
	struct session *s = applicant_session(p, a);
	if (!s)
		return a->mode == MODE_OBSERVE ? defer_answer() : refuse_applicant(p, a);
	s->is_doorbell = is_doorbell(p, a, e);
	struct denial d = session_judge(s, &p->rules, p->policy_sets, plugin_now_s());
	if (session_is_observed(s) && !s->is_doorbell)
		return answer_observed(p, s, &d);
	return answer_enforced(p, s, &d);
}

/* SIGHUP: the session stands or falls by the rules of now. No CONNECT is read between the broker's
 * reload and its next TICK, so the object is still the same client's. */
static int answer_again(struct plugin *p, struct session *s)
{
	if (s->is_doorbell)
		return MOSQ_ERR_SUCCESS;
	if (session_is_observed(s))
		return defer_connect(p, s->client, true);
	if (patrol_stands(p, s))
		return MOSQ_ERR_SUCCESS;
	s->ending = s->refusal ? s->refusal : CAUSE_SESSION_CUT;
	return MOSQ_ERR_AUTH;
}

/* On SIGHUP the broker asks for sessions that are away, too. "No" would disconnect them a second
 * time; they come in again only with their certificate. */
static int answer_away(struct plugin *p, const struct applicant *a)
{
	uint8_t fingerprint[EVENT_FINGERPRINT];
	if (applicant_is_named(p, a, fingerprint))
		return MOSQ_ERR_SUCCESS;
	return defer_connect(p, a->client, true);
}

int plugin_on_connect(int event, void *data, void *ctx)
{
	(void)event;
	struct plugin *p = ctx;
	const struct mosquitto_evt_basic_auth *e = data;
	struct applicant a;
	plugin_begin(p);
	struct session *known = session_find(p->sessions, e->client);
	if (known && p->is_reloading)
		return answer_again(p, known);
	if (known) { /* its end was not seen, and its object was given to another client */
		passage_leaves(p, known, -1);
		passage_settle(p, false);
	}
	plugin_attend(p);
	applicant_read(p, e->client, &a);
	int rc = p->is_reloading && !applicant_is_connected(&a) ? answer_away(p, &a)
								: answer(p, &a, e);
	applicant_release(&a);
	return rc;
}

struct session *plugin_meet(struct plugin *p, const struct applicant *a)
{
	struct session *s = applicant_session(p, a);
	if (!s)
		return NULL;
	struct denial d = session_judge(s, &p->rules, p->policy_sets, plugin_now_s());
	if (session_is_observed(s) && passage_found(p, s, &d) == 0)
		return s;
	if (!session_is_observed(s)) {
		const struct denial unasked = denial_of(POLICY_CONNECT, CAUSE_IDENTITY_AS_USERNAME);
		struct event_identity who = session_identity(s);
		struct event_refused e = denial_event(&unasked, &who, who.client_id, false);
		refusals_add(p, &e);
	}
	session_free(p->sessions, s);
	return NULL;
}

int plugin_on_connected(int event, void *data, void *ctx)
{
	(void)event;
	struct plugin *p = ctx;
	const struct mosquitto_evt_disconnect *e = data; /* begins alike */
	struct applicant a;
	plugin_begin(p);
	if (session_find(p->sessions, e->client))
		return MOSQ_ERR_SUCCESS;
	applicant_read(p, e->client, &a);
	(void)plugin_meet(p, &a);
	applicant_release(&a);
	return MOSQ_ERR_SUCCESS;
}

/* MQTT 5: an authentication method takes the place of BASIC_AUTH. We know none, and another
 * plugin's would let in somebody whom we have not seen. */
int plugin_on_ext_auth(int event, void *data, void *ctx)
{
	(void)event;
	struct plugin *p = ctx;
	const struct mosquitto_evt_extended_auth *e = data;
	struct applicant a;
	plugin_begin(p);
	plugin_attend(p);
	applicant_read(p, e->client, &a);
	struct session *s = a.mode == MODE_OBSERVE ? NULL : applicant_session(p, &a);
	if (s) {
		const struct denial d = denial_of(POLICY_CONNECT, CAUSE_AUTH_METHOD);
		(void)refuse(p, s, &d);
	}
	applicant_release(&a);
	return a.mode == MODE_OBSERVE ? defer_answer() : MOSQ_ERR_NOT_SUPPORTED;
}

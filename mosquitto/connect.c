/* The connect decision (S1, S2, S8). The broker asks again for every connected client on SIGHUP:
 * then the same client object is there, and it is no new session, but "no" ends it. */
#include <arpa/inet.h>
#include <mosquitto.h>
#include <mosquitto_broker.h>
#include <openssl/crypto.h>
#include <stdlib.h>

#include "mosquitto/hex.h"
#include "mosquitto/plugin.h"
#include "mosquitto/trust.h"

#define CLIENT_ID_MAX     128
#define DOORBELL_USERNAME "thingward-doorbell"

struct applicant {
	struct mosquitto *client;
	const char *client_id, *address; /* NULL: none */
	bool has_cert;
	uint8_t fingerprint[FRAME_FINGERPRINT];
};

static int refuse(struct plugin *p, const struct applicant *a, const char *reason)
{
	struct view client_id = view_of(a->client_id), address = view_of(a->address);
	if (client_id.n > CLIENT_ID_MAX)
		client_id.n = CLIENT_ID_MAX;
	struct event_refused e = {
		.action = POLICY_CONNECT,
		.who = {.client_id = client_id, .address = address},
		.resource = client_id,
		.missing = view_of(reason),
		.statement = -1,
		.count = 1,
		.first_ms = server_time_ms(&p->time, p->now_ms),
		.last_ms = server_time_ms(&p->time, p->now_ms)
        };
	memcpy(e.who.fingerprint, a->fingerprint, FRAME_FINGERPRINT);
	refusals_add(p, &e);
	return MOSQ_ERR_AUTH;
}

static bool has_control_character(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7F)
			return true;
	return false;
}

/* What is wrong with the request itself; NULL: nothing. */
static const char *request_refusal(const struct applicant *a)
{
	if (mosquitto_client_protocol(a->client) == mp_websockets)
		return "websocket listeners carry no client certificate";
	if (!a->client_id || a->client_id[0] == '\0')
		return "no client id";
	if (strlen(a->client_id) > CLIENT_ID_MAX)
		return "client id is longer than 128 bytes";
	if (has_control_character(a->client_id))
		return "client id has control characters";
	return NULL;
}

static void read_certificate(struct applicant *a)
{
	X509 *cert = mosquitto_client_certificate(a->client);
	a->has_cert = cert && trust_fingerprint(cert, a->fingerprint) == 0;
	X509_free(cert);
}

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
	return !a->has_cert && !is_ip(a->address) && e->username &&
	       strcmp(e->username, DOORBELL_USERNAME) == 0 && e->password && p->doorbell_token[0] &&
	       strlen(e->password) == FRAME_TOKEN &&
	       CRYPTO_memcmp(e->password, p->doorbell_token, FRAME_TOKEN) == 0;
}

static void tell_begin(struct plugin *p, struct session *s)
{
	struct event e = {
		.kind = EVENT_CONNECT,
		.connect = {.who = session_identity(s),
			    .thing = s->request.thing_name,
			    .at_ms = server_time_ms(&p->time, p->now_ms)}
        };
	presence_began(p->presence, &e);
	s->tally = tally_open(p->tallies, &e.connect.who, s->request.thing_name);
}

/* Judges and keeps the new session. A reason, or NULL when it may come in. */
static const char *admit(struct plugin *p, struct session *s)
{
	session_judge(s, &p->rules, plugin_now_s());
	if (s->refusal)
		return s->refusal;
	if (!s->is_doorbell && mosquitto_set_username(s->client, s->username))
		return "no memory";
	if (session_add(p->sessions, s) < 0)
		return "no memory";
	if (!s->is_doorbell)
		tell_begin(p, s);
	return NULL;
}

static int begin_session(struct plugin *p, const struct applicant *a, bool is_doorbell_session)
{
	struct session *s = malloc(sizeof(*s));
	if (!s || session_init(s, a->client, is_doorbell_session ? NULL : a->fingerprint,
			       a->client_id, a->address) < 0) {
		free(s);
		return refuse(p, a, "no memory");
	}
	s->is_doorbell = is_doorbell_session;
	s->number = ++p->begun;
	s->share_at_ms = p->now_ms;
	s->share_bytes = INT64_MAX; /* cut to what a session may hold at its first report */
	const char *refusal = admit(p, s);
	if (!refusal)
		return MOSQ_ERR_SUCCESS;
	session_release(s);
	free(s);
	return refuse(p, a, refusal);
}

/* SIGHUP: the session stands or falls by the rules of now. */
static int confirm_session(struct plugin *p, struct session *s, const struct applicant *a)
{
	if (session_stands(p->sessions, s, &p->rules, plugin_now_s()))
		return MOSQ_ERR_SUCCESS;
	return refuse(p, a, s->refusal);
}

/* The object of an ended session may have been given to another client. */
static bool is_same_client(const struct session *s, const struct applicant *a)
{
	if (!a->client_id || strcmp(s->client_id, a->client_id) != 0)
		return false;
	return s->is_doorbell ||
	       (a->has_cert && memcmp(s->fingerprint, a->fingerprint, FRAME_FINGERPRINT) == 0);
}

/* On SIGHUP the broker asks for sessions that are away, too. "No" would disconnect them a second
 * time; they come in again only with their certificate. No CONNECT is read between the broker's
 * reload and its next TICK. */
static bool is_away(const struct plugin *p, const struct applicant *a,
		    const struct mosquitto_evt_basic_auth *e)
{
	uint8_t fingerprint[FRAME_FINGERPRINT];
	return p->is_reloading && !a->has_cert && e->username &&
	       hex_read(e->username, fingerprint, sizeof(fingerprint)) == 0;
}

int plugin_on_connect(int event, void *data, void *ctx)
{
	(void)event;
	struct plugin *p = ctx;
	const struct mosquitto_evt_basic_auth *e = data;
	struct applicant a = {.client = e->client,
			      .client_id = mosquitto_client_id(e->client),
			      .address = mosquitto_client_address(e->client)};
	plugin_attend(p);
	read_certificate(&a);
	struct session *known = session_find(p->sessions, a.client);
	if (known && is_same_client(known, &a))
		return confirm_session(p, known, &a);
	if (known)
		session_remove(p->sessions, known);
	const char *refusal = request_refusal(&a);
	if (refusal)
		return refuse(p, &a, refusal);
	if (is_away(p, &a, e))
		return MOSQ_ERR_SUCCESS;
	bool rings = is_doorbell(p, &a, e);
	if (!rings && !a.has_cert)
		return refuse(p, &a, "no client certificate");
	return begin_session(p, &a, rings);
}

#include "mosquitto/applicant.h"

#include <mosquitto.h>
#include <mosquitto_broker.h>
#include <stdlib.h>

#include "mosquitto/hex.h"
#include "mosquitto/plugin.h"

#define MQTT5 5

/* Where a peer that is gone before the first proof of a socket came in cannot be known: then it is
 * enforced when any listener is. */
static enum mode mode_of(const struct plugin *p, const struct peer *peer)
{
	if (peer->is_gone && peer->port == 0)
		return options_have_mode(&p->options, MODE_ENFORCE) ? MODE_ENFORCE : MODE_OBSERVE;
	return options_mode(&p->options, peer->port);
}

void applicant_read(struct plugin *p, struct mosquitto *client, struct applicant *ret)
{
	*ret = (struct applicant){
		.client = client,
		.client_id = mosquitto_client_id(client),
		.address = peer_socket_plain(mosquitto_client_address(client)),
		.username = mosquitto_client_username(client),
		.cert = mosquitto_client_certificate(client),
	};
	if (ret->cert && trust_fingerprint(ret->cert, ret->fingerprint) < 0) {
		X509_free(ret->cert);
		ret->cert = NULL;
	}
	struct handshake h = {0};
	if (ret->cert)
		h = trust_take_handshake(p, ret->cert);
	ret->domain = h.domain;
	ret->peer = peer_socket(&p->sockets, client, ret->address, h.port);
	ret->mode = mode_of(p, &ret->peer);
}

void applicant_release(struct applicant *a)
{
	X509_free(a->cert);
	free(a->domain);
	a->cert = NULL;
	a->domain = NULL;
}

bool applicant_is_connected(const struct applicant *a)
{
	return a->cert || a->peer.fd >= 0 || a->peer.is_gone ||
	       mosquitto_client_protocol(a->client) == mp_websockets;
}

bool applicant_is_named(const struct plugin *p, const struct applicant *a,
			uint8_t ret_fingerprint[EVENT_FINGERPRINT])
{
	return a->username && options_have_mode(&p->options, MODE_ENFORCE) &&
	       hex_read(a->username, ret_fingerprint, EVENT_FINGERPRINT) == 0;
}

static uint8_t flags_of(const struct plugin *p, const struct applicant *a)
{
	unsigned flags = 0;
	if (mosquitto_client_clean_session(a->client))
		flags |= EVENT_CLEAN;
	if (a->cert || trust_port_is_tls(p, a->peer.port))
		flags |= EVENT_TLS;
	if (mosquitto_client_protocol_version(a->client) == MQTT5)
		flags |= EVENT_MQTT5;
	if (a->mode == MODE_OBSERVE)
		flags |= EVENT_OBSERVED;
	return (uint8_t)flags;
}

struct session *applicant_session(struct plugin *p, const struct applicant *a)
{
	const struct session_facts facts = {
		.client = a->client,
		.fingerprint = a->cert ? a->fingerprint : NULL,
		.username = a->cert ? NULL : a->username,
		.client_id = a->client_id ? a->client_id : "",
		.address = a->address,
		.domain = a->domain,
	};
	struct session *s = session_new(p->sessions, &facts);
	if (!s)
		return NULL;
	int keep_alive_s = mosquitto_client_keepalive(a->client);
	s->fd = a->peer.fd;
	s->port = a->peer.port;
	s->keep_alive_s = keep_alive_s > 0 ? (uint16_t)keep_alive_s : 0;
	s->flags = flags_of(p, a);
	s->is_websocket = mosquitto_client_protocol(a->client) == mp_websockets;
	return s;
}

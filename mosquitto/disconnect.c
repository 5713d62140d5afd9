/* The end of a session; on Mosquitto 2.1 a session that stays for its client's return has an event
 * of its own. It also comes for handshakes and connects that failed, which have none. */
#include <mosquitto.h>
#include <mosquitto_broker.h>
#include <openssl/x509.h>

#include "mosquitto/peer_socket.h"
#include "mosquitto/plugin.h"

/* It never said CONNECT and showed no certificate where one is asked for: then its TLS handshake
 * failed. A certificate that was refused has been told. */
static void tell_failed_handshake(struct plugin *p, struct mosquitto *client, int told_fd)
{
	const char *address = mosquitto_client_address(client);
	X509 *cert = mosquitto_client_certificate(client);
	struct peer peer = peer_socket(&p->sockets, client, address, 0);
	bool is_failed = !cert && (told_fd < 0 || told_fd != peer.fd) &&
			 trust_port_wants_certificate(p, peer.port);
	X509_free(cert);
	if (!is_failed)
		return;
	struct event_refused e = {
		.who = {.address = view_of(address), .port = peer.port},
		.action = EVENT_ACTION_TLS,
		.cause = CAUSE_TLS_FAILED,
		.statement = -1
        };
	refusals_add(p, &e);
	tally_attempt(p->tallies, &e.who, TALLY_STRANGER);
}

int plugin_on_disconnect(int event, void *data, void *ctx)
{
	(void)event;
	struct plugin *p = ctx;
	const struct mosquitto_evt_disconnect *e = data;
	bool has_client_id = mosquitto_client_id(e->client) != NULL;
	int told_fd = p->trust.told_fd;
	bool was_refused = passage_was_refused(p, e->client, has_client_id, e->reason);
	plugin_begin(p);
	if (was_refused)
		return MOSQ_ERR_SUCCESS;
	struct session *s = session_find(p->sessions, e->client);
	if (s)
		passage_leaves(p, s, e->reason);
	else if (!has_client_id)
		tell_failed_handshake(p, e->client, told_fd);
	return MOSQ_ERR_SUCCESS;
}

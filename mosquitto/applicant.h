/* Who asks to come in, or is found to be in: all that the broker and the handshake tell of it. */
#ifndef PLUGIN_APPLICANT_H
#define PLUGIN_APPLICANT_H

#include "mosquitto/options.h"
#include "mosquitto/peer_socket.h"
#include "mosquitto/session.h"

#include <openssl/x509.h>

struct plugin;

struct applicant {
	struct mosquitto *client;
	const char *client_id, *address, *username; /* NULL: none, or not known */
	X509 *cert;                                 /* NULL: none */
	uint8_t fingerprint[EVENT_FINGERPRINT];
	char *domain; /* that it asked for in its handshake, NULL: none */
	struct peer peer;
	enum mode mode; /* of its listener */
};

void applicant_read(struct plugin *p, struct mosquitto *client, struct applicant *ret);
void applicant_release(struct applicant *a);
/* False, while the broker asks again on SIGHUP: the session is away. (2.1 keeps the port of those.)
 */
bool applicant_is_connected(const struct applicant *a);
/* True when its user name is a fingerprint, as only this plugin gives, where it enforces at all:
 * who it is while it is away. */
bool applicant_is_named(const struct plugin *p, const struct applicant *a,
			uint8_t ret_fingerprint[EVENT_FINGERPRINT]);
/* A session for it, outside the table and not judged. NULL without memory. */
struct session *applicant_session(struct plugin *p, const struct applicant *a);

#endif

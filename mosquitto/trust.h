/* Trust is decided here and not by the broker's chain check: AWS hands out no CA for the
 * certificates that it issued, so a certificate counts by its fingerprint. OpenSSL tells us of
 * every SSL_CTX that the broker makes after the plugin is loaded; in each we take the place of the
 * chain check. A TLS handshake still proves that the peer has the key. Listeners that are only
 * observed, and contexts of outgoing bridges, keep the ordinary check.
 *
 * What a handshake tells and CONNECT does not (the port, the host name that was asked for) is kept
 * with the peer's certificate, which is how the session finds it again. Handshakes that fail are
 * told by address. A resumed session skips the check, but not the end of its handshake; connect.c
 * decides anew. */
#ifndef PLUGIN_TRUST_H
#define PLUGIN_TRUST_H

#include "base/compiler.h"

#include <openssl/x509.h>
#include <stdbool.h>
#include <stdint.h>

struct plugin;

#define TRUST_PORTS 65536

struct trust {
	int context_index; /* of OpenSSL's data of an SSL_CTX, -1: none */
	int cert_index;    /* of a certificate, -1: none */
	const void *told;  /* the handshake whose refusal was told last: an identity */
	uint8_t tls_ports[TRUST_PORTS / 8]; /* a bit for each port where TLS was spoken */
};

/* 0, or -1 when OpenSSL gives no index. */
int trust_install(struct plugin *p) MUST_USE;
void trust_remove(struct plugin *p);
/* SHA-256 of a certificate. 0 or -1. */
int trust_fingerprint(const X509 *cert, uint8_t *ret) MUST_USE;

struct handshake {
	uint16_t port; /* of the listener */
	bool has_domain;
	char domain[]; /* the host name that was asked for (SNI) */
};

/* The handshake that a peer's certificate came with, NULL: it was not seen. Lives as long as the
 * certificate. */
const struct handshake *trust_handshake(const struct plugin *p, const X509 *cert);
/* True when TLS is spoken at the port. */
bool trust_port_is_tls(const struct plugin *p, uint16_t port);

#endif

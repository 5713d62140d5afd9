/* Trust is decided here and not by the broker's chain check: AWS hands out no CA for the
 * certificates that it issued, so a certificate counts by its fingerprint. OpenSSL tells us of
 * every SSL_CTX that the broker makes after the plugin is loaded; in each we take the place of the
 * chain check. A TLS handshake still proves that the peer has the key. Listeners that are only
 * observed, and contexts of outgoing bridges, keep the ordinary check.
 *
 * What a handshake tells and CONNECT does not (the port, the host name that was asked for) is noted
 * by the peer's certificate until its CONNECT comes; of so many connections that have not sent it
 * yet. Handshakes that fail are told by address, which is noted when they begin: a peer that closes
 * its socket has none any more when OpenSSL sees it. A resumed session skips the check, but not the
 * end of its handshake; connect.c decides anew. */
#ifndef PLUGIN_TRUST_H
#define PLUGIN_TRUST_H

#include "base/compiler.h"

#include <netinet/in.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <stdint.h>

struct plugin;

#define TRUST_PORTS      65536
#define TRUST_HANDSHAKES 4096
#define TRUST_BEGUN      1024

struct handshake {
	const X509 *cert; /* the broker's object: an identity, never followed; NULL: none */
	uint16_t port;    /* of the listener */
	char *domain;     /* the host name that was asked for (SNI), NULL: none */
};

struct begun {
	const void *ssl; /* an identity; NULL: none */
	char address[INET6_ADDRSTRLEN];
};

struct trust {
	int index;        /* of OpenSSL's data of an SSL_CTX, -1: none */
	const void *told; /* the handshake whose refusal was told last: an identity */
	struct handshake handshakes[TRUST_HANDSHAKES]; /* a ring */
	unsigned next;                                 /* in it */
	struct begun begun[TRUST_BEGUN];               /* handshakes, a ring, too */
	unsigned next_begun;
	uint8_t tls_ports[TRUST_PORTS / 8]; /* a bit for each port where TLS was spoken */
};

/* 0, or -1 when OpenSSL gives no index. */
int trust_install(struct plugin *p) MUST_USE;
void trust_remove(struct plugin *p);
/* SHA-256 of a certificate. 0 or -1. */
int trust_fingerprint(const X509 *cert, uint8_t *ret) MUST_USE;

/* Takes what was noted of the handshake that brought this certificate; the caller frees its domain.
 * All zero when nothing was. */
struct handshake trust_take_handshake(struct plugin *p, const X509 *cert);
/* True when TLS is spoken at the port. */
bool trust_port_is_tls(const struct plugin *p, uint16_t port);

#endif

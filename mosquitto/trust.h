/* Trust is decided here and not by the broker's chain check: AWS hands out no CA for the
 * certificates that it issued, so a certificate counts by its fingerprint. OpenSSL tells us of
 * every SSL_CTX that the broker makes after the plugin is loaded; in each we take the place of the
 * chain check. A TLS handshake still proves that the peer has the key. Contexts of outgoing bridges
 * keep the ordinary check. */
#ifndef PLUGIN_TRUST_H
#define PLUGIN_TRUST_H

#include "base/compiler.h"

#include <openssl/x509.h>
#include <stdint.h>

struct plugin;

/* 0, or -1 when OpenSSL gives no index. */
int trust_install(struct plugin *p) MUST_USE;
void trust_remove(struct plugin *p);
/* SHA-256 of a certificate. 0 or -1. */
int trust_fingerprint(const X509 *cert, uint8_t *ret) MUST_USE;

#endif

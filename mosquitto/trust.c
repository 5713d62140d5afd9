#include "mosquitto/trust.h"

#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>

#include "mosquitto/plugin.h"

#define NAME_SIZE 256

int trust_fingerprint(const X509 *cert, uint8_t *ret)
{
	unsigned n = 0;
	return X509_digest(cert, EVP_sha256(), ret, &n) == 1 && n == EVENT_FINGERPRINT ? 0 : -1;
}

/* ---- What a handshake tells ---- */

static void mark(uint8_t *ports, uint16_t port)
{
	ports[port / 8] |= (uint8_t)(1U << (port % 8));
}

static bool is_marked(const uint8_t *ports, uint16_t port)
{
	return ports[port / 8] & 1U << (port % 8);
}

bool trust_port_is_tls(const struct plugin *p, uint16_t port)
{
	return is_marked(p->trust.tls_ports, port);
}

static void note_begin(struct trust *t, const SSL *ssl)
{
	struct begun *b = &t->begun[t->next_begun++ % TRUST_BEGUN];
	b->ssl = ssl;
	peer_socket_address(SSL_get_fd(ssl), b->address, sizeof(b->address));
}

/* Of the peer, "": not known; as long as those noted are. */
static void find_address(const struct trust *t, const SSL *ssl, char *ret)
{
	peer_socket_address(SSL_get_fd(ssl), ret, INET6_ADDRSTRLEN);
	for (unsigned i = 1; i <= TRUST_BEGUN && !ret[0]; i++) {
		const struct begun *b = &t->begun[(t->next_begun - i) % TRUST_BEGUN];
		if (b->ssl == ssl)
			memcpy(ret, b->address, INET6_ADDRSTRLEN);
	}
}

/* From the newest on: a CONNECT comes soon. NULL: it was not noted, or too long ago. */
static struct handshake *find_handshake(struct trust *t, const X509 *cert)
{
	for (unsigned i = 1; i <= TRUST_HANDSHAKES; i++) {
		struct handshake *h = &t->handshakes[(t->next - i) % TRUST_HANDSHAKES];
		if (h->cert == cert)
			return h;
	}
	return NULL;
}

struct handshake trust_take_handshake(struct plugin *p, const X509 *cert)
{
	struct handshake *h = find_handshake(&p->trust, cert);
	if (!h)
		return (struct handshake){0};
	struct handshake taken = *h;
	*h = (struct handshake){0};
	return taken;
}

/* TLS 1.3 says "done" again for each ticket. */
static void note_handshake(struct trust *t, const SSL *ssl)
{
	const X509 *cert = SSL_get0_peer_certificate(ssl);
	const char *domain = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
	if (!cert)
		return;
	struct handshake *h = find_handshake(t, cert);
	if (!h)
		h = &t->handshakes[t->next++ % TRUST_HANDSHAKES];
	free(h->domain);
	*h = (struct handshake){.cert = cert,
				.port = peer_socket_port(SSL_get_fd(ssl)),
				.domain = domain ? strdup(domain) : NULL};
}

/* OpenSSL keeps a host name in a TLS 1.2 session only when it was taken note of. */
static int on_domain(SSL *ssl, int *alert, void *ctx)
{
	(void)alert;
	const struct plugin *p = ctx;
	if (options_mode(&p->options, peer_socket_port(SSL_get_fd(ssl))) == MODE_OBSERVE)
		return SSL_TLSEXT_ERR_NOACK;
	return SSL_TLSEXT_ERR_OK;
}

/* Only SSL_accept, and what goes on with it, ends so; waiting for the peer is no end. */
static bool is_failure(const SSL *ssl, int where, int result)
{
	if (where != SSL_CB_ACCEPT_EXIT || result > 0)
		return false;
	int error = SSL_get_error(ssl, result);
	return error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE;
}

static void tell_failure(struct plugin *p, const SSL *ssl)
{
	char address[INET6_ADDRSTRLEN];
	find_address(&p->trust, ssl, address);
	const struct event_refused e = {
		.who = {.address = view_of(address), .port = peer_socket_port(SSL_get_fd(ssl))},
		.action = EVENT_ACTION_TLS,
		.cause = CAUSE_TLS_FAILED,
		.statement = -1
        };
	p->now_ms = monotonic_ms();
	refusals_add(p, &e);
	tally_attempt(p->tallies, &e.who, TALLY_STRANGER);
}

/* A certificate that was refused has been told. */
static void end_failed(struct plugin *p, const SSL *ssl)
{
	if (p->trust.told != ssl)
		tell_failure(p, ssl);
	p->trust.told = NULL;
}

static void on_progress(const SSL *ssl, int where, int result)
{
	struct plugin *p = SSL_get_record_padding_callback_arg(ssl);
	if (!p || !SSL_is_server(ssl))
		return;
	if (where & SSL_CB_HANDSHAKE_START) {
		mark(p->trust.tls_ports, peer_socket_port(SSL_get_fd(ssl)));
		note_begin(&p->trust, ssl);
	}
	if (where & SSL_CB_HANDSHAKE_DONE)
		note_handshake(&p->trust, ssl);
	if (is_failure(ssl, where, result))
		end_failed(p, ssl);
}

/* ---- Whom to let in ---- */

/* Who issued it tells an operator where the stranger belongs. */
static void tell_refusal(struct plugin *p, const SSL *ssl, const X509 *cert,
			 const uint8_t *fingerprint, enum cause cause, const char *detail)
{
	char address[INET6_ADDRSTRLEN], issuer[NAME_SIZE];
	find_address(&p->trust, ssl, address);
	if (!cert || !X509_NAME_oneline(X509_get_issuer_name(cert), issuer, sizeof(issuer)))
		issuer[0] = '\0';
	struct event_refused e = {
		.who = {.address = view_of(address), .port = peer_socket_port(SSL_get_fd(ssl))},
		.action = EVENT_ACTION_TLS,
		.cause = cause,
		.resource = view_of(issuer),
		.statement = -1,
		.missing = view_of(detail)
        };
	memcpy(e.who.fingerprint, fingerprint, EVENT_FINGERPRINT);
	refusals_add(p, &e);
	tally_attempt(p->tallies, &e.who,
		      rules_know(&p->rules, fingerprint) ? TALLY_REGISTERED : TALLY_STRANGER);
	p->trust.told = ssl;
}

/* The broker's own check decides; what we would say is told when the client says who it is. */
static int let_broker_judge(struct plugin *p, const SSL *ssl, X509_STORE_CTX *store)
{
	uint8_t fingerprint[EVENT_FINGERPRINT] = {0};
	int is_trusted = X509_verify_cert(store);
	if (is_trusted > 0)
		return is_trusted;
	const X509 *cert = X509_STORE_CTX_get0_cert(store);
	bool is_readable = cert && trust_fingerprint(cert, fingerprint) == 0;
	tell_refusal(p, ssl, cert, fingerprint,
		     is_readable ? CAUSE_CHAIN_NOT_TRUSTED : CAUSE_CERT_UNREADABLE,
		     X509_verify_cert_error_string(X509_STORE_CTX_get_error(store)));
	return is_trusted;
}

static int judge_client(struct plugin *p, const SSL *ssl, X509_STORE_CTX *store)
{
	uint8_t fingerprint[EVENT_FINGERPRINT] = {0};
	struct snapshot_cert record;
	const X509 *cert = X509_STORE_CTX_get0_cert(store);
	enum cause cause = CAUSE_CERT_UNREADABLE;
	if (cert && trust_fingerprint(cert, fingerprint) == 0)
		cause = rules_refusal(&p->rules, fingerprint, plugin_now_s(), &record);
	if (cause) {
		tell_refusal(p, ssl, cert, fingerprint, cause, NULL);
		X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED);
		return 0;
	}
	X509_STORE_CTX_set_error(store, X509_V_OK);
	return 1;
}

static int verify_client(struct plugin *p, const SSL *ssl, X509_STORE_CTX *store)
{
	plugin_begin(p);
	plugin_attend(p);
	if (options_mode(&p->options, peer_socket_port(SSL_get_fd(ssl))) == MODE_OBSERVE)
		return let_broker_judge(p, ssl, store);
	return judge_client(p, ssl, store);
}

static int verify_peer(X509_STORE_CTX *store, void *ctx)
{
	const SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
	if (!ssl || !SSL_is_server(ssl))
		return X509_verify_cert(store);
	return verify_client(ctx, ssl, store);
}

static void adopt_context(void *parent, void *ptr, CRYPTO_EX_DATA *data, int index, long argl,
			  void *argp)
{
	(void)ptr;
	(void)data;
	(void)index;
	(void)argl;
	SSL_CTX_set_cert_verify_callback(parent, verify_peer, argp);
	/* The callback for progress is given no argument of ours. That of the one for padding,
	 * which nobody sets, goes over to every connection. */
	SSL_CTX_set_record_padding_callback_arg(parent, argp);
	SSL_CTX_set_info_callback(parent, on_progress);
	(void)SSL_CTX_set_tlsext_servername_callback(parent, on_domain);
	(void)SSL_CTX_set_tlsext_servername_arg(parent, argp);
}

int trust_install(struct plugin *p)
{
	p->trust.index = SSL_CTX_get_ex_new_index(0, p, adopt_context, NULL, NULL);
	return p->trust.index < 0 ? -1 : 0;
}

void trust_remove(struct plugin *p)
{
	if (p->trust.index >= 0)
		(void)CRYPTO_free_ex_index(CRYPTO_EX_INDEX_SSL_CTX, p->trust.index);
	p->trust.index = -1;
	for (unsigned i = 0; i < TRUST_HANDSHAKES; i++)
		free(p->trust.handshakes[i].domain);
}

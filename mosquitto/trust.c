#include "mosquitto/trust.h"

#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <stdlib.h>

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

bool trust_port_wants_certificate(const struct plugin *p, uint16_t port)
{
	return is_marked(p->trust.cert_ports, port);
}

const struct handshake *trust_handshake(const struct plugin *p, const X509 *cert)
{
	return X509_get_ex_data(cert, p->trust.cert_index);
}

static struct handshake *handshake_new(const SSL *ssl, const char *domain)
{
	size_t n = domain ? strlen(domain) + 1 : 0;
	struct handshake *h = calloc(1, sizeof(*h) + n);
	if (!h)
		return NULL;
	h->port = peer_socket_port(SSL_get_fd(ssl));
	h->has_domain = domain != NULL;
	if (domain)
		memcpy(h->domain, domain, n);
	return h;
}

static void free_handshake(void *parent, void *ptr, CRYPTO_EX_DATA *data, int index, long argl,
			   void *argp)
{
	(void)parent;
	(void)data;
	(void)index;
	(void)argl;
	(void)argp;
	free(ptr);
}

static void keep_handshake(const struct plugin *p, const SSL *ssl, X509 *cert, const char *domain)
{
	struct handshake *h = handshake_new(ssl, domain);
	if (!h)
		return;
	free(X509_get_ex_data(cert, p->trust.cert_index));
	if (!X509_set_ex_data(cert, p->trust.cert_index, h))
		free(h);
}

static int on_hello(SSL *ssl, int *alert, void *ctx)
{
	(void)alert;
	struct plugin *p = ctx;
	uint16_t port = peer_socket_port(SSL_get_fd(ssl));
	mark(p->trust.tls_ports, port);
	if (SSL_get_verify_mode(ssl) & SSL_VERIFY_FAIL_IF_NO_PEER_CERT)
		mark(p->trust.cert_ports, port);
	return SSL_CLIENT_HELLO_SUCCESS;
}

/* A session that is resumed has another object for the same certificate. The answer is the one that
 * OpenSSL would give by itself. */
static SSL_TICKET_RETURN on_ticket(SSL *ssl, SSL_SESSION *session, const unsigned char *key,
				   size_t key_n, SSL_TICKET_STATUS status, void *ctx)
{
	(void)key;
	(void)key_n;
	if (status != SSL_TICKET_SUCCESS && status != SSL_TICKET_SUCCESS_RENEW)
		return SSL_TICKET_RETURN_IGNORE_RENEW;
	X509 *cert = SSL_SESSION_get0_peer(session);
	const char *domain = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
	if (cert)
		keep_handshake(ctx, ssl, cert,
			       domain ? domain : SSL_SESSION_get0_hostname(session));
	return status == SSL_TICKET_SUCCESS ? SSL_TICKET_RETURN_USE : SSL_TICKET_RETURN_USE_RENEW;
}

/* ---- Whom to let in ---- */

/* Who issued it tells an operator where the stranger belongs. */
static void tell_refusal(struct plugin *p, const SSL *ssl, const X509 *cert,
			 const uint8_t *fingerprint, enum cause cause, const char *detail)
{
	char address[INET6_ADDRSTRLEN], issuer[NAME_SIZE];
	int fd = SSL_get_fd(ssl);
	peer_socket_address(fd, address, sizeof(address));
	if (!cert || !X509_NAME_oneline(X509_get_issuer_name(cert), issuer, sizeof(issuer)))
		issuer[0] = '\0';
	struct event_refused e = {
		.who = {.address = view_of(address), .port = peer_socket_port(fd)},
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
	p->trust.told_fd = fd;
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
	X509 *cert = X509_STORE_CTX_get0_cert(store);
	plugin_begin(p);
	plugin_attend(p);
	if (cert)
		keep_handshake(p, ssl, cert, SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name));
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
	SSL_CTX_set_client_hello_cb(parent, on_hello, argp);
	(void)SSL_CTX_set_session_ticket_cb(parent, NULL, on_ticket, argp);
}

int trust_install(struct plugin *p)
{
	p->trust.told_fd = -1;
	p->trust.context_index = SSL_CTX_get_ex_new_index(0, p, adopt_context, NULL, NULL);
	p->trust.cert_index = X509_get_ex_new_index(0, NULL, NULL, NULL, free_handshake);
	return p->trust.context_index < 0 || p->trust.cert_index < 0 ? -1 : 0;
}

void trust_remove(struct plugin *p)
{
	if (p->trust.context_index >= 0)
		(void)CRYPTO_free_ex_index(CRYPTO_EX_INDEX_SSL_CTX, p->trust.context_index);
	if (p->trust.cert_index >= 0)
		(void)CRYPTO_free_ex_index(CRYPTO_EX_INDEX_X509, p->trust.cert_index);
	p->trust.context_index = p->trust.cert_index = -1;
}

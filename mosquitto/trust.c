#include "mosquitto/trust.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include "mosquitto/plugin.h"

#define NAME_SIZE 256

int trust_fingerprint(const X509 *cert, uint8_t *ret)
{
	unsigned n = 0;
	return X509_digest(cert, EVP_sha256(), ret, &n) == 1 && n == FRAME_FINGERPRINT ? 0 : -1;
}

/* The peer's address in words; empty when there is none. */
static struct view peer_address(const SSL *ssl, char out[INET6_ADDRSTRLEN])
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
		struct sockaddr_storage room;
	} addr = {0};
	socklen_t n = sizeof(addr);
	out[0] = '\0';
	if (getpeername(SSL_get_fd(ssl), &addr.any, &n) < 0)
		return view_of(out);
	if (addr.any.sa_family == AF_INET)
		(void)inet_ntop(AF_INET, &addr.v4.sin_addr, out, INET6_ADDRSTRLEN);
	else if (addr.any.sa_family == AF_INET6)
		(void)inet_ntop(AF_INET6, &addr.v6.sin6_addr, out, INET6_ADDRSTRLEN);
	return view_of(out);
}

/* Who issued it tells an operator where the stranger belongs. */
static void tell_refusal(struct plugin *p, const SSL *ssl, const X509 *cert,
			 const uint8_t *fingerprint, const char *reason)
{
	char address[INET6_ADDRSTRLEN], issuer[NAME_SIZE];
	if (!X509_NAME_oneline(X509_get_issuer_name(cert), issuer, sizeof(issuer)))
		issuer[0] = '\0';
	struct event_refused e = {.action = EVENT_ACTION_TLS,
				  .who = {.address = peer_address(ssl, address)},
				  .resource = view_of(issuer),
				  .missing = view_of(reason),
				  .statement = -1,
				  .count = 1,
				  .first_ms = server_time_ms(&p->time, p->now_ms),
				  .last_ms = server_time_ms(&p->time, p->now_ms)};
	memcpy(e.who.fingerprint, fingerprint, FRAME_FINGERPRINT);
	refusals_add(p, &e);
}

static int judge_client(struct plugin *p, const SSL *ssl, X509_STORE_CTX *store)
{
	uint8_t fingerprint[FRAME_FINGERPRINT] = {0};
	struct snapshot_cert record;
	const X509 *cert = X509_STORE_CTX_get0_cert(store);
	plugin_attend(p);
	if (!cert || trust_fingerprint(cert, fingerprint) < 0) {
		X509_STORE_CTX_set_error(store, X509_V_ERR_UNSPECIFIED);
		return 0;
	}
	const char *refusal = rules_refusal(&p->rules, fingerprint, plugin_now_s(), &record);
	if (refusal) {
		tell_refusal(p, ssl, cert, fingerprint, refusal);
		X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED);
		return 0;
	}
	X509_STORE_CTX_set_error(store, X509_V_OK);
	return 1;
}

static int verify_peer(X509_STORE_CTX *store, void *ctx)
{
	const SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
	if (!ssl || !SSL_is_server(ssl))
		return X509_verify_cert(store);
	return judge_client(ctx, ssl, store);
}

static void adopt_context(void *parent, void *ptr, CRYPTO_EX_DATA *data, int index, long argl,
			  void *argp)
{
	(void)ptr;
	(void)data;
	(void)index;
	(void)argl;
	SSL_CTX_set_cert_verify_callback(parent, verify_peer, argp);
}

int trust_install(struct plugin *p)
{
	p->trust_index = SSL_CTX_get_ex_new_index(0, p, adopt_context, NULL, NULL);
	return p->trust_index < 0 ? -1 : 0;
}

void trust_remove(struct plugin *p)
{
	if (p->trust_index >= 0)
		(void)CRYPTO_free_ex_index(CRYPTO_EX_INDEX_SSL_CTX, p->trust_index);
	p->trust_index = -1;
}

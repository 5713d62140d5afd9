/* The HTTP server: signed API calls, and a few pages that the daemon gives in.
 *
 *     Host check -> page?  -> its function
 *                -> claim (headers only) -> body within its limits -> signature -> api_run ->
 * answer
 *
 * One libmicrohttpd daemon with a pool of threads; each has a reader of the store of its own. What
 * may cost memory or time before a request is authenticated has a limit (S14). Plain HTTP is served
 * on loopback only, unless allowed (S19); only configured Host names are answered and nothing is
 * said about other origins (S20). Signatures are judged by the system's clock, never by the
 * daemon's manual one. */
#ifndef API_SERVER_H
#define API_SERVER_H

#include "api/interpret.h"
#include "api/seal.h"
#include "api/sigv4.h"

#include <stdint.h>

struct http_page_request {
	const char *path;  /* raw, without the query */
	struct view query; /* raw */
	bool is_trusted;   /* from loopback, or with the pages' token */
};

/* `body` is taken and freed with g_free; content_type and headers are borrowed until the answer is
 * made. */
struct http_page_answer {
	int status;
	const char *content_type;
	char *body;
	size_t n_body;
	const struct api_header *headers;
	size_t n_headers;
};

typedef void http_page_fn(void *ctx, const struct http_page_request *request,
			  struct http_page_answer *ret);

/* A page: GET and HEAD of its path. One that ends with '/' answers everything below it as well. */
struct http_page {
	const char *path;
	bool needs_trust; /* others get 403 */
	http_page_fn *fn; /* on an HTTP thread */
	void *ctx;
};

struct http_limits {
	size_t header_bytes;               /* of one request; 32 KiB */
	size_t body_bytes;                 /* of one request; 1 MiB, as AWS */
	size_t unauthenticated_body_bytes; /* of all bodies whose signature is not yet judged; 64
					      MiB */
	unsigned connections, connections_per_address;
	unsigned idle_s;    /* a connection without a byte */
	int64_t request_ms; /* from its first byte to its last */
};
#define HTTP_LIMITS_DEFAULT                                                                        \
	((struct http_limits){32768, 1048576, 67108864, .connections = 1000,                       \
			      .connections_per_address = 128, .idle_s = 75, .request_ms = 30000})

struct api_server_options {
	struct api *api;
	struct api_env *env;
	const struct seal_key *seal_key;
	const char *address;                    /* "127.0.0.1", "::1", "0.0.0.0" ...; no names */
	uint16_t port;                          /* 0: any free one */
	const char *tls_cert_pem, *tls_key_pem; /* contents; NULL: plain HTTP */
	bool allow_plaintext;
	const char *const *host_names; /* without ports; ends with NULL */
	struct sigv4_rules sigv4;
	const char *page_token; /* "Authorization: Bearer TOKEN" makes a page request trusted; NULL:
				   none does */
	const struct http_page *pages;
	size_t n_pages;
	unsigned threads; /* 2 to 4 */
	struct http_limits limits;
};

struct api_server;

/* Starts serving. Everything in `options` is borrowed and must outlive the server. NULL with the
 * fault. */
struct api_server *api_server_new(const struct api_server_options *options,
				  struct fault *fault) MUST_USE;
/* Lets running calls end, then closes. NULL is allowed. */
void api_server_stop(struct api_server *server);

uint16_t api_server_port(const struct api_server *server);

#endif

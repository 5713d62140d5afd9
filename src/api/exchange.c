/* One request, from its first line to its answer. */
#include "api/server_priv.h"

#include "api/access.h"
#include "base/log.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <strings.h>
#include <time.h>

#define UNREAD_BODIES_MAX 8 /* a client that sends so many times the limit is cut off */

struct exchange {
	struct api_server *server;
	struct MHD_Connection *connection;
	char *target; /* path and query as they came */
	char id[ID_UUID_SIZE];
	char address[INET6_ADDRSTRLEN];
	bool is_loopback;
	GArray *headers; /* struct api_header */
	struct api_request request;
	int64_t begun_ms;
	struct sigv4 claim;
	const struct http_page *page;
	GByteArray *body;
	size_t n_received;
	bool is_begun;
	struct refusal refusal; /* known before the body's end */
};

static int64_t system_ms(clockid_t clock)
{
	struct timespec now;
	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void count(const struct api_server *server, enum api_count what)
{
	api_count(server->options.env, what);
}

static void find_address(struct exchange *x)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(x->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	const struct sockaddr *any = info->client_addr;
	if (any->sa_family == AF_INET) {
		const struct sockaddr_in *v4 = (const void *)any;
		inet_ntop(AF_INET, &v4->sin_addr, x->address, sizeof(x->address));
		x->is_loopback = (ntohl(v4->sin_addr.s_addr) >> 24) == IN_LOOPBACKNET;
	} else if (any->sa_family == AF_INET6) {
		const struct sockaddr_in6 *v6 = (const void *)any;
		inet_ntop(AF_INET6, &v6->sin6_addr, x->address, sizeof(x->address));
		x->is_loopback = IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
	}
}

void *exchange_begin(void *server, const char *uri, struct MHD_Connection *connection)
{
	struct exchange *x = g_new0(struct exchange, 1);
	x->server = server;
	x->connection = connection;
	x->target = g_strdup(uri);
	x->headers = g_array_new(FALSE, FALSE, sizeof(struct api_header));
	x->body = g_byte_array_new();
	x->begun_ms = system_ms(CLOCK_MONOTONIC);
	return x;
}

/* The body no longer counts as unauthenticated. */
static void settle_body(struct exchange *x)
{
	atomic_fetch_sub(&x->server->unauthenticated, x->body->len);
}

void exchange_end(void *server, struct MHD_Connection *connection, void **state,
		  enum MHD_RequestTerminationCode reason)
{
	struct exchange *x = *state;
	(void)server;
	(void)connection;
	(void)reason;
	if (!x)
		return;
	settle_body(x);
	sigv4_clear(&x->claim);
	refusal_clear(&x->refusal);
	g_byte_array_free(x->body, TRUE);
	g_array_free(x->headers, TRUE);
	g_free(x->target);
	g_free(x);
	*state = NULL;
}

static enum MHD_Result add_header(void *ctx, enum MHD_ValueKind kind, const char *name,
				  const char *value)
{
	struct exchange *x = ctx;
	const struct api_header header = {name, value ? value : ""};
	(void)kind;
	g_array_append_val(x->headers, header);
	return MHD_YES;
}

static void read_head(struct exchange *x, const char *method)
{
	const char *mark = strchr(x->target, '?');
	const struct api_env *env = x->server->options.env;
	find_address(x);
	id_uuid(env->chance, x->id);
	MHD_get_connection_values(x->connection, MHD_HEADER_KIND, add_header, x);
	x->request = (struct api_request){
		.method = method,
		.path = {x->target, mark ? (size_t)(mark - x->target) : strlen(x->target)},
		.query = view_of(mark ? mark + 1 : ""),
		.headers = (const void *)x->headers->data,
		.n_headers = x->headers->len,
		.id = x->id,
		.address = x->address,
	};
}

/* Wipes as well: an answer may hold a private key. */
static void wipe_and_free(void *body)
{
	OPENSSL_cleanse(body, strlen(body));
	g_free(body);
}

static enum MHD_Result send_response(struct exchange *x, int status, struct MHD_Response *response)
{
	MHD_add_response_header(response, "x-amzn-RequestId", x->id);
	enum MHD_Result result = MHD_queue_response(x->connection, (unsigned)status, response);
	MHD_destroy_response(response);
	return result;
}

/* Takes the answer's body. */
static enum MHD_Result send_answer(struct exchange *x, struct api_answer *answer)
{
	char *body = g_steal_pointer(&answer->body);
	struct MHD_Response *response = MHD_create_response_from_buffer_with_free_callback(
		strlen(body), body, wipe_and_free);
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "application/json");
	if (answer->exception)
		MHD_add_response_header(response, "x-amzn-errortype", answer->exception);
	log_debug("http", "%s %s %s: %d %s", x->address, x->claim.key_id ? x->claim.key_id : "-",
		  answer->operation, answer->status, answer->exception ? answer->exception : "");
	return send_response(x, answer->status, response);
}

static enum MHD_Result send_refusal(struct exchange *x)
{
	struct api_answer answer;
	api_refuse(x->server->options.api, x->claim.key_id ? x->claim.key_id : "", &x->request,
		   &x->refusal, &answer);
	return send_answer(x, &answer);
}

/* The name of a Host header without its port, as views compare it. */
static struct view host_name(const char *host)
{
	size_t n = strlen(host);
	if (host[0] == '[') {
		const char *end = strchr(host, ']');
		return end ? (struct view){host + 1, (size_t)(end - host) - 1}
			   : (struct view){host, n};
	}
	return (struct view){host, strcspn(host, ":")};
}

/* Without a Host header (HTTP/1.0) no browser is at work; a signature needs one anyway. */
static bool is_our_host(const struct exchange *x)
{
	const char *host = api_request_header(&x->request, "host");
	struct view name = host_name(host ? host : "");
	for (const char *const *ours = x->server->options.host_names; host && *ours; ours++) {
		if (strlen(*ours) == name.n && strncasecmp(*ours, name.p, name.n) == 0)
			return true;
	}
	return !host;
}

static const struct http_page *page_of_path(const struct exchange *x)
{
	const struct api_server_options *options = &x->server->options;
	for (size_t i = 0; i < options->n_pages; i++) {
		const struct http_page *page = &options->pages[i];
		size_t n = strlen(page->path);
		bool is_below = page->path[n - 1] == '/' && x->request.path.n > n;
		if ((x->request.path.n == n || is_below) &&
		    memcmp(x->request.path.p, page->path, n) == 0)
			return page;
	}
	return NULL;
}

/* Reads the key by its id; fills the refusal when there is nobody to be. */
static int find_key(struct exchange *x, struct access_key *ret)
{
	struct fault fault;
	struct sql_conn *reader = server_reader(x->server, &fault);
	int error =
		reader ? access_key_get(reader, x->server->options.seal_key, x->claim.key_id, ret)
		       : -EIO;
	if (error == 0 || error == -ENOENT)
		return error;
	log_error("http", "access key %s cannot be read: %s", x->claim.key_id, g_strerror(-error));
	return refuse(&x->refusal, "InternalFailureException",
		      "The access key cannot be read; the log says why");
}

/* What is known to be wrong before the body. */
static int check_head(struct exchange *x)
{
	struct api_server *server = x->server;
	const struct http_limits *limits = &server->options.limits;
	const char *length = api_request_header(&x->request, "content-length");
	if (!is_our_host(x)) {
		count(server, API_COUNT_WRONG_HOST);
		return refuse(&x->refusal, "MisdirectedRequestException",
			      "This server has no such Host name");
	}
	x->page = page_of_path(x);
	if (x->page)
		return 0;
	int64_t now_ms = system_ms(CLOCK_REALTIME);
	if (sigv4_parse(&server->options.sigv4, &x->request, now_ms, &x->claim, &x->refusal) < 0)
		return -1;
	if (!failures_allow(server->failures, x->address, x->claim.key_id, now_ms)) {
		count(server, API_COUNT_THROTTLED);
		return refuse(&x->refusal, "ThrottlingException",
			      "Rate exceeded: too many failed signatures");
	}
	if (length && g_ascii_strtoull(length, NULL, 10) > limits->body_bytes) {
		count(server, API_COUNT_TOO_LARGE);
		return refuse(&x->refusal, "RequestEntityTooLargeException",
			      "The body has more than %zu bytes", limits->body_bytes);
	}
	return 0;
}

/* Keeps a piece of the body, or the reason why not. The answer must wait for the body's end. */
static void take_upload(struct exchange *x, const char *upload, size_t n)
{
	struct api_server *server = x->server;
	const struct http_limits *limits = &server->options.limits;
	x->n_received += n;
	if (x->refusal.exception || x->page)
		return;
	if (x->n_received > limits->body_bytes) {
		count(server, API_COUNT_TOO_LARGE);
		refuse(&x->refusal, "RequestEntityTooLargeException",
		       "The body has more than %zu bytes", limits->body_bytes);
	} else if (atomic_load(&server->unauthenticated) + n > limits->unauthenticated_body_bytes) {
		count(server, API_COUNT_NO_MEMORY);
		refuse(&x->refusal, "ServiceUnavailableException",
		       "Too many requests at once; try again");
	} else {
		atomic_fetch_add(&server->unauthenticated, n);
		g_byte_array_append(x->body, (const guint8 *)upload, (guint)n);
	}
}

static int authenticate(struct exchange *x, struct access_key *key)
{
	struct api_server *server = x->server;
	int error = find_key(x, key);
	if (error == -1)
		return -1;
	const struct sigv4_secret secret = {key->secret, NULL};
	error = sigv4_verify(&server->options.sigv4, &x->claim, &x->request,
			     error == 0 ? &secret : NULL, &x->refusal);
	OPENSSL_cleanse(key->secret, sizeof(key->secret));
	if (error == 0)
		return 0;
	count(server, API_COUNT_FAILED_SIGNATURES);
	failures_add(server->failures, x->address, x->claim.key_id, system_ms(CLOCK_REALTIME));
	log_notice("http", "failed signature from %s by key %s: %s", x->address, x->claim.key_id,
		   x->refusal.exception);
	return -1;
}

static enum MHD_Result run_call(struct exchange *x)
{
	struct access_key key;
	struct api_answer answer;
	struct fault fault;
	x->request.body = (struct view){(const char *)x->body->data, x->body->len};
	if (x->refusal.exception || authenticate(x, &key) < 0)
		return send_refusal(x);
	settle_body(x);
	count(x->server, API_COUNT_CALLS);
	const struct api_caller caller = {key.id, key.role};
	api_run(x->server->options.api, &caller, &x->request, server_reader(x->server, &fault),
		&answer);
	/* The body is settled: exchange_end must not count it again. */
	g_byte_array_set_size(x->body, 0);
	return send_answer(x, &answer);
}

static bool is_trusted(const struct exchange *x)
{
	const char *token = x->server->options.page_token;
	const char *given = api_request_header(&x->request, "authorization");
	if (x->is_loopback)
		return true;
	if (!token || !given || !g_str_has_prefix(given, "Bearer ") ||
	    strlen(given + 7) != strlen(token))
		return false;
	return CRYPTO_memcmp(given + 7, token, strlen(token)) == 0;
}

static void ask_page(struct exchange *x, struct http_page_answer *ret)
{
	g_autofree char *path = g_strndup(x->request.path.p, x->request.path.n);
	const struct http_page_request request = {path, x->request.query, is_trusted(x)};
	bool is_get =
		strcmp(x->request.method, "GET") == 0 || strcmp(x->request.method, "HEAD") == 0;
	*ret = (struct http_page_answer){.content_type = "text/plain"};
	if (!is_get)
		ret->status = 405;
	else if (x->page->needs_trust && !request.is_trusted)
		ret->status = 403;
	else
		x->page->fn(x->page->ctx, &request, ret);
}

static enum MHD_Result run_page(struct exchange *x)
{
	struct http_page_answer answer;
	count(x->server, API_COUNT_PAGES);
	ask_page(x, &answer);
	struct MHD_Response *response =
		answer.body ? MHD_create_response_from_buffer_with_free_callback(
				      answer.n_body, answer.body, g_free)
			    : MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, answer.content_type);
	MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
	for (size_t i = 0; i < answer.n_headers; i++)
		MHD_add_response_header(response, answer.headers[i].name, answer.headers[i].value);
	return send_response(x, answer.status, response);
}

static enum MHD_Result begin(struct exchange *x, const char *method)
{
	x->is_begun = true;
	read_head(x, method);
	return check_head(x) < 0 ? send_refusal(x) : MHD_YES;
}

enum MHD_Result exchange_step(void *server, struct MHD_Connection *connection, const char *url,
			      const char *method, const char *version, const char *upload,
			      size_t *upload_size, void **state)
{
	struct exchange *x = *state;
	const struct http_limits *limits = &x->server->options.limits;
	(void)server;
	(void)connection;
	(void)url;
	(void)version;
	if (!x->is_begun)
		return begin(x, method);
	if (system_ms(CLOCK_MONOTONIC) - x->begun_ms > limits->request_ms ||
	    x->n_received / UNREAD_BODIES_MAX > limits->body_bytes)
		return MHD_NO;
	if (*upload_size > 0) {
		take_upload(x, upload, *upload_size);
		*upload_size = 0;
		return MHD_YES;
	}
	return x->page ? run_page(x) : run_call(x);
}

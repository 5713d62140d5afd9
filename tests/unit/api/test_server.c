/* The HTTP server as a client sees it: raw bytes over a loopback connection (S14, S19, S20). */
#include "api_env.h"
#include "signer.h"

#include "api/access.h"
#include "api/server.h"
#include "base/check.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define SECRET "a secret of forty characters, more or less"

static const char *const services[] = {"iot", "execute-api", NULL};
static const char *const hosts[] = {"localhost", "127.0.0.1", NULL};

struct fixture {
	struct api_test t;
	struct seal_key seal_key;
	struct api_server *server;
};

static void say(void *ctx, const struct http_page_request *request, struct http_page_answer *ret)
{
	(void)ctx;
	ret->status = 200;
	ret->body = g_strdup_printf("%s %.*s %s", request->path, (int)request->query.n,
				    request->query.p, request->is_trusted ? "trusted" : "stranger");
	ret->n_body = strlen(ret->body);
}

static const struct http_page pages[] = {
	{"/healthz",  false, say, NULL},
        {"/console/", true,  say, NULL}
};

static struct api_server_options options_of(struct fixture *f)
{
	return (struct api_server_options){
		.api = f->t.api,
		.env = &f->t.env,
		.seal_key = &f->seal_key,
		.address = "127.0.0.1",
		.host_names = hosts,
		.sigv4 = {.services = services, .skew_ms = 300000},
		.pages = pages,
		.n_pages = 2,
		.threads = 2,
		.limits = HTTP_LIMITS_DEFAULT,
	};
}

static int start(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct fault fault;
	api_test_start(&f->t);
	f->t.env.chance = chance_system();
	struct access access = {f->t.env.store, f->t.env.chance, &f->seal_key};
	struct access_key admin = {.id = "TWADMIN", .secret = SECRET, .role = ROLE_ADMIN};
	struct access_key viewer = {.id = "TWVIEWER", .secret = SECRET, .role = ROLE_VIEWER};
	CHECK(access_key_create(&access, 1, &admin, &fault) == 0);
	CHECK(access_key_create(&access, 2, &viewer, &fault) == 0);
	struct api_server_options options = options_of(f);
	f->server = api_server_new(&options, &fault);
	if (!f->server)
		fail_msg("%s", fault.message);
	*state = f;
	return 0;
}

static int stop(void **state)
{
	struct fixture *f = *state;
	api_server_stop(f->server);
	api_test_stop(&f->t);
	free(f);
	return 0;
}

static int dial(const struct fixture *f)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_port = htons(api_server_port(f->server))};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	struct timeval limit = {.tv_sec = 20};
	CHECK(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) == 0);
	CHECK(connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0);
	return fd;
}

/* Sends bytes and returns everything up to the end of the connection. */
static char *talk(const struct fixture *f, const char *bytes)
{
	int fd = dial(f);
	GString *answer = g_string_new(NULL);
	char piece[4096];
	ssize_t n;
	for (size_t done = 0, all = strlen(bytes); done < all; done += (size_t)n) {
		n = send(fd, bytes + done, all - done, MSG_NOSIGNAL);
		if (n <= 0)
			break; /* the server may answer and close before it has read everything */
	}
	while ((n = recv(fd, piece, sizeof(piece), 0)) > 0)
		g_string_append_len(answer, piece, n);
	close(fd);
	return g_string_free(answer, FALSE);
}

/* The head of a signed request, without its last empty line. */
static char *head_with(const char *key, const char *secret, const char *method, const char *target,
		       const char *body)
{
	char at[17];
	time_t now = time(NULL);
	struct tm tm;
	strftime(at, sizeof(at), "%Y%m%dT%H%M%SZ", gmtime_r(&now, &tm));
	const struct api_header headers[] = {
		{"Host",       "localhost:1"},
                {"X-Amz-Date", at           }
        };
	const char *mark = strchr(target, '?');
	const struct api_request request = {
		.method = method,
		.path = {target, mark ? (size_t)(mark - target) : strlen(target)},
		.query = view_of(mark ? mark + 1 : ""),
		.headers = headers,
		.n_headers = 2,
		.body = view_of(body),
	};
	const struct signer signer = {key, secret, "us-east-1", "iot", at};
	g_autofree char *authorization = sign_request(&signer, &request);
	return g_strdup_printf(
		"%s %s HTTP/1.1\r\nHost: localhost:1\r\nX-Amz-Date: %s\r\nAuthorization: %s\r\n",
		method, target, at, authorization);
}

static char *call(const struct fixture *f, const char *key, const char *method, const char *target,
		  const char *body)
{
	g_autofree char *head = head_with(key, SECRET, method, target, body);
	g_autofree char *bytes = g_strdup_printf(
		"%sContent-Length: %zu\r\nConnection: close\r\n\r\n%s", head, strlen(body), body);
	return talk(f, bytes);
}

static void expect(char *answer, const char *status, const char *words)
{
	if (!g_str_has_prefix(answer + strlen("HTTP/1.1 "), status) || !strstr(answer, words))
		fail_msg("not %s with '%s': %s", status, words, answer);
	g_free(answer);
}

static void test_signed_call(void **state)
{
	struct fixture *f = *state;
	char *answer = call(f, "TWVIEWER", "GET", "/no/such/path", "");
	assert_non_null(strstr(answer, "x-amzn-RequestId: "));
	assert_non_null(strstr(answer, "\r\nDate: "));
	assert_non_null(strstr(answer, "Content-Type: application/json"));
	expect(answer, "404", "x-amzn-errortype: UnknownOperationException");
	expect(call(f, "TWVIEWER", "HEAD", "/things", ""), "405", "UnknownOperationException");
	expect(call(f, "TWVIEWER", "POST", "/things/a%3Ab", "{}"), "403", "AccessDeniedException");
	assert_int_equal(f->t.counts[API_COUNT_CALLS], 3);
}

static void test_unsigned(void **state)
{
	struct fixture *f = *state;
	expect(talk(f, "GET /none HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"), "403",
	       "MissingAuthenticationTokenException");
	expect(talk(f, "GET /things HTTP/1.0\r\n\r\n"), "403",
	       "MissingAuthenticationTokenException");
}

static void test_unknown_and_wrong(void **state)
{
	struct fixture *f = *state;
	expect(call(f, "TWNONE", "GET", "/things", ""), "403", "UnrecognizedClientException");
	g_autofree char *head = head_with("TWADMIN", "another secret", "GET", "/things", "");
	g_autofree char *bytes = g_strdup_printf("%sConnection: close\r\n\r\n", head);
	expect(talk(f, bytes), "403", "InvalidSignatureException");
	assert_int_equal(f->t.counts[API_COUNT_FAILED_SIGNATURES], 2);
}

static void test_failures_are_limited(void **state)
{
	struct fixture *f = *state;
	for (int i = 0; i < 10; i++)
		expect(call(f, "TWNONE", "GET", "/things", ""), "403",
		       "UnrecognizedClientException");
	expect(call(f, "TWNONE", "GET", "/things", ""), "400", "ThrottlingException");
	/* Another key from there is still looked at. */
	expect(call(f, "TWADMIN", "GET", "/none", ""), "404", "UnknownOperationException");
	assert_int_equal(f->t.counts[API_COUNT_THROTTLED], 1);
}

static void test_body_limit(void **state)
{
	struct fixture *f = *state;
	g_autofree char *body = g_strnfill(1048577, ' ');
	expect(call(f, "TWADMIN", "POST", "/things/a", body), "413",
	       "RequestEntityTooLargeException");
	body[1048576] = '\0';
	expect(call(f, "TWADMIN", "POST", "/none", body), "404", "UnknownOperationException");
}

static void test_chunked_body(void **state)
{
	struct fixture *f = *state;
	g_autofree char *head = head_with("TWADMIN", SECRET, "POST", "/none", "{\"a\":1}");
	g_autofree char *bytes =
		g_strdup_printf("%sTransfer-Encoding: chunked\r\nConnection: "
				"close\r\n\r\n3\r\n{\"a\r\n4\r\n\":1}\r\n0\r\n\r\n",
				head);
	expect(talk(f, bytes), "404", "UnknownOperationException");
}

static void test_continue(void **state)
{
	struct fixture *f = *state;
	g_autofree char *head = head_with("TWADMIN", SECRET, "POST", "/none", "{}");
	g_autofree char *bytes = g_strdup_printf(
		"%sContent-Length: 2\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n{}", head);
	g_autofree char *answer = talk(f, bytes);
	assert_true(g_str_has_prefix(answer, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404"));
}

static void test_pipelined(void **state)
{
	struct fixture *f = *state;
	g_autofree char *first = head_with("TWADMIN", SECRET, "GET", "/none", "");
	g_autofree char *bytes = g_strdup_printf("%s\r\n%sConnection: close\r\n\r\n", first, first);
	g_autofree char *answer = talk(f, bytes);
	const char *second = strstr(answer + 1, "HTTP/1.1 404");
	assert_non_null(second);
}

static void test_hosts(void **state)
{
	struct fixture *f = *state;
	expect(talk(f, "GET /healthz HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n"),
	       "421", "MisdirectedRequestException");
	expect(talk(f, "GET /healthz HTTP/1.1\r\nHost: LOCALHOST:80\r\nConnection: close\r\n\r\n"),
	       "200", "/healthz");
	assert_int_equal(f->t.counts[API_COUNT_WRONG_HOST], 1);
}

static void test_pages(void **state)
{
	struct fixture *f = *state;
	expect(talk(f, "GET /console/a%2Fb?x=1 HTTP/1.1\r\nHost: localhost\r\nConnection: "
		       "close\r\n\r\n"),
	       "200", "/console/a%2Fb x=1 trusted");
	expect(talk(f, "POST /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: "
		       "0\r\nConnection: close\r\n\r\n"),
	       "405", "");
}

/* What never becomes a request leaves nothing behind; the sanitizer watches. */
static void test_malformed(void **state)
{
	static const char *const rubbish[] = {
		"\r\n\r\n",
		"GET\r\n\r\n",
		"GET /things HTTP/1.1\r\nbroken\r\n\r\n",
		"GET /things HTTP/1.1\r\n\r\n",
		"POST /things HTTP/1.1\r\nHost: localhost\r\nContent-Length: x\r\n\r\n",
		("POST /things HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: "
		 "chunked\r\n\r\nzz\r\n"),
		"\x16\x03\x01\x02",
	};
	struct fixture *f = *state;
	for (size_t i = 0; i < ARRAY_LEN(rubbish); i++) {
		int fd = dial(f);
		assert_int_equal(send(fd, rubbish[i], strlen(rubbish[i]), MSG_NOSIGNAL),
				 strlen(rubbish[i]));
		close(fd);
	}
	expect(call(f, "TWADMIN", "GET", "/none", ""), "404", "UnknownOperationException");
}

static void test_header_limit(void **state)
{
	struct fixture *f = *state;
	g_autofree char *long_value = g_strnfill(40000, 'x');
	g_autofree char *bytes = g_strdup_printf(
		"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: %s\r\n\r\n", long_value);
	expect(talk(f, bytes), "431", "");
}

/* The server again, with other limits. */
static void restart(struct fixture *f, struct http_limits limits)
{
	struct api_server_options options = options_of(f);
	struct fault fault;
	options.limits = limits;
	api_server_stop(f->server);
	f->server = api_server_new(&options, &fault);
	assert_non_null(f->server);
}

/* The library answers what is malformed itself, and must not be in the middle of it when it is told
 * to stop. */
static void test_stops_amid_rubbish(void **state)
{
	static const char chunk[] =
		"POST /things HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: "
		"chunked\r\n\r\nzz\r\n";
	struct fixture *f = *state;
	for (int round = 0; round < 50; round++) {
		int fds[8];
		for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
			fds[i] = dial(f);
			assert_int_equal(send(fds[i], chunk, strlen(chunk), MSG_NOSIGNAL),
					 strlen(chunk));
		}
		restart(f, HTTP_LIMITS_DEFAULT);
		for (size_t i = 0; i < ARRAY_LEN(fds); i++)
			close(fds[i]);
	}
}

static void test_bodies_share_a_bound(void **state)
{
	struct fixture *f = *state;
	struct http_limits limits = HTTP_LIMITS_DEFAULT;
	limits.unauthenticated_body_bytes = 10;
	restart(f, limits);
	expect(call(f, "TWADMIN", "POST", "/none", "{\"a\": \"longer than ten bytes\"}"), "503",
	       "ServiceUnavailableException");
	/* What is judged no longer counts. */
	for (int i = 0; i < 5; i++)
		expect(call(f, "TWADMIN", "POST", "/none", "{\"a\": 1}"), "404",
		       "UnknownOperationException");
	assert_int_equal(f->t.counts[API_COUNT_NO_MEMORY], 1);
}

static void test_chunked_body_limit(void **state)
{
	struct fixture *f = *state;
	struct http_limits limits = HTTP_LIMITS_DEFAULT;
	limits.body_bytes = 5;
	restart(f, limits);
	g_autofree char *head = head_with("TWADMIN", SECRET, "POST", "/none", "{\"a\":1}");
	g_autofree char *bytes =
		g_strdup_printf("%sTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
				"3\r\n{\"a\r\n4\r\n\":1}\r\n0\r\n\r\n",
				head);
	expect(talk(f, bytes), "413", "RequestEntityTooLargeException");
}

static void test_slow_request_is_cut(void **state)
{
	struct fixture *f = *state;
	struct http_limits limits = HTTP_LIMITS_DEFAULT;
	limits.request_ms = -1;
	restart(f, limits);
	g_autofree char *answer = call(f, "TWADMIN", "POST", "/none", "{}");
	assert_string_equal(answer, "");
}

static void test_plaintext_elsewhere(void **state)
{
	struct fixture *f = *state;
	struct api_server_options options = options_of(f);
	struct fault fault;
	options.address = "0.0.0.0";
	assert_null(api_server_new(&options, &fault));
	assert_non_null(strstr(fault.message, "http.allow_plaintext"));
	options.address = "localhost";
	assert_null(api_server_new(&options, &fault));
	assert_non_null(strstr(fault.message, "'localhost'"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_signed_call, start, stop),
		cmocka_unit_test_setup_teardown(test_unsigned, start, stop),
		cmocka_unit_test_setup_teardown(test_unknown_and_wrong, start, stop),
		cmocka_unit_test_setup_teardown(test_failures_are_limited, start, stop),
		cmocka_unit_test_setup_teardown(test_body_limit, start, stop),
		cmocka_unit_test_setup_teardown(test_chunked_body, start, stop),
		cmocka_unit_test_setup_teardown(test_continue, start, stop),
		cmocka_unit_test_setup_teardown(test_pipelined, start, stop),
		cmocka_unit_test_setup_teardown(test_hosts, start, stop),
		cmocka_unit_test_setup_teardown(test_pages, start, stop),
		cmocka_unit_test_setup_teardown(test_malformed, start, stop),
		cmocka_unit_test_setup_teardown(test_header_limit, start, stop),
		cmocka_unit_test_setup_teardown(test_stops_amid_rubbish, start, stop),
		cmocka_unit_test_setup_teardown(test_bodies_share_a_bound, start, stop),
		cmocka_unit_test_setup_teardown(test_chunked_body_limit, start, stop),
		cmocka_unit_test_setup_teardown(test_slow_request_is_cut, start, stop),
		cmocka_unit_test_setup_teardown(test_plaintext_elsewhere, start, stop),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

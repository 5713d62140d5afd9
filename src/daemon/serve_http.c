#include "daemon/serve_http.h"

#include "base/log.h"
#include "daemon/http_pages.h"

#include <string.h>

#define THREADS 3

static const char *const services[] = {"iot", "execute-api", NULL};

struct serve_http {
	struct http_pages pages;
	struct api *api;
	struct api_server *server;
	char *address, *certificate, *key; /* the latter two: PEM */
	uint16_t port;
	GPtrArray *names; /* NULL-terminated */
};

/* "127.0.0.1:8080" or "[::1]:8080". */
static int split_listen(struct serve_http *h, const char *listen, struct fault *fault)
{
	const char *colon = strrchr(listen, ':');
	guint64 port = 0;
	if (!colon || !g_ascii_string_to_unsigned(colon + 1, 10, 0, UINT16_MAX, &port, NULL))
		return fault_set(fault, FAULT_INVALID_REQUEST,
				 "http.listen = %s: must be ADDRESS:PORT, like 127.0.0.1:8080",
				 listen);
	bool has_brackets = listen[0] == '[' && colon > listen + 1 && colon[-1] == ']';
	h->address = has_brackets ? g_strndup(listen + 1, (gsize)(colon - listen - 2))
				  : g_strndup(listen, (gsize)(colon - listen));
	h->port = (uint16_t)port;
	return 0;
}

/* The listen address, what is configured and, on loopback, its usual names (S20). */
static void list_names(struct serve_http *h, const struct settings *s)
{
	static const char *const loopback[] = {"localhost", "127.0.0.1", "::1"};
	h->names = g_ptr_array_new_with_free_func(g_free);
	g_ptr_array_add(h->names, g_strdup(h->address));
	for (size_t i = 0; i < G_N_ELEMENTS(loopback); i++)
		g_ptr_array_add(h->names, g_strdup(loopback[i]));
	g_auto(GStrv) given = g_strsplit(s->http_hosts, ",", -1);
	for (size_t i = 0; given[i]; i++) {
		if (*g_strstrip(given[i]))
			g_ptr_array_add(h->names, g_strdup(given[i]));
	}
	g_ptr_array_add(h->names, NULL);
}

static int read_pem(const char *file, char **ret, struct fault *fault)
{
	g_autoptr(GError) error = NULL;
	if (!*file || g_file_get_contents(file, ret, NULL, &error))
		return 0;
	return fault_set(fault, FAULT_INVALID_REQUEST, "http.tls_...: %s", error->message);
}

static void count(void *ctx, enum api_count what)
{
	static const enum counter counters[API_COUNTS] = {
		[API_COUNT_CALLS] = COUNTER_api_calls,
		[API_COUNT_PAGES] = COUNTER_api_pages,
		[API_COUNT_FAILED_SIGNATURES] = COUNTER_api_signatures_failed,
		[API_COUNT_THROTTLED] = COUNTER_api_throttled,
		[API_COUNT_WRONG_HOST] = COUNTER_api_wrong_host,
		[API_COUNT_TOO_LARGE] = COUNTER_api_too_large,
		[API_COUNT_NO_MEMORY] = COUNTER_api_bodies_refused,
		[API_COUNT_UNRECORDED] = COUNTER_api_refusals_unrecorded,
	};
	counter_add(ctx, counters[what], 1);
}

static int start(struct serve_http *h, const struct settings *s, struct api_env *env,
		 const struct seal_key *seal_key, struct fault *fault)
{
	struct api_options api = {.env = env, .check_output = s->is_test};
	seal_derive(seal_key, "paging tokens", api.token_key.bytes);
	h->api = api_new(&api, fault);
	if (!h->api)
		return -1;
	struct api_server_options options = {
		.api = h->api,
		.env = env,
		.seal_key = seal_key,
		.address = h->address,
		.port = h->port,
		.tls_cert_pem = h->certificate,
		.tls_key_pem = h->key,
		.allow_plaintext = s->http_allow_plaintext,
		.host_names = (const char *const *)h->names->pdata,
		.sigv4 = {.services = services, .skew_ms = s->http_skew_s * 1000},
		.page_token = *s->http_page_token ? s->http_page_token : NULL,
		.pages = h->pages.rows,
		.n_pages = HTTP_PAGES,
		.threads = THREADS,
		.limits = HTTP_LIMITS_DEFAULT,
	};
	h->server = api_server_new(&options, fault);
	if (!h->server)
		return -1;
	log_info("serve", "API on %s port %u", h->address, (unsigned)api_server_port(h->server));
	return 0;
}

int serve_http_new(const struct settings *settings, struct api_env *env,
		   const struct seal_key *seal_key, struct ready *ready, struct serve_http **ret,
		   struct fault *fault)
{
	struct serve_http *h = g_new0(struct serve_http, 1);
	http_pages_init(&h->pages, ready);
	env->count = count;
	env->count_ctx = ready;
	int r = split_listen(h, settings->http_listen, fault);
	if (r == 0)
		list_names(h, settings);
	if (r == 0)
		r = read_pem(settings->http_tls_certificate, &h->certificate, fault);
	if (r == 0)
		r = read_pem(settings->http_tls_key, &h->key, fault);
	if (r == 0)
		r = start(h, settings, env, seal_key, fault);
	if (r < 0) {
		serve_http_free(h);
		return -1;
	}
	*ret = h;
	return 0;
}

void serve_http_free(struct serve_http *h)
{
	if (!h)
		return;
	api_server_stop(h->server);
	api_free(h->api);
	g_free(h->address);
	g_free(h->certificate);
	if (h->key)
		explicit_bzero(h->key, strlen(h->key));
	g_free(h->key);
	if (h->names)
		g_ptr_array_free(h->names, TRUE);
	g_free(h);
}

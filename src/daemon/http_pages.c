#include "daemon/http_pages.h"

#include <string.h>

#define TEXT_PLAIN "text/plain; charset=utf-8"
#define TEXT_PROM  "text/plain; version=0.0.4; charset=utf-8"

/* Takes the text. */
static void answer(struct http_page_answer *ret, int status, const char *type, GString *text)
{
	*ret = (struct http_page_answer){.status = status, .content_type = type};
	ret->n_body = text->len;
	ret->body = g_string_free(text, FALSE);
}

static void healthz(void *ctx, const struct http_page_request *request,
		    struct http_page_answer *ret)
{
	(void)ctx, (void)request;
	answer(ret, 200, TEXT_PLAIN, g_string_new("ok\n"));
}

/* The reasons are for those on this machine or with the token (S19). */
static void readyz(void *ctx, const struct http_page_request *request, struct http_page_answer *ret)
{
	GString *text = g_string_new(NULL);
	bool is_ready = ready_tell(ctx, view_is(request->query, "without=broker"), text);
	if (!request->is_trusted)
		g_string_truncate(text, 0);
	g_string_prepend(text, is_ready ? "ready\n" : "not ready\n");
	answer(ret, is_ready ? 200 : 503, TEXT_PLAIN, text);
}

static void metrics(void *ctx, const struct http_page_request *request,
		    struct http_page_answer *ret)
{
	GString *text = g_string_new(NULL);
	(void)request;
	counters_tell(ctx, text);
	answer(ret, 200, TEXT_PROM, text);
}

static void version(void *ctx, const struct http_page_request *request,
		    struct http_page_answer *ret)
{
	(void)ctx, (void)request;
	answer(ret, 200, "application/json",
	       g_string_new("{\"version\":\"" THINGWARD_VERSION "\"}\n"));
}

void http_pages_init(struct http_pages *pages, struct ready *ready)
{
	*pages = (struct http_pages){
		.ready = ready,
		.rows =
			{
                               {"/healthz", false, healthz, ready},
                               {"/metrics", true, metrics, ready},
                               {"/readyz", false, readyz, ready},
                               {"/version", false, version, ready},
			       },
	};
}

/* A request from the fuzzer's bytes: request line, headers, empty line, body. */
#ifndef FUZZ_API_REQUESTS_H
#define FUZZ_API_REQUESTS_H

#include "api/request.h"

#include <glib.h>
#include <stdint.h>

#define FUZZ_HEADERS_MAX 16

struct fuzz_request {
	char *text;
	struct api_header headers[FUZZ_HEADERS_MAX];
	struct api_request request;
};

/* Cuts *rest at `end`; the piece is NUL-terminated. */
static inline char *fuzz_cut(char **rest, char end)
{
	char *piece = *rest, *at = strchr(piece, end);
	*rest = at ? at + 1 : piece + strlen(piece);
	if (at)
		*at = '\0';
	return piece;
}

/* Freed by g_free of `text`. Bytes behind a NUL are dropped, as they are by HTTP. */
static inline void fuzz_request_parse(struct fuzz_request *r, const uint8_t *data, size_t n)
{
	*r = (struct fuzz_request){.text = g_strndup((const char *)data, n)};
	char *rest = r->text, *line = fuzz_cut(&rest, '\n');
	r->request.method = fuzz_cut(&line, ' ');
	r->request.path = view_of(fuzz_cut(&line, '?'));
	r->request.query = view_of(line);
	for (line = fuzz_cut(&rest, '\n'); *line != '\0'; line = fuzz_cut(&rest, '\n')) {
		const char *name = fuzz_cut(&line, ':');
		if (r->request.n_headers < FUZZ_HEADERS_MAX)
			r->headers[r->request.n_headers++] = (struct api_header){name, line};
	}
	r->request.headers = r->headers;
	r->request.body = view_of(rest);
}

#endif

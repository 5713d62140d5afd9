/* The pages that the daemon gives the HTTP server: /healthz, /readyz, /metrics, /version. */
#ifndef DAEMON_HTTP_PAGES_H
#define DAEMON_HTTP_PAGES_H

#include "api/server.h"
#include "daemon/ready.h"

#define HTTP_PAGES 4

/* What the pages tell of. The server is set once it is there: it is the server's own counts that
 * /metrics adds. */
struct http_pages {
	struct ready *ready;
	struct http_page rows[HTTP_PAGES];
};

void http_pages_init(struct http_pages *pages, struct ready *ready);

#endif

/* The HTTP server as the settings want it: addresses, names, TLS, keys, pages. */
#ifndef DAEMON_SERVE_HTTP_H
#define DAEMON_SERVE_HTTP_H

#include "api/call.h"
#include "api/seal.h"
#include "daemon/ready.h"
#include "daemon/settings.h"

struct serve_http;

/* Starts it. Everything given is borrowed. 0, or -1 with the reason. */
int serve_http_new(const struct settings *settings, struct api_env *env,
		   const struct seal_key *seal_key, struct ready *ready, struct serve_http **ret,
		   struct fault *fault) MUST_USE;
/* Lets running calls end. */
void serve_http_free(struct serve_http *h);

#endif

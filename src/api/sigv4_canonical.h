/* The canonical request of Signature Version 4: one text that client and server make from the same
 * request. */
#ifndef API_SIGV4_CANONICAL_H
#define API_SIGV4_CANONICAL_H

#include "api/sigv4.h"

/* Freed with g_free. `body_hash` is its last line. */
char *sigv4_canonical(const struct sigv4 *claim, const struct api_request *request,
		      const char *body_hash);

#endif

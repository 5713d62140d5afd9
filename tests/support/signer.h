/* A client that signs: the other half of api/sigv4.h, for tests. */
#ifndef SUPPORT_SIGNER_H
#define SUPPORT_SIGNER_H

#include "api/request.h"

struct signer {
	const char *key_id, *secret, *region, *service;
	const char *at; /* YYYYMMDDTHHMMSSZ */
};

/* The value of the Authorization header over the headers host and x-amz-date, which the request
 * must have. Freed with g_free. */
char *sign_request(const struct signer *signer, const struct api_request *request);

#endif

/* A request as it came over the wire. Everything is borrowed. */
#ifndef API_REQUEST_H
#define API_REQUEST_H

#include "base/view.h"

struct api_header {
	const char *name, *value;
};

struct api_request {
	const char *method;
	struct view path, query; /* raw; without the '?' */
	const struct api_header *headers;
	size_t n_headers;
	struct view body;
	const char *id;      /* of the request, a UUID: for the client and the trail */
	const char *address; /* whence it came */
};

/* The first header of that name, in any case; NULL without. */
const char *api_request_header(const struct api_request *request, const char *name);

#endif

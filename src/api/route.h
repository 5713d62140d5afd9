/* From method and path to an operation.
 *
 * The raw path is split at '/' first and labels are percent-decoded after that, for clients send
 * ARNs with "%2F" in one label. Fixed segments win over labels; one trailing slash is ignored; an
 * empty label is no match. */
#ifndef API_ROUTE_H
#define API_ROUTE_H

#include "api/model.h"
#include "base/view.h"

struct route {
	const struct operation *operation; /* NULL: none */
	bool is_path_known;                /* with another method */
	/* The raw segments that fill the operation's, fixed and labels alike. */
	struct view segments[OPERATION_SEGMENTS_MAX];
};

/* The views point into `path`. */
struct route route_find(const struct model *model, const char *method, struct view path);

#endif

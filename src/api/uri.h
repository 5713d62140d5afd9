/* Pieces of a request target as it came over the wire. */
#ifndef API_URI_H
#define API_URI_H

#include "base/view.h"

/* Percent-decodes; '+' stays a plus. The caller frees it with g_free. NULL when an escape is
 * broken, or when the result holds a NUL or is not UTF-8. */
char *uri_decode(struct view raw);

/* Cuts the next piece off *rest at `separator`. False when *rest was used up (p is NULL). "a//b"
 * has three pieces. */
bool uri_piece(struct view *rest, char separator, struct view *ret);

/* Cuts the next name and value off a query string; a name without '=' has an empty value. Empty
 * pairs are skipped. */
bool uri_query_pair(struct view *rest, struct view *ret_name, struct view *ret_value);

#endif

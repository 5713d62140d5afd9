/* The handlers that this version has: the rows of handlers.tbl.h as a table. */
#ifndef API_HANDLERS_H
#define API_HANDLERS_H

#include "api/call.h"

struct handler_row {
	const char *operation;
	api_handler *run;
	api_handler *prepare; /* NULL: nothing to prepare */
};
/* Ends with a row whose operation is NULL. */
extern const struct handler_row handlers[];

#endif

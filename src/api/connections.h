/* The open connections of an HTTP server, so that they can be brought to their end before the
 * server is.
 *
 * libmicrohttpd 0.9.75 drops every answer while it stops, also those that it has made itself and
 * goes on to write: a malformed request at that moment would end the process. So nobody is
 * connected when it is told to stop. */
#ifndef API_CONNECTIONS_H
#define API_CONNECTIONS_H

#include <microhttpd.h>

struct connections;

struct connections *connections_new(void);
/* NULL is allowed. */
void connections_free(struct connections *connections);

/* The library's word of a connection's begin and end: MHD_OPTION_NOTIFY_CONNECTION, on any of its
 * threads. */
void connections_notify(void *connections, struct MHD_Connection *connection, void **state,
			enum MHD_ConnectionNotificationCode what);

/* Ends the reading of each; who has not taken its answer a second later is cut. Returns when all
 * are closed, or after five seconds. What comes later is closed at once. */
void connections_end(struct connections *connections);

#endif

/* What server.c (start and stop) and exchange.c (one request) share. */
#ifndef API_SERVER_PRIV_H
#define API_SERVER_PRIV_H

#include "api/connections.h"
#include "api/failures.h"
#include "api/server.h"

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>

struct api_server {
	struct api_server_options options;
	struct MHD_Daemon *daemon;
	struct failures *failures;
	struct connections *connections;
	pthread_key_t readers;         /* a thread's struct sql_conn */
	atomic_size_t unauthenticated; /* bytes of bodies whose signature is not yet judged */
};

/* The calling thread's reader, opened at first use. NULL with the fault. */
struct sql_conn *server_reader(struct api_server *server, struct fault *fault);

/* Callbacks of libmicrohttpd, for one request from its first line to its end. */
void *exchange_begin(void *server, const char *uri, struct MHD_Connection *connection);
enum MHD_Result exchange_step(void *server, struct MHD_Connection *connection, const char *url,
			      const char *method, const char *version, const char *upload,
			      size_t *upload_size, void **state);
void exchange_end(void *server, struct MHD_Connection *connection, void **state,
		  enum MHD_RequestTerminationCode reason);

#endif

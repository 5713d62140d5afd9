#include "api/server_priv.h"

#include "base/log.h"
#include "store/store.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <unistd.h>

/* A socket address of either family. */
union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static int parse_address(const struct api_server_options *options, union address *ret,
			 struct fault *fault)
{
	memset(ret, 0, sizeof(*ret));
	if (inet_pton(AF_INET, options->address, &ret->v4.sin_addr) == 1) {
		ret->v4.sin_family = AF_INET;
		ret->v4.sin_port = htons(options->port);
		return 0;
	}
	if (inet_pton(AF_INET6, options->address, &ret->v6.sin6_addr) == 1) {
		ret->v6.sin6_family = AF_INET6;
		ret->v6.sin6_port = htons(options->port);
		return 0;
	}
	return fault_set(fault, FAULT_INVALID_REQUEST,
			 "http address '%s' is no IPv4 or IPv6 address", options->address);
}

static bool is_loopback(const union address *address)
{
	return address->any.sa_family == AF_INET
		       ? (ntohl(address->v4.sin_addr.s_addr) >> 24) == IN_LOOPBACKNET
		       : IN6_IS_ADDR_LOOPBACK(&address->v6.sin6_addr);
}

/* libmicrohttpd's own words about a connection: a peer's fault, so only for whoever asks for them.
 */
static void PRINTF_LIKE(2, 0) log_words(void *server, const char *fmt, va_list args)
{
	char text[512];
	(void)server;
	(void)vsnprintf(text, sizeof(text), fmt, args);
	text[strcspn(text, "\n")] = '\0';
	log_debug("http", "%s", text);
}

/* Paths and queries are read as they came; see exchange.c. */
static size_t leave_escaped(void *server, struct MHD_Connection *connection, char *text)
{
	(void)server;
	(void)connection;
	return strlen(text);
}

static void close_reader(void *reader)
{
	store_reader_close(reader);
}

struct sql_conn *server_reader(struct api_server *server, struct fault *fault)
{
	struct sql_conn *reader = pthread_getspecific(server->readers);
	if (!reader) {
		reader = store_reader_open(server->options.env->store, fault);
		pthread_setspecific(server->readers, reader);
	}
	return reader;
}

static struct MHD_Daemon *start(struct api_server *server, union address *address)
{
	const struct api_server_options *options = &server->options;
	const struct http_limits *limits = &options->limits;
	/* Not epoll: libmicrohttpd waits for edges there, and forgets the peer's end of sending
	 * when it came together with its last bytes; the connection then stays until idle_s. */
	unsigned flags = MHD_USE_POLL_INTERNAL_THREAD | MHD_USE_ERROR_LOG;
	flags |= options->tls_cert_pem ? (unsigned)MHD_USE_TLS : 0;
	flags |= address->any.sa_family == AF_INET6 ? (unsigned)MHD_USE_IPv6 : 0;
	const struct MHD_OptionItem tls[] = {
		{MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)(uintptr_t)options->tls_cert_pem},
		{MHD_OPTION_HTTPS_MEM_KEY,  0, (void *)(uintptr_t)options->tls_key_pem },
		{MHD_OPTION_END,            0, NULL                                    },
	};
	const struct MHD_OptionItem none = {MHD_OPTION_END, 0, NULL};
	return MHD_start_daemon(
		flags, options->port, NULL, NULL, exchange_step, server, MHD_OPTION_EXTERNAL_LOGGER,
		log_words, server, MHD_OPTION_SOCK_ADDR, &address->any, MHD_OPTION_URI_LOG_CALLBACK,
		exchange_begin, server, MHD_OPTION_UNESCAPE_CALLBACK, leave_escaped, server,
		MHD_OPTION_NOTIFY_COMPLETED, exchange_end, server, MHD_OPTION_THREAD_POOL_SIZE,
		options->threads, MHD_OPTION_CONNECTION_LIMIT, limits->connections,
		MHD_OPTION_PER_IP_CONNECTION_LIMIT, limits->connections_per_address,
		MHD_OPTION_CONNECTION_TIMEOUT, limits->idle_s, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		limits->header_bytes, MHD_OPTION_LISTENING_ADDRESS_REUSE, 1U,
		MHD_OPTION_NOTIFY_CONNECTION, connections_notify, server->connections,
		MHD_OPTION_ARRAY, options->tls_cert_pem ? tls : &none, MHD_OPTION_END);
}

struct api_server *api_server_new(const struct api_server_options *options, struct fault *fault)
{
	union address address;
	if (parse_address(options, &address, fault) < 0)
		return NULL;
	if (!options->tls_cert_pem && !options->allow_plaintext && !is_loopback(&address)) {
		fault_set(fault, FAULT_INVALID_REQUEST,
			  "HTTP without TLS is served on loopback only: give a certificate for %s, "
			  "or set "
			  "http.allow_plaintext",
			  options->address);
		return NULL;
	}
	struct api_server *server = g_new0(struct api_server, 1);
	uint64_t seed;
	options->env->chance.fill(options->env->chance.ctx, &seed, sizeof(seed));
	server->options = *options;
	server->failures = failures_new(seed);
	server->connections = connections_new();
	pthread_key_create(&server->readers, close_reader);
	server->daemon = start(server, &address);
	if (server->daemon)
		return server;
	fault_set(fault, FAULT_INTERNAL, "cannot serve HTTP on %s port %u: %s", options->address,
		  options->port, g_strerror(errno));
	api_server_stop(server);
	return NULL;
}

void api_server_stop(struct api_server *server)
{
	if (!server)
		return;
	if (server->daemon) {
		int listener = MHD_quiesce_daemon(server->daemon);
		connections_end(server->connections);
		MHD_stop_daemon(server->daemon); /* its threads end, and with each its reader */
		if (listener >= 0)
			close(listener);
	}
	connections_free(server->connections);
	pthread_key_delete(server->readers);
	failures_free(server->failures);
	g_free(server);
}

uint16_t api_server_port(const struct api_server *server)
{
	return MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
}

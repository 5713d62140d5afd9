#include "mosquitto/peer_socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#define IDENT_CLIENT 2

/* Of Mosquitto 2.1; not there in 2.0. */
extern int mosquitto_client_port(const struct mosquitto *client) __attribute__((weak));

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	struct sockaddr_un local;
	struct sockaddr_storage room;
};

bool peer_socket_is_told(void)
{
	return mosquitto_client_port != NULL;
}

uint16_t peer_socket_port(int fd)
{
	union address own = {0};
	socklen_t n = sizeof(own);
	if (getsockname(fd, &own.any, &n) < 0)
		return 0;
	if (own.any.sa_family == AF_INET)
		return ntohs(own.v4.sin_port);
	return own.any.sa_family == AF_INET6 ? ntohs(own.v6.sin6_port) : 0;
}

const char *peer_socket_plain(const char *address)
{
	static const char mapped[] = "::ffff:";
	struct in_addr any;
	if (!address || strncmp(address, mapped, sizeof(mapped) - 1) != 0)
		return address;
	const char *rest = address + sizeof(mapped) - 1;
	return inet_pton(AF_INET, rest, &any) == 1 ? rest : address;
}

static void tell_v6(const struct in6_addr *address, char *ret, size_t size)
{
	if (IN6_IS_ADDR_V4MAPPED(address))
		(void)inet_ntop(AF_INET, &address->s6_addr[12], ret, (socklen_t)size);
	else
		(void)inet_ntop(AF_INET6, address, ret, (socklen_t)size);
}

void peer_socket_address(int fd, char *ret, size_t size)
{
	union address other = {0};
	socklen_t n = sizeof(other);
	ret[0] = '\0';
	if (getpeername(fd, &other.any, &n) < 0)
		return;
	if (other.any.sa_family == AF_INET)
		(void)inet_ntop(AF_INET, &other.v4.sin_addr, ret, (socklen_t)size);
	else if (other.any.sa_family == AF_INET6)
		tell_v6(&other.v6.sin6_addr, ret, size);
}

static bool is_stream(int fd)
{
	int type = 0;
	socklen_t n = sizeof(type);
	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &n) == 0 && type == SOCK_STREAM;
}

/* Clients of a unix socket have its path for an address. */
static bool is_at(int fd, const char *address)
{
	char words[INET6_ADDRSTRLEN];
	union address own = {0};
	socklen_t n = sizeof(own);
	peer_socket_address(fd, words, sizeof(words));
	if (words[0])
		return address && strcmp(words, address) == 0;
	return getsockname(fd, &own.any, &n) == 0 && own.any.sa_family == AF_UNIX;
}

static bool is_taken(const struct peer_sockets *all, int fd)
{
	size_t at = (size_t)fd / 8;
	return at < all->bytes && all->taken[at] & 1U << ((unsigned)fd % 8);
}

static bool agrees(const struct peer_sockets *all, const struct peer *peer, const char *address,
		   uint16_t tls_port)
{
	return is_at(peer->fd, address) && !is_taken(all, peer->fd) &&
	       (tls_port == 0 || tls_port == peer->port);
}

/* Its address cannot be had any more, so nothing can be proven. */
static bool is_gone(int fd)
{
	union address other;
	socklen_t n = sizeof(other);
	return getpeername(fd, &other.any, &n) < 0 && errno == ENOTCONN;
}

/* Whether the peer is gone is asked last: it may go at any moment, and must not pass for a wrong
 * layout. */
static struct peer read_socket(struct peer_sockets *all, int fd, const char *address,
			       uint16_t tls_port)
{
	const struct peer peer = {.fd = fd, .port = peer_socket_port(fd)};
	bool is_proven = is_stream(fd) && agrees(all, &peer, address, tls_port);
	if (!is_proven && is_stream(fd) && is_gone(fd))
		return (struct peer){.fd = -1, .port = tls_port, .is_gone = true};
	if (all->layout == LAYOUT_UNPROVEN)
		all->layout = is_proven ? LAYOUT_PROVEN : LAYOUT_WRONG;
	return is_proven ? peer : (struct peer){.fd = -1, .port = tls_port};
}

struct peer peer_socket(struct peer_sockets *all, const struct mosquitto *client,
			const char *address, uint16_t tls_port)
{
	int head[2];
	if (peer_socket_is_told()) {
		int port = mosquitto_client_port(client);
		return (struct peer){.fd = -1,
				     .port = port > 0 && port <= UINT16_MAX ? (uint16_t)port : 0};
	}
	memcpy(head, (const void *)client, sizeof(head));
	if (all->layout == LAYOUT_WRONG || head[0] != IDENT_CLIENT || head[1] < 0)
		return (struct peer){.fd = -1, .port = tls_port};
	return read_socket(all, head[1], address, tls_port);
}

static bool grow(struct peer_sockets *all, size_t bytes)
{
	uint8_t *taken = realloc(all->taken, bytes);
	if (!taken)
		return false;
	memset(taken + all->bytes, 0, bytes - all->bytes);
	all->taken = taken;
	all->bytes = bytes;
	return true;
}

void peer_socket_take(struct peer_sockets *all, int fd)
{
	size_t at = (size_t)fd / 8;
	if (fd < 0 || (at >= all->bytes && !grow(all, (at + 1) * 2)))
		return;
	all->taken[at] |= (uint8_t)(1U << ((unsigned)fd % 8));
}

void peer_socket_release(struct peer_sockets *all, int fd)
{
	size_t at = (size_t)fd / 8;
	if (fd >= 0 && at < all->bytes)
		all->taken[at] &= (uint8_t) ~(1U << ((unsigned)fd % 8));
}

void peer_sockets_release(struct peer_sockets *all)
{
	free(all->taken);
	*all = (struct peer_sockets){0};
}

/* The port of the listener that a client came in by.
 *
 * Listeners have modes (mosquitto/options.h), so the plugin must know which one a session belongs
 * to. Mosquitto 2.1 tells; 2.0 does not. There the client's socket does: the broker's object begins
 * with `int ident; int sock`, in every 2.0 and 2.1 that was built with epoll. This file, and no
 * other, reads those two numbers, and believes them only when all agrees with what the broker tells
 * by its public functions:
 *
 *   - ident says that it is a client, and the number is a connected stream socket,
 *   - the address of its other end, in words, is the client's,
 *   - it is no other open session's socket,
 *   - it came in by the port that the TLS handshake was seen on, where there was one.
 *
 * When the first reading fails, the broker is another one than we know: nothing is read again,
 * every port is unknown (0), and the mode of the whole broker rules. Once a reading has been
 * proven, a failure is that client's alone. A peer that is gone already proves nothing either way.
 */
#ifndef PLUGIN_PEER_SOCKET_H
#define PLUGIN_PEER_SOCKET_H

#include "base/compiler.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mosquitto;

struct peer_sockets {
	enum { LAYOUT_UNPROVEN, LAYOUT_PROVEN, LAYOUT_WRONG } layout;
	uint8_t *taken; /* a bit for each descriptor that an open session holds */
	size_t bytes;
};

/* What is known of a client's socket. */
struct peer {
	int fd;        /* -1: none, or not known */
	uint16_t port; /* of the listener, 0: not known */
	bool is_gone;  /* the other end has closed the connection */
};

/* The socket of a client that is not in the table of sessions. address: the broker's word, plain,
 * NULL: none. tls_port: of its handshake, 0: none was seen. */
struct peer peer_socket(struct peer_sockets *all, const struct mosquitto *client,
			const char *address, uint16_t tls_port);
/* A session holds the descriptor now, or does no longer; -1 is passed over. */
void peer_socket_take(struct peer_sockets *all, int fd);
void peer_socket_release(struct peer_sockets *all, int fd);
void peer_sockets_release(struct peer_sockets *all);

/* The local port of a connected IP socket, 0: it is none. */
uint16_t peer_socket_port(int fd);
/* An IPv4 client of a listener for both families, as websockets have, is "::ffff:192.0.2.1" to the
 * broker: the IPv4 address, which policies and operators name. Any other address as it is. */
const char *peer_socket_plain(const char *address);
/* The address of a socket's other end in words, plain; "": none.
 * size: INET6_ADDRSTRLEN or more. */
void peer_socket_address(int fd, char *ret, size_t size);

/* True on a broker that tells ports itself (2.1). */
bool peer_socket_is_told(void);

#endif

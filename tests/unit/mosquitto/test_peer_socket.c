/* wraps: getpeername */
/* A listener's port is read from the broker's object only as far as it can be proven. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "mosquitto/peer_socket.h"

#define IDENT_CLIENT 2
#define HERE         "127.0.0.1"

int __real_getpeername(int fd, struct sockaddr *ret, socklen_t *n);
int __wrap_getpeername(int fd, struct sockaddr *ret, socklen_t *n);

static int until_gone = -1; /* calls, -1: the peer stays */

int __wrap_getpeername(int fd, struct sockaddr *ret, socklen_t *n)
{
	if (until_gone == 0) {
		errno = ENOTCONN;
		return -1;
	}
	until_gone -= until_gone > 0;
	return __real_getpeername(fd, ret, n);
}

/* How the broker's object begins. */
struct object {
	int ident, sock;
};

struct connection {
	int listener, client, server;
	uint16_t port;
};

static struct connection connected(void)
{
	struct connection c = {.listener = socket(AF_INET, SOCK_STREAM, 0),
			       .client = socket(AF_INET, SOCK_STREAM, 0)};
	struct sockaddr_in at = {.sin_family = AF_INET};
	socklen_t n = sizeof(at);
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(c.listener, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(c.listener, 1), 0);
	assert_int_equal(getsockname(c.listener, (struct sockaddr *)&at, &n), 0);
	assert_int_equal(connect(c.client, (struct sockaddr *)&at, sizeof(at)), 0);
	c.server = accept(c.listener, NULL, NULL);
	assert_true(c.server >= 0);
	c.port = ntohs(at.sin_port);
	return c;
}

static void disconnect(struct connection *c)
{
	(void)close(c->listener);
	(void)close(c->client);
	(void)close(c->server);
}

static struct peer ask(struct peer_sockets *all, const struct object *o, const char *address,
		       uint16_t tls_port)
{
	return peer_socket(all, (const struct mosquitto *)(const void *)o, address, tls_port);
}

static void test_what_agrees_is_believed(void **state)
{
	(void)state;
	struct peer_sockets all = {0};
	struct connection c = connected();
	const struct object o = {IDENT_CLIENT, c.server};
	struct peer peer = ask(&all, &o, HERE, 0);
	assert_int_equal(peer.fd, c.server);
	assert_int_equal(peer.port, c.port);
	assert_int_equal(ask(&all, &o, HERE, c.port).port, c.port);
	assert_int_equal(all.layout, LAYOUT_PROVEN);
	disconnect(&c);
}

/* Another broker: the first reading shows it, and nothing is read again. */
static void test_a_wrong_layout_is_read_once(void **state)
{
	(void)state;
	struct connection c = connected();
	const struct object good = {IDENT_CLIENT, c.server};
	const struct {
		struct object o;
		const char *address;
		uint16_t tls_port;
	} cases[] = {
		{{IDENT_CLIENT, c.server},   "192.0.2.1", 0                     },
		{{IDENT_CLIENT, c.server},   NULL,        0                     },
		{{IDENT_CLIENT, c.listener}, HERE,        (uint16_t)(c.port ^ 1)},
		{{IDENT_CLIENT, 1 << 20},    HERE,        0                     },
		{{IDENT_CLIENT, c.server},   HERE,        (uint16_t)(c.port ^ 1)},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct peer_sockets all = {0};
		struct peer peer = ask(&all, &cases[i].o, cases[i].address, cases[i].tls_port);
		assert_int_equal(peer.fd, -1);
		assert_int_equal(peer.port, cases[i].tls_port);
		if (cases[i].o.sock == c.listener) /* not connected: gone, which proves nothing */
			continue;
		assert_int_equal(all.layout, LAYOUT_WRONG);
		assert_int_equal(ask(&all, &good, HERE, 0).port, 0);
	}
	disconnect(&c);
}

static void test_what_is_no_client_is_not_read(void **state)
{
	(void)state;
	struct peer_sockets all = {0};
	struct connection c = connected();
	const struct object made_up = {0, 0}, away = {IDENT_CLIENT, -1};
	assert_int_equal(ask(&all, &made_up, NULL, 0).fd, -1);
	assert_int_equal(ask(&all, &away, HERE, 0).fd, -1);
	assert_int_equal(all.layout, LAYOUT_UNPROVEN);
	disconnect(&c);
}

/* Two open sessions never have one socket. */
static void test_a_socket_is_one_sessions(void **state)
{
	(void)state;
	struct peer_sockets all = {0};
	struct connection c = connected();
	const struct object o = {IDENT_CLIENT, c.server};
	assert_int_equal(ask(&all, &o, HERE, 0).port, c.port);
	peer_socket_take(&all, c.server);
	assert_int_equal(ask(&all, &o, HERE, 0).port, 0);
	peer_socket_release(&all, c.server);
	assert_int_equal(ask(&all, &o, HERE, 0).port, c.port);
	peer_socket_take(&all, -1);
	peer_socket_release(&all, 1 << 20);
	peer_sockets_release(&all);
	disconnect(&c);
}

/* A client that resets its connection while it is looked at must not make all ports unknown. */
static void test_a_peer_may_go_at_any_moment(void **state)
{
	(void)state;
	struct connection c = connected();
	const struct object o = {IDENT_CLIENT, c.server};
	for (int calls = 0; calls < 3; calls++) {
		struct peer_sockets all = {0};
		until_gone = calls;
		struct peer peer = ask(&all, &o, HERE, 0);
		assert_int_equal(peer.is_gone, all.layout == LAYOUT_UNPROVEN);
		assert_int_equal(peer.port, peer.is_gone ? 0 : c.port);
		until_gone = -1;
		assert_int_equal(ask(&all, &o, HERE, 0).port, c.port);
	}
	disconnect(&c);
}

static void test_an_address_is_plain(void **state)
{
	(void)state;
	static const char *const rows[][2] = {
		{"::ffff:192.0.2.1", "192.0.2.1"      },
		{"192.0.2.1",        "192.0.2.1"      },
		{"2001:db8::1",      "2001:db8::1"    },
		{"::ffff:c000:201",  "::ffff:c000:201"},
		{"/run/x",           "/run/x"         },
		{"::ffff:",          "::ffff:"        },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(peer_socket_plain(rows[i][0]), rows[i][1]);
	assert_null(peer_socket_plain(NULL));
}

/* A socket of both families tells the same as one of IPv4. */
static void test_a_mapped_peer_is_plain(void **state)
{
	(void)state;
	struct sockaddr_in6 at = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_ANY_INIT};
	struct sockaddr_in to = {.sin_family = AF_INET};
	socklen_t n = sizeof(at);
	char words[INET6_ADDRSTRLEN];
	int listener = socket(AF_INET6, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0);
	if (listener < 0 || bind(listener, (struct sockaddr *)&at, sizeof(at)) < 0)
		skip(); /* no IPv6 on this machine */
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&at, &n), 0);
	to.sin_port = at.sin6_port;
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(connect(client, (struct sockaddr *)&to, sizeof(to)), 0);
	int server = accept(listener, NULL, NULL);
	peer_socket_address(server, words, sizeof(words));
	assert_string_equal(words, HERE);
	(void)close(server);
	(void)close(client);
	(void)close(listener);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_agrees_is_believed),
		cmocka_unit_test(test_a_wrong_layout_is_read_once),
		cmocka_unit_test(test_what_is_no_client_is_not_read),
		cmocka_unit_test(test_a_socket_is_one_sessions),
		cmocka_unit_test(test_a_peer_may_go_at_any_moment),
		cmocka_unit_test(test_an_address_is_plain),
		cmocka_unit_test(test_a_mapped_peer_is_plain),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

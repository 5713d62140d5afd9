#include "mqtt.h"

#include "base/check.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CONNECT     0x10
#define CONNACK     0x20
#define PUBLISH     0x30
#define PUBACK      0x40
#define SUBSCRIBE   0x82
#define LENGTH_MAX  4 /* bytes of a remaining length */
#define CONNACK_N   4 /* bytes of the whole packet */
#define QOS_OF(b)   ((b) >> 1 & 3)
#define BITS_A_BYTE 7 /* of a remaining length */
#define MORE        128

void bench_die(const char *what)
{
	perror(what);
	ERR_print_errors_fp(stderr);
	exit(1);
}

double bench_cpu_s(pid_t pid)
{
	clockid_t clock;
	struct timespec t;
	if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &t) < 0)
		bench_die("no such process");
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* ---- Bytes ---- */

/* What the socket took of n bytes: 0 when it must wait, -1 when the connection is broken. */
static ssize_t try_write(struct mqtt *m, const uint8_t *p, size_t n)
{
	if (!m->ssl) {
		ssize_t done = send(m->fd, p, n, MSG_NOSIGNAL);
		return done < 0 && errno == EAGAIN ? 0 : done;
	}
	size_t done = 0;
	ERR_clear_error();
	int r = SSL_write_ex(m->ssl, p, n, &done);
	return r == 1 || SSL_get_error(m->ssl, r) == SSL_ERROR_WANT_WRITE ? (ssize_t)done : -1;
}

static size_t write_some(struct mqtt *m, const uint8_t *p, size_t n)
{
	ssize_t done = try_write(m, p, n);
	if (done < 0)
		bench_die(m->name);
	return (size_t)done;
}

void mqtt_flush(struct mqtt *m)
{
	for (size_t done = 0; done < m->out_n;)
		done += write_some(m, m->out + done, m->out_n - done);
	m->out_n = 0;
}

/* What the socket has, at most n bytes: 0 when it must wait, -1 when the connection has ended. */
static ssize_t try_read(struct mqtt *m, uint8_t *p, size_t n)
{
	if (!m->ssl) {
		ssize_t got = read(m->fd, p, n);
		if (got == 0)
			return -1;
		return got < 0 && errno == EAGAIN ? 0 : got;
	}
	size_t got = 0;
	ERR_clear_error();
	int r = SSL_read_ex(m->ssl, p, n, &got);
	return r == 1 || SSL_get_error(m->ssl, r) == SSL_ERROR_WANT_READ ? (ssize_t)got : -1;
}

static size_t read_some(struct mqtt *m, uint8_t *p, size_t n)
{
	ssize_t got = try_read(m, p, n);
	if (got < 0)
		bench_die(m->name);
	return (size_t)got;
}

/* ---- Packets out ---- */

static void put(struct mqtt *m, const void *p, size_t n)
{
	CHECK(m->out_n + n <= MQTT_BUFFER);
	memcpy(m->out + m->out_n, p, n);
	m->out_n += n;
}

static void put_u8(struct mqtt *m, unsigned v)
{
	put(m, &(uint8_t){(uint8_t)v}, 1);
}

static void put_u16(struct mqtt *m, unsigned v)
{
	put_u8(m, v >> 8);
	put_u8(m, v);
}

static void put_text(struct mqtt *m, struct view text)
{
	put_u16(m, (unsigned)text.n);
	put(m, text.p, text.n);
}

/* The fixed header of a packet whose rest has n bytes. */
static void begin(struct mqtt *m, unsigned first, size_t n)
{
	if (m->out_n + n + 1 + LENGTH_MAX > MQTT_BUFFER)
		mqtt_flush(m);
	put_u8(m, first);
	for (; n >= MORE; n >>= BITS_A_BYTE)
		put_u8(m, MORE | (n & (MORE - 1)));
	put_u8(m, (unsigned)n);
}

static void put_packet_id(struct mqtt *m)
{
	m->packet_id = (uint16_t)(m->packet_id % UINT16_MAX + 1);
	put_u16(m, m->packet_id);
}

static void put_connect(struct mqtt *m)
{
	static const uint8_t head[] = {0, 4, 'M', 'Q', 'T', 'T', 4, 2, 0, 0};
	struct view name = view_of(m->name);
	begin(m, CONNECT, sizeof(head) + 2 + name.n);
	put(m, head, sizeof(head)); /* clean session; no keep-alive */
	put_text(m, name);
}

void mqtt_subscribe(struct mqtt *m, const char *filter, int qos)
{
	struct view name = view_of(filter);
	begin(m, SUBSCRIBE, 2 + 2 + name.n + 1);
	put_packet_id(m);
	put_text(m, name);
	put_u8(m, (unsigned)qos);
}

void mqtt_publish(struct mqtt *m, struct view topic, struct view payload, int qos)
{
	begin(m, PUBLISH | (unsigned)qos << 1, 2 + topic.n + (qos ? 2 : 0) + payload.n);
	put_text(m, topic);
	if (qos)
		put_packet_id(m);
	put(m, payload.p, payload.n);
}

/* ---- Packets in ---- */

/* Length of the packet at p with its header of *ret_head bytes; 0: it is not whole yet. */
static size_t packet_at(const uint8_t *p, size_t n, size_t *ret_head)
{
	size_t rest = 0;
	for (size_t i = 1; i < n && i <= LENGTH_MAX; i++) {
		rest |= (size_t)(p[i] & (MORE - 1)) << (BITS_A_BYTE * (i - 1));
		if (p[i] & MORE)
			continue;
		*ret_head = i + 1;
		return i + 1 + rest <= n ? i + 1 + rest : 0;
	}
	return 0;
}

static void take_publish(struct mqtt *m, unsigned first, struct view rest, mqtt_message_fn *fn,
			 void *ctx)
{
	const uint8_t *p = (const uint8_t *)rest.p;
	size_t topic_n = rest.n < 2 ? 0 : (size_t)p[0] << 8 | p[1];
	size_t head = 2 + topic_n + (QOS_OF(first) ? 2 : 0);
	CHECK(head <= rest.n); /* the broker's word */
	if (QOS_OF(first)) {
		begin(m, PUBACK, 2);
		put(m, p + head - 2, 2);
	}
	fn(ctx, m, (struct view){rest.p + 2, topic_n}, (struct view){rest.p + head, rest.n - head});
}

static void take_packets(struct mqtt *m, mqtt_message_fn *fn, void *ctx)
{
	size_t at = 0, head, n;
	while ((n = packet_at(m->in + at, m->in_n - at, &head)) > 0) {
		struct view rest = {(const char *)m->in + at + head, n - head};
		if ((m->in[at] & 0xf0) == PUBLISH)
			take_publish(m, m->in[at], rest, fn, ctx);
		at += n;
	}
	memmove(m->in, m->in + at, m->in_n - at);
	m->in_n -= at;
}

/* Until the socket is dry: what OpenSSL has decrypted already wakes no epoll. */
void mqtt_read(struct mqtt *m, mqtt_message_fn *fn, void *ctx)
{
	size_t got;
	while ((got = read_some(m, m->in + m->in_n, MQTT_BUFFER - m->in_n)) > 0) {
		m->in_n += got;
		take_packets(m, fn, ctx);
		CHECK(m->in_n < MQTT_BUFFER); /* a packet is far smaller */
	}
	mqtt_flush(m);
}

/* ---- Connecting ---- */

SSL_CTX *mqtt_credentials(const char *ca, const char *dir, const char *name)
{
	char cert[512], key[512];
	SSL_CTX *tls = SSL_CTX_new(TLS_client_method());
	(void)snprintf(cert, sizeof(cert), "%s/%s.pem", dir, name);
	(void)snprintf(key, sizeof(key), "%s/%s.key", dir, name);
	if (!tls || SSL_CTX_load_verify_locations(tls, ca, NULL) != 1 ||
	    SSL_CTX_use_certificate_file(tls, cert, SSL_FILETYPE_PEM) != 1 ||
	    SSL_CTX_use_PrivateKey_file(tls, key, SSL_FILETYPE_PEM) != 1)
		bench_die(cert);
	SSL_CTX_set_verify(tls, SSL_VERIFY_PEER, NULL);
	(void)SSL_CTX_set_mode(tls, SSL_MODE_ENABLE_PARTIAL_WRITE);
	return tls;
}

SSL_CTX **mqtt_fleet_credentials(const char *ca, const char *dir, unsigned n)
{
	SSL_CTX **tls = calloc(n + 1, sizeof(SSL_CTX *));
	if (!tls)
		bench_die("memory");
	for (unsigned i = 0; i < n; i++) {
		char name[16];
		(void)snprintf(name, sizeof(name), "dev%03u", i);
		tls[i] = mqtt_credentials(ca, dir, name);
	}
	return tls;
}

void mqtt_free_credentials(SSL_CTX **tls)
{
	for (SSL_CTX **one = tls; *one; one++)
		SSL_CTX_free(*one);
	free(tls);
}

static void dial(struct mqtt *m, unsigned port)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
				 .sin_port = htons((uint16_t)port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	m->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (m->fd < 0 || connect(m->fd, (struct sockaddr *)&at, sizeof(at)) < 0 ||
	    setsockopt(m->fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int)) < 0)
		bench_die("connecting to the broker");
}

/* 0, or -1 when the broker refuses: with TLS 1.3 that may come later. */
static int secure(struct mqtt *m, SSL_CTX *tls)
{
	m->ssl = SSL_new(tls);
	if (!m->ssl || SSL_set_fd(m->ssl, m->fd) != 1)
		bench_die("TLS");
	return SSL_connect(m->ssl) == 1 ? 0 : -1;
}

/* The code of CONNACK, or -1 when the connection ends without one. */
static int ask_in(struct mqtt *m)
{
	uint8_t packet[CONNACK_N];
	put_connect(m);
	if (try_write(m, m->out, m->out_n) < 0) /* of a blocking socket: all, or nothing */
		return -1;
	m->out_n = 0;
	for (size_t n = 0; n < sizeof(packet);) {
		ssize_t got = try_read(m, packet + n, sizeof(packet) - n);
		if (got < 0)
			return -1;
		n += (size_t)got;
	}
	return packet[0] == CONNACK ? packet[3] : -1;
}

int mqtt_try_connect(struct mqtt *m, unsigned port, SSL_CTX *tls, const char *name)
{
	m->name = name;
	m->ssl = NULL;
	m->packet_id = 0;
	m->in_n = m->out_n = 0;
	dial(m, port);
	int code = tls && secure(m, tls) < 0 ? -1 : ask_in(m);
	if (fcntl(m->fd, F_SETFL, O_NONBLOCK) < 0)
		bench_die("fcntl");
	return code;
}

void mqtt_connect(struct mqtt *m, unsigned port, SSL_CTX *tls, const char *name)
{
	int code = mqtt_try_connect(m, port, tls, name);
	if (code == 0)
		return;
	(void)fprintf(stderr, "%s: the broker answered CONNECT with code %d\n", name, code);
	bench_die("CONNECT");
}

void mqtt_close(struct mqtt *m)
{
	SSL_free(m->ssl);
	(void)close(m->fd);
}

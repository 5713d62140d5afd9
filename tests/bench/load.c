/* A fleet as load: N devices over mutual TLS, each sends a report and waits for its `accepted` before the next.
 *
 *   load fleet HOST PORT CA DIR N -q QOS -w WINDOW -d SECONDS [-r RATE] [-p PID]...
 *        DIR holds devNNN.pem and devNNN.key; the client id is the thing's name. At most WINDOW devices are busy at a time;
 *        with -r reports start at that rate, whatever is still waiting (open loop).
 *   load echo SOCKET|PORT -q QOS -d SECONDS
 *        the cheapest daemon: one plain connection that answers every report with a fixed `accepted`.
 *
 * One line of JSON on stdout. -p: CPU time of those processes over the measured span, in the order given. */
#include "report_gen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define WARM_UP_S    1.0
#define LATENCY_MAX  4000000
#define PIDS_MAX     4
#define IN_CAP       65536
#define PACKET_CAP   8192

struct conn {
	int fd;
	SSL *ssl; /* NULL: plain */
	unsigned id;
	bool is_busy;
	double sent_at;
	uint16_t packet_id;
	uint64_t report_id;
	size_t in_len;
	uint8_t in[IN_CAP];
};

struct load {
	const char *host, *ca, *dir;
	unsigned port, n, window, rate;
	int qos;
	double seconds;
	pid_t pids[PIDS_MAX];
	unsigned n_pids;
	struct conn *conns;
	int epoll_fd;
	unsigned next, in_flight;
	unsigned long done, refused, stalled;
	bool is_measuring;
	float *latency;
	size_t n_latency;
	uint64_t seed;
};

static void die(const char *what)
{
	perror(what);
	ERR_print_errors_fp(stderr);
	exit(1);
}

static double now_s(void)
{
	struct timespec t;
	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static double cpu_of(pid_t pid)
{
	/* The first number of schedstat is nanoseconds on a CPU; a process is the sum of its threads, so stat's
	 * clock ticks are not fine enough and each task is asked. */
	char path[64];
	(void)snprintf(path, sizeof(path), "/proc/%d/task", pid);
	double sum = 0;
	char command[160];
	(void)snprintf(command, sizeof(command), "cat %s/*/schedstat 2>/dev/null", path);
	FILE *f = popen(command, "r");
	unsigned long long ns;
	while (f && fscanf(f, "%llu %*u %*u", &ns) == 1)
		sum += (double)ns * 1e-9;
	if (f)
		(void)pclose(f);
	return sum;
}

static int dial(const char *host, unsigned port)
{
	int one = 1, fd;
	if (host[0] == '/') {
		struct sockaddr_un un = {.sun_family = AF_UNIX};
		(void)snprintf(un.sun_path, sizeof(un.sun_path), "%s", host);
		fd = socket(AF_UNIX, SOCK_STREAM, 0);
		if (fd < 0 || connect(fd, (struct sockaddr *)&un, sizeof(un)) < 0)
			die(host);
		return fd;
	}
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&in, sizeof(in)) < 0)
		die("connect");
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd;
}

static void send_all(struct conn *c, const uint8_t *p, size_t n)
{
	while (n > 0) {
		ssize_t done;
		if (c->ssl) {
			size_t written = 0;
			if (SSL_write_ex(c->ssl, p, n, &written) != 1) {
				if (SSL_get_error(c->ssl, 0) == SSL_ERROR_WANT_WRITE || errno == EAGAIN)
					continue;
				die("SSL_write");
			}
			done = (ssize_t)written;
		} else {
			done = write(c->fd, p, n);
			if (done < 0 && errno == EAGAIN)
				continue;
			if (done < 0)
				die("write");
		}
		p += done;
		n -= (size_t)done;
	}
}

static size_t put_length(uint8_t *to, size_t n)
{
	size_t k = 0;
	do {
		to[k] = (uint8_t)(n % 128);
		n /= 128;
		if (n)
			to[k] |= 128;
		k++;
	} while (n);
	return k;
}

static size_t put_text(uint8_t *to, const char *s)
{
	size_t n = strlen(s);
	to[0] = (uint8_t)(n >> 8);
	to[1] = (uint8_t)n;
	memcpy(to + 2, s, n);
	return n + 2;
}

/* Fixed header and body of a packet, sent at once. */
static void send_packet(struct conn *c, uint8_t first, const uint8_t *body, size_t n)
{
	uint8_t packet[PACKET_CAP + 8];
	packet[0] = first;
	size_t k = 1 + put_length(packet + 1, n);
	memcpy(packet + k, body, n);
	send_all(c, packet, k + n);
}

static void send_connect(struct conn *c, const char *client_id)
{
	static const uint8_t head[] = {0, 4, 'M', 'Q', 'T', 'T', 4, 2, 0, 0};
	uint8_t body[160];
	memcpy(body, head, sizeof(head));
	send_packet(c, 0x10, body, sizeof(head) + put_text(body + sizeof(head), client_id));
}

static void send_subscribe(struct conn *c, const char *filter, int qos)
{
	uint8_t body[300] = {0, 1};
	size_t n = 2 + put_text(body + 2, filter);
	body[n++] = (uint8_t)qos;
	send_packet(c, 0x82, body, n);
}

static void send_publish(struct conn *c, const char *topic, const void *payload, size_t n, int qos)
{
	uint8_t body[PACKET_CAP];
	size_t k = put_text(body, topic);
	if (qos) {
		c->packet_id = (uint16_t)(c->packet_id % 65000 + 1);
		body[k++] = (uint8_t)(c->packet_id >> 8);
		body[k++] = (uint8_t)c->packet_id;
	}
	memcpy(body + k, payload, n);
	send_packet(c, (uint8_t)(0x30 | qos << 1), body, k + n);
}

/* What is there to read, appended to c->in. */
static void receive(struct conn *c)
{
	for (;;) {
		size_t room = IN_CAP - c->in_len, got = 0;
		if (c->ssl) {
			if (SSL_read_ex(c->ssl, c->in + c->in_len, room, &got) != 1) {
				int e = SSL_get_error(c->ssl, 0);
				if (e == SSL_ERROR_WANT_READ || errno == EAGAIN)
					return;
				fprintf(stderr, "dev%u: closed by the broker\n", c->id);
				exit(1);
			}
		} else {
			ssize_t r = read(c->fd, c->in + c->in_len, room);
			if (r < 0 && errno == EAGAIN)
				return;
			if (r <= 0)
				die("read");
			got = (size_t)r;
		}
		c->in_len += got;
		if (got < room && !c->ssl)
			return;
		if (c->in_len == IN_CAP)
			return;
	}
}

typedef void packet_fn(void *ctx, struct conn *c, uint8_t first, const uint8_t *body, size_t n);

static void each_packet(struct conn *c, packet_fn *fn, void *ctx)
{
	size_t at = 0;
	for (;;) {
		size_t n = 0, k = 1;
		unsigned shift = 0;
		for (; at + k < c->in_len && k < 5; k++) {
			n |= (size_t)(c->in[at + k] & 127) << shift;
			shift += 7;
			if (!(c->in[at + k] & 128))
				break;
		}
		if (at + k >= c->in_len || c->in_len - at < k + 1 + n)
			break;
		fn(ctx, c, c->in[at], c->in + at + k + 1, n);
		at += k + 1 + n;
	}
	memmove(c->in, c->in + at, c->in_len - at);
	c->in_len -= at;
}

static void await_packet(struct conn *c, uint8_t type)
{
	uint8_t got[4];
	for (size_t have = 0; have < 4;) {
		size_t n = 0;
		if (c->ssl) {
			if (SSL_read_ex(c->ssl, got + have, 4 - have, &n) != 1)
				die("no answer to CONNECT");
		} else {
			ssize_t r = read(c->fd, got + have, 4 - have);
			if (r <= 0)
				die("no answer to CONNECT");
			n = (size_t)r;
		}
		have += n;
	}
	if (got[0] >> 4 != type || got[3] != 0) {
		fprintf(stderr, "dev%u: refused, %02x %02x\n", c->id, (unsigned)got[0], (unsigned)got[3]);
		exit(1);
	}
}

static void watch(int epoll_fd, struct conn *c)
{
	struct epoll_event e = {.events = EPOLLIN, .data.ptr = c};
	(void)fcntl(c->fd, F_SETFL, O_NONBLOCK);
	if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, c->fd, &e) < 0)
		die("epoll_ctl");
}

static void connect_device(struct load *l, unsigned id)
{
	struct conn *c = &l->conns[id];
	char path[512], name[32], filter[160];
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	(void)snprintf(path, sizeof(path), "%s/dev%03u.pem", l->dir, id);
	if (!ctx || SSL_CTX_load_verify_locations(ctx, l->ca, NULL) != 1 ||
	    SSL_CTX_use_certificate_file(ctx, path, SSL_FILETYPE_PEM) != 1)
		die(path);
	(void)snprintf(path, sizeof(path), "%s/dev%03u.key", l->dir, id);
	if (SSL_CTX_use_PrivateKey_file(ctx, path, SSL_FILETYPE_PEM) != 1)
		die(path);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	(void)SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	*c = (struct conn){.fd = dial(l->host, l->port), .id = id, .report_id = (uint64_t)time(NULL) * 1000};
	c->ssl = SSL_new(ctx);
	SSL_CTX_free(ctx);
	if (!c->ssl || SSL_set_fd(c->ssl, c->fd) != 1 || SSL_connect(c->ssl) != 1)
		die("TLS handshake");
	(void)snprintf(name, sizeof(name), "dev%03u", id);
	send_connect(c, name);
	await_packet(c, 2);
	(void)snprintf(filter, sizeof(filter), "$aws/things/%s/defender/metrics/json/+", name);
	send_subscribe(c, filter, l->qos);
	watch(l->epoll_fd, c);
}

static void send_report(struct load *l, struct conn *c)
{
	char topic[128], payload[4096];
	(void)snprintf(topic, sizeof(topic), "$aws/things/dev%03u/defender/metrics/json", c->id);
	size_t n = report_gen(payload, sizeof(payload), &l->seed, ++c->report_id);
	c->sent_at = now_s();
	c->is_busy = true;
	l->in_flight++;
	send_publish(c, topic, payload, n, l->qos);
}

static struct conn *idle_device(struct load *l)
{
	for (unsigned i = 0; i < l->n; i++) {
		struct conn *c = &l->conns[l->next];
		l->next = (l->next + 1) % l->n;
		if (!c->is_busy)
			return c;
	}
	return NULL;
}

static void on_packet(void *ctx, struct conn *c, uint8_t first, const uint8_t *body, size_t n)
{
	struct load *l = ctx;
	if (first >> 4 != 3 || n < 2)
		return;
	size_t topic_n = (size_t)body[0] << 8 | body[1];
	if ((first >> 1 & 3) == 1) {
		const uint8_t *id = body + 2 + topic_n;
		send_packet(c, 0x40, id, 2);
	}
	if (topic_n < 8 || memcmp(body + 2 + topic_n - 8, "accepted", 8) != 0) {
		l->refused++;
		fprintf(stderr, "dev%u: rejected: %.*s\n", c->id, (int)(n - 2 - topic_n), body + 2 + topic_n);
	}
	if (!c->is_busy)
		return;
	c->is_busy = false;
	l->in_flight--;
	if (!l->is_measuring)
		return;
	l->done++;
	if (l->n_latency < LATENCY_MAX)
		l->latency[l->n_latency++] = (float)(now_s() - c->sent_at);
}

static int by_value(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;
	return (x > y) - (x < y);
}

static double quantile_us(const struct load *l, double q)
{
	return l->n_latency ? (double)l->latency[(size_t)(q * (double)(l->n_latency - 1))] * 1e6 : 0;
}

static void start_due(struct load *l, double elapsed, unsigned long *owed)
{
	if (!l->rate) {
		for (struct conn *c; l->in_flight < l->window && (c = idle_device(l));)
			send_report(l, c);
		return;
	}
	for (unsigned long due = (unsigned long)(elapsed * l->rate); *owed < due; (*owed)++) {
		struct conn *c = idle_device(l);
		if (c)
			send_report(l, c);
		else
			l->stalled++;
	}
}

static void print_result(struct load *l, double span, const double *cpu0)
{
	qsort(l->latency, l->n_latency, sizeof(*l->latency), by_value);
	printf("{\"acked_per_s\": %.0f, \"refused\": %lu, \"stalled\": %lu, \"p50_us\": %.0f, \"p99_us\": %.0f, \"acked\": %lu, "
	       "\"cpu_s\": [",
	       (double)l->done / span, l->refused, l->stalled, quantile_us(l, 0.5), quantile_us(l, 0.99), l->done);
	for (unsigned i = 0; i < l->n_pids; i++)
		printf("%s%.6f", i ? ", " : "", cpu_of(l->pids[i]) - cpu0[i]);
	printf("]}\n");
}

static int run_fleet(struct load *l)
{
	l->conns = calloc(l->n, sizeof(*l->conns));
	l->latency = calloc(LATENCY_MAX, sizeof(*l->latency));
	l->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (!l->conns || !l->latency || l->epoll_fd < 0)
		die("setting up");
	for (unsigned i = 0; i < l->n; i++)
		connect_device(l, i);
	double start = now_s(), measured = 0, cpu0[PIDS_MAX] = {0};
	unsigned long owed = 0;
	for (;;) {
		double t = now_s();
		if (!l->is_measuring && t - start >= WARM_UP_S) {
			for (unsigned i = 0; i < l->n_pids; i++)
				cpu0[i] = cpu_of(l->pids[i]);
			l->is_measuring = true;
			measured = now_s();
		}
		if (l->is_measuring && t - measured >= l->seconds)
			break;
		start_due(l, t - start, &owed);
		struct epoll_event events[256];
		int n = epoll_wait(l->epoll_fd, events, 256, l->rate ? 1 : 20);
		for (int i = 0; i < n; i++) {
			receive(events[i].data.ptr);
			each_packet(events[i].data.ptr, on_packet, l);
		}
	}
	print_result(l, now_s() - measured, cpu0);
	return 0;
}

static void on_report(void *ctx, struct conn *c, uint8_t first, const uint8_t *body, size_t n)
{
	const struct load *l = ctx;
	if (first >> 4 != 3 || n < 2)
		return;
	size_t topic_n = (size_t)body[0] << 8 | body[1];
	const uint8_t *payload = body + 2 + topic_n;
	if ((first >> 1 & 3) == 1) {
		send_packet(c, 0x40, payload, 2);
		payload += 2;
	}
	/* A fixed answer but for the report id, which stands first in the generator's reports. */
	const char *id = strchr((const char *)payload, ':');
	id = id ? strchr(id + 1, ':') : NULL;
	char topic[256], answer[256];
	(void)snprintf(topic, sizeof(topic), "%.*s/accepted", (int)topic_n, (const char *)body + 2);
	int k = snprintf(answer, sizeof(answer),
			 "{\"thingName\":\"dev\",\"reportId\":%.13s,\"status\":\"ACCEPTED\",\"timestamp\":1700000000000}",
			 id ? id + 1 : "0");
	send_publish(c, topic, answer, (size_t)k, l->qos);
}

static int run_echo(struct load *l)
{
	struct conn *c = calloc(1, sizeof(*c));
	if (!c)
		die("calloc");
	c->fd = dial(l->host, l->port);
	send_connect(c, "echo");
	await_packet(c, 2);
	send_subscribe(c, "$aws/things/+/defender/metrics/json", l->qos);
	l->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	watch(l->epoll_fd, c);
	for (double end = now_s() + l->seconds; now_s() < end;) {
		struct epoll_event e;
		if (epoll_wait(l->epoll_fd, &e, 1, 100) == 1) {
			receive(c);
			each_packet(c, on_report, l);
		}
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct load l = {.window = 64, .qos = 1, .seconds = 5, .seed = 88172645463325252U};
	int opt;
	while ((opt = getopt(argc, argv, "q:w:d:r:p:")) != -1) {
		switch (opt) {
		case 'q':
			l.qos = atoi(optarg);
			break;
		case 'w':
			l.window = (unsigned)atoi(optarg);
			break;
		case 'd':
			l.seconds = atof(optarg);
			break;
		case 'r':
			l.rate = (unsigned)atoi(optarg);
			break;
		case 'p':
			if (l.n_pids < PIDS_MAX)
				l.pids[l.n_pids++] = (pid_t)atoi(optarg);
			break;
		default:
			return 2;
		}
	}
	char **args = argv + optind;
	if (argc - optind == 6 && strcmp(args[0], "fleet") == 0) {
		l.host = args[1];
		l.port = (unsigned)atoi(args[2]);
		l.ca = args[3];
		l.dir = args[4];
		l.n = (unsigned)atoi(args[5]);
		return run_fleet(&l);
	}
	if (argc - optind == 2 && strcmp(args[0], "echo") == 0) {
		l.host = args[1][0] == '/' ? args[1] : "127.0.0.1";
		l.port = (unsigned)atoi(args[1]);
		return run_echo(&l);
	}
	fprintf(stderr, "usage: see the head of load.c\n");
	return 2;
}

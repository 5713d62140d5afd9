/* Sessions that stay, and one beside them that never stops asking.
 *
 *     load_hold PORT CA DIR CERTS COUNT
 *
 * COUNT sessions hold0, hold1 ... connect, session i with certificate i of CERTS in turn,
 * DIR/dev000.pem and .key and so on; CERTS 0: over plain TCP. Then session `asking` sends itself
 * one small message after the other. Prints a line of JSON when all are there, and one for each
 * line on stdin: how many are still open, and of the asking one, since the line before, the round
 * trips and the longest of them in ms. Ends when stdin does. */
#include "mqtt.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define CERTS_MAX 1000
#define EVENTS    64
#define TOPIC     "telemetry/asking"

struct held {
	int fd;
	SSL *ssl;
};

struct hold {
	unsigned port, certs, n;
	const char *ca, *dir;
	SSL_CTX **tls;
	struct held *held;
	int epoll;
	unsigned open;
	bool is_over;

	struct mqtt asking;
	double asked_at, longest_ms;
	unsigned long answers;
};

static double now_ms(void)
{
	struct timespec t;
	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

/* ---- Sessions that stay ---- */

static SSL_CTX *credentials(const struct hold *h, unsigned i)
{
	return h->certs ? h->tls[i % h->certs] : NULL;
}

static void watch(const struct hold *h, int fd, void *who)
{
	struct epoll_event e = {.events = EPOLLIN, .data = {.ptr = who}};
	if (epoll_ctl(h->epoll, EPOLL_CTL_ADD, fd, &e) < 0)
		bench_die("epoll_ctl");
}

/* Of the client nothing is kept but its connection: buffers for all would fill the memory. */
static void hold_one(struct hold *h, struct mqtt *m, unsigned i)
{
	char name[32];
	(void)snprintf(name, sizeof(name), "hold%u", i);
	mqtt_connect(m, h->port, credentials(h, i), name);
	h->held[i] = (struct held){m->fd, m->ssl};
	watch(h, m->fd, &h->held[i]);
	h->open++;
}

static void hold_all(struct hold *h)
{
	struct mqtt *m = malloc(sizeof(*m));
	h->held = calloc(h->n + 1, sizeof(*h->held));
	if (!m || !h->held)
		bench_die("memory");
	for (unsigned i = 0; i < h->n; i++)
		hold_one(h, m, i);
	free(m);
}

/* The end of the connection, or a session ticket. */
static void look_at(struct hold *h, struct held *one)
{
	uint8_t buffer[256];
	ssize_t n = one->ssl ? SSL_read(one->ssl, buffer, sizeof(buffer))
			     : read(one->fd, buffer, sizeof(buffer));
	bool waits =
		one->ssl ? n <= 0 && SSL_get_error(one->ssl, (int)n) == SSL_ERROR_WANT_READ : false;
	if (n > 0 || waits)
		return;
	(void)epoll_ctl(h->epoll, EPOLL_CTL_DEL, one->fd, NULL);
	h->open--;
}

/* ---- The one that asks ---- */

static void ask(struct hold *h)
{
	h->asked_at = now_ms();
	mqtt_publish(&h->asking, view_of(TOPIC), view_of("?"), 0);
	mqtt_flush(&h->asking);
}

static void on_answer(void *ctx, struct mqtt *m, struct view topic, struct view payload)
{
	(void)m;
	(void)topic;
	(void)payload;
	struct hold *h = ctx;
	double took = now_ms() - h->asked_at;
	if (took > h->longest_ms)
		h->longest_ms = took;
	h->answers++;
	ask(h);
}

static void begin_asking(struct hold *h)
{
	mqtt_connect(&h->asking, h->port, credentials(h, 0), "asking");
	mqtt_subscribe(&h->asking, TOPIC, 0);
	watch(h, h->asking.fd, &h->asking);
	ask(h);
}

/* ---- The command ---- */

static void print_state(struct hold *h)
{
	(void)printf("{\"open\": %u, \"answers\": %lu, \"longest_ms\": %.3f}\n", h->open,
		     h->answers, h->longest_ms);
	(void)fflush(stdout);
	h->answers = 0;
	h->longest_ms = 0;
}

static void on_stdin(struct hold *h)
{
	char line[64];
	if (read(STDIN_FILENO, line, sizeof(line)) > 0)
		print_state(h);
	else
		h->is_over = true;
}

static void take_event(struct hold *h, void *who)
{
	if (!who)
		on_stdin(h);
	else if (who == &h->asking)
		mqtt_read(&h->asking, on_answer, h);
	else
		look_at(h, who);
}

static void run(struct hold *h)
{
	struct epoll_event events[EVENTS];
	begin_asking(h);
	watch(h, STDIN_FILENO, NULL);
	print_state(h);
	while (!h->is_over) {
		int n = epoll_wait(h->epoll, events, EVENTS, -1);
		for (int i = 0; i < n; i++)
			take_event(h, events[i].data.ptr);
	}
}

static void release(struct hold *h)
{
	for (unsigned i = 0; i < h->n; i++) {
		SSL_free(h->held[i].ssl);
		(void)close(h->held[i].fd);
	}
	mqtt_close(&h->asking);
	free(h->held);
	mqtt_free_credentials(h->tls);
}

int main(int argc, char **argv)
{
	static struct hold h;
	struct rlimit files;
	if (argc != 6) {
		(void)fprintf(stderr, "usage: load_hold PORT CA DIR CERTS COUNT\n");
		return 2;
	}
	h.port = (unsigned)atoi(argv[1]);
	h.ca = argv[2];
	h.dir = argv[3];
	h.certs = (unsigned)atoi(argv[4]);
	h.n = (unsigned)atoi(argv[5]);
	h.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (h.certs > CERTS_MAX || h.epoll < 0 || getrlimit(RLIMIT_NOFILE, &files) < 0)
		bench_die("arguments");
	files.rlim_cur = files.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &files);
	h.tls = mqtt_fleet_credentials(h.ca, h.dir, h.certs);
	hold_all(&h);
	run(&h);
	release(&h);
	return 0;
}

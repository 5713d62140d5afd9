/* A fleet that never gives up: each device sends a report, waits for `accepted`, and sends the same
 * report again when none comes within RESEND_MS, over as many connections as that takes.
 *
 *     crash_sender PORT CA DIR DEVICES INTERVAL_MS SEED
 *
 * DIR holds devNNN.pem and devNNN.key; the thing and the client id are devNNN. A line on stdout for
 * every reply: "accepted THING REPORT_ID TIMESTAMP" or "rejected THING REPORT_ID CODE". SIGTERM: no
 * new reports; ends when the last one is accepted, with 1 when that takes longer than DRAIN_MS. */
#include <inttypes.h>
#include <mosquitto.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define RESEND_MS   1000
#define RETRY_MS    50 /* between two tries to connect */
#define DRAIN_MS    30000
#define TURN_MS     20
#define DEVICES_MAX 200
#define PAYLOAD_MAX 1024
#define REPLY_MAX   1024

struct fleet {
	const char *ca, *dir;
	int port;
	long interval_ms;
	atomic_bool is_stopping;
};

struct device {
	struct fleet *fleet;
	pthread_t thread;
	struct mosquitto *session;
	char name[16], topic[80];
	bool is_subscribed, is_waiting;
	uint64_t report_id, chance;
	int64_t sent_ms, next_ms;
	char payload[PAYLOAD_MAX];
	int payload_n;
};

static int64_t now_ms(void)
{
	struct timespec t;
	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void die(const struct device *d, const char *what)
{
	fprintf(stderr, "crash_sender: %s: %s\n", d->name, what);
	exit(2);
}

/* xorshift: below n. */
static unsigned below(struct device *d, unsigned n)
{
	d->chance ^= d->chance << 13;
	d->chance ^= d->chance >> 7;
	d->chance ^= d->chance << 17;
	return (unsigned)(d->chance % n);
}

/* ---- Reports ---- */

/* Ports, peers and bytes go over the limits of the scenario's behaviors in about a third of the
 * reports each, so that alarms open and close all the time. */
static void make_report(struct device *d)
{
	unsigned n_peers = below(d, 6);
	char peers[PAYLOAD_MAX / 2] = "";
	size_t n = 0;
	for (unsigned i = 0; i < n_peers; i++)
		n += (size_t)snprintf(peers + n, sizeof(peers) - n,
				      "%s{\"remote_addr\":\"10.%u.0.%u:443\"}", i ? "," : "",
				      below(d, 3), below(d, 200));
	d->report_id++;
	d->payload_n = snprintf(
		d->payload, sizeof(d->payload),
		"{\"header\":{\"report_id\":%" PRIu64 ",\"version\":\"1.0\"},\"metrics\":{"
		"\"listening_tcp_ports\":{\"ports\":[{\"port\":22},{\"port\":%u}],\"total\":2},"
		"\"network_stats\":{\"bytes_in\":%u,\"bytes_out\":%u,\"packets_in\":9,"
		"\"packets_out\":9},\"tcp_connections\":{\"established_connections\":{"
		"\"connections\":[%s],\"total\":%u}}}}",
		d->report_id, below(d, 3) ? 443U : 8080U, below(d, 5000), below(d, 5000), peers,
		n_peers);
}

static void publish(struct device *d)
{
	(void)mosquitto_publish(d->session, NULL, d->topic, d->payload_n, d->payload, 1, false);
	d->sent_ms = now_ms();
}

static void send_if_due(struct device *d)
{
	int64_t now = now_ms();
	if (!d->is_subscribed)
		return;
	if (d->is_waiting && now - d->sent_ms >= RESEND_MS) {
		publish(d);
	} else if (!d->is_waiting && now >= d->next_ms && !atomic_load(&d->fleet->is_stopping)) {
		make_report(d);
		d->is_waiting = true;
		publish(d);
	}
}

/* ---- Replies ---- */

static uint64_t number_behind(const char *text, const char *name)
{
	const char *p = strstr(text, name);
	return p ? strtoull(p + strlen(name), NULL, 10) : 0;
}

static void take_accepted(struct device *d, const char *text)
{
	uint64_t id = number_behind(text, "\"reportId\":");
	printf("accepted %s %" PRIu64 " %" PRIu64 "\n", d->name, id,
	       number_behind(text, "\"timestamp\":"));
	if (!d->is_waiting || id != d->report_id)
		return;
	d->is_waiting = false;
	d->next_ms = now_ms() + d->fleet->interval_ms / 2 +
		     below(d, (unsigned)d->fleet->interval_ms + 1);
}

static void take_rejected(const struct device *d, const char *text)
{
	const char *code = strstr(text, "\"ErrorCode\":\"");
	printf("rejected %s %" PRIu64 " %.*s\n", d->name, number_behind(text, "\"reportId\":"),
	       code ? (int)strcspn(code + 13, "\"") : 1, code ? code + 13 : "-");
}

static void on_message(struct mosquitto *session, void *ctx, const struct mosquitto_message *m)
{
	char text[REPLY_MAX];
	struct device *d = ctx;
	(void)session;
	(void)snprintf(text, sizeof(text), "%.*s", m->payloadlen, (const char *)m->payload);
	if (strstr(m->topic, "/accepted"))
		take_accepted(d, text);
	else
		take_rejected(d, text);
}

/* ---- Connections ---- */

static void on_connect(struct mosquitto *session, void *ctx, int code)
{
	char filter[96];
	struct device *d = ctx;
	if (code != 0)
		die(d, mosquitto_connack_string(code));
	(void)snprintf(filter, sizeof(filter), "%s/+", d->topic);
	(void)mosquitto_subscribe(session, NULL, filter, 1);
}

static void on_subscribe(struct mosquitto *session, void *ctx, int mid, int n, const int *granted)
{
	struct device *d = ctx;
	(void)session, (void)mid;
	if (n != 1 || granted[0] != 1)
		die(d, "its replies cannot be subscribed to");
	d->is_subscribed = true;
	if (d->is_waiting)
		publish(d);
}

static void on_disconnect(struct mosquitto *session, void *ctx, int code)
{
	struct device *d = ctx;
	(void)session, (void)code;
	d->is_subscribed = false;
}

static void pause_ms(long ms)
{
	struct timespec t = {ms / 1000, ms % 1000 * 1000000};
	(void)nanosleep(&t, NULL);
}

/* A session of its own each time: nothing of the old one is sent again by the library. */
static void connect_anew(struct device *d)
{
	char cert[512], key[512];
	(void)snprintf(cert, sizeof(cert), "%s/%s.pem", d->fleet->dir, d->name);
	(void)snprintf(key, sizeof(key), "%s/%s.key", d->fleet->dir, d->name);
	mosquitto_destroy(d->session);
	d->is_subscribed = false;
	d->session = mosquitto_new(d->name, true, d);
	if (!d->session || mosquitto_tls_set(d->session, d->fleet->ca, NULL, cert, key, NULL) != 0)
		die(d, "TLS cannot be set up");
	(void)mosquitto_int_option(d->session, MOSQ_OPT_TCP_NODELAY, 1);
	mosquitto_connect_callback_set(d->session, on_connect);
	mosquitto_subscribe_callback_set(d->session, on_subscribe);
	mosquitto_disconnect_callback_set(d->session, on_disconnect);
	mosquitto_message_callback_set(d->session, on_message);
	while (mosquitto_connect(d->session, "localhost", d->fleet->port, 60) != 0)
		pause_ms(RETRY_MS);
}

static bool is_done(const struct device *d)
{
	return atomic_load(&d->fleet->is_stopping) && !d->is_waiting;
}

static void *run(void *ctx)
{
	struct device *d = ctx;
	connect_anew(d);
	while (!is_done(d)) {
		if (mosquitto_loop(d->session, TURN_MS, 1) != 0) {
			pause_ms(RETRY_MS);
			connect_anew(d);
		}
		send_if_due(d);
	}
	mosquitto_destroy(d->session);
	return NULL;
}

/* ---- The fleet ---- */

static void start(struct fleet *fleet, struct device *d, unsigned i, uint64_t seed)
{
	d->fleet = fleet;
	d->chance = (seed + i + 1) * 0x9e3779b97f4a7c15U;
	d->report_id = (uint64_t)time(NULL) * 1000;
	(void)snprintf(d->name, sizeof(d->name), "dev%03u", i);
	(void)snprintf(d->topic, sizeof(d->topic), "$aws/things/%s/defender/metrics/json", d->name);
	if (pthread_create(&d->thread, NULL, run, d) != 0)
		die(d, "no thread");
}

static void on_alarm(int number)
{
	static const char text[] = "crash_sender: reports are left that nobody accepts\n";
	(void)number;
	(void)!write(STDERR_FILENO, text, sizeof(text) - 1);
	_exit(1);
}

int main(int argc, char **argv)
{
	static struct device devices[DEVICES_MAX];
	if (argc != 7 || atoi(argv[4]) > DEVICES_MAX) {
		fprintf(stderr, "usage: crash_sender PORT CA DIR DEVICES INTERVAL_MS SEED\n");
		return 2;
	}
	struct fleet fleet = {
		.ca = argv[2], .dir = argv[3], .port = atoi(argv[1]), .interval_ms = atol(argv[5])};
	unsigned n = (unsigned)atoi(argv[4]);
	sigset_t stop;
	int number;
	(void)sigemptyset(&stop);
	(void)sigaddset(&stop, SIGTERM);
	(void)pthread_sigmask(SIG_BLOCK, &stop, NULL);
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	(void)mosquitto_lib_init();
	for (unsigned i = 0; i < n; i++)
		start(&fleet, &devices[i], i, strtoull(argv[6], NULL, 10));
	(void)sigwait(&stop, &number);
	atomic_store(&fleet.is_stopping, true);
	(void)signal(SIGALRM, on_alarm);
	(void)alarm(DRAIN_MS / 1000);
	for (unsigned i = 0; i < n; i++)
		(void)pthread_join(devices[i].thread, NULL);
	return 0;
}

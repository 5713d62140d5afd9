/* Devices that report whether or not anybody answers.
 *
 *     load_reports [-i MS] PORT CA DIR FIRST DEVICES
 *
 * DEVICES devices from dev<FIRST> on, over mutual TLS; the client id is the thing's name. Each
 * sends a report (QoS 1) and a message of telemetry (QoS 1) every MS ms, at times of its own; 0
 * (default): reports alone, QoS 0, as fast as the broker takes them. Prints a line of JSON when all
 * are connected. A line on stdin ends the sending; when the broker has taken what was sent, it is
 * printed, and again for every further line: the reports, telemetry, and the answers to reports.
 * Ends when stdin does. */
#include "mqtt.h"
#include "report_gen.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#define DEVICES_MAX 1000
#define EVENTS      256
#define BURST       16 /* reports of the flood between two looks at the socket */

struct device {
	struct mqtt mqtt;
	char name[16], reports[64], telemetry[64], done[64];
	double due_ms;
	bool is_settled; /* the broker has taken all that it sent */
	uint64_t report_id;
};

struct fleet {
	unsigned port, first, n, interval_ms;
	const char *ca, *dir;
	struct device *devices;
	int epoll;
	uint64_t seed;
	bool is_sending, is_over;
	unsigned settled;
	unsigned long sent, telemetry, accepted, rejected;
};

static double now_ms(void)
{
	struct timespec t;
	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

/* ---- Devices ---- */

static void connect_device(struct fleet *f, unsigned i)
{
	struct device *d = &f->devices[i];
	char replies[96];
	d->report_id = (uint64_t)time(NULL) * 1000;
	(void)snprintf(d->name, sizeof(d->name), "dev%03u", f->first + i);
	(void)snprintf(d->reports, sizeof(d->reports), "$aws/things/%s/defender/metrics/json",
		       d->name);
	(void)snprintf(d->telemetry, sizeof(d->telemetry), "telemetry/%s/value", d->name);
	(void)snprintf(d->done, sizeof(d->done), "telemetry/%s/done", d->name);
	(void)snprintf(replies, sizeof(replies), "%s/+", d->reports);
	SSL_CTX *tls = mqtt_credentials(f->ca, f->dir, d->name);
	mqtt_connect(&d->mqtt, f->port, tls, d->name);
	SSL_CTX_free(tls);
	mqtt_subscribe(&d->mqtt, replies, 1);
	mqtt_subscribe(&d->mqtt, d->done, 1);
	mqtt_flush(&d->mqtt);
	d->due_ms = now_ms() + (double)f->interval_ms * i / f->n;
	struct epoll_event e = {.events = EPOLLIN, .data = {.ptr = d}};
	if (epoll_ctl(f->epoll, EPOLL_CTL_ADD, d->mqtt.fd, &e) < 0)
		bench_die("epoll_ctl");
}

static void send_report(struct fleet *f, struct device *d, int qos)
{
	char report[4096];
	size_t n = report_gen(report, sizeof(report), &f->seed, ++d->report_id);
	mqtt_publish(&d->mqtt, view_of(d->reports), (struct view){report, n}, qos);
	f->sent++;
}

static void send_telemetry(struct fleet *f, struct device *d)
{
	mqtt_publish(&d->mqtt, view_of(d->telemetry), view_of("21.5"), 1);
	f->telemetry++;
}

static bool ends_with(struct view s, struct view end)
{
	return s.n >= end.n && view_eq((struct view){s.p + s.n - end.n, end.n}, end);
}

static void on_message(void *ctx, struct mqtt *m, struct view topic, struct view payload)
{
	(void)payload;
	struct fleet *f = ctx;
	struct device *d = (struct device *)m; /* its first member */
	f->accepted += ends_with(topic, view_of("/accepted"));
	f->rejected += ends_with(topic, view_of("/rejected"));
	if (d->is_settled || !ends_with(topic, view_of("/done")))
		return;
	d->is_settled = true;
	f->settled++;
}

/* ---- Sending ---- */

static void send_flood(struct fleet *f, struct device *d)
{
	for (unsigned i = 0; i < BURST; i++)
		send_report(f, d, 0);
	mqtt_flush(&d->mqtt);
}

static void send_due(struct fleet *f, struct device *d, double now)
{
	if (!f->interval_ms) {
		send_flood(f, d);
		return;
	}
	if (now < d->due_ms)
		return;
	d->due_ms += f->interval_ms;
	send_report(f, d, 1);
	send_telemetry(f, d);
	mqtt_flush(&d->mqtt);
}

static void print_state(const struct fleet *f)
{
	(void)printf(
		"{\"reports\": %lu, \"telemetry\": %lu, \"accepted\": %lu, \"rejected\": %lu}\n",
		f->sent, f->telemetry, f->accepted, f->rejected);
	(void)fflush(stdout);
}

/* A device's message to itself comes back when the broker has taken what was before it. */
static void end_sending(struct fleet *f)
{
	f->is_sending = false;
	for (unsigned i = 0; i < f->n; i++) {
		struct device *d = &f->devices[i];
		mqtt_publish(&d->mqtt, view_of(d->done), view_of(""), 1);
		f->telemetry++;
		mqtt_flush(&d->mqtt);
	}
}

static void on_stdin(struct fleet *f)
{
	char line[64];
	if (read(STDIN_FILENO, line, sizeof(line)) <= 0)
		f->is_over = true;
	else if (f->is_sending)
		end_sending(f);
	else
		print_state(f);
}

static void take_event(struct fleet *f, struct device *d)
{
	unsigned before = f->settled;
	if (d)
		mqtt_read(&d->mqtt, on_message, f);
	else
		on_stdin(f);
	if (before < f->n && f->settled == f->n)
		print_state(f);
}

static void take_events(struct fleet *f, int wait_ms)
{
	struct epoll_event events[EVENTS];
	int n = epoll_wait(f->epoll, events, EVENTS, wait_ms);
	for (int i = 0; i < n; i++)
		take_event(f, events[i].data.ptr);
}

static void run(struct fleet *f)
{
	while (!f->is_over) {
		double now = now_ms();
		for (unsigned i = 0; f->is_sending && i < f->n; i++)
			send_due(f, &f->devices[i], now);
		take_events(f, f->is_sending && !f->interval_ms ? 0 : 10);
	}
}

/* ---- The command ---- */

static void connect_all(struct fleet *f)
{
	f->devices = calloc(f->n, sizeof(*f->devices));
	f->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (!f->devices || f->epoll < 0)
		bench_die("setting up");
	for (unsigned i = 0; i < f->n; i++)
		connect_device(f, i);
	struct epoll_event e = {.events = EPOLLIN};
	if (epoll_ctl(f->epoll, EPOLL_CTL_ADD, STDIN_FILENO, &e) < 0)
		bench_die("epoll_ctl");
}

static bool take_arguments(struct fleet *f, int argc, char **argv)
{
	for (int option; (option = getopt(argc, argv, "i:")) != -1;) {
		if (option != 'i')
			return false;
		f->interval_ms = (unsigned)atoi(optarg);
	}
	if (argc - optind != 5)
		return false;
	f->port = (unsigned)atoi(argv[optind]);
	f->ca = argv[optind + 1];
	f->dir = argv[optind + 2];
	f->first = (unsigned)atoi(argv[optind + 3]);
	f->n = (unsigned)atoi(argv[optind + 4]);
	return f->n > 0 && f->n <= DEVICES_MAX;
}

int main(int argc, char **argv)
{
	struct fleet f = {.seed = UINT64_C(88172645463325252), .is_sending = true};
	if (!take_arguments(&f, argc, argv)) {
		(void)fprintf(stderr, "usage: load_reports [-i MS] PORT CA DIR FIRST DEVICES\n");
		return 2;
	}
	connect_all(&f);
	print_state(&f);
	run(&f);
	for (unsigned i = 0; i < f.n; i++)
		mqtt_close(&f.devices[i].mqtt);
	free(f.devices);
	return 0;
}

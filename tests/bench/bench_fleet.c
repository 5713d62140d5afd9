/* A fleet as load: devices over mutual TLS, each sends a report and waits for its `accepted` before
 * it sends the next.
 *
 *     bench_fleet [-b] [-q QOS] [-w WINDOW] [-r RATE] [-d SECONDS] [-p PID]... PORT CA DIR DEVICES
 *
 * DIR holds dev000.pem, dev000.key and so on; the client id is the thing's name. At most WINDOW
 * devices wait at a time. With -r reports start at RATE a second, whatever is still waited for
 * (open loop): one that finds every device waiting is counted as stalled. With -b a device sends to
 * an ordinary topic that it has subscribed to itself: no daemon takes part. A second of warm-up is
 * not counted. Prints one line of JSON; cpu_s: CPU seconds of the processes -p, in their order. */
#include "mqtt.h"
#include "report_gen.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>

#define WARM_UP_S   1.0
#define LATENCIES   4000000
#define PROCESSES   4
#define DEVICES_MAX 1000
#define EVENTS      256
#define WAIT_S      0.02 /* at most, so that the end is seen in time */

struct device {
	struct mqtt mqtt;
	char name[16], topic[64];
	bool is_waiting;
	double sent_at;
	uint64_t report_id;
};

struct fleet {
	/* As asked. */
	unsigned port, n, window, rate;
	bool is_echoed_by_broker;
	const char *ca, *dir;
	int qos;
	double seconds;
	pid_t pids[PROCESSES];
	unsigned n_pids;

	struct device *devices;
	int epoll;
	unsigned next, n_waiting;
	uint64_t seed;
	unsigned long n_started; /* of an open loop, those that were stalled too */

	/* The result. */
	bool is_measuring;
	unsigned long n_acked, n_refused, n_stalled;
	float *latencies; /* s */
};

static double now_s(void)
{
	struct timespec t;
	if (clock_gettime(CLOCK_MONOTONIC, &t) < 0)
		bench_die("clock_gettime");
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* ---- Devices ---- */

static void connect_device(struct fleet *f, unsigned i)
{
	struct device *d = &f->devices[i];
	char replies[96];
	/* Rising over runs too: a repeated id would be answered without being taken. */
	d->report_id = (uint64_t)time(NULL) * 1000;
	(void)snprintf(d->name, sizeof(d->name), "dev%03u", i);
	(void)snprintf(d->topic, sizeof(d->topic),
		       f->is_echoed_by_broker ? "telemetry/%s/accepted"
					      : "$aws/things/%s/defender/metrics/json",
		       d->name);
	(void)snprintf(replies, sizeof(replies), f->is_echoed_by_broker ? "%s" : "%s/+", d->topic);
	SSL_CTX *tls = mqtt_credentials(f->ca, f->dir, d->name);
	mqtt_connect(&d->mqtt, f->port, tls, d->name);
	SSL_CTX_free(tls);
	mqtt_subscribe(&d->mqtt, replies, f->qos);
	mqtt_flush(&d->mqtt);
	struct epoll_event e = {.events = EPOLLIN, .data = {.ptr = d}};
	if (epoll_ctl(f->epoll, EPOLL_CTL_ADD, d->mqtt.fd, &e) < 0)
		bench_die("epoll_ctl");
}

static void send_report(struct fleet *f, struct device *d)
{
	char report[4096];
	size_t n = report_gen(report, sizeof(report), &f->seed, ++d->report_id);
	d->is_waiting = true;
	f->n_waiting++;
	mqtt_publish(&d->mqtt, view_of(d->topic), (struct view){report, n}, f->qos);
	d->sent_at = now_s();
	mqtt_flush(&d->mqtt);
}

static void on_reply(void *ctx, struct mqtt *m, struct view topic, struct view payload)
{
	static const struct view accepted = VIEW_INIT("/accepted");
	struct fleet *f = ctx;
	struct device *d = (struct device *)m; /* its first member */
	if (topic.n < accepted.n ||
	    !view_eq((struct view){topic.p + topic.n - accepted.n, accepted.n}, accepted)) {
		f->n_refused++;
		(void)fprintf(stderr, "%s: %.*s\n", d->name, (int)payload.n, payload.p);
	}
	if (!d->is_waiting)
		return;
	d->is_waiting = false;
	f->n_waiting--;
	if (f->is_measuring && f->n_acked < LATENCIES)
		f->latencies[f->n_acked++] = (float)(now_s() - d->sent_at);
}

/* ---- The load ---- */

static struct device *idle_device(struct fleet *f)
{
	for (unsigned i = 0; i < f->n; i++) {
		struct device *d = &f->devices[f->next];
		f->next = (f->next + 1) % f->n;
		if (!d->is_waiting)
			return d;
	}
	return NULL;
}

static void fill_window(struct fleet *f)
{
	struct device *d;
	while (f->n_waiting < f->window && (d = idle_device(f)))
		send_report(f, d);
}

static void start_due(struct fleet *f, double elapsed)
{
	unsigned long due = (unsigned long)(elapsed * f->rate);
	for (; f->n_started < due; f->n_started++) {
		struct device *d = idle_device(f);
		if (d)
			send_report(f, d);
		else
			f->n_stalled++;
	}
}

/* Sends what is due after `elapsed` seconds; returns when there is more to do. */
static double send_due(struct fleet *f, double elapsed)
{
	if (!f->rate) {
		fill_window(f);
		return elapsed + WAIT_S;
	}
	start_due(f, elapsed);
	double next = (double)(f->n_started + 1) / f->rate;
	return next < elapsed + WAIT_S ? next : elapsed + WAIT_S;
}

static void take_replies(struct fleet *f, double wait_s)
{
	struct epoll_event events[EVENTS];
	struct timespec wait = {.tv_nsec = wait_s > 0 ? (long)(wait_s * 1e9) : 0};
	int n = epoll_pwait2(f->epoll, events, EVENTS, &wait, NULL);
	for (int i = 0; i < n; i++)
		mqtt_read(&((struct device *)events[i].data.ptr)->mqtt, on_reply, f);
}

/* Until `end` seconds after `start`. */
static void run_until(struct fleet *f, double start, double end)
{
	for (double now; (now = now_s() - start) < end;) {
		double next = send_due(f, now);
		take_replies(f, next - (now_s() - start));
	}
}

/* ---- The result ---- */

static int by_size(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;
	return (x > y) - (x < y);
}

static double quantile_us(const struct fleet *f, double q)
{
	return f->n_acked ? 1e6 * (double)f->latencies[(size_t)(q * (double)(f->n_acked - 1))] : 0;
}

static void print_result(const struct fleet *f, double span, const double *cpu)
{
	qsort(f->latencies, f->n_acked, sizeof(*f->latencies), by_size);
	(void)printf("{\"acked\": %lu, \"acked_per_s\": %.1f, \"refused\": %lu, \"stalled\": %lu, ",
		     f->n_acked, (double)f->n_acked / span, f->n_refused, f->n_stalled);
	(void)printf("\"p50_us\": %.1f, \"p99_us\": %.1f, \"cpu_s\": [", quantile_us(f, 0.5),
		     quantile_us(f, 0.99));
	for (unsigned i = 0; i < f->n_pids; i++)
		(void)printf("%s%.6f", i ? ", " : "", cpu[i]);
	(void)printf("]}\n");
}

static void run(struct fleet *f)
{
	double cpu[PROCESSES], start = now_s();
	run_until(f, start, WARM_UP_S);
	for (unsigned i = 0; i < f->n_pids; i++)
		cpu[i] = bench_cpu_s(f->pids[i]);
	double measured = now_s();
	f->is_measuring = true;
	run_until(f, start, WARM_UP_S + f->seconds);
	double span = now_s() - measured;
	for (unsigned i = 0; i < f->n_pids; i++)
		cpu[i] = bench_cpu_s(f->pids[i]) - cpu[i];
	print_result(f, span, cpu);
}

/* ---- The command ---- */

static bool take_option(struct fleet *f, int option)
{
	switch (option) {
	case 'q':
		f->qos = atoi(optarg);
		return f->qos == 0 || f->qos == 1;
	case 'b':
		f->is_echoed_by_broker = true;
		return true;
	case 'w':
		f->window = (unsigned)atoi(optarg);
		return f->window > 0;
	case 'd':
		f->seconds = atof(optarg);
		return f->seconds > 0;
	case 'r':
		f->rate = (unsigned)atoi(optarg);
		return true;
	case 'p':
		if (f->n_pids == PROCESSES)
			return false;
		f->pids[f->n_pids++] = (pid_t)atoi(optarg);
		return true;
	default:
		return false;
	}
}

static bool take_arguments(struct fleet *f, int argc, char **argv)
{
	int option;
	while ((option = getopt(argc, argv, "bq:w:d:r:p:")) != -1) {
		if (!take_option(f, option))
			return false;
	}
	if (argc - optind != 4)
		return false;
	f->port = (unsigned)atoi(argv[optind]);
	f->ca = argv[optind + 1];
	f->dir = argv[optind + 2];
	f->n = (unsigned)atoi(argv[optind + 3]);
	return f->n > 0 && f->n <= DEVICES_MAX;
}

int main(int argc, char **argv)
{
	struct fleet f = {
		.window = 64, .qos = 1, .seconds = 5, .seed = UINT64_C(88172645463325252)};
	if (!take_arguments(&f, argc, argv)) {
		(void)fprintf(stderr, "usage: bench_fleet [-b] [-q QOS] [-w WINDOW] [-r RATE] "
				      "[-d SECONDS] [-p PID]... PORT CA DIR DEVICES\n");
		return 2;
	}
	f.devices = calloc(f.n, sizeof(*f.devices));
	f.latencies = calloc(LATENCIES, sizeof(*f.latencies));
	f.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (!f.devices || !f.latencies || f.epoll < 0)
		bench_die("setting up");
	for (unsigned i = 0; i < f.n; i++)
		connect_device(&f, i);
	run(&f);
	free(f.latencies);
	free(f.devices);
	return 0;
}

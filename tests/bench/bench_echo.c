/* The cheapest daemon there can be: one plain connection that answers every report with a fixed
 * `accepted`, and does nothing else. What Thingward stands beside.
 *
 *     bench_echo PORT QOS [FILE]          until it is ended
 *
 * With FILE each report is written there and synced before it is answered: the least that a daemon
 * whose `accepted` means durable can do. The file has its length from the start, so that a sync
 * writes the report and nothing else. */
#include "mqtt.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define REPORT_ID_DIGITS 13

/* Where the generator's reports have their id (report_gen.h). */
static struct view report_id(struct view payload)
{
	static const char before[] = "{\"header\":{\"report_id\":";
	size_t at = sizeof(before) - 1;
	if (payload.n < at + REPORT_ID_DIGITS)
		return VIEW_LIT("0");
	return (struct view){payload.p + at, REPORT_ID_DIGITS};
}

#define FILE_BYTES (32 << 20)

struct echo {
	int qos;
	int fd; /* -1: nothing is written */
	off_t at;
};

static void open_file(struct echo *e, const char *path)
{
	static const char zeros[1 << 16];
	e->fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	for (off_t n = 0; e->fd >= 0 && n < FILE_BYTES; n += (off_t)sizeof(zeros))
		if (pwrite(e->fd, zeros, sizeof(zeros), n) != (ssize_t)sizeof(zeros))
			bench_die(path);
	if (e->fd < 0 || fsync(e->fd) < 0)
		bench_die(path);
}

static void write_report(struct echo *e, struct view payload)
{
	if (e->at + (off_t)payload.n > FILE_BYTES)
		e->at = 0;
	if (pwrite(e->fd, payload.p, payload.n, e->at) != (ssize_t)payload.n ||
	    fdatasync(e->fd) < 0)
		bench_die("writing a report");
	e->at += (off_t)payload.n;
}

static void answer(void *ctx, struct mqtt *m, struct view topic, struct view payload)
{
	struct echo *e = ctx;
	char to[256], reply[256];
	if (e->fd >= 0)
		write_report(e, payload);
	struct view id = report_id(payload);
	int to_n = snprintf(to, sizeof(to), "%.*s/accepted", (int)topic.n, topic.p);
	int n = snprintf(reply, sizeof(reply),
			 "{\"thingName\":\"dev\",\"reportId\":%.*s,\"status\":\"ACCEPTED\","
			 "\"timestamp\":1700000000000}",
			 (int)id.n, id.p);
	mqtt_publish(m, (struct view){to, (size_t)to_n}, (struct view){reply, (size_t)n}, e->qos);
}

int main(int argc, char **argv)
{
	static struct mqtt m;
	if (argc != 3 && argc != 4) {
		(void)fprintf(stderr, "usage: bench_echo PORT QOS [FILE]\n");
		return 2;
	}
	struct echo e = {.qos = atoi(argv[2]), .fd = -1};
	if (argc == 4)
		open_file(&e, argv[3]);
	mqtt_connect(&m, (unsigned)atoi(argv[1]), NULL, "echo");
	mqtt_subscribe(&m, "$aws/things/+/defender/metrics/json", e.qos);
	mqtt_flush(&m);
	for (;;) {
		struct pollfd news = {.fd = m.fd, .events = POLLIN};
		if (poll(&news, 1, -1) == 1)
			mqtt_read(&m, answer, &e);
	}
}

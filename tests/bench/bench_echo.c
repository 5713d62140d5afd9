/* The cheapest daemon there can be: one plain connection that answers every report with a fixed
 * `accepted`, and does nothing else. What Thingward stands beside.
 *
 *     bench_echo PORT QOS          until it is ended */
#include "mqtt.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

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

static void answer(void *ctx, struct mqtt *m, struct view topic, struct view payload)
{
	char to[256], reply[256];
	struct view id = report_id(payload);
	int to_n = snprintf(to, sizeof(to), "%.*s/accepted", (int)topic.n, topic.p);
	int n = snprintf(reply, sizeof(reply),
			 "{\"thingName\":\"dev\",\"reportId\":%.*s,\"status\":\"ACCEPTED\","
			 "\"timestamp\":1700000000000}",
			 (int)id.n, id.p);
	mqtt_publish(m, (struct view){to, (size_t)to_n}, (struct view){reply, (size_t)n},
		     *(const int *)ctx);
}

int main(int argc, char **argv)
{
	static struct mqtt m;
	if (argc != 3) {
		(void)fprintf(stderr, "usage: bench_echo PORT QOS\n");
		return 2;
	}
	int qos = atoi(argv[2]);
	mqtt_connect(&m, (unsigned)atoi(argv[1]), NULL, "echo");
	mqtt_subscribe(&m, "$aws/things/+/defender/metrics/json", qos);
	mqtt_flush(&m);
	for (;;) {
		struct pollfd news = {.fd = m.fd, .events = POLLIN};
		if (poll(&news, 1, -1) == 1)
			mqtt_read(&m, answer, &qos);
	}
}

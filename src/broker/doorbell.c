#include "broker/doorbell.h"

#include "base/cursor.h"

#include <errno.h>
#include <glib.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define RETRY_MS 1000

struct doorbell {
	int fd; /* -1: not connected */
	int64_t retry_ms;
	char *path, *token;
};

struct doorbell *doorbell_new(const char *path, const char *token)
{
	struct doorbell *d = g_new0(struct doorbell, 1);
	d->fd = -1;
	d->retry_ms = INT64_MIN;
	d->path = g_strdup(path);
	d->token = g_strdup(token);
	return d;
}

static void hang_up(struct doorbell *d)
{
	if (d->fd >= 0)
		(void)close(d->fd);
	d->fd = -1;
}

void doorbell_free(struct doorbell *d)
{
	if (!d)
		return;
	hang_up(d);
	g_free(d->path);
	g_free(d->token);
	g_free(d);
}

/* MQTT counts big endian. */
static void write_text(struct writer *w, const char *text)
{
	size_t n = strlen(text);
	write_u8(w, (uint8_t)(n >> 8));
	write_u8(w, (uint8_t)n);
	write_raw(w, text, n);
}

static bool send_connect(struct doorbell *d)
{
	static const uint8_t head[] = {0, 4, 'M', 'Q', 'T', 'T', 4, 0xc2, 0, 0};
	uint8_t body[120], packet[128];
	struct writer b = writer_of(body, sizeof(body)), w = writer_of(packet, sizeof(packet));
	write_raw(&b, head, sizeof(head)); /* user name, password, clean session; no keep-alive */
	write_text(&b, DOORBELL_USER);
	write_text(&b, DOORBELL_USER);
	write_text(&b, d->token);
	write_u8(&w, 0x10);
	write_u8(&w, (uint8_t)b.len); /* below 128: one byte says it */
	write_raw(&w, body, b.len);
	return !b.full && !w.full && b.len < 128 &&
	       send(d->fd, packet, w.len, MSG_NOSIGNAL) == (ssize_t)w.len;
}

static void dial(struct doorbell *d, int64_t now_ms)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	if (now_ms < d->retry_ms || strlen(d->path) >= sizeof(at.sun_path))
		return;
	d->retry_ms = now_ms + RETRY_MS;
	memcpy(at.sun_path, d->path, strlen(d->path));
	d->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (d->fd < 0)
		return;
	if (connect(d->fd, (struct sockaddr *)&at, sizeof(at)) < 0 || !send_connect(d))
		hang_up(d);
}

/* Answers are thrown away; false when the broker has closed. */
static bool drain(struct doorbell *d)
{
	uint8_t buf[512];
	ssize_t n;
	while ((n = recv(d->fd, buf, sizeof(buf), MSG_DONTWAIT)) > 0)
		;
	return n < 0 && (errno == EAGAIN || errno == EINTR);
}

void doorbell_ring(struct doorbell *d, int64_t now_ms)
{
	static const uint8_t ping[] = {0xc0, 0};
	if (d->fd >= 0 && !drain(d))
		hang_up(d);
	if (d->fd < 0)
		dial(d, now_ms); /* the CONNECT itself wakes the broker */
	else if (send(d->fd, ping, sizeof(ping), MSG_NOSIGNAL) != (ssize_t)sizeof(ping) &&
		 errno != EAGAIN)
		hang_up(d);
}

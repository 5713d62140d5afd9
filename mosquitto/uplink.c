#include "mosquitto/uplink.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "mosquitto/hex.h"
#include "mosquitto/options.h"
#include "mosquitto/uplink_queue.h"

#define RETRY_MS_MIN     100
#define RETRY_MS_MAX     5000
#define GREETING_MS      5000 /* WELCOME comes within, or the connection is given up */
#define DATAGRAMS_A_POLL 1024
#define EVENT_COST       128 /* what an event costs at most besides itself: a frame of its own */
#define REPORT_OVERHEAD  128 /* headers of frame and record around a report's text and payload */

enum link_state { LINK_DOWN, LINK_GREETING, LINK_UP };

struct uplink {
	const struct options *options;
	struct uplink_handlers handlers;
	char instance[FRAME_INSTANCE + 1];
	int fd;
	enum link_state state;
	int64_t due_ms;   /* down: the next attempt; greeting: when it is given up */
	int64_t retry_ms; /* pause after the next failure */
	uint64_t next_number;
	size_t pending_empty; /* length of a pending frame that holds no event */
	struct writer pending;
	struct queue_held pending_held;
	struct uplink_queue queue;
	uint8_t buffer[FRAME_SIZE_MAX];
	uint8_t received[FRAME_SIZE_MAX +
			 1]; /* one more, so that a datagram over the limit shows */
};

static void pending_begin(struct uplink *u)
{
	u->pending = writer_of(u->buffer, sizeof(u->buffer));
	frame_begin(&u->pending, FRAME_EVENTS, FRAME_VERSION);
	frame_write_number(&u->pending, u->next_number);
	u->pending_empty = u->pending.len;
	u->pending_held = (struct queue_held){0};
}

struct uplink *uplink_new(const struct options *options, const struct uplink_handlers *handlers)
{
	struct uplink *u = calloc(1, sizeof(*u));
	if (!u)
		return NULL;
	u->options = options;
	u->handlers = *handlers;
	u->fd = -1;
	u->retry_ms = RETRY_MS_MIN;
	u->next_number = 1;
	uplink_queue_init(&u->queue);
	pending_begin(u);
	if (hex_random(u->instance, FRAME_INSTANCE) < 0) {
		free(u);
		return NULL;
	}
	return u;
}

void uplink_free(struct uplink *u)
{
	if (!u)
		return;
	if (u->fd >= 0)
		(void)close(u->fd);
	uplink_queue_release(&u->queue);
	free(u);
}

/* ---- The connection ---- */

static void link_down(struct uplink *u, int64_t now_ms, const char *why)
{
	if (u->fd >= 0)
		(void)close(u->fd);
	u->fd = -1;
	u->state = LINK_DOWN;
	u->due_ms = now_ms + u->retry_ms;
	u->retry_ms = u->retry_ms * 2 < RETRY_MS_MAX ? u->retry_ms * 2 : RETRY_MS_MAX;
	u->handlers.down(u->handlers.ctx, why);
}

/* Opens the socket and checks who listens at the other end (S5). -1 with the reason. */
static int open_socket(struct uplink *u, char why[UPLINK_WHY_SIZE])
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	if (snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", u->options->channel) >=
	    (int)sizeof(addr.sun_path)) {
		(void)snprintf(why, UPLINK_WHY_SIZE, "plugin_opt_channel is longer than %zu bytes",
			       sizeof(addr.sun_path) - 1);
		return -1;
	}
	u->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (u->fd < 0 || connect(u->fd, (struct sockaddr *)&addr, sizeof(addr)) < 0) {
		(void)snprintf(why, UPLINK_WHY_SIZE, "%s", strerrordesc_np(errno));
		return -1;
	}
	struct ucred peer;
	socklen_t n = sizeof(peer);
	if (getsockopt(u->fd, SOL_SOCKET, SO_PEERCRED, &peer, &n) < 0 ||
	    peer.uid != u->options->daemon_uid) {
		(void)snprintf(why, UPLINK_WHY_SIZE, "its socket is not that of uid %u",
			       u->options->daemon_uid);
		return -1;
	}
	return 0;
}

static int send_hello(struct uplink *u, uint64_t applied)
{
	const struct frame_slot *oldest = TAILQ_FIRST(&u->queue.slots);
	struct frame_hello hello = {
		.version = FRAME_VERSION,
		.broker = view_of(u->options->broker),
		.instance = {u->instance, FRAME_INSTANCE},
		.first_frame = oldest ? oldest->number : u->next_number,
		.generation = applied,
	};
	uint8_t datagram[512];
	struct writer w = writer_of(datagram, sizeof(datagram));
	frame_begin(&w, FRAME_HELLO, FRAME_VERSION);
	frame_write_hello(&w, &hello);
	return !w.full && send(u->fd, datagram, w.len, MSG_NOSIGNAL) == (ssize_t)w.len ? 0 : -1;
}

static void link_open(struct uplink *u, int64_t now_ms, uint64_t applied)
{
	char why[UPLINK_WHY_SIZE];
	if (open_socket(u, why) < 0) {
		link_down(u, now_ms, why);
		return;
	}
	if (send_hello(u, applied) < 0) {
		link_down(u, now_ms, "it does not take the greeting");
		return;
	}
	u->state = LINK_GREETING;
	u->due_ms = now_ms + GREETING_MS;
}

/* ---- Sending ---- */

static void send_unsent(struct uplink *u)
{
	while (u->state == LINK_UP && u->queue.unsent) {
		const struct frame_slot *slot = u->queue.unsent;
		ssize_t sent = send(u->fd, slot->bytes, slot->n, MSG_NOSIGNAL);
		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0) /* full: later. Broken: the next receive says so. */
			return;
		uplink_queue_sent(&u->queue);
	}
}

/* Moves the pending frame to the queue. False without memory: it stays pending. */
static bool close_pending(struct uplink *u)
{
	if (u->pending.len == u->pending_empty)
		return true;
	if (uplink_queue_append(&u->queue, u->next_number, u->buffer, u->pending.len,
				&u->pending_held) < 0)
		return false;
	u->next_number++;
	pending_begin(u);
	return true;
}

void uplink_flush(struct uplink *u)
{
	if (u->state != LINK_UP)
		return;
	send_unsent(u);
	if (!u->queue.unsent && close_pending(u))
		send_unsent(u);
}

size_t uplink_held(const struct uplink *u)
{
	return u->queue.bytes + u->pending.len;
}

static size_t held_of(const struct uplink *u, enum queue_part part)
{
	return u->queue.held.bytes[part] + u->pending_held.bytes[part];
}

/* Sixteenths of the queue. */
static const uint8_t rooms[] = {
	[PART_REPORTS] = 12,
	[PART_SESSIONS] = 2,
	[PART_REFUSALS] = 1,
	[PART_COUNTERS] = 1,
};

static size_t room_of(const struct uplink *u, enum queue_part part)
{
	return u->options->queue_bytes / 16 * rooms[part];
}

struct share_queue uplink_share_queue(const struct uplink *u)
{
	const struct frame_slot *oldest = TAILQ_FIRST(&u->queue.slots);
	return (struct share_queue){
		.held = held_of(u, PART_REPORTS),
		.cap = room_of(u, PART_REPORTS),
		.first_frame = oldest ? oldest->number : u->next_number,
		.last_frame = u->next_number,
	};
}

bool uplink_report_fits(size_t client_id, size_t topic, size_t payload)
{
	return payload <= FRAME_SIZE_MAX &&
	       client_id + topic + payload + REPORT_OVERHEAD <= FRAME_SIZE_MAX;
}

static const uint8_t parts[] = {
	[EVENT_REPORT] = PART_REPORTS,      [EVENT_CONNECT] = PART_SESSIONS,
	[EVENT_DISCONNECT] = PART_SESSIONS, [EVENT_TAKEOVER] = PART_SESSIONS,
	[EVENT_REFUSED] = PART_REFUSALS,    [EVENT_COUNTERS] = PART_COUNTERS,
	[EVENT_TABLE] = PART_COUNTERS,      [EVENT_CUT] = PART_MARKS,
	[EVENT_APPLIED] = PART_MARKS,       [EVENT_FLUSHED] = PART_MARKS,
};

static bool write_pending(struct uplink *u, const struct event *e)
{
	size_t before = u->pending.len;
	frame_write_event(&u->pending, e);
	if (u->pending.full) {
		u->pending.full = false;
		return false;
	}
	u->pending_held.bytes[parts[e->kind]] += u->pending.len - before + EVENT_COST;
	return true;
}

/* False without memory, and for more than a datagram takes. */
static bool append(struct uplink *u, const struct event *e)
{
	if (!write_pending(u, e) && (!close_pending(u) || !write_pending(u, e)))
		return false;
	if (TAILQ_EMPTY(&u->queue.slots))
		uplink_flush(u);
	return true;
}

bool uplink_event(struct uplink *u, const struct event *e)
{
	enum queue_part part = parts[e->kind];
	return held_of(u, part) < room_of(u, part) && append(u, e);
}

bool uplink_number(struct uplink *u, enum event_kind kind, uint64_t number)
{
	const struct event event = {.kind = kind, .number = number};
	return append(u, &event);
}

/* ---- Receiving ---- */

/* Forgets what the daemon has. -1 when it claims frames that were never made. */
static int take_acknowledgement(struct uplink *u, uint64_t number)
{
	if (number >= u->next_number)
		return -1;
	uplink_queue_acknowledge(&u->queue, number);
	return 0;
}

static int take_welcome(struct uplink *u, struct reader *body)
{
	struct frame_welcome welcome;
	if (u->state != LINK_GREETING || frame_read_welcome(body, &welcome) < 0 ||
	    welcome.version > FRAME_VERSION || take_acknowledgement(u, welcome.last_frame) < 0)
		return -1;
	u->state = LINK_UP;
	u->retry_ms = RETRY_MS_MIN;
	uplink_queue_rewind(&u->queue);
	u->handlers.up(u->handlers.ctx, &welcome);
	uplink_flush(u);
	return 0;
}

static int take_down(struct uplink *u, struct reader *body)
{
	uint64_t number = frame_read_number(body);
	if (u->state != LINK_UP || body->bad || take_acknowledgement(u, number) < 0)
		return -1;
	uint8_t kind;
	struct reader one;
	int rc;
	while ((rc = frame_next(body, &kind, &one)) > 0)
		if (u->handlers.item(u->handlers.ctx, kind, &one) < 0)
			return -1;
	return rc;
}

static int take_datagram(struct uplink *u, size_t n)
{
	static int (*const take[])(struct uplink * u, struct reader * body) = {
		[FRAME_WELCOME] = take_welcome,
		[FRAME_DOWN] = take_down,
	};
	enum frame_type type;
	uint8_t version;
	struct reader body;
	if (frame_open(u->received, n, &type, &version, &body) < 0 || version > FRAME_VERSION ||
	    (size_t)type >= ARRAY_LEN(take) || !take[type])
		return -1;
	return take[type](u, &body);
}

/* Takes one datagram. False when there is no more, or no connection. */
static bool receive_one(struct uplink *u, int64_t now_ms)
{
	ssize_t n = recv(u->fd, u->received, sizeof(u->received), 0);
	if (n < 0 && errno == EINTR)
		return true;
	if (n < 0 && errno == EAGAIN)
		return false;
	if (n <= 0) {
		link_down(u, now_ms, n ? strerrordesc_np(errno) : "it closed the connection");
		return false;
	}
	if (take_datagram(u, (size_t)n) < 0) {
		link_down(u, now_ms, "it sent a damaged datagram");
		return false;
	}
	return true;
}

void uplink_poll(struct uplink *u, int64_t now_ms, uint64_t applied)
{
	if (u->state == LINK_DOWN && now_ms >= u->due_ms)
		link_open(u, now_ms, applied);
	for (unsigned i = 0; i < DATAGRAMS_A_POLL && u->state != LINK_DOWN; i++)
		if (!receive_one(u, now_ms))
			break;
	if (u->state == LINK_GREETING && now_ms >= u->due_ms)
		link_down(u, now_ms, "it does not answer the greeting");
}

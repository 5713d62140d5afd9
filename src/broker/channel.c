#include "broker/channel.h"

#include "base/check.h"
#include "base/log.h"

#include <errno.h>
#include <glib.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <unistd.h>

#define EPOLL_BATCH  16
#define ACCEPT_BATCH 8
#define SOCKET_BYTES (8 << 20) /* asked for each direction: a turn's frames, a turn's answers */

struct channel_peer {
	struct channel *channel;
	int fd;
	uid_t uid;
	bool is_known; /* has said HELLO */
	bool is_dead;  /* freed at the end of the turn */
	char broker[FRAME_BROKER_MAX + 1];
	char instance[FRAME_INSTANCE + 1];
	GQueue unsent; /* of GBytes */
	size_t n_unsent;
	void *owned;
};

struct channel {
	int epoll, listener;
	int timer; /* ends a pause of the listener */
	char *path;
	GArray *uids;
	GPtrArray *peers; /* of channel_peer */
	struct channel_events events;
	uint8_t buf[FRAME_SIZE_MAX];
};

static void peer_free(void *item)
{
	struct channel_peer *peer = item;
	(void)close(peer->fd);
	g_queue_clear_full(&peer->unsent, (GDestroyNotify)g_bytes_unref);
	g_free(peer);
}

static int watch(struct channel *c, int fd, uint32_t events, void *tag, int op)
{
	struct epoll_event e = {.events = events, .data = {.ptr = tag}};
	return epoll_ctl(c->epoll, op, fd, &e);
}

/* Marks a peer for the end of the turn; its events are not called again. */
static void peer_drop(struct channel_peer *peer)
{
	if (peer->is_dead)
		return;
	peer->is_dead = true;
	(void)epoll_ctl(peer->channel->epoll, EPOLL_CTL_DEL, peer->fd, NULL);
	if (peer->is_known)
		peer->channel->events.gone(peer->channel->events.ctx, peer);
	peer->is_known = false;
}

static void bury_dead(struct channel *c)
{
	for (guint i = c->peers->len; i-- > 0;) {
		struct channel_peer *peer = g_ptr_array_index(c->peers, i);
		if (peer->is_dead)
			(void)g_ptr_array_remove_index_fast(c->peers, i);
	}
}

static int open_listener(const struct channel_options *o, int *ret_fd, struct fault *fault)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	if (strlen(o->path) >= sizeof(at.sun_path))
		return fault_set(
			fault, FAULT_INVALID_REQUEST,
			"%s: a socket's path has at most %zu bytes; use a shorter data directory",
			o->path, sizeof(at.sun_path) - 1);
	memcpy(at.sun_path, o->path, strlen(o->path));
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return fault_set(fault, FAULT_INTERNAL, "socket: %s", g_strerror(errno));
	(void)unlink(o->path);
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 || chmod(o->path, o->mode) < 0 ||
	    (o->gid != (gid_t)-1 && chown(o->path, (uid_t)-1, o->gid) < 0) ||
	    listen(fd, CHANNEL_PEERS_MAX) < 0) {
		(void)fault_set(fault, FAULT_INTERNAL, "%s: %s", o->path, g_strerror(errno));
		(void)close(fd);
		return -1;
	}
	*ret_fd = fd;
	return 0;
}

/* The descriptors. What was opened before a failure is closed by the caller. */
static int open_all(struct channel *c, const struct channel_options *o, struct fault *fault)
{
	c->epoll = epoll_create1(EPOLL_CLOEXEC);
	c->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (c->epoll < 0 || c->timer < 0)
		return fault_set(fault, FAULT_INTERNAL, "epoll: %s", g_strerror(errno));
	if (open_listener(o, &c->listener, fault) < 0)
		return -1;
	CHECK(watch(c, c->listener, EPOLLIN, NULL, EPOLL_CTL_ADD) == 0);
	CHECK(watch(c, c->timer, EPOLLIN, c, EPOLL_CTL_ADD) == 0);
	return 0;
}

int channel_new(const struct channel_options *o, struct channel **ret, struct fault *fault)
{
	struct channel *c = g_new0(struct channel, 1);
	c->epoll = c->listener = c->timer = -1;
	c->uids = g_array_new(FALSE, FALSE, sizeof(uid_t));
	(void)g_array_append_vals(c->uids, o->uids, (guint)o->n_uids);
	c->peers = g_ptr_array_new_with_free_func(peer_free);
	c->events = o->events;
	if (open_all(c, o, fault) < 0) {
		channel_free(c);
		return -1;
	}
	c->path = g_strdup(o->path);
	*ret = c;
	return 0;
}

static void close_one(int fd)
{
	if (fd >= 0)
		(void)close(fd);
}

void channel_free(struct channel *c)
{
	if (!c)
		return;
	g_ptr_array_free(c->peers, TRUE);
	(void)g_array_free(c->uids, TRUE);
	close_one(c->listener);
	close_one(c->timer);
	close_one(c->epoll);
	if (c->path)
		(void)unlink(c->path);
	g_free(c->path);
	g_free(c);
}

int channel_fd(const struct channel *c)
{
	return c->epoll;
}

static bool is_allowed(const struct channel *c, uid_t uid)
{
	for (guint i = 0; i < c->uids->len; i++) {
		if (g_array_index(c->uids, uid_t, i) == uid)
			return true;
	}
	return false;
}

static void accept_one(struct channel *c, int fd)
{
	struct ucred who;
	socklen_t n = sizeof(who);
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &n) < 0 || !is_allowed(c, who.uid)) {
		log_warning("channel",
			    "refused a peer of uid %u: not an account of broker.accounts",
			    (unsigned)who.uid);
		(void)close(fd);
		return;
	}
	if (c->peers->len >= CHANNEL_PEERS_MAX) {
		log_warning("channel", "refused a peer: %d are connected already",
			    CHANNEL_PEERS_MAX);
		(void)close(fd);
		return;
	}
	int bytes = SOCKET_BYTES;
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
	struct channel_peer *peer = g_new0(struct channel_peer, 1);
	*peer = (struct channel_peer){.channel = c, .fd = fd, .uid = who.uid};
	g_queue_init(&peer->unsent);
	g_ptr_array_add(c->peers, peer);
	CHECK(watch(c, fd, EPOLLIN, peer, EPOLL_CTL_ADD) == 0);
}

/* Out of descriptors or memory: who waits goes on waiting, and so do we, instead of being told so
 * without end. */
static void pause_listener(struct channel *c)
{
	static const struct itimerspec pause = {.it_value = {.tv_sec = 1}};
	log_error("channel", "a plugin cannot be let in: %s; tried again every second",
		  g_strerror(errno));
	if (timerfd_settime(c->timer, 0, &pause, NULL) == 0)
		(void)epoll_ctl(c->epoll, EPOLL_CTL_DEL, c->listener, NULL);
}

static void resume_listener(struct channel *c)
{
	uint64_t times;
	if (read(c->timer, &times, sizeof(times)) == (ssize_t)sizeof(times))
		(void)watch(c, c->listener, EPOLLIN, NULL, EPOLL_CTL_ADD);
}

static void accept_some(struct channel *c)
{
	for (unsigned i = 0; i < ACCEPT_BATCH; i++) {
		int fd = accept4(c->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd < 0) {
			if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
			    errno == ENOMEM)
				pause_listener(c);
			return;
		}
		accept_one(c, fd);
	}
}

void channel_send(struct channel_peer *peer, const void *datagram, size_t n)
{
	if (peer->is_dead)
		return;
	if (g_queue_is_empty(&peer->unsent)) {
		ssize_t sent = send(peer->fd, datagram, n, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (sent == (ssize_t)n)
			return;
		if (errno != EAGAIN && errno != EINTR && errno != ENOBUFS) {
			peer_drop(peer);
			return;
		}
		(void)watch(peer->channel, peer->fd, EPOLLOUT, peer, EPOLL_CTL_MOD);
	}
	if (peer->n_unsent + n > CHANNEL_UNSENT_MAX) {
		log_warning("channel", "broker %s does not read its channel: dropped",
			    peer->broker);
		peer_drop(peer);
		return;
	}
	peer->n_unsent += n;
	g_queue_push_tail(&peer->unsent, g_bytes_new(datagram, n));
}

static void send_waiting(struct channel_peer *peer)
{
	GBytes *next;
	while ((next = g_queue_peek_head(&peer->unsent))) {
		gsize n;
		const void *p = g_bytes_get_data(next, &n);
		if (send(peer->fd, p, n, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
			if (errno != EAGAIN && errno != EINTR && errno != ENOBUFS)
				peer_drop(peer);
			return;
		}
		peer->n_unsent -= n;
		g_bytes_unref(g_queue_pop_head(&peer->unsent));
	}
	(void)watch(peer->channel, peer->fd, EPOLLIN, peer, EPOLL_CTL_MOD);
}

static void send_waited(struct channel_peer *peer)
{
	const struct channel_events *events = &peer->channel->events;
	guint before = g_queue_get_length(&peer->unsent);
	send_waiting(peer);
	if (!peer->is_dead && peer->is_known && g_queue_get_length(&peer->unsent) < before)
		events->drained(events->ctx, peer);
}

static bool is_id(struct view v, size_t max)
{
	for (size_t i = 0; i < v.n; i++) {
		if (!g_ascii_isalnum(v.p[i]) && v.p[i] != '.' && v.p[i] != '_' && v.p[i] != '-')
			return false;
	}
	return v.n > 0 && v.n <= max;
}

static unsigned read_one(struct channel_peer *peer);

static struct channel_peer *peer_of(const struct channel *c, const char *broker)
{
	for (guint i = 0; i < c->peers->len; i++) {
		struct channel_peer *other = g_ptr_array_index(c->peers, i);
		if (other->is_known && strcmp(other->broker, broker) == 0)
			return other;
	}
	return NULL;
}

static bool is_hung_up(const struct channel_peer *peer)
{
	struct pollfd fd = {.fd = peer->fd};
	return poll(&fd, 1, 0) == 1 && (fd.revents & (POLLHUP | POLLERR));
}

/* Whether another plugin speaks for the broker. One whose process is gone does not: what it sent
 * last is taken, and its end is told. */
static bool is_taken(const struct channel *c, const char *broker)
{
	struct channel_peer *other = peer_of(c, broker);
	while (other && !other->is_dead && is_hung_up(other))
		(void)read_one(other);
	return other && !other->is_dead;
}

static void send_welcome(struct channel_peer *peer, struct frame_welcome *welcome)
{
	uint8_t buf[512];
	struct writer w = writer_of(buf, sizeof(buf));
	welcome->version = FRAME_VERSION;
	frame_begin(&w, FRAME_WELCOME, FRAME_VERSION);
	frame_write_welcome(&w, welcome);
	CHECK(!w.full);
	channel_send(peer, buf, w.len);
}

/* -1: the peer is to be dropped. */
static int take_hello(struct channel_peer *peer, struct reader body)
{
	struct channel *c = peer->channel;
	struct frame_hello hello;
	struct frame_welcome welcome = {0};
	if (frame_read_hello(&body, &hello) < 0 || !is_id(hello.broker, FRAME_BROKER_MAX) ||
	    !is_id(hello.instance, FRAME_INSTANCE) || hello.version < FRAME_VERSION) {
		log_warning("channel", "refused a peer of uid %u: its HELLO is none of ours",
			    (unsigned)peer->uid);
		return -1;
	}
	memcpy(peer->broker, hello.broker.p, hello.broker.n);
	memcpy(peer->instance, hello.instance.p, hello.instance.n);
	if (is_taken(c, peer->broker)) {
		log_error("channel",
			  "refused a second plugin with broker id %s: give each broker an id of "
			  "its own "
			  "(plugin_opt_broker)",
			  peer->broker);
		return -1;
	}
	hello.broker = view_of(peer->broker);
	hello.instance = view_of(peer->instance); /* the buffer has been used again */
	if (c->events.hello(c->events.ctx, peer, &hello, &welcome) != 0)
		return -1;
	peer->is_known = true;
	send_welcome(peer, &welcome);
	return 0;
}

static int take_datagram(struct channel_peer *peer, size_t n)
{
	struct channel *c = peer->channel;
	enum frame_type type;
	uint8_t version;
	struct reader body;
	if (frame_open(c->buf, n, &type, &version, &body) < 0)
		return -1;
	if (type == FRAME_HELLO && !peer->is_known)
		return take_hello(peer, body);
	if (type != FRAME_EVENTS || !peer->is_known)
		return -1;
	uint64_t number = frame_read_number(&body);
	if (body.bad)
		return -1;
	return c->events.frame(c->events.ctx, peer, number, body);
}

/* One datagram of a peer. 1 when there was one, 0 when not now. */
static unsigned read_one(struct channel_peer *peer)
{
	struct channel *c = peer->channel;
	ssize_t n = recv(peer->fd, c->buf, sizeof(c->buf), MSG_DONTWAIT | MSG_TRUNC);
	/* A peer that ended without reading is reset: that is told once, and what it sent follows.
	 */
	if (n < 0 && (errno == EAGAIN || errno == EINTR || errno == ECONNRESET))
		return 0;
	if (n <= 0) {
		peer_drop(peer);
		return 0;
	}
	if ((size_t)n > sizeof(c->buf) || take_datagram(peer, (size_t)n) != 0) {
		if (peer->is_known)
			log_warning("channel",
				    "broker %s sent a frame that cannot be taken: dropped",
				    peer->broker);
		peer_drop(peer);
	}
	return 1;
}

static bool is_readable(struct channel_peer *peer)
{
	return !peer->is_dead && g_queue_is_empty(&peer->unsent);
}

/* NULL: the event is the listener's or the timer's. */
static struct channel_peer *peer_at(struct channel *c, const struct epoll_event *e)
{
	return e->data.ptr == c ? NULL : e->data.ptr;
}

unsigned channel_turn(struct channel *c, unsigned budget)
{
	struct epoll_event ready[EPOLL_BATCH];
	unsigned n_read = 0, before;
	int n = epoll_wait(c->epoll, ready, EPOLL_BATCH, 0);
	for (int i = 0; i < n; i++) {
		struct channel_peer *peer = peer_at(c, &ready[i]);
		if (!ready[i].data.ptr)
			accept_some(c);
		else if (!peer)
			resume_listener(c);
		else if (!peer->is_dead && !g_queue_is_empty(&peer->unsent))
			send_waited(peer);
	}
	/* One datagram of each in turn, so that a busy broker does not starve another. */
	do {
		before = n_read;
		for (int i = 0; i < n && n_read < budget; i++) {
			struct channel_peer *peer = peer_at(c, &ready[i]);
			if (peer && is_readable(peer))
				n_read += read_one(peer);
		}
	} while (n_read > before && n_read < budget);
	bury_dead(c);
	return n_read;
}

const char *channel_broker(const struct channel_peer *peer)
{
	return peer->broker;
}

const char *channel_instance(const struct channel_peer *peer)
{
	return peer->instance;
}

void channel_set_owned(struct channel_peer *peer, void *owned)
{
	peer->owned = owned;
}

void *channel_owned(const struct channel_peer *peer)
{
	return peer->owned;
}

/* The daemon's end of the channel by itself: what waits for a full socket goes out later, and the
 * owner is told, so that a sleeping broker is woken for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "backend.h"
#include "broker/channel.h"

#include <glib.h>
#include <glib/gstdio.h>
#include <poll.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define INSTANCE      "0123456789abcdef0123456789abcdef"
#define DATAGRAM      65536
#define DATAGRAMS_MAX 1000

struct fixture {
	char *dir, *path;
	struct channel *channel;
	struct channel_peer *peer;
	int plugin; /* the other end */
	unsigned drained, hellos, frames, gone;
};

static int on_hello(void *ctx, struct channel_peer *peer, const struct frame_hello *hello,
		    struct frame_welcome *welcome)
{
	struct fixture *f = ctx;
	assert_true(view_is(hello->broker, "east"));
	*welcome = (struct frame_welcome){.token = VIEW_LIT(INSTANCE)};
	assert_true(view_is(hello->instance, INSTANCE));
	f->peer = peer;
	f->hellos++;
	return 0;
}

static int on_frame(void *ctx, struct channel_peer *peer, uint64_t number, struct reader body)
{
	struct fixture *f = ctx;
	(void)peer, (void)number, (void)body;
	f->frames++;
	return 0;
}

static void on_gone(void *ctx, struct channel_peer *peer)
{
	struct fixture *f = ctx;
	(void)peer;
	f->peer = NULL;
	f->gone++;
}

static void on_drained(void *ctx, struct channel_peer *peer)
{
	struct fixture *f = ctx;
	assert_ptr_equal(peer, f->peer);
	f->drained++;
}

static void say_hello(int fd)
{
	uint8_t buf[256];
	const struct frame_hello hello = {FRAME_VERSION, VIEW_LIT("east"), VIEW_LIT(INSTANCE), 1,
					  0};
	struct writer w = writer_of(buf, sizeof(buf));
	frame_begin(&w, FRAME_HELLO, FRAME_VERSION);
	frame_write_hello(&w, &hello);
	assert_int_equal(send(fd, w.buf, w.len, 0), (ssize_t)w.len);
}

static int dial(const struct fixture *f)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	(void)snprintf(to.sun_path, sizeof(to.sun_path), "%s", f->path);
	int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	return fd;
}

static void connect_plugin(struct fixture *f)
{
	f->plugin = dial(f);
	say_hello(f->plugin);
	while (!f->peer)
		(void)channel_turn(f->channel, 16);
}

static int set_up(void **state)
{
	struct fixture *f = g_new0(struct fixture, 1);
	const uid_t self = geteuid();
	struct fault fault;
	f->dir = test_dir_make();
	f->path = g_build_filename(f->dir, "channel.sock", NULL);
	const struct channel_options options = {
		.path = f->path,
		.mode = 0600,
		.gid = (gid_t)-1,
		.uids = &self,
		.n_uids = 1,
		.events = {on_hello, on_frame, on_gone, on_drained, f},
	};
	assert_int_equal(channel_new(&options, &f->channel, &fault), 0);
	connect_plugin(f);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	channel_free(f->channel);
	(void)close(f->plugin);
	test_dir_remove(f->dir);
	g_free(f->path);
	g_free(f);
	return 0;
}

static unsigned receive_waiting(int fd, uint8_t *buf)
{
	unsigned n = 0;
	while (recv(fd, buf, DATAGRAM, MSG_DONTWAIT) == DATAGRAM)
		n++;
	return n;
}

static void test_what_waited_is_told(void **state)
{
	struct fixture *f = *state;
	g_autofree uint8_t *buf = g_malloc0(DATAGRAM);
	assert_true(recv(f->plugin, buf, DATAGRAM, 0) > 0); /* WELCOME */
	for (unsigned i = 0; i < DATAGRAMS_MAX; i++)
		channel_send(f->peer, buf, DATAGRAM);
	(void)channel_turn(f->channel, 16);
	assert_int_equal(f->drained, 0); /* the socket is full: nothing went out behind our back */
	unsigned received = 0, told = 0;
	while (received < DATAGRAMS_MAX) {
		received += receive_waiting(f->plugin, buf);
		(void)channel_turn(f->channel, 16);
		told = f->drained;
	}
	assert_true(told > 0);
	(void)channel_turn(f->channel, 16);
	assert_int_equal(f->drained, told); /* nothing waits any more */
}

static void send_frame(int fd, uint64_t number)
{
	uint8_t buf[64];
	struct writer w = writer_of(buf, sizeof(buf));
	frame_begin(&w, FRAME_EVENTS, FRAME_VERSION);
	frame_write_number(&w, number);
	assert_int_equal(send(fd, w.buf, w.len, 0), (ssize_t)w.len);
}

static bool is_closed(int fd)
{
	uint8_t buf[256];
	return recv(fd, buf, sizeof(buf), MSG_DONTWAIT) == 0;
}

/* S5: two that live. */
static void test_second_plugin_is_refused(void **state)
{
	struct fixture *f = *state;
	int second = dial(f);
	(void)channel_turn(f->channel, 16);
	say_hello(second);
	(void)channel_turn(f->channel, 16);
	assert_true(is_closed(second));
	assert_int_equal(f->hellos, 1);
	assert_int_equal(f->gone, 0);
	(void)close(second);
}

/* The broker was killed and started again before anybody looked: what the first one sent last is
 * taken, and the second is no stranger. */
static void test_restarted_broker_is_no_second_plugin(void **state)
{
	struct fixture *f = *state;
	int second = dial(f);
	(void)channel_turn(f->channel, 16); /* let in, has said nothing yet */
	say_hello(second);
	send_frame(f->plugin, 1);
	send_frame(f->plugin, 2);
	(void)close(f->plugin);
	f->plugin = second;
	(void)channel_turn(f->channel, 16);
	assert_int_equal(f->frames, 2);
	assert_int_equal(f->gone, 1);
	assert_int_equal(f->hellos, 2);
	assert_non_null(f->peer);
}

static bool is_readable(const struct fixture *f, int wait_ms)
{
	struct pollfd fd = {.fd = channel_fd(f->channel), .events = POLLIN};
	return poll(&fd, 1, wait_ms) == 1;
}

/* Out of descriptors: the one who waits does not keep the owner busy, and comes in later. */
static void test_no_descriptors_left(void **state)
{
	struct fixture *f = *state;
	struct rlimit before, none;
	f->peer = NULL;
	(void)close(f->plugin);
	(void)channel_turn(f->channel, 16);
	f->plugin = dial(f);
	say_hello(f->plugin);
	int next = dup(f->plugin); /* the lowest that is free */
	(void)close(next);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = (rlim_t)next;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	assert_true(is_readable(f, 60000));
	(void)channel_turn(f->channel, 16);
	assert_false(is_readable(f, 0));
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	while (!f->peer && is_readable(f, 60000))
		(void)channel_turn(f->channel, 16);
	assert_non_null(f->peer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_what_waited_is_told, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_second_plugin_is_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_restarted_broker_is_no_second_plugin, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_no_descriptors_left, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* For tests of the daemon's threads: a store in a directory of its own, and the far end of the
 * channel. */
#ifndef UNIT_DAEMON_KIT_H
#define UNIT_DAEMON_KIT_H

#include "broker/frame.h"
#include "daemon/evaluate.h"
#include "daemon/ingest.h"
#include "daemon/recorder.h"
#include "detect/config.h"
#include "store/plog.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define KIT_START_MS    INT64_C(1700000000000)
#define KIT_DEVICES_MAX 100
#define KIT_INSTANCE    "0123456789abcdef0123456789abcdef"

/* What runs: a store, and what was started over it. */
struct daemon_kit {
	char dir[64], *state;
	struct store *store;
	struct clock *clock;
	struct ready *ready;
	uint64_t epoch, seed;
	struct evaluator *evaluator;
	bool is_fresh;
	struct recorder *recorder;
	struct ingest *ingest;
};

static inline void kit_open(struct daemon_kit *k)
{
	struct fault fault;
	g_autofree char *url = g_strdup_printf("sqlite:%s", k->dir);
	const struct store_options options = {.url = url, .partitions = 1};
	if (store_open(&options, &k->store, &fault) < 0)
		fail_msg("store_open: %s", fault.message);
	assert_int_equal(plog_lease(k->store, 0, "kit", KIT_START_MS, INT64_MAX, &k->epoch), 0);
	k->ready = ready_new();
}

static inline void kit_begin(struct daemon_kit *k)
{
	*k = (struct daemon_kit){.seed = 1};
	(void)g_strlcpy(k->dir, "/tmp/daemon-test-XXXXXX", sizeof(k->dir));
	assert_non_null(g_mkdtemp(k->dir));
	k->state = g_build_filename(k->dir, "state", NULL);
	assert_int_equal(g_mkdir(k->state, 0700), 0);
	k->clock = clock_new_manual(KIT_START_MS);
	kit_open(k);
}

static inline void kit_start_evaluator(struct daemon_kit *k)
{
	struct fault fault;
	const struct recorder_options recording = {
		.store = k->store, .ready = k->ready, .limits = {100, 1000, 10000}
        };
	if (recorder_new(&recording, &k->recorder, &fault) < 0)
		fail_msg("recorder_new: %s", fault.message);
	const struct evaluator_options options = {
		.store = k->store,
		.ready = k->ready,
		.epoch = k->epoch,
		.state_dir = k->state,
		.checkpoint_entries = 200000,
		.limits = {.min_report_delta_ms = 300000, .max_unregistered = 100},
		.consumer = recorder_consumer(k->recorder),
	};
	if (evaluator_new(&options, &k->evaluator, &k->is_fresh, &fault) < 0)
		fail_msg("evaluator_new: %s", fault.message);
	assert_int_equal(evaluator_start(k->evaluator, &fault), 0);
}

static inline char *kit_channel(const struct daemon_kit *k)
{
	return g_build_filename(k->dir, "channel", NULL);
}

static inline void kit_start_ingest(struct daemon_kit *k)
{
	struct fault fault;
	uid_t own = geteuid();
	g_autofree char *channel = kit_channel(k), *bell = g_build_filename(k->dir, "bell", NULL);
	const struct ingest_options options = {
		.store = k->store,
		.clock = k->clock,
		.chance = chance_seeded(&k->seed),
		.evaluator = k->evaluator,
		.ready = k->ready,
		.limits = {.min_interval_ms = 300000,
			   .account_rate = 3500,
			   .max_devices = KIT_DEVICES_MAX},
		.channel = { .path = channel,
                           .mode = 0600,
                           .gid = (gid_t)-1,
                           .uids = &own,
                           .n_uids = 1},
		.doorbell = bell,
		.generation = 5,
	};
	if (ingest_new(&options, &k->ingest, &fault) < 0)
		fail_msg("ingest_new: %s", fault.message);
}

static inline void kit_stop(struct daemon_kit *k)
{
	ingest_free(g_steal_pointer(&k->ingest));
	evaluator_free(g_steal_pointer(&k->evaluator));
	recorder_free(g_steal_pointer(&k->recorder));
	ready_free(g_steal_pointer(&k->ready));
	store_close(g_steal_pointer(&k->store));
}

static inline void kit_end(struct daemon_kit *k)
{
	kit_stop(k);
	clock_free(k->clock);
	g_autofree char *remove = g_strdup_printf("rm -rf %s", k->dir);
	assert_int_equal(system(remove), 0); /* NOLINT: our own path */
	g_free(k->state);
}

static inline uint64_t kit_head(struct daemon_kit *k)
{
	uint64_t head = 0;
	assert_int_equal(plog_head(k->store, 0, &head), 0);
	return head;
}

static inline int kit_count_one(const struct plog_entry *entry, void *ctx)
{
	*(uint64_t *)ctx += entry->kind != ENTRY_HELLO;
	return 0;
}

/* Entries of the log but HELLO, which every connection leaves. */
static inline uint64_t kit_entries(struct daemon_kit *k)
{
	uint64_t n = 0;
	assert_int_equal(plog_read(k->store, 0, 0, kit_count_one, &n), 0);
	return n;
}

/* ---- A plugin ---- */

struct plugin_kit {
	int fd;
	uint8_t buf[FRAME_SIZE_MAX];
	struct frame_welcome welcome;
	char token[FRAME_TOKEN + 1];
};

static inline void plugin_dial(struct plugin_kit *p, const struct daemon_kit *k)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	g_autofree char *channel = kit_channel(k);
	(void)g_strlcpy(at.sun_path, channel, sizeof(at.sun_path));
	p->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	assert_true(p->fd >= 0);
	assert_int_equal(connect(p->fd, (struct sockaddr *)&at, sizeof(at)), 0);
}

static inline void plugin_send(struct plugin_kit *p, const struct writer *w)
{
	assert_false(w->full);
	assert_int_equal(send(p->fd, w->buf, w->len, MSG_NOSIGNAL), w->len);
}

/* The next datagram's body, or a reader with nothing when the daemon has closed. */
static inline struct reader plugin_receive(struct plugin_kit *p, enum frame_type expected)
{
	enum frame_type type;
	uint8_t version;
	struct reader body = {0};
	ssize_t n = recv(p->fd, p->buf, sizeof(p->buf), 0);
	if (n <= 0)
		return body;
	assert_int_equal(frame_open(p->buf, (size_t)n, &type, &version, &body), 0);
	assert_int_equal(type, expected);
	return body;
}

static inline bool plugin_is_closed(struct plugin_kit *p)
{
	return recv(p->fd, p->buf, sizeof(p->buf), 0) <= 0;
}

static inline void plugin_hello(struct plugin_kit *p, const struct daemon_kit *k,
				const char *broker, uint64_t first_frame)
{
	uint8_t buf[256];
	struct writer w = writer_of(buf, sizeof(buf));
	const struct frame_hello hello = {.version = FRAME_VERSION,
					  .broker = view_of(broker),
					  .instance = VIEW_LIT(KIT_INSTANCE),
					  .first_frame = first_frame,
					  .generation = 1};
	plugin_dial(p, k);
	frame_begin(&w, FRAME_HELLO, FRAME_VERSION);
	frame_write_hello(&w, &hello);
	plugin_send(p, &w);
}

static inline void plugin_connect(struct plugin_kit *p, const struct daemon_kit *k,
				  uint64_t first_frame)
{
	plugin_hello(p, k, "main", first_frame);
	struct reader body = plugin_receive(p, FRAME_WELCOME);
	assert_int_equal(frame_read_welcome(&body, &p->welcome), 0);
}

static inline void plugin_frame(struct writer *w, uint8_t *buf, size_t cap, uint64_t number)
{
	*w = writer_of(buf, cap);
	frame_begin(w, FRAME_EVENTS, FRAME_VERSION);
	frame_write_number(w, number);
}

/* A report that the broker took at at_ms. */
static inline void plugin_add_report_of(struct writer *w, const char *thing, const char *payload,
					int64_t at_ms)
{
	g_autofree char *topic = g_strdup_printf("$aws/things/%s/defender/metrics/json", thing);
	const struct event event = {
		.kind = EVENT_REPORT,
		.report = {.is_own = true,
			   .client_id = view_of(thing),
			   .topic = view_of(topic),
			   .payload = view_of(payload),
			   .at_ms = at_ms}
        };
	frame_write_event(w, &event);
}

/* One that it took just now: a clock that is ahead counts as the daemon's. */
static inline void plugin_add_report(struct writer *w, const char *thing, const char *payload)
{
	plugin_add_report_of(w, thing, payload, INT64_MAX);
}

/* One frame with one report that listens on the ports. */
static inline void plugin_report(struct plugin_kit *p, uint64_t number, const char *thing,
				 uint64_t id, const char *ports)
{
	uint8_t buf[4096];
	struct writer w;
	g_autofree char *payload = g_strdup_printf(
		"{\"header\":{\"report_id\":%" G_GUINT64_FORMAT ",\"version\":\"1.0\"},"
		"\"metrics\":{\"listening_tcp_ports\":{\"ports\":[%s]}}}",
		id, ports);
	plugin_frame(&w, buf, sizeof(buf), number);
	plugin_add_report(&w, thing, payload);
	plugin_send(p, &w);
}

/* Reads a DOWN datagram with one publish: its acknowledgement, and whether topic and payload hold
 * these texts. */
static inline uint64_t plugin_answer(struct plugin_kit *p, const char *topic, const char *payload)
{
	struct reader body = plugin_receive(p, FRAME_DOWN), one;
	uint64_t ack = frame_read_number(&body);
	uint8_t kind;
	struct item_publish item;
	assert_int_equal(frame_next(&body, &kind, &one), 1);
	assert_int_equal(kind, ITEM_PUBLISH);
	assert_int_equal(item_read_publish(&one, &item), 0);
	g_autofree char *have_topic = g_strndup(item.topic.p, item.topic.n);
	g_autofree char *have_payload = g_strndup(item.payload.p, item.payload.n);
	assert_non_null(strstr(have_topic, topic));
	if (!strstr(have_payload, payload))
		fail_msg("\"%s\" does not hold \"%s\"", have_payload, payload);
	return ack;
}

/* Reads a DOWN datagram with one number item. */
static inline uint64_t plugin_number(struct plugin_kit *p, enum frame_item_kind expected)
{
	struct reader body = plugin_receive(p, FRAME_DOWN), one;
	uint8_t kind;
	uint64_t number = 0;
	(void)frame_read_number(&body);
	assert_int_equal(frame_next(&body, &kind, &one), 1);
	assert_int_equal(kind, expected);
	assert_int_equal(item_read_number(&one, &number), 0);
	return number;
}

static inline void plugin_close(struct plugin_kit *p)
{
	(void)close(p->fd);
	p->fd = -1;
}

/* ---- Entries ---- */

/* Appends one entry without a producer. */
static inline void kit_append(struct daemon_kit *k, enum entry_kind kind, const struct writer *body)
{
	assert_false(body->full);
	const struct plog_entry entry = {
		.at_ms = clock_now_ms(k->clock),
		.kind = (uint8_t)kind,
		.body = {(const char *)body->buf, body->len}
        };
	struct plog_batch batch = {.entries = &entry, .n_entries = 1};
	assert_int_equal(plog_append(k->store, 0, &batch, 1), 0);
}

/* A configuration with one profile for all things: listening on 22 only. */
static inline void kit_append_config(struct daemon_kit *k)
{
	static const uint16_t ports[] = {22};
	uint8_t buf[1024];
	struct writer w = writer_of(buf, sizeof(buf));
	const struct comparison_row *op = comparison_find(VIEW_LIT("in-port-set"));
	const struct config_rule rule = {
		.op = op->id,
		.to_alarm = 1,
		.to_clear = 1,
		.value = {.kind = VALUE_PORTS, .n = 1, .ports = ports}
        };
	config_write_begin(&w, 1);
	config_write_profile(&w, VIEW_LIT("p"), TARGET_ALL_THINGS, NULL, 0, 1);
	config_write_behavior(&w, VIEW_LIT("b"), VIEW_LIT("{}"),
			      VIEW_LIT("aws:listening-tcp-ports"), CRITERIA_STATIC, &rule);
	kit_append(k, ENTRY_CONFIG, &w);
}

static inline void kit_append_report(struct daemon_kit *k, const char *thing, uint64_t id,
				     const char *ports)
{
	uint8_t buf[1024];
	struct writer w = writer_of(buf, sizeof(buf));
	g_autofree char *payload = g_strdup_printf(
		"{\"header\":{\"report_id\":%" G_GUINT64_FORMAT ",\"version\":\"1.0\"},"
		"\"metrics\":{\"listening_tcp_ports\":{\"ports\":[%s]}}}",
		id, ports);
	const struct entry_report e = {.thing = view_of(thing),
				       .is_own = true,
				       .format = REPORT_JSON,
				       .payload = view_of(payload)};
	entry_write_report(&w, &e);
	kit_append(k, ENTRY_REPORT, &w);
}

#endif

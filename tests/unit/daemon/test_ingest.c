/* Ingest between a plugin that speaks real frames and a real store: what is durable, what is
 * answered, what comes again. */
#include "kit.h"

#include "daemon/deadlines.h"
#include "daemon/marks.h"
#include "event_kit.h"

#define ACCEPTED "/accepted"
#define REJECTED "/rejected"

static int start(void **state)
{
	struct daemon_kit *k = g_new0(struct daemon_kit, 1);
	kit_begin(k);
	kit_start_evaluator(k);
	kit_start_ingest(k);
	*state = k;
	return 0;
}

static int stop(void **state)
{
	kit_end(*state);
	g_free(*state);
	return 0;
}

static void restart(struct daemon_kit *k)
{
	kit_stop(k);
	kit_open(k);
	kit_start_evaluator(k);
	kit_start_ingest(k);
}

static void test_welcome(void **state)
{
	struct plugin_kit p;
	plugin_connect(&p, *state, 1);
	assert_int_equal(p.welcome.version, FRAME_VERSION);
	assert_int_equal(p.welcome.last_frame, 0);
	assert_int_equal(p.welcome.generation, 5);
	assert_int_equal(p.welcome.now_ms, KIT_START_MS);
	assert_true(p.welcome.is_clock_manual);
	assert_int_equal(p.welcome.token.n, FRAME_TOKEN);
	plugin_close(&p);
}

static void test_accepted_is_durable(void **state)
{
	struct daemon_kit *k = *state;
	struct plugin_kit p;
	plugin_connect(&p, k, 1);
	plugin_report(&p, 1, "a", 7, "{\"port\":22}");
	assert_int_equal(plugin_answer(&p, "/a/defender/metrics/json" ACCEPTED, "\"reportId\":7"),
			 1);
	assert_int_equal(kit_entries(k), 1);
	plugin_report(&p, 2, "a", 8,
		      ""); /* too soon: answered, the frame counted, nothing appended */
	assert_int_equal(plugin_answer(&p, REJECTED, "Throttled"), 2);
	plugin_report(&p, 3, "a", 7, "");
	assert_int_equal(plugin_answer(&p, ACCEPTED, "\"reportId\":7"), 3);
	assert_int_equal(kit_entries(k), 1);
	plugin_close(&p);
}

static void test_refused_reports(void **state)
{
	static const struct {
		const char *thing, *payload, *words;
	} cases[] = {
		{"a",                  "{",  "Malformed metrics report"},
		{"a",                  "{}", "Malformed metrics report"},
		{"a\x01"
		 "b", "[]", "Invalid thing name"      },
	};
	struct plugin_kit p;
	uint8_t buf[4096];
	struct writer w;
	plugin_connect(&p, *state, 1);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		plugin_frame(&w, buf, sizeof(buf), i + 1);
		plugin_add_report(&w, cases[i].thing, cases[i].payload);
		plugin_send(&p, &w);
		assert_int_equal(plugin_answer(&p, REJECTED, cases[i].words), i + 1);
	}
	assert_int_equal(kit_entries(*state), 0);
	plugin_close(&p);
}

/* The daemon was away for five minutes: what waited in the broker did not come too soon. */
static void test_reports_that_waited(void **state)
{
	struct daemon_kit *k = *state;
	struct plugin_kit p;
	uint8_t buf[4096];
	struct writer w;
	plugin_connect(&p, k, 1);
	for (uint64_t i = 1; i <= 3; i++) {
		int64_t at_ms = KIT_START_MS - (i == 1 ? 300000 : 0);
		g_autofree char *payload = g_strdup_printf(
			"{\"header\":{\"report_id\":%" G_GUINT64_FORMAT ",\"version\":\"1.0\"},"
			"\"metrics\":{\"listening_tcp_ports\":{\"ports\":[]}}}",
			i);
		plugin_frame(&w, buf, sizeof(buf), i);
		plugin_add_report_of(&w, "a", payload, at_ms);
		plugin_send(&p, &w);
		if (i < 3)
			(void)plugin_answer(&p, ACCEPTED, "\"status\":\"ACCEPTED\"");
		else
			(void)plugin_answer(&p, REJECTED, "Throttled");
	}
	assert_int_equal(kit_entries(k), 2);
	plugin_close(&p);
}

/* S12: what the full table left out is counted. */
static void test_devices_beyond_the_cap_are_counted(void **state)
{
	struct daemon_kit *k = *state;
	struct plugin_kit p;
	plugin_connect(&p, k, 1);
	for (uint64_t i = 1; i <= KIT_DEVICES_MAX + 2; i++) {
		g_autofree char *thing = g_strdup_printf("thing%" G_GUINT64_FORMAT, i);
		plugin_report(&p, i, thing, 1, "");
		(void)plugin_answer(&p, ACCEPTED, "\"reportId\":1");
	}
	/* The last turn may not have told yet, the one before it has. */
	assert_in_range(counter_get(k->ready, COUNTER_admission_evicted), 1, 2);
	plugin_close(&p);
}

static void test_oversize_report(void **state)
{
	struct plugin_kit p;
	struct writer w;
	g_autofree char *payload = g_strnfill(REPORT_SIZE_MAX + 1, ' ');
	g_autofree uint8_t *buf = g_malloc(FRAME_SIZE_MAX);
	plugin_connect(&p, *state, 1);
	plugin_frame(&w, buf, FRAME_SIZE_MAX, 1);
	plugin_add_report(&w, "a", payload);
	plugin_send(&p, &w);
	assert_int_equal(plugin_answer(&p, REJECTED, "exceeds maximum size"), 1);
	plugin_close(&p);
}

/* The daemon dies between append and answer: the plugin sends again what was not acknowledged. */
static void test_durable_frames_are_answered_again(void **state)
{
	struct daemon_kit *k = *state;
	struct plugin_kit p;
	plugin_connect(&p, k, 1);
	plugin_report(&p, 1, "a", 7, "");
	(void)plugin_answer(&p, ACCEPTED, "\"reportId\":7");
	plugin_close(&p);
	restart(k);
	plugin_connect(&p, k, 1); /* it still keeps frame 1 */
	assert_int_equal(p.welcome.last_frame, 0);
	plugin_report(&p, 1, "a", 7, "");
	assert_int_equal(plugin_answer(&p, ACCEPTED, "\"reportId\":7"), 1);
	plugin_report(&p, 2, "b", 1, "");
	assert_int_equal(plugin_answer(&p, ACCEPTED, "\"reportId\":1"), 2);
	assert_int_equal(kit_entries(k), 2);
	/* What a durable frame did not bring into the log was not accepted, and is not now. */
	plugin_close(&p);
	plugin_connect(&p, k, 2);
	plugin_report(&p, 2, "b", 99, "");
	(void)plugin_answer(&p, REJECTED, "Throttled");
	assert_int_equal(kit_entries(k), 2);
	plugin_close(&p);
}

static void test_gap_ends_the_connection(void **state)
{
	struct plugin_kit p;
	plugin_connect(&p, *state, 1);
	plugin_report(&p, 2, "a", 7, "");
	assert_true(plugin_is_closed(&p));
	plugin_close(&p);
	/* A plugin that lost frames which the log never got. */
	struct daemon_kit *k = *state;
	g_autoptr(GString) told = g_string_new("");
	plugin_hello(&p, k, "main", 2);
	assert_true(plugin_is_closed(&p));
	plugin_close(&p);
	assert_int_equal(kit_entries(k), 0);
	assert_false(ready_tell(k->ready, false, told));
	assert_non_null(strstr(told->str, "not the one it knew"));
}

/* A frame is taken whole or not at all: admission must not remember what was not appended. */
static void test_damaged_frame_leaves_nothing(void **state)
{
	struct plugin_kit p;
	uint8_t buf[4096];
	struct writer w;
	plugin_connect(&p, *state, 1);
	plugin_frame(&w, buf, sizeof(buf), 1);
	plugin_add_report(&w, "a",
			  "{\"header\":{\"report_id\":7,\"version\":\"1.0\"},\"metrics\":{}}");
	write_u8(&w, EVENT_CUT);
	write_u32(&w, 3); /* eight are needed */
	write_raw(&w, "abc", 3);
	plugin_send(&p, &w);
	assert_true(plugin_is_closed(&p));
	plugin_close(&p);
	plugin_connect(&p, *state, 1);
	plugin_report(&p, 1, "a", 7, "");
	assert_int_equal(plugin_answer(&p, ACCEPTED, "\"reportId\":7"), 1);
	assert_int_equal(kit_entries(*state), 1);
	plugin_close(&p);
}

/* No broker lets one pass, and its reply would fit no datagram. */
static void test_topic_beyond_the_quota_ends_the_connection(void **state)
{
	struct plugin_kit p;
	struct writer w;
	g_autofree char *thing = g_strnfill(65500, 'x');
	g_autofree uint8_t *buf = g_malloc(FRAME_SIZE_MAX);
	plugin_connect(&p, *state, 1);
	plugin_frame(&w, buf, FRAME_SIZE_MAX, 1);
	plugin_add_report(&w, thing, "{}");
	plugin_send(&p, &w);
	assert_true(plugin_is_closed(&p));
	plugin_close(&p);
}

/* S5. */
static void test_second_plugin_of_a_broker_is_refused(void **state)
{
	struct plugin_kit first, second, other;
	plugin_connect(&first, *state, 1);
	plugin_hello(&second, *state, "main", 1);
	assert_true(plugin_is_closed(&second));
	plugin_close(&second);
	plugin_hello(&other, *state, "other", 1);
	struct reader body = plugin_receive(&other, FRAME_WELCOME);
	assert_int_equal(frame_read_welcome(&body, &other.welcome), 0);
	plugin_close(&other);
	/* The first one goes on. */
	plugin_report(&first, 1, "a", 1, "");
	assert_int_equal(plugin_answer(&first, ACCEPTED, "\"reportId\":1"), 1);
	plugin_close(&first);
}

static void test_hostile_greetings(void **state)
{
	static const char *const brokers[] = {"", "a b", "../x", "\x01"};
	struct plugin_kit p;
	for (size_t i = 0; i < ARRAY_LEN(brokers); i++) {
		plugin_hello(&p, *state, brokers[i], 1);
		assert_true(plugin_is_closed(&p));
		plugin_close(&p);
	}
	plugin_dial(&p, *state);
	assert_int_equal(send(p.fd, "no frame at all", 15, MSG_NOSIGNAL), 15);
	assert_true(plugin_is_closed(&p));
	plugin_close(&p);
}

/* Many answers need several datagrams: the frame is acknowledged with the last. */
static void test_acknowledged_with_the_last_answer(void **state)
{
	enum { REPORTS = 1500 };
	struct plugin_kit p;
	struct writer w;
	g_autofree uint8_t *buf = g_malloc(FRAME_SIZE_MAX);
	plugin_connect(&p, *state, 1);
	plugin_frame(&w, buf, FRAME_SIZE_MAX, 1);
	for (int i = 0; i < REPORTS; i++)
		plugin_add_report(&w, "a", "{");
	plugin_send(&p, &w);
	int n = 0, datagrams = 0;
	while (n < REPORTS) {
		struct reader body = plugin_receive(&p, FRAME_DOWN), one;
		uint64_t ack = frame_read_number(&body);
		uint8_t kind;
		while (frame_next(&body, &kind, &one) == 1)
			n++;
		assert_int_equal(ack, n < REPORTS ? 0 : 1);
		datagrams++;
	}
	assert_true(datagrams > 1);
	plugin_close(&p);
}

static void test_appends_of_others_and_announcements(void **state)
{
	struct daemon_kit *k = *state;
	struct plugin_kit p;
	uint8_t buf[128];
	struct writer w = writer_of(buf, sizeof(buf));
	entry_write_thing(&w, VIEW_LIT("a"), true, NULL, 0);
	const struct plog_entry entry = {
		.at_ms = KIT_START_MS, .kind = ENTRY_THING, .body = {(const char *)buf, w.len}
        };
	const size_t ends[] = {0, 1, 1};
	const struct plog_batch batch = {.producer = "change",
					 .first_frame = 1,
					 .last_frame = 3,
					 .entries = &entry,
					 .n_entries = 1,
					 .frame_ends = ends};
	plugin_connect(&p, k, 1);
	assert_int_equal(ingest_append(k->ingest, &batch), 0);
	assert_int_equal(ingest_append(k->ingest, &batch), 0); /* taken already */
	assert_int_equal(kit_entries(k), 1);
	uint64_t last = 0;
	assert_int_equal(plog_last_frame(k->store, 0, "change", &last), 0);
	assert_int_equal(last, 3);
	ingest_announce(k->ingest, 6);
	assert_int_equal(plugin_number(&p, ITEM_GENERATION), 6);
	plugin_close(&p);
}

static void send_numbers(struct plugin_kit *p, uint64_t number, uint64_t cut, uint64_t flushed)
{
	uint8_t buf[128];
	struct writer w;
	plugin_frame(&w, buf, sizeof(buf), number);
	if (cut)
		frame_write_event(&w, &(struct event){.kind = EVENT_CUT, .number = cut});
	frame_write_event(&w, &(struct event){.kind = EVENT_FLUSHED, .number = flushed});
	plugin_send(p, &w);
}

static void *settle_thread(void *ctx)
{
	return GSIZE_TO_POINTER(ingest_settle(((struct daemon_kit *)ctx)->ingest));
}

/* A mark waits for the broker's cut; settling tells the time, flushes, and ends with the mark in
 * the log. */
static void test_mark_comes_behind_the_cut(void **state)
{
	struct daemon_kit *k = *state;
	struct plugin_kit p;
	pthread_t thread;
	void *head;
	plugin_connect(&p, k, 1);
	ingest_mark(k->ingest, KIT_START_MS);
	assert_int_equal(pthread_create(&thread, NULL, settle_thread, k), 0);
	assert_int_equal(plugin_number(&p, ITEM_TIME), KIT_START_MS);
	uint64_t flush = plugin_number(&p, ITEM_FLUSH);
	assert_int_equal(kit_entries(k), 0);
	send_numbers(&p, 1, (uint64_t)KIT_START_MS, flush);
	assert_int_equal(pthread_join(thread, &head), 0);
	assert_int_equal(GPOINTER_TO_SIZE(head), 3); /* hello, the cut, then the mark */
	evaluator_wait(k->evaluator, 3);
	assert_int_equal(counter_get(k->ready, COUNTER_entries_evaluated), 3);
	plugin_close(&p);
}

static void test_settling_without_a_broker(void **state)
{
	struct daemon_kit *k = *state;
	ingest_mark(k->ingest, KIT_START_MS);
	assert_int_equal(ingest_settle(k->ingest), 1);
}

/* ---- What brokers tell ---- */

static int note_kind(const struct plog_entry *entry, void *ctx)
{
	struct entry_broker e;
	bool has_broker = (entry->kind == ENTRY_CUT || entry->kind == ENTRY_BROKER_GONE) &&
			  entry_read_broker(entry->body, &e) == 0;
	g_string_append_printf(ctx, "%d%.*s ", entry->kind, has_broker ? (int)e.broker.n : 0,
			       has_broker ? e.broker.p : "");
	return 0;
}

/* The kinds of the log's entries in order, behind those of a broker its id. */
static void assert_log(struct daemon_kit *k, const char *want)
{
	g_autoptr(GString) text = g_string_new("");
	assert_int_equal(plog_read(k->store, 0, 0, note_kind, text), 0);
	assert_string_equal(text->str, want);
}

static void plugin_tell(struct plugin_kit *p, uint64_t number, const struct event *e)
{
	uint8_t buf[4096];
	struct writer w;
	plugin_frame(&w, buf, sizeof(buf), number);
	frame_write_event(&w, e);
	plugin_send(p, &w);
}

static void plugin_cut(struct plugin_kit *p, uint64_t number, int64_t mark_ms)
{
	plugin_tell(p, number, &(struct event){.kind = EVENT_CUT, .number = (uint64_t)mark_ms});
	struct reader body = plugin_receive(p, FRAME_DOWN);
	assert_int_equal(frame_read_number(&body), number);
}

static void plugin_join(struct plugin_kit *p, struct daemon_kit *k, const char *broker)
{
	plugin_hello(p, k, broker, 1);
	struct reader body = plugin_receive(p, FRAME_WELCOME);
	assert_int_equal(frame_read_welcome(&body, &p->welcome), 0);
}

static void test_mark_waits_for_every_broker(void **state)
{
	struct daemon_kit *k = *state;
	struct plugin_kit east, west;
	plugin_join(&east, k, "east");
	plugin_join(&west, k, "west");
	ingest_mark(k->ingest, KIT_START_MS);
	plugin_cut(&east, 1, KIT_START_MS);
	assert_log(k, "8 8 6east ");
	plugin_cut(&west, 1, KIT_START_MS - 300000); /* not yet that far */
	assert_log(k, "8 8 6east 6west ");
	plugin_cut(&west, 2, KIT_START_MS);
	assert_log(k, "8 8 6east 6west 6west 4 ");
	plugin_close(&east);
	plugin_close(&west);
}

/* The daemon was away: the counters that a plugin kept meanwhile come before the mark. */
static void test_mark_waits_for_brokers_of_the_time_before(void **state)
{
	struct daemon_kit *k = *state;
	struct plugin_kit p;
	plugin_join(&p, k, "east");
	plugin_cut(&p, 1, KIT_START_MS - 300000);
	plugin_close(&p);
	restart(k);
	ingest_mark(k->ingest, KIT_START_MS);
	plugin_join(&p, k, "east");
	plugin_cut(&p, 1, KIT_START_MS - 300000); /* it comes again */
	assert_log(k, "8 6east 8 ");
	plugin_cut(&p, 2, KIT_START_MS);
	assert_log(k, "8 6east 8 6east 4 ");
	plugin_close(&p);
}

/* One that does not come back is given up, once. */
static void test_mark_gives_up_brokers_of_the_time_before(void **state)
{
	struct daemon_kit *k = *state;
	struct plugin_kit p;
	plugin_join(&p, k, "east");
	plugin_close(&p);
	restart(k);
	ingest_mark(k->ingest, KIT_START_MS);
	(void)ingest_settle(k->ingest);
	assert_log(k, "8 5east 4 ");
	evaluator_wait(k->evaluator, 3);
	restart(k);
	ingest_mark(k->ingest, KIT_START_MS + 300000);
	(void)ingest_settle(k->ingest);
	assert_log(k, "8 5east 4 4 ");
}

/* Its time came while the daemon was away. */
static void test_mark_of_the_absence(void **state)
{
	struct daemon_kit *k = *state;
	struct deadlines_options options = {.clock = k->clock,
					    .store = k->store,
					    .ingest = k->ingest,
					    .evaluator = k->evaluator,
					    .last_mark_ms = KIT_START_MS / MARK_MS * MARK_MS};
	struct deadlines *d = deadlines_new(&options);
	deadlines_advance(d, 0);
	assert_log(k, "");
	deadlines_free(d);
	clock_advance(k->clock, 3 * MARK_MS, NULL, NULL);
	d = deadlines_new(&options);
	deadlines_advance(d, 0);
	assert_log(k, "4 ");
	evaluator_wait(k->evaluator, 1);
	deadlines_free(d);
	kit_stop(k);
	kit_open(k);
	kit_start_evaluator(k);
	options.last_mark_ms = evaluator_last_mark(k->evaluator);
	assert_true(options.last_mark_ms > KIT_START_MS + MARK_MS);
	kit_start_ingest(k);
	options.store = k->store;
	options.ingest = k->ingest;
	options.evaluator = k->evaluator;
	d = deadlines_new(&options);
	deadlines_advance(d, 0);
	assert_log(k, "4 "); /* it is there already */
	deadlines_free(d);
}

static void assert_session_count(struct daemon_kit *k, int64_t want)
{
	int64_t n = -1;
	struct fault fault;
	evaluator_wait(k->evaluator, kit_head(k));
	struct sql_conn *reader = store_reader_open(k->store, &fault);
	assert_int_equal(sql_query_int(reader, SQL_session_count, SQL_NO_ARGS, &n), 1);
	store_reader_close(reader);
	assert_int_equal(n, want);
	assert_int_equal(counter_get(k->ready, COUNTER_sessions_open), want);
}

/* Frames that come again after the daemon's death count once. */
static void test_sessions_and_refusals_count_once(void **state)
{
	struct daemon_kit *k = *state;
	struct plugin_kit p;
	const struct event connect = kit_event(EVENT_CONNECT), refused = kit_event(EVENT_REFUSED);
	plugin_connect(&p, k, 1);
	for (int round = 0; round < 2; round++) {
		plugin_tell(&p, 1, &connect);
		plugin_tell(&p, 2, &refused);
		plugin_cut(&p, 3, KIT_START_MS);
		assert_session_count(k, 1);
		plugin_close(&p);
		restart(k);
		plugin_connect(&p, k, 1);
	}
	assert_int_equal(kit_entries(k), 3);
	plugin_close(&p);
}

static void test_metrics_of_what_brokers_tell(void **state)
{
	struct daemon_kit *k = *state;
	struct plugin_kit p;
	const struct event refused = kit_event(EVENT_REFUSED), table = kit_event(EVENT_TABLE);
	struct event hostile = table;
	hostile.table.name = VIEW_LIT("x\"} 1\n");
	plugin_connect(&p, k, 1);
	plugin_tell(&p, 1, &refused);
	plugin_tell(&p, 2, &table);
	plugin_cut(&p, 3, KIT_START_MS);
	assert_int_equal(
		family_get(k->ready, FAMILY_refusals, "cause=\"explicit-deny\",mode=\"observe\""),
		12);
	assert_int_equal(family_get(k->ready, FAMILY_broker_table_left_out,
				    "broker=\"main\",table=\"refusals\""),
			 11);
	plugin_tell(&p, 4, &hostile);
	assert_true(plugin_is_closed(&p));
	plugin_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup_teardown(name, start, stop)
		CASE(test_welcome),
		CASE(test_accepted_is_durable),
		CASE(test_refused_reports),
		CASE(test_reports_that_waited),
		CASE(test_devices_beyond_the_cap_are_counted),
		CASE(test_oversize_report),
		CASE(test_durable_frames_are_answered_again),
		CASE(test_gap_ends_the_connection),
		CASE(test_damaged_frame_leaves_nothing),
		CASE(test_topic_beyond_the_quota_ends_the_connection),
		CASE(test_second_plugin_of_a_broker_is_refused),
		CASE(test_hostile_greetings),
		CASE(test_acknowledged_with_the_last_answer),
		CASE(test_appends_of_others_and_announcements),
		CASE(test_mark_comes_behind_the_cut),
		CASE(test_settling_without_a_broker),
		CASE(test_mark_waits_for_every_broker),
		CASE(test_mark_waits_for_brokers_of_the_time_before),
		CASE(test_mark_gives_up_brokers_of_the_time_before),
		CASE(test_mark_of_the_absence),
		CASE(test_sessions_and_refusals_count_once),
		CASE(test_metrics_of_what_brokers_tell),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

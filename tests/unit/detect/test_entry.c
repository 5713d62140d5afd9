/* Bodies of log entries and configurations: what is written is read, what is damaged is refused. */
#include "kit.h"

#include "base/compiler.h"
#include "event_kit.h"

#include <errno.h>

static void test_report(void **state)
{
	(void)state;
	uint8_t buf[256];
	struct entry_report in = {
		.thing = VIEW_LIT("lamp"),
		.reporter = {1, 2, 3},
		.is_own = true,
		.format = REPORT_CBOR,
		.payload = VIEW_LIT("payload")
        };
	struct entry_report out;
	struct writer w = writer_of(buf, sizeof(buf));
	entry_write_report(&w, &in);
	assert_int_equal(entry_read_report((struct view){(char *)buf, w.len}, &out), 0);
	assert_true(view_is(out.thing, "lamp"));
	assert_memory_equal(out.reporter, in.reporter, sizeof(in.reporter));
	assert_true(out.is_own);
	assert_int_equal(out.format, REPORT_CBOR);
	assert_true(view_is(out.payload, "payload"));
	for (size_t n = 0; n < w.len; n++)
		assert_int_equal(entry_read_report((struct view){(char *)buf, n}, &out), -1);
	assert_int_equal(entry_read_report((struct view){(char *)buf, w.len + 1}, &out), -1);
}

static void test_thing(void **state)
{
	(void)state;
	static const struct {
		uint64_t groups[3];
		uint32_t n;
		int result;
	} rows[] = {
		{{0},                0, 0 },
		{{1, 2, UINT64_MAX}, 3, 0 },
		{{1, 1},             2, -1},
		{{2, 1},             2, -1},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint8_t buf[256];
		struct entry_thing out;
		struct writer w = writer_of(buf, sizeof(buf));
		entry_write_thing(&w, VIEW_LIT("lamp"), true, rows[i].groups, rows[i].n);
		assert_int_equal(entry_read_thing((struct view){(char *)buf, w.len}, &out),
				 rows[i].result);
		if (rows[i].result != 0)
			continue;
		assert_int_equal(out.n_groups, rows[i].n);
		for (uint32_t k = 0; k < out.n_groups; k++)
			assert_int_equal(read_u64(&out.groups), rows[i].groups[k]);
		for (size_t n = 0; n < w.len; n++)
			assert_int_equal(entry_read_thing((struct view){(char *)buf, n}, &out), -1);
	}
}

static void test_mark_and_broker(void **state)
{
	(void)state;
	uint8_t buf[64];
	struct entry_mark mark;
	struct entry_broker broker;
	struct writer w = writer_of(buf, sizeof(buf));
	entry_write_mark(&w, &(struct entry_mark){-5});
	assert_int_equal(entry_read_mark((struct view){(char *)buf, w.len}, &mark), 0);
	assert_int_equal(mark.t_ms, -5);
	assert_int_equal(entry_read_mark((struct view){(char *)buf, w.len - 1}, &mark), -1);
	w = writer_of(buf, sizeof(buf));
	entry_write_broker(&w, &(struct entry_broker){VIEW_LIT("b1"), 300000});
	assert_int_equal(entry_read_broker((struct view){(char *)buf, w.len}, &broker), 0);
	assert_true(view_is(broker.broker, "b1"));
	assert_int_equal(broker.t_ms, 300000);
	assert_int_equal(entry_read_broker((struct view){(char *)buf, w.len + 1}, &broker), -1);
}

static struct view written_event(uint8_t *buf, size_t cap, enum event_kind kind)
{
	uint8_t body[2048];
	struct event e = kit_event(kind);
	struct writer b = writer_of(body, sizeof(body)), w = writer_of(buf, cap);
	event_write(&b, &e);
	entry_write_event(&w, VIEW_LIT("b1"), kind, (struct view){(char *)body, b.len});
	assert_false(w.full);
	return (struct view){(char *)buf, w.len};
}

/* What depends on a report, or is no fact of a session, is no entry of this kind. */
static void test_events(void **state)
{
	(void)state;
	static const enum event_kind logged[] = {EVENT_REFUSED,  EVENT_CONNECT,  EVENT_DISCONNECT,
						 EVENT_TAKEOVER, EVENT_COUNTERS, EVENT_APPLIED};
	static const enum event_kind others[] = {EVENT_REPORT, EVENT_CUT, EVENT_FLUSHED,
						 EVENT_TABLE};
	uint8_t buf[4096];
	struct entry_event out;
	for (size_t i = 0; i < ARRAY_LEN(logged); i++) {
		struct view body = written_event(buf, sizeof(buf), logged[i]);
		assert_true(entry_logs(logged[i]));
		assert_int_equal(entry_read_event(body, &out), 0);
		assert_true(view_is(out.broker, "b1"));
		assert_int_equal(out.event.kind, logged[i]);
		for (size_t n = 0; n < body.n; n++)
			assert_int_equal(entry_read_event((struct view){body.p, n}, &out), -1);
		assert_int_equal(entry_read_event((struct view){body.p, body.n + 1}, &out), -1);
	}
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		assert_false(entry_logs(others[i]));
		assert_int_equal(entry_read_event(written_event(buf, sizeof(buf), others[i]), &out),
				 -1);
	}
}

static void test_hello(void **state)
{
	(void)state;
	static const struct {
		struct entry_hello hello;
		int rc;
	} rows[] = {
		{{VIEW_INIT("b1"), VIEW_INIT("0f"), 7}, 0 },
		{{VIEW_INIT(""), VIEW_INIT("0f"), 7},   -1},
		{{VIEW_INIT("b1"), VIEW_INIT(""), 7},   -1},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint8_t buf[64];
		struct entry_hello out;
		struct writer w = writer_of(buf, sizeof(buf));
		entry_write_hello(&w, &rows[i].hello);
		assert_int_equal(entry_read_hello((struct view){(char *)buf, w.len}, &out),
				 rows[i].rc);
		if (rows[i].rc != 0)
			continue;
		assert_true(view_is(out.broker, "b1") && view_is(out.run, "0f"));
		assert_int_equal(out.generation, 7);
		for (size_t n = 0; n < w.len; n++)
			assert_int_equal(entry_read_hello((struct view){(char *)buf, n}, &out), -1);
	}
}

/* ---- Configurations ---- */

#define PORTS "aws:num-listening-tcp-ports"
#define FEW                                                                                        \
	{                                                                                          \
		.name = "b", .metric = PORTS, .op = "less-than", .value = KIT_COUNT(10)            \
	}

struct config_case {
	const char *what;
	struct kit_profile profiles[2];
	uint32_t n;
	int result;
};

#define REFUSED (-EBADMSG)

static const struct config_case config_cases[] = {
	{"none",                {{0}},							     0, 0      },
	{"one",		 {{.name = "p", .behaviors = {FEW}}},                               1, 0      },
	{"two, by name",        {{.name = "p"}, {.name = "q", .behaviors = {FEW}}},                2, 0      },
	{"out of order",        {{.name = "q"}, {.name = "p"}},                                    2, REFUSED},
	{"a name twice",        {{.name = "p"}, {.name = "p"}},                                    2, REFUSED},
	{"no name",             {{.name = ""}},						    1, REFUSED},
	{"unknown target",      {{.name = "p", .targets = 8}},                                     1, REFUSED},
	{"groups out of order", {{.name = "p", .groups = {2, 1}, .n_groups = 2}},                  1, REFUSED},
	{"a behavior twice",    {{.name = "p", .behaviors = {FEW, FEW}}},                          1, REFUSED},
	{"cloud-side metric",
	 {{.name = "p",
	   .behaviors = {{.name = "b", .metric = "aws:num-disconnects", .op = "less-than"}}}},
	 1,											   REFUSED},
	{"unknown metric",
	 {{.name = "p", .behaviors = {{.name = "b", .metric = "aws:x", .op = "less-than"}}}},
	 1,											   REFUSED},
	{"operator and value",
	 {{.name = "p", .behaviors = {{.name = "b", .metric = PORTS, .op = "in-set"}}}},
	 1,											   REFUSED},
	{"metric and value",
	 {{.name = "p",
	   .behaviors = {{.name = "b", .metric = "aws:listening-tcp-ports", .op = "less-than"}}}},
	 1,											   REFUSED},
	{"datapoints",
	 {{.name = "p",
	   .behaviors = {{.name = "b", .metric = PORTS, .op = "less-than", .to_alarm = 11}}}},
	 1,											   REFUSED},
	{"duration",
	 {{.name = "p",
	   .behaviors = {{.name = "b", .metric = PORTS, .op = "less-than", .duration_s = 3601}}}},
	 1,											   REFUSED},
	{"not a number",
	 {{.name = "p",
	   .behaviors = {{.name = "b",
			  .metric = "x",
			  .op = "less-than",
			  .value = {.kind = VALUE_NUMBER, .number = (double)(1e300 * 1e300)}}}}},
	 1,											   REFUSED},
};

static void test_configurations(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(config_cases); i++) {
		uint8_t buf[4096];
		struct config *config = NULL;
		size_t n = kit_config_body(buf, sizeof(buf), config_cases[i].profiles,
					   config_cases[i].n);
		assert_int_equal(config_open((struct view){(char *)buf, n}, &config),
				 config_cases[i].result);
		config_free(config);
	}
}

/* Every piece of a good one, and every flipped byte: refused or understood, never worse. */
static void test_damaged_configurations(void **state)
{
	(void)state;
	static const uint16_t ports[] = {1, 2};
	static const double numbers[] = {1.5};
	static const struct view strings[] = {
		{"a", 1},
                {"b", 1}
        };
	static const struct config_cidr cidrs[] = {
		{{{1}}, 8}
        };
	static const struct kit_profile profiles[] = {
		{.name = "p",
		 .groups = {4, 9},
		 .n_groups = 2,
		 .behaviors = {FEW,
			       {.name = "c",
				.metric = "aws:listening-tcp-ports",
				.op = "in-port-set",
				.value = {.kind = VALUE_PORTS, .ports = ports, .n = 2}},
			       {.name = "d",
				.metric = "aws:destination-ip-addresses",
				.op = "in-cidr-set",
				.value = {.kind = VALUE_ADDRS, .cidrs = cidrs, .n = 1}},
			       {.name = "e",
				.metric = "custom",
				.op = "in-set",
				.value = {.kind = VALUE_STRINGS, .strings = strings, .n = 2}},
			       {.name = "f",
				.metric = "custom",
				.op = "in-set",
				.value = {.kind = VALUE_NUMBERS, .numbers = numbers, .n = 1}}}},
		{.name = "q"}
        };
	uint8_t buf[4096];
	struct config *config = NULL;
	size_t n = kit_config_body(buf, sizeof(buf), profiles, 2);
	assert_int_equal(config_open((struct view){(char *)buf, n}, &config), 0);
	config_free(config);
	for (size_t cut = 0; cut < n; cut++)
		assert_int_equal(config_open((struct view){(char *)buf, cut}, &config), REFUSED);
	for (size_t at = 0; at < n; at++)
		for (unsigned bit = 0; bit < 8; bit++) {
			buf[at] ^= (uint8_t)(1U << bit);
			if (config_open((struct view){(char *)buf, n}, &config) == 0)
				config_free(config);
			buf[at] ^= (uint8_t)(1U << bit);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_report),
		cmocka_unit_test(test_thing),
		cmocka_unit_test(test_mark_and_broker),
		cmocka_unit_test(test_events),
		cmocka_unit_test(test_hello),
		cmocka_unit_test(test_configurations),
		cmocka_unit_test(test_damaged_configurations),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

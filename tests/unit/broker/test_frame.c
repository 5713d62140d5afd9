/* Frames: each kind goes there and back, whatever is damaged is refused, nothing is written by
 * halves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "broker/frame.h"

#include "event_kit.h"

#define INSTANCE "0123456789abcdef0123456789abcdef"

static uint8_t buffer[FRAME_SIZE_MAX];

static struct reader opened(const struct writer *w, enum frame_type want)
{
	enum frame_type type;
	uint8_t version;
	struct reader body;
	assert_false(w->full);
	assert_int_equal(frame_open(w->buf, w->len, &type, &version, &body), 0);
	assert_int_equal(type, want);
	assert_int_equal(version, FRAME_VERSION);
	return body;
}

static struct writer begun(enum frame_type type)
{
	struct writer w = writer_of(buffer, sizeof(buffer));
	frame_begin(&w, type, FRAME_VERSION);
	return w;
}

static struct reader only_record(struct reader *body, uint8_t want)
{
	uint8_t kind, other;
	struct reader one, none;
	assert_int_equal(frame_read_number(body), 7);
	assert_int_equal(frame_next(body, &kind, &one), 1);
	assert_int_equal(kind, want);
	assert_int_equal(frame_next(body, &other, &none), 0);
	return one;
}

static void assert_view(struct view v, const char *want)
{
	assert_true(view_is(v, want));
}

static void test_hello(void **state)
{
	(void)state;
	const struct frame_hello in = {1, VIEW_LIT("east"), VIEW_LIT(INSTANCE), 42, UINT64_MAX};
	struct frame_hello out;
	struct writer w = begun(FRAME_HELLO);
	frame_write_hello(&w, &in);
	struct reader body = opened(&w, FRAME_HELLO);
	assert_int_equal(frame_read_hello(&body, &out), 0);
	assert_int_equal(out.version, 1);
	assert_view(out.broker, "east");
	assert_view(out.instance, INSTANCE);
	assert_int_equal(out.first_frame, 42);
	assert_true(out.generation == UINT64_MAX);
}

static void test_hello_refused(void **state)
{
	(void)state;
	const struct frame_hello bad[] = {
		{0, VIEW_LIT("east"), VIEW_LIT(INSTANCE),                           1, 1},
		{1, VIEW_LIT(""),     VIEW_LIT(INSTANCE),                           1, 1},
		{1, VIEW_LIT("east"), VIEW_LIT("0123"),                             1, 1},
		{1, VIEW_LIT("east"), VIEW_LIT("0123456789ABCDEF0123456789abcdef"), 1, 1},
	};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct frame_hello out;
		struct writer w = begun(FRAME_HELLO);
		frame_write_hello(&w, &bad[i]);
		struct reader body = opened(&w, FRAME_HELLO);
		assert_int_equal(frame_read_hello(&body, &out), -1);
	}
}

static void test_welcome(void **state)
{
	(void)state;
	const struct frame_welcome in = {
		.version = 1,
		.last_frame = 5,
		.generation = 6,
		.now_ms = 1700000000000,
		.is_clock_manual = true,
		.token = VIEW_LIT(INSTANCE),
	};
	struct frame_welcome out;
	struct writer w = begun(FRAME_WELCOME);
	frame_write_welcome(&w, &in);
	struct reader body = opened(&w, FRAME_WELCOME);
	assert_int_equal(frame_read_welcome(&body, &out), 0);
	assert_int_equal(out.last_frame, 5);
	assert_int_equal(out.generation, 6);
	assert_int_equal(out.now_ms, 1700000000000);
	assert_true(out.is_clock_manual);
	assert_view(out.token, INSTANCE);
}

static void test_event(void **state)
{
	(void)state;
	struct event in = kit_event(EVENT_REFUSED), out;
	struct writer w = begun(FRAME_EVENTS);
	frame_write_number(&w, 7);
	frame_write_event(&w, &in);
	struct reader body = opened(&w, FRAME_EVENTS);
	struct reader one = only_record(&body, EVENT_REFUSED);
	assert_int_equal(event_read(EVENT_REFUSED, &one, &out), 0);
	assert_view(out.refused.resource, "a/b");
}

static void test_numbers(void **state)
{
	(void)state;
	static const enum frame_item_kind items[] = {ITEM_GENERATION, ITEM_TIME, ITEM_FLUSH};
	struct writer w = begun(FRAME_DOWN);
	frame_write_number(&w, 7);
	for (size_t i = 0; i < ARRAY_LEN(items); i++)
		item_write_number(&w, items[i], i + 10);
	struct reader body = opened(&w, FRAME_DOWN);
	assert_int_equal(frame_read_number(&body), 7);
	for (size_t i = 0; i < ARRAY_LEN(items); i++) {
		uint8_t kind;
		uint64_t number;
		struct reader one;
		assert_int_equal(frame_next(&body, &kind, &one), 1);
		assert_int_equal(kind, items[i]);
		assert_int_equal(item_read_number(&one, &number), 0);
		assert_int_equal(number, i + 10);
	}
}

static void test_publish(void **state)
{
	(void)state;
	const struct {
		struct item_publish item;
		int rc;
	} cases[] = {
		{{1, VIEW_LIT("a/b"), VIEW_LIT("payload")}, 0 },
		{{0, VIEW_LIT("a/b"), VIEW_LIT("")},        0 },
		{{3, VIEW_LIT("a/b"), VIEW_LIT("")},        -1},
		{{1, VIEW_LIT(""), VIEW_LIT("x")},          -1},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct item_publish out;
		struct writer w = begun(FRAME_DOWN);
		frame_write_number(&w, 7);
		item_write_publish(&w, &cases[i].item);
		struct reader body = opened(&w, FRAME_DOWN);
		struct reader one = only_record(&body, ITEM_PUBLISH);
		assert_int_equal(item_read_publish(&one, &out), cases[i].rc);
		if (cases[i].rc == 0) {
			assert_int_equal(out.qos, cases[i].item.qos);
			assert_true(view_eq(out.topic, cases[i].item.topic));
			assert_true(view_eq(out.payload, cases[i].item.payload));
		}
	}
}

/* A record cut short or with a byte too many is none, whatever its kind. */
static int read_as_publish(struct reader *r)
{
	struct item_publish out;
	return item_read_publish(r, &out);
}

static int read_as_number(struct reader *r)
{
	uint64_t out;
	return item_read_number(r, &out);
}

static int (*const read_as[])(struct reader *r) = {read_as_publish, read_as_number};

static struct writer one_of_each(void)
{
	struct writer w = begun(FRAME_DOWN);
	frame_write_number(&w, 7);
	item_write_publish(&w, &(struct item_publish){1, VIEW_LIT("t"), VIEW_LIT("p")});
	item_write_number(&w, ITEM_TIME, 1);
	return w;
}

static void test_records_of_wrong_length_are_refused(void **state)
{
	(void)state;
	struct writer w = one_of_each();
	struct reader body = opened(&w, FRAME_DOWN);
	(void)frame_read_number(&body);
	for (size_t i = 0; i < ARRAY_LEN(read_as); i++) {
		uint8_t kind, longer[256];
		struct reader one;
		assert_int_equal(frame_next(&body, &kind, &one), 1);
		size_t n = reader_left(&one);
		assert_true(n < sizeof(longer));
		memcpy(longer, one.at, n);
		longer[n] = 0;
		struct reader whole = reader_of(longer, n), more = reader_of(longer, n + 1);
		assert_int_equal(read_as[i](&whole), 0);
		assert_int_equal(read_as[i](&more), -1);
		for (size_t cut = 0; cut < n; cut++) {
			struct reader less = reader_of(longer, cut);
			assert_int_equal(read_as[i](&less), -1);
		}
	}
}

static void test_datagrams_that_are_none(void **state)
{
	(void)state;
	enum frame_type type;
	uint8_t version;
	struct reader body;
	struct writer w = begun(FRAME_DOWN);
	assert_int_equal(frame_open(buffer, w.len, &type, &version, &body), 0);
	for (size_t n = 0; n < w.len; n++)
		assert_int_equal(frame_open(buffer, n, &type, &version, &body), -1);
	for (size_t i = 0; i < w.len; i++) {
		static const uint8_t wrong[] = {0x55, 0x55, 0x55, 0x55, 9, 0};
		uint8_t right = buffer[i];
		buffer[i] = wrong[i];
		assert_int_equal(frame_open(buffer, w.len, &type, &version, &body), -1);
		buffer[i] = right;
	}
	uint8_t *large = calloc(1, FRAME_SIZE_MAX + 1);
	assert_non_null(large);
	memcpy(large, buffer, w.len);
	assert_int_equal(frame_open(large, FRAME_SIZE_MAX + 1, &type, &version, &body), -1);
	free(large);
}

static void test_record_that_reaches_outside_is_damage(void **state)
{
	(void)state;
	struct writer w = one_of_each();
	for (size_t n = 15; n < w.len; n++) {
		enum frame_type type;
		uint8_t version, kind;
		struct reader body, one;
		int rc;
		assert_int_equal(frame_open(buffer, n, &type, &version, &body), 0);
		(void)frame_read_number(&body);
		while ((rc = frame_next(&body, &kind, &one)) > 0)
			;
		/* 0 only where a record ends */
		assert_true(rc == -1 || reader_done(&body));
	}
}

static void test_what_does_not_fit_leaves_nothing(void **state)
{
	(void)state;
	const struct event report = {.kind = EVENT_REPORT, .report = {.topic = VIEW_LIT("t")}};
	uint8_t small[96];
	struct writer w = writer_of(small, sizeof(small));
	frame_begin(&w, FRAME_EVENTS, FRAME_VERSION);
	frame_write_number(&w, 7);
	frame_write_event(&w, &(struct event){.kind = EVENT_CUT, .number = 1});
	size_t before = w.len;
	frame_write_event(&w, &report);
	assert_false(w.full);
	size_t after = w.len;
	frame_write_event(&w, &report);
	assert_true(w.full);
	assert_int_equal(w.len, after);
	assert_true(after > before);
	w.full = false;
	struct reader body = opened(&w, FRAME_EVENTS);
	uint8_t kind;
	struct reader one;
	(void)frame_read_number(&body);
	assert_int_equal(frame_next(&body, &kind, &one), 1);
	assert_int_equal(frame_next(&body, &kind, &one), 1);
	assert_int_equal(frame_next(&body, &kind, &one), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hello),
		cmocka_unit_test(test_hello_refused),
		cmocka_unit_test(test_welcome),
		cmocka_unit_test(test_event),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_publish),
		cmocka_unit_test(test_records_of_wrong_length_are_refused),
		cmocka_unit_test(test_datagrams_that_are_none),
		cmocka_unit_test(test_record_that_reaches_outside_is_damage),
		cmocka_unit_test(test_what_does_not_fit_leaves_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

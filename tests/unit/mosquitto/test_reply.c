/* The plugin's own replies, byte by byte (spec/device-reports.md section 6). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "mosquitto/reply.h"

#define NOW_MS 1635802047699

static uint8_t buffer[REPLY_SIZE_MAX];

static struct view written(const struct writer *w)
{
	assert_false(w->full);
	return (struct view){(const char *)w->buf, w->len};
}

static void test_json(void **state)
{
	(void)state;
	struct writer w = writer_of(buffer, sizeof(buffer));
	reply_write_json(&w, VIEW_LIT("my\"\\\nThing"), &reply_throttled, NOW_MS);
	assert_true(view_is(written(&w),
			    "{\"thingName\":\"my\\\"\\\\\\u000aThing\",\"status\":\"REJECTED\","
			    "\"statusDetails\":{\"ErrorCode\":\"Throttled\","
			    "\"ErrorMessage\":\"Account reporting rate exceeded\"},"
			    "\"timestamp\":1635802047699}"));
}

static void test_cbor(void **state)
{
	(void)state;
	struct writer w = writer_of(buffer, sizeof(buffer));
	reply_write_cbor(&w, VIEW_LIT("lamp"), &reply_too_large, NOW_MS);
	assert_true(view_eq(written(&w),
			    VIEW_LIT("\xa4\x69thingName\x64lamp\x66status\x68REJECTED"
				     "\x6dstatusDetails\xa2\x69"
				     "ErrorCode\x6eInvalidPayload\x6c"
				     "ErrorMessage\x78\x1bReport exceeds maximum size"
				     "\x69timestamp\x1b\x00\x00\x01\x7c\xdd\x66\x64\xd3")));
}

static void test_cbor_lengths(void **state)
{
	(void)state;
	static const struct {
		size_t n;
		const char *head;
		size_t head_n;
	} cases[] = {
		{0,   "\x60",         1},
                {23,  "\x77",         1},
                {24,  "\x78\x18",     2},
		{255, "\x78\xff",     2},
                {256, "\x79\x01\x00", 3},
	};
	static const char names[256];
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct writer w = writer_of(buffer, sizeof(buffer));
		reply_write_cbor(&w, (struct view){names, cases[i].n}, &reply_throttled, NOW_MS);
		assert_false(w.full);
		assert_memory_equal(buffer + 11, cases[i].head, cases[i].head_n);
	}
}

static void test_too_long_name_leaves_it_full(void **state)
{
	(void)state;
	static const char name[REPLY_SIZE_MAX];
	struct writer w = writer_of(buffer, sizeof(buffer));
	reply_write_json(&w, (struct view){name, sizeof(name)}, &reply_throttled, NOW_MS);
	assert_true(w.full);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_cbor),
		cmocka_unit_test(test_cbor_lengths),
		cmocka_unit_test(test_too_long_name_leaves_it_full),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

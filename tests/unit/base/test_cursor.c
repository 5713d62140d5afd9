/* The cursor: what is written is read again, and nothing goes beyond either end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/cursor.h"

#include "base/compiler.h"

#include <stdlib.h>

static void write_all(struct writer *w)
{
	write_u8(w, 0xfe);
	write_u16(w, 0x1234);
	write_u32(w, 0xdeadbeef);
	write_u64(w, UINT64_MAX - 1);
	write_i64(w, INT64_MIN);
	write_f64(w, -0.1);
	write_str16(w, VIEW_LIT("short"));
	write_bytes32(w, VIEW_LIT("bytes\0too"));
	write_str16(w, VIEW_LIT(""));
}

static void reads_what_was_written(void **state)
{
	(void)state;
	uint8_t buf[128];
	struct writer w = writer_of(buf, sizeof(buf));
	write_all(&w);
	struct reader r = reader_of(buf, w.len);
	assert_int_equal(read_u8(&r), 0xfe);
	assert_int_equal(read_u16(&r), 0x1234);
	assert_int_equal(read_u32(&r), 0xdeadbeef);
	assert_int_equal(read_u64(&r), UINT64_MAX - 1);
	assert_int_equal(read_i64(&r), INT64_MIN);
	assert_true(read_f64(&r) == -0.1);
	assert_true(view_is(read_str16(&r), "short"));
	assert_true(view_eq(read_bytes32(&r), VIEW_LIT("bytes\0too")));
	assert_false(reader_done(&r));
	assert_true(view_is(read_str16(&r), ""));
	assert_true(reader_done(&r));
}

static void is_little_endian(void **state)
{
	(void)state;
	uint8_t buf[4];
	struct writer w = writer_of(buf, sizeof(buf));
	write_u32(&w, 0x04030201);
	assert_memory_equal(buf, "\x01\x02\x03\x04", 4);
}

static void stays_bad_at_the_end(void **state)
{
	(void)state;
	struct reader r = reader_of("\x05\x00"
				    "abc",
				    5);
	assert_int_equal(read_str16(&r).n, 0);
	assert_true(r.bad);
	assert_int_equal(reader_left(&r), 0);
	assert_int_equal(read_u8(&r), 0);
	assert_null(read_raw(&r, 0));
	assert_false(reader_done(&r));
	r = reader_of("\xff\xff\xff\xff", 4);
	assert_int_equal(read_bytes32(&r).n, 0);
	assert_true(r.bad);
	r = reader_of(NULL, 0);
	assert_true(reader_done(&r));
	assert_int_equal(read_u64(&r), 0);
	assert_true(r.bad);
}

/* At every capacity that is too small the writer is full and has written nothing beyond it. */
static void stays_full_at_the_end(void **state)
{
	(void)state;
	uint8_t whole[128];
	struct writer w = writer_of(whole, sizeof(whole));
	write_all(&w);
	for (size_t cap = 0; cap <= w.len; cap++) {
		uint8_t *exact = malloc(cap ? cap : 1);
		assert_non_null(exact);
		struct writer small = writer_of(exact, cap);
		write_all(&small);
		assert_int_equal(small.full, cap < w.len);
		assert_true(small.len <= cap);
		assert_memory_equal(exact, whole, small.len);
		free(exact);
	}
}

static void refuses_long_strings(void **state)
{
	(void)state;
	static char text[UINT16_MAX + 1];
	static uint8_t buf[UINT16_MAX + 16];
	struct writer w = writer_of(buf, sizeof(buf));
	write_str16(&w, (struct view){text, UINT16_MAX});
	assert_false(w.full);
	w = writer_of(buf, sizeof(buf));
	write_str16(&w, (struct view){text, UINT16_MAX + 1});
	assert_true(w.full);
	assert_int_equal(w.len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_what_was_written), cmocka_unit_test(is_little_endian),
		cmocka_unit_test(stays_bad_at_the_end),   cmocka_unit_test(stays_full_at_the_end),
		cmocka_unit_test(refuses_long_strings),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

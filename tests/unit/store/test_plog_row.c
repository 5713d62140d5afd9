/* The body of a row: what was put in comes out, and no cut or changed body is read beyond its end.
 */
#include "store/plog_priv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

static const struct plog_entry entries[] = {
	{.at_ms = 0,         .kind = 0,   .body = {"", 0}     },
	{.at_ms = INT64_MIN, .kind = 255, .body = {"\0abc", 4}},
	{.at_ms = INT64_MAX, .kind = 1,   .body = {"x", 1}    },
};

static GByteArray *row_of_all(void)
{
	GByteArray *row = g_byte_array_new();
	plog_row_begin(row);
	for (size_t i = 0; i < ARRAY_LEN(entries); i++)
		plog_row_add(row, &entries[i]);
	return row;
}

static int compare(const struct plog_entry *entry, void *ctx)
{
	unsigned *n = ctx;
	const struct plog_entry *expected = &entries[entry->seq - 10];
	assert_int_equal(entry->kind, expected->kind);
	assert_true(entry->at_ms == expected->at_ms);
	assert_true(view_eq(entry->body, expected->body));
	++*n;
	return 0;
}

static struct view view_of_row(const GByteArray *row, size_t n)
{
	return (struct view){(const char *)row->data, n};
}

static void comes_out_as_put_in(void **state)
{
	(void)state;
	g_autoptr(GByteArray) row = row_of_all();
	assert_int_equal(plog_row_count(row), ARRAY_LEN(entries));
	for (uint64_t from = 9; from <= 13; from++) {
		unsigned n = 0;
		uint64_t next = 0;
		assert_int_equal(
			plog_row_each(view_of_row(row, row->len), 10, from, compare, &n, &next), 0);
		assert_int_equal(next, 13);
		assert_int_equal(n, from < 10 ? 3 : 13 - from);
	}
}

static void refuses_every_cut(void **state)
{
	(void)state;
	g_autoptr(GByteArray) row = row_of_all();
	for (size_t n = 0; n < row->len; n++) {
		g_autofree char *copy = g_memdup2(row->data, n);
		unsigned seen = 0;
		uint64_t next = 0;
		assert_int_equal(
			plog_row_each((struct view){copy, n}, 10, 10, compare, &seen, &next), -EIO);
		assert_int_equal(next, 0);
	}
}

static void refuses_more_and_nothing(void **state)
{
	(void)state;
	g_autoptr(GByteArray) row = row_of_all();
	unsigned seen = 0;
	uint64_t next = 0;
	g_byte_array_append(row, (const guint8 *)"x", 1);
	assert_int_equal(plog_row_each(view_of_row(row, row->len), 10, 10, compare, &seen, &next),
			 -EIO);
	plog_row_begin(row);
	assert_int_equal(plog_row_each(view_of_row(row, row->len), 10, 10, compare, &seen, &next),
			 -EIO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(comes_out_as_put_in),
		cmocka_unit_test(refuses_every_cut),
		cmocka_unit_test(refuses_more_and_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* S13: the greatest reports that the limits allow are read; hostile ones cost no more than great
 * ones.
 */
#include "read.h"

#include "base/cursor.h"
#include "report/sort.h"

#include <stdio.h>

static uint8_t payload[REPORT_SIZE_MAX + 1];

static struct reading read_writer(enum report_format format, const struct writer *w)
{
	assert_false(w->full);
	return read_bytes(format, payload, w->len);
}

static struct writer start(const char *text)
{
	struct writer w = writer_of(payload, REPORT_SIZE_MAX);
	write_raw(&w, text, strlen(text));
	return w;
}

/* The header and the opening of an indefinite list: [custom m].string_list, ports, or custom
 * metrics themselves. */
static struct writer start_hex(const char *hex)
{
	struct writer w = writer_of(payload, REPORT_SIZE_MAX);
	size_t n = strlen(hex) / 2;
	assert_int_equal(hex_decode(hex, write_room(&w, n), n), 0);
	return w;
}

#define CBOR_HEADER "bf63686564a26372696405617663312e30"

static void refuses_what_is_too_large(void **state)
{
	(void)state;
	memset(payload, ' ', sizeof(payload));
	memcpy(payload, "{}", 2);
	struct reading r = read_bytes(REPORT_JSON, payload, sizeof(payload));
	assert_int_equal(r.result, -1);
	assert_string_equal(r.refusal.message, "Report exceeds maximum size");
	reading_free(&r);
	r = read_bytes(REPORT_JSON, payload, REPORT_SIZE_MAX);
	assert_string_equal(r.refusal.message, "Malformed metrics report");
	reading_free(&r);
}

/* Fills the payload with `n` bytes at a time and ends it with `tail`. */
static void fill(struct writer *w, const void *unit, size_t n, const char *tail_hex)
{
	size_t tail = strlen(tail_hex) / 2;
	while (w->cap - w->len >= n + tail)
		write_raw(w, unit, n);
	assert_int_equal(hex_decode(tail_hex, write_room(w, tail), tail), 0);
}

/* The dearest value: a byte of payload becomes a view. */
static void takes_the_longest_string_list(void **state)
{
	(void)state;
	struct writer w = start_hex(CBOR_HEADER "64636d6574bf616d81bf6b737472696e675f6c6973749f");
	fill(&w, "\x60", 1, "ffffffff");
	struct reading r = read_writer(REPORT_CBOR, &w);
	if (r.result != 0)
		fail_msg("%s", r.refusal.detail);
	assert_true(r.report.custom[0].n > 131000);
	reading_free(&r);
}

static void takes_the_longest_escapes(void **state)
{
	(void)state;
	struct writer w =
		start("{\"hed\":{\"rid\":5,\"v\":\"1.0\"},\"cmet\":{\"m\":[{\"string_list\":[");
	while (w.cap - w.len > 16)
		write_raw(&w, "\"\\n\",", 5);
	write_raw(&w, "\"\"]}]}}", 7);
	struct reading r = read_writer(REPORT_JSON, &w);
	if (r.result != 0)
		fail_msg("%s", r.refusal.detail);
	reading_free(&r);
}

static void takes_the_most_metrics(void **state)
{
	(void)state;
	struct writer w = start_hex(CBOR_HEADER "64636d6574bf");
	unsigned n = 0;
	for (; w.cap - w.len > 20; n++) {
		char name[4];
		(void)snprintf(name, sizeof(name), "%c%c%c", 'A' + (int)n % 26,
			       'a' + (int)n / 26 % 26, '!' + (int)n / 676);
		write_u8(&w, 0x63);
		write_raw(&w, name, 3);
		write_raw(&w, "\x81\xa1\x66number\x01", 10);
	}
	write_raw(&w, "\xff\xff", 2);
	struct reading r = read_writer(REPORT_CBOR, &w);
	if (r.result != 0)
		fail_msg("%s", r.refusal.detail);
	assert_int_equal(r.report.n_custom, n);
	reading_free(&r);
}

/* Names of unknown members are compared, too. */
static void takes_the_most_unknown_members(void **state)
{
	(void)state;
	struct writer w = start_hex(CBOR_HEADER "636d6574bf");
	for (unsigned n = 0; w.cap - w.len > 20; n++) {
		const uint8_t name[] = {0x63, (uint8_t)('0' + n % 64), (uint8_t)('0' + n / 64 % 64),
					(uint8_t)('0' + n / 4096), 0x00};
		write_raw(&w, name, sizeof(name));
	}
	struct writer same = w;
	write_raw(&w, "\xff\xff", 2);
	struct reading r = read_writer(REPORT_CBOR, &w);
	if (r.result != 0)
		fail_msg("%s", r.refusal.detail);
	reading_free(&r);
	write_raw(&same,
		  "\x63"
		  "000\x00\xff\xff",
		  7);
	r = read_writer(REPORT_CBOR, &same);
	assert_int_equal(r.result, -1);
	assert_non_null(strstr(r.refusal.detail, "metrics.000: appears twice"));
	reading_free(&r);
}

static void sorts_long_lists(void **state)
{
	(void)state;
	struct writer w =
		start("{\"hed\":{\"rid\":5,\"v\":\"1.0\"},\"met\":{\"tp\":{\"pts\":[{\"pt\":0}");
	for (unsigned i = 0; w.cap - w.len > 64; i++) {
		char entry[32];
		write_raw(&w, entry,
			  (size_t)snprintf(entry, sizeof(entry), ",{\"pt\":%u}",
					   60000 - i * 7919 % 60000));
	}
	write_raw(&w, "]}}}", 4);
	struct reading r = read_writer(REPORT_JSON, &w);
	const struct report_ports *tcp = &r.report.tcp;
	assert_int_equal(r.result, 0);
	assert_int_equal(tcp->n + 1, tcp->n_listed);
	for (uint32_t i = 1; i < tcp->n; i++)
		assert_true(tcp->ports[i - 1] < tcp->ports[i]);
	reading_free(&r);
}

static int byte_cmp(const void *a, const void *b)
{
	return memcmp(a, b, 1);
}

/* Lists of every length up to 64 and of few values, so that there are many repetitions. */
static void sorts_like_counting(void **state)
{
	(void)state;
	uint64_t seed = 1;
	struct chance chance = chance_seeded(&seed);
	for (uint32_t n = 0; n < 64; n++) {
		uint8_t items[64];
		bool has[16] = {false};
		uint32_t distinct = 0;
		chance.fill(chance.ctx, items, n);
		for (uint32_t i = 0; i < n; i++) {
			items[i] &= 15;
			distinct += !has[items[i]];
			has[items[i]] = true;
		}
		assert_int_equal(sort_distinct(items, n, 1, byte_cmp), distinct);
		for (uint32_t i = 0; i < distinct; i++)
			assert_true(has[items[i]] && (i == 0 || items[i - 1] < items[i]));
	}
}

/* With too little memory the report is refused, at whatever allocation it runs out. */
static void refuses_when_memory_runs_out(void **state)
{
	(void)state;
	static const char json[] = "{\"hed\":{\"rid\":5,\"v\":\"1.\\u0030\"},\"met\":{\"tp\":{"
				   "\"pts\":[{\"pt\":2},{\"pt\":1}]},\"tc\":{\"ec\":{\"cs\":"
				   "[{\"rad\":\"1.2.3.4:5\"}]}},\"x\":{\"y\":1,\"z\":2}},\"cmet\":{"
				   "\"a\":[{\"string_list\":[\"x\"]}],\"b\":[{"
				   "\"ip_list\":[\"::1\"]}],\"c\":[{\"number_list\":[1,2]}]}}";
	bool is_read = false;
	for (size_t cap = 0; !is_read; cap++) {
		struct report_arena arena = {malloc(cap ? cap : 1), cap, 0};
		struct report report;
		struct report_refusal refusal;
		assert_non_null(arena.buf);
		is_read = report_read(REPORT_JSON, json, sizeof(json) - 1, &arena, &report,
				      &refusal) == 0;
		if (!is_read)
			assert_non_null(strstr(refusal.detail, "memory"));
		assert_true(arena.used <= cap);
		free(arena.buf);
		assert_true(cap < 8192);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_what_is_too_large),
		cmocka_unit_test(takes_the_longest_string_list),
		cmocka_unit_test(takes_the_longest_escapes),
		cmocka_unit_test(takes_the_most_metrics),
		cmocka_unit_test(takes_the_most_unknown_members),
		cmocka_unit_test(sorts_long_lists),
		cmocka_unit_test(sorts_like_counting),
		cmocka_unit_test(refuses_when_memory_runs_out),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Reading a report in a test: the payload is copied to its exact size, so that a sanitizer sees
 * every byte too far. */
#ifndef TESTS_REPORT_READ_H
#define TESTS_REPORT_READ_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/chance.h"
#include "report/report.h"

#include <stdlib.h>

struct reading {
	int result;
	struct report report;
	struct report_refusal refusal;
	uint8_t *memory;
};

static inline struct reading read_bytes(enum report_format format, const void *p, size_t n)
{
	struct reading r = {.memory = malloc(REPORT_ARENA_SIZE)};
	struct report_arena arena = {r.memory, REPORT_ARENA_SIZE, 0};
	void *exact = malloc(n ? n : 1);
	assert_non_null(r.memory);
	assert_non_null(exact);
	if (n)
		memcpy(exact, p, n);
	r.result = report_read(format, exact, n, &arena, &r.report, &r.refusal);
	/* What was read lives in the arena alone. */
	free(exact);
	return r;
}

static inline struct reading read_json(const char *text)
{
	return read_bytes(REPORT_JSON, text, strlen(text));
}

static inline struct reading read_cbor_hex(const char *hex)
{
	static uint8_t bytes[4096];
	size_t n = strlen(hex) / 2;
	assert_true(n <= sizeof(bytes));
	assert_int_equal(hex_decode(hex, bytes, n), 0);
	return read_bytes(REPORT_CBOR, bytes, n);
}

static inline void reading_free(struct reading *r)
{
	free(r->memory);
}

#endif

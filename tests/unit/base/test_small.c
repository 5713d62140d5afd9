/* Chance, ids, hexadecimal, UTF-8 and faults: the small parts of base. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/chance.h"
#include "base/compiler.h"
#include "base/fault.h"
#include "base/utf8.h"

#include <string.h>

static void repeats_from_a_seed(void **state)
{
	(void)state;
	uint64_t a = 5, b = 5, c = 6;
	uint8_t x[32], y[32], z[32];
	struct chance ca = chance_seeded(&a), cb = chance_seeded(&b), cc = chance_seeded(&c);
	ca.fill(ca.ctx, x, sizeof(x));
	cb.fill(cb.ctx, y, sizeof(y));
	cc.fill(cc.ctx, z, sizeof(z));
	assert_memory_equal(x, y, sizeof(x));
	assert_memory_not_equal(x, z, sizeof(x));
	struct chance real = chance_system();
	real.fill(real.ctx, y, sizeof(y));
	real.fill(real.ctx, z, sizeof(z));
	assert_memory_not_equal(y, z, sizeof(y));
}

static void makes_ids_of_the_right_form(void **state)
{
	(void)state;
	uint64_t seed = 1;
	struct chance chance = chance_seeded(&seed);
	char uuid[ID_UUID_SIZE], hex[ID_HEX_SIZE];
	for (unsigned i = 0; i < 100; i++) {
		id_uuid(chance, uuid);
		assert_int_equal(strlen(uuid), ID_UUID_SIZE - 1);
		assert_int_equal(strspn(uuid, "0123456789abcdef-"), ID_UUID_SIZE - 1);
		assert_true(uuid[8] == '-' && uuid[13] == '-' && uuid[18] == '-' &&
			    uuid[23] == '-');
		assert_int_equal(uuid[14], '4');
		assert_non_null(strchr("89ab", uuid[19]));
		id_hex(chance, hex);
		assert_int_equal(strspn(hex, "0123456789abcdef"), ID_HEX_SIZE - 1);
	}
}

static const struct hex_case {
	const char *hex;
	int result;
} hexes[] = {
	{"00ffAb",   0 },
        {"00ffA",    -1},
        {"00ffAbc",  -1},
        {"00ffAbcd", -1},
	{"00fgAb",   -1},
        {"",         -1},
        {" 0ffAb",   -1},
};

static void reads_hexadecimal_exactly(void **state)
{
	(void)state;
	uint8_t out[3];
	char text[7];
	for (size_t i = 0; i < ARRAY_LEN(hexes); i++)
		assert_int_equal(hex_decode(hexes[i].hex, out, sizeof(out)), hexes[i].result);
	assert_int_equal(hex_decode("00ffAb", out, sizeof(out)), 0);
	hex_encode(out, sizeof(out), text);
	assert_string_equal(text, "00ffab");
}

static const struct utf8_case {
	struct view text;
	bool is_valid;
} utf8[] = {
	{VIEW_INIT(""),			  true },
	{VIEW_INIT("ascii, more than a word"),   true },
	{VIEW_INIT("\0"),                        true },
	{VIEW_INIT("\xc2\x80"),                  true },
	{VIEW_INIT("\xdf\xbf"),                  true },
	{VIEW_INIT("\xe0\xa0\x80"),              true },
	{VIEW_INIT("\xed\x9f\xbf"),              true },
	{VIEW_INIT("\xef\xbf\xbf"),              true },
	{VIEW_INIT("\xf0\x90\x80\x80"),          true },
	{VIEW_INIT("\xf4\x8f\xbf\xbf"),          true },
	{VIEW_INIT("12345678\xe2\x82\xac"
		   "12345678\xc3\xa4"),
	 true					 },
	{VIEW_INIT("\x80"),                      false},
	{VIEW_INIT("\xc1\xbf"),                  false},
	{VIEW_INIT("\xc2"),                      false},
	{VIEW_INIT("\xe0\x9f\xbf"),              false},
	{VIEW_INIT("\xed\xa0\x80"),              false},
	{VIEW_INIT("\xe2\x82"),                  false},
	{VIEW_INIT("\xe2\x82\x20"),              false},
	{VIEW_INIT("\xf0\x8f\xbf\xbf"),          false},
	{VIEW_INIT("\xf4\x90\x80\x80"),          false},
	{VIEW_INIT("\xf5\x80\x80\x80"),          false},
	{VIEW_INIT("12345678\xff"),              false},
};

static void knows_utf8(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(utf8); i++) {
		if (utf8_valid(utf8[i].text) != utf8[i].is_valid)
			fail_msg("row %zu", i);
	}
}

/* Every code point is written as it is read, and those that cannot stand alone are refused. */
static void writes_utf8_as_it_reads(void **state)
{
	(void)state;
	for (uint32_t code = 0; code <= 0x10ffff; code++) {
		uint8_t out[4];
		size_t n = utf8_put(code, out);
		bool is_surrogate = code >= 0xd800 && code < 0xe000;
		if (utf8_len(out, n) != (is_surrogate ? 0 : n))
			fail_msg("U+%04x", code);
		if (n > 1 && utf8_len(out, n - 1) != 0)
			fail_msg("U+%04x cut short", code);
	}
}

static void fills_faults(void **state)
{
	(void)state;
	struct fault f = {.kind = FAULT_NONE, .resource_id = "old"};
	assert_int_equal(fault_set(&f, FAULT_INVALID_REQUEST, "thingName %s", "missing"), -1);
	assert_int_equal(f.kind, FAULT_INVALID_REQUEST);
	assert_string_equal(f.message, "thingName missing");
	assert_string_equal(f.resource_id, "");
	assert_int_equal(fault_set(&f, FAULT_INTERNAL, "while reading: %s", f.message), -1);
	assert_string_equal(f.message, "while reading: thingName missing");
	assert_int_equal(fault_set(&f, FAULT_INTERNAL, "%5000d", 1), -1);
	assert_int_equal(strlen(f.message), sizeof(f.message) - 1);
	assert_int_equal(fault_set(NULL, FAULT_INTERNAL, "unheard"), -1);
}

static void names_faults(void **state)
{
	(void)state;
	const char *last = "";
	assert_string_equal(fault_name(FAULT_NONE), "");
	assert_string_equal(fault_name((enum fault_kind)9999), "");
	for (enum fault_kind k = FAULT_NONE + 1; fault_name(k)[0]; k++) {
		assert_true(strcmp(last, fault_name(k)) < 0);
		last = fault_name(k);
		assert_non_null(strstr(last, "Exception"));
	}
	assert_string_equal(fault_name(FAULT_INVALID_REQUEST), "InvalidRequestException");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(repeats_from_a_seed),
		cmocka_unit_test(makes_ids_of_the_right_form),
		cmocka_unit_test(reads_hexadecimal_exactly),
		cmocka_unit_test(knows_utf8),
		cmocka_unit_test(writes_utf8_as_it_reads),
		cmocka_unit_test(fills_faults),
		cmocka_unit_test(names_faults),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "kit.h"

#include "base/compiler.h"
#include "detect/criteria.h"

/* One behavior with this operator and value, compiled through the body of a configuration. */
static struct config *compile(const char *metric, const char *op, const struct config_value *value)
{
	const struct kit_profile profile = {
		.name = "p",
		.behaviors = {{.name = "b", .metric = metric, .op = op, .value = *value}}};
	uint8_t buf[4096];
	struct config *config = NULL;
	size_t n = kit_config_body(buf, sizeof(buf), &profile, 1);
	assert_int_equal(config_open((struct view){(char *)buf, n}, &config), 0);
	return config;
}

static bool holds(const char *metric, const char *op, const struct config_value *limit,
		  const struct value *v)
{
	struct config *config = compile(metric, op, limit);
	bool result = criteria_hold(&config->behaviors[0], v);
	config_free(config);
	return result;
}

struct inequality {
	const char *op;
	bool below, equal, above;
};

static const struct inequality inequalities[] = {
	{"less-than",           true,  false, false},
	{"less-than-equals",    true,  true,  false},
	{"greater-than",        false, false, true },
	{"greater-than-equals", false, true,  true },
};

static void test_counts(void **state)
{
	(void)state;
	const uint64_t limit = UINT64_MAX - 1;
	for (size_t i = 0; i < ARRAY_LEN(inequalities); i++) {
		const struct inequality *row = &inequalities[i];
		const bool expected[] = {row->below, row->equal, row->above};
		for (unsigned k = 0; k < 3; k++) {
			struct value v = {.kind = VALUE_COUNT, .count = limit - 1 + k};
			struct config_value c = KIT_COUNT(limit);
			assert_int_equal(holds("aws:num-listening-tcp-ports", row->op, &c, &v),
					 expected[k]);
		}
	}
}

static void test_numbers(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(inequalities); i++) {
		const struct inequality *row = &inequalities[i];
		const bool expected[] = {row->below, row->equal, row->above};
		for (unsigned k = 0; k < 3; k++) {
			struct value v = {.kind = VALUE_NUMBER, .number = -2.5 + 0.25 * k};
			struct config_value number = {.kind = VALUE_NUMBER, .number = -2.25};
			assert_int_equal(holds("temperature", row->op, &number, &v), expected[k]);
			struct value whole = {.kind = VALUE_NUMBER, .number = 9.0 + k};
			struct config_value count = KIT_COUNT(10);
			assert_int_equal(holds("temperature", row->op, &count, &whole),
					 expected[k]);
		}
	}
}

static void test_ports(void **state)
{
	(void)state;
	static const uint16_t set[] = {443, 22, 8883, 22};
	static const uint16_t inside[] = {22, 8883}, mixed[] = {22, 23}, outside[] = {1, 65535};
	static const struct {
		const uint16_t *ports;
		uint32_t n;
		bool in, not_in;
	} rows[] = {
		{inside,  2, true,  false},
		{mixed,   2, false, false},
		{outside, 2, false, true },
		{NULL,    0, true,  true },
	};
	struct config_value limit = {.kind = VALUE_PORTS, .ports = set, .n = ARRAY_LEN(set)};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct value v = {.kind = VALUE_PORTS, .ports = rows[i].ports, .n = rows[i].n};
		const char *metric = "aws:listening-tcp-ports";
		assert_int_equal(holds(metric, "in-port-set", &limit, &v), rows[i].in);
		assert_int_equal(holds(metric, "not-in-port-set", &limit, &v), rows[i].not_in);
	}
}

static struct report_addr address(const char *text)
{
	struct config_cidr cidr;
	assert_int_equal(config_read_cidr(view_of(text), &cidr), 0);
	return cidr.addr;
}

struct cidr_case {
	const char *cidr, *address;
	bool is_in;
};

static const struct cidr_case cidr_cases[] = {
	{"10.0.0.0/8",           "10.255.255.255",   true },
	{"10.0.0.0/8",           "11.0.0.0",         false},
	{"10.1.2.3/8",           "10.0.0.0",         true }, /* bits behind the prefix do not count */
	{"192.0.2.7",            "192.0.2.7",        true },
	{"192.0.2.7",            "192.0.2.8",        false},
	{"0.0.0.0/0",            "255.255.255.255",  true },
	{"0.0.0.0/0",            "2001:db8::1",      false},
	{"::/0",		 "2001:db8::1",      true },
	{"::/0",		 "192.0.2.7",        false}, /* compared by family */
	{"::/0",		 "::ffff:192.0.2.7", false},
	{"192.0.2.0/24",         "::ffff:192.0.2.7", true },
	{"::ffff:192.0.2.0/120", "192.0.2.7",        true },
	{"2001:db8::/32",        "2001:db8:ffff::1", true },
	{"2001:db8::/32",        "2001:db9::1",      false},
	{"fe80::1",              "fe80::1",          true },
	{"fe80::1",              "fe80::2",          false},
};

static void test_one_network(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cidr_cases); i++) {
		struct config_cidr cidr;
		struct report_addr addr = address(cidr_cases[i].address);
		assert_int_equal(config_read_cidr(view_of(cidr_cases[i].cidr), &cidr), 0);
		struct config_value limit = {.kind = VALUE_ADDRS, .cidrs = &cidr, .n = 1};
		struct value v = {.kind = VALUE_ADDRS, .addrs = &addr, .n = 1};
		const char *metric = "aws:destination-ip-addresses";
		assert_int_equal(holds(metric, "in-cidr-set", &limit, &v), cidr_cases[i].is_in);
		assert_int_equal(holds(metric, "not-in-cidr-set", &limit, &v),
				 !cidr_cases[i].is_in);
	}
}

/* Overlapping, nested and adjacent networks of both families; every address of interest. */
static void test_many_networks(void **state)
{
	(void)state;
	static const char *const set[] = {"10.0.0.0/8",    "10.1.0.0/16", "10.128.0.0/9",
					  "::/1",          "192.0.2.1",   "192.0.2.0",
					  "2001:db8::/32", "fe80::/10",   "11.0.0.0/32"};
	static const struct {
		const char *address;
		bool is_in;
	} rows[] = {
		{"9.255.255.255", false},
                {"10.0.0.0",      true },
                {"10.200.0.1",    true },
		{"11.0.0.0",      true },
                {"11.0.0.1",      false},
                {"192.0.2.1",     true },
		{"192.0.2.2",     false},
                {"2001:db8::",    true },
                {"7fff::1",       true },
		{"8000::1",       false},
                {"fe80::9",       true },
                {"fec0::",        false}
        };
	struct config_cidr cidrs[ARRAY_LEN(set)];
	for (size_t i = 0; i < ARRAY_LEN(set); i++)
		assert_int_equal(config_read_cidr(view_of(set[i]), &cidrs[i]), 0);
	struct config_value limit = {.kind = VALUE_ADDRS, .cidrs = cidrs, .n = ARRAY_LEN(set)};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct report_addr addr = address(rows[i].address);
		struct value v = {.kind = VALUE_ADDRS, .addrs = &addr, .n = 1};
		assert_int_equal(holds("aws:destination-ip-addresses", "in-cidr-set", &limit, &v),
				 rows[i].is_in);
	}
}

static void test_bad_cidrs(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"",   "10.0.0.0/33", "10.0.0/8",    "::/129", "10.0.0.0/",   "10.0.0.0/a",
		"/8", "10.0.0.0/-1", "10.0.0.0 /8", "g::",    "1.2.3.4/0008"};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct config_cidr cidr;
		assert_int_equal(config_read_cidr(view_of(bad[i]), &cidr), -1);
	}
}

static void test_custom_sets(void **state)
{
	(void)state;
	const struct view words[] = {view_of("b"), view_of("a"), view_of("bb")};
	const struct view in[] = {view_of("bb"), view_of("a")}, out[] = {view_of("B"), view_of("")};
	static const double numbers[] = {2, -1, 0.5}, n_in[] = {0.5, -1}, n_out[] = {0.25, 3};
	struct config_value strings = {.kind = VALUE_STRINGS, .strings = words, .n = 3};
	struct config_value doubles = {.kind = VALUE_NUMBERS, .numbers = numbers, .n = 3};
	const struct value values[] = {
		{.kind = VALUE_STRINGS, .strings = in,    .n = 2},
		{.kind = VALUE_STRINGS, .strings = out,   .n = 2},
		{.kind = VALUE_NUMBERS, .numbers = n_in,  .n = 2},
		{.kind = VALUE_NUMBERS, .numbers = n_out, .n = 2},
	};
	for (size_t i = 0; i < ARRAY_LEN(values); i++) {
		const struct config_value *set = i < 2 ? &strings : &doubles;
		assert_int_equal(holds("custom", "in-set", set, &values[i]), i % 2 == 0);
		assert_int_equal(holds("custom", "not-in-set", set, &values[i]), i % 2 == 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_counts),        cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_ports),         cmocka_unit_test(test_one_network),
		cmocka_unit_test(test_many_networks), cmocka_unit_test(test_bad_cidrs),
		cmocka_unit_test(test_custom_sets),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

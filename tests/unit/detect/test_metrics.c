/* The table of metrics, and what a report gives for each (spec/detect.md sections 4 and 5.6,
 * spec/device-reports.md section 7). */
#include "kit.h"

#include "base/compiler.h"
#include "detect/form.h"
#include "detect/window.h"

/* ---- The tables ---- */

static void test_table_of_metrics(void **state)
{
	(void)state;
	unsigned by_side[2] = {0, 0}, n_ml = 0;
	for (size_t i = 0; i < ARRAY_LEN(metrics); i++) {
		const struct metric *m = &metrics[i];
		assert_int_equal(m->id, i);
		assert_ptr_equal(metric_find(view_of(m->name)), m);
		assert_true(metric_is_builtin(view_of(m->name)));
		assert_true(*m->doc);
		assert_int_equal(m->kind == VALUE_COUNT, *m->unit != '\0');
		by_side[m->side]++;
		n_ml += m->has_ml;
	}
	assert_int_equal(by_side[SIDE_CLOUD], 8);
	assert_int_equal(by_side[SIDE_DEVICE], 10);
	assert_int_equal(n_ml, 13);
	assert_null(metric_find(view_of("aws:all-bytes")));
	assert_null(metric_find(view_of("")));
	assert_false(metric_is_builtin(view_of("aws")));
}

static void test_table_of_comparisons(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(comparisons); i++) {
		assert_int_equal(comparisons[i].id, i);
		assert_ptr_equal(comparison_find(view_of(comparisons[i].name)), &comparisons[i]);
		assert_true(comparisons[i].kinds != 0);
	}
	assert_null(comparison_find(view_of("equals")));
}

/* ---- What a report gives: the effect of a behavior that every datapoint violates ---- */

static const uint16_t some_ports[] = {22, 443};
static const struct report_addr some_addrs[] = {{{1}}, {{2}}, {{3}}};

#define FULL_PORTS                                                                                 \
	{                                                                                          \
		.is_present = true, .has_list = true, .has_total = true, .n = 2, .n_listed = 3,    \
		.ports = some_ports, .total = 9                                                    \
	}
#define LIST_PORTS                                                                                 \
	{                                                                                          \
		.is_present = true, .has_list = true, .n = 2, .n_listed = 3, .ports = some_ports   \
	}
#define BARE_PORTS                                                                                 \
	{                                                                                          \
		.is_present = true, .has_total = true, .total = 9                                  \
	}
#define FULL_CONNECTIONS                                                                           \
	{                                                                                          \
		.is_present = true, .has_list = true, .has_total = true, .n = 3, .n_listed = 4,    \
		.remote = some_addrs, .total = 50                                                  \
	}
#define LIST_CONNECTIONS                                                                           \
	{                                                                                          \
		.is_present = true, .has_list = true, .n = 3, .n_listed = 4, .remote = some_addrs  \
	}

static const struct report full = {
	.report_id = 1,
	.has_counter = {true, true, true, true},
	.counter = {11,   12,   13,   14  },
	.tcp = FULL_PORTS,
	.udp = LIST_PORTS,
	.established = FULL_CONNECTIONS
};
static const struct report bare = {
	.report_id = 1, .tcp = BARE_PORTS, .established = LIST_CONNECTIONS};
static const struct report hollow = {
	.report_id = 1,
	.tcp = {.is_present = true, .has_list = true},
	.udp = {.is_present = true},
	.established = {.is_present = true,  .has_list = true                }
};
static const struct report nothing = {.report_id = 1};

struct form_case {
	const char *metric;
	const struct report *report;
	const char *value; /* NULL: no datapoint */
};

static const struct form_case form_cases[] = {
	{"aws:all-bytes-in",                    &full,    "11" },
	{"aws:all-bytes-out",                   &full,    "12" },
	{"aws:all-packets-in",                  &full,    "13" },
	{"aws:all-packets-out",                 &full,    "14" },
	{"aws:num-listening-tcp-ports",         &full,    "9"  },
	{"aws:num-listening-udp-ports",         &full,    "3"  },
	{"aws:num-established-tcp-connections", &full,    "50" },
	{"aws:listening-tcp-ports",             &full,    "n=2"},
	{"aws:listening-udp-ports",             &full,    "n=2"},
	{"aws:destination-ip-addresses",        &full,    "n=3"},
	{"aws:num-listening-tcp-ports",         &bare,    "9"  },
	{"aws:listening-tcp-ports",             &bare,    NULL }, /* a total is no list */
	{"aws:num-established-tcp-connections", &bare,    "4"  },
	{"aws:num-listening-tcp-ports",         &hollow,  "0"  },
	{"aws:num-listening-udp-ports",         &hollow,  NULL },
	{"aws:listening-udp-ports",             &hollow,  NULL },
	{"aws:num-established-tcp-connections", &hollow,  "0"  },
	{"aws:all-bytes-in",                    &nothing, NULL },
	{"aws:num-listening-tcp-ports",         &nothing, NULL },
	{"aws:num-established-tcp-connections", &nothing, NULL },
	{"aws:listening-tcp-ports",             &nothing, NULL },
	{"aws:destination-ip-addresses",        &nothing, NULL },
};

static const struct kit_behavior impossible[] = {
	[VALUE_COUNT] = {.name = "b", .op = "less-than",   .value = {.kind = VALUE_COUNT}},
	[VALUE_PORTS] = {.name = "b", .op = "in-port-set", .value = {.kind = VALUE_PORTS}},
	[VALUE_ADDRS] = {.name = "b", .op = "in-cidr-set", .value = {.kind = VALUE_ADDRS}},
};

static void test_forms(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(form_cases); i++) {
		const struct form_case *row = &form_cases[i];
		const struct metric *metric = metric_find(view_of(row->metric));
		struct kit_profile profile = {.name = "p", .targets = TARGET_ALL_THINGS};
		struct kit k;
		char expected[64] = "";
		profile.behaviors[0] = impossible[metric->kind];
		profile.behaviors[0].metric = row->metric;
		profile.behaviors[0].duration_s = metric->duration == DURATION_REQUIRED ? 300 : 0;
		if (row->value)
			(void)snprintf(expected, sizeof(expected), "in-alarm t p b %s\n",
				       row->value);
		kit_start(&k);
		kit_config(&k, &profile, 1);
		kit_report(&k, "t", row->report);
		assert_string_equal(kit_take(&k), expected);
		kit_stop(&k);
	}
}

/* A list that the report left empty conforms, whatever the set is. */
static void test_empty_lists_conform(void **state)
{
	(void)state;
	struct kit_profile profile = {.name = "p", .targets = TARGET_ALL_THINGS};
	struct kit k;
	profile.behaviors[0] = impossible[VALUE_PORTS];
	profile.behaviors[0].metric = "aws:listening-tcp-ports";
	kit_start(&k);
	kit_config(&k, &profile, 1);
	kit_report(&k, "t", &full);
	assert_string_equal(kit_take(&k), "in-alarm t p b n=2\n");
	kit_report(&k, "t", &hollow);
	assert_string_equal(kit_take(&k), "cleared t p b n=0\n");
	kit_stop(&k);
}

static void test_custom(void **state)
{
	(void)state;
	static const double numbers[] = {1, 2};
	static const struct view strings[] = {
		{"x", 1}
        };
	static const struct report_custom custom[] = {
		{.name = {"n", 1},       .kind = REPORT_NUMBER, .is_storable = true, .number = 2.5},
		{		 .name = {"bad", 3}, .kind = REPORT_NUMBER,  .is_storable = false,       .number = 2.5             },
		{ .name = {"ns", 2},
		 .kind = REPORT_NUMBER_LIST,
		 .is_storable = true,
		 .n = 2,
		 .numbers = numbers},
		{							      .name = {"ss", 2},
		 .kind = REPORT_STRING_LIST,
		 .is_storable = true,
		 .n = 1,
		 .strings = strings},
		{							      .name = {"as", 2},
		 .kind = REPORT_IP_LIST,
		 .is_storable = true,
		 .n = 3,
		 .addrs = some_addrs},
	};
	static const struct kit_profile profile = {
		.name = "p",
		.targets = TARGET_ALL_THINGS,
		.behaviors = {
			      {.name = "1",
			 .metric = "n",
			 .op = "less-than",
			 .value = {.kind = VALUE_NUMBER, .number = 2.25}},
			      {.name = "2", .metric = "n", .op = "less-than", .value = KIT_COUNT(2)},
			      {.name = "3",
			 .metric = "bad",
			 .op = "less-than",
			 .value = {.kind = VALUE_NUMBER}},
			      {.name = "4",
			 .metric = "ns",
			 .op = "in-set",
			 .value = {.kind = VALUE_NUMBERS}},
			      {.name = "5",
			 .metric = "ss",
			 .op = "in-set",
			 .value = {.kind = VALUE_STRINGS}},
			      {.name = "6",
			 .metric = "as",
			 .op = "in-cidr-set",
			 .value = {.kind = VALUE_ADDRS}},
			      {.name = "7",
			 .metric = "ns",
			 .op = "less-than",
			 .value = {.kind = VALUE_NUMBER}},
			      {.name = "8",
			 .metric = "none",
			 .op = "less-than",
			 .value = {.kind = VALUE_NUMBER}},
			      }
        };
	struct report report = {.report_id = 1, .n_custom = ARRAY_LEN(custom), .custom = custom};
	struct kit k;
	kit_start(&k);
	kit_config(&k, &profile, 1);
	kit_report(&k, "t", &report);
	assert_string_equal(kit_take(&k), "in-alarm t p 1 2.5\nin-alarm t p 2 2.5\n"
					  "in-alarm t p 4 n=2\nin-alarm t p 5 n=1\n"
					  "in-alarm t p 6 n=3\n");
	kit_stop(&k);
}

/* ---- Windows ---- */

/* Reports with the given covers (s) and values; the sum for each duration after the last. */
struct window_case {
	uint32_t cover_s[16], value[16];
	uint32_t duration_s;
	uint64_t sum;
};

static const struct window_case window_cases[] = {
	{{300},							     {5},       300,  5 },
	{{301, 301},							{5, 7},    300,  7 },
	{{300, 300},							{5, 7},    600,  12},
	{{300, 300},							{5, 7},    3600, 12}, /* what there is */
	{{300, 300, 240},						   {1, 2, 4}, 300,  4 },
	{{300, 300, 239},						   {1, 2, 4}, 300,  6 },
	{{300, 270, 270},						   {1, 2, 4}, 600,  6 },
	{{300, 269, 270},						   {1, 2, 4}, 600,  7 },
	{{100000, 1},						       {1, 2},    300,  3 },
	{{300, 0, 0},						       {1, 2, 4}, 300,  7 }, /* no time passed: one with the report before */
	{{300, 300, 300, 300, 300, 300, 300, 300, 300, 300, 300, 300, 300},
	 {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1},
	 3600,									       12},
};

static void test_windows(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(window_cases); i++) {
		const struct window_case *row = &window_cases[i];
		struct arena arena = {0};
		uint32_t window = 0;
		for (size_t k = 0; k < 16 && row->value[k]; k++)
			assert_true(window_add(&arena, &window, row->value[k],
					       row->cover_s[k] * 1000ULL, row->duration_s));
		assert_int_equal(window_sum(&arena, window, row->duration_s), row->sum);
		window_drop(&arena, &window);
		arena_release(&arena);
	}
}

static void test_windows_stop_at_the_end(void **state)
{
	(void)state;
	struct arena arena = {0};
	uint32_t window = 0;
	assert_true(window_add(&arena, &window, UINT64_MAX - 1, 300000, 600));
	assert_true(window_add(&arena, &window, 5, 300000, 600));
	assert_int_equal(window_sum(&arena, window, 600), UINT64_MAX);
	arena_release(&arena);
}

/* More reports than are remembered: nothing of what counts is lost. */
static void test_windows_with_many_reports(void **state)
{
	(void)state;
	struct arena arena = {0};
	uint32_t window = 0;
	for (int i = 0; i < 3 * WINDOW_STEPS_MAX; i++)
		assert_true(window_add(&arena, &window, 1, 100, 3600));
	uint64_t sum = window_sum(&arena, window, 3600);
	assert_true(sum >= WINDOW_STEPS_MAX);
	assert_int_equal(window_sum(&arena, window, 300), 2400);
	arena_release(&arena);
}

static void test_counters_of_a_device(void **state)
{
	(void)state;
	const struct kit_profile profile = {
		.name = "p",
		.targets = TARGET_ALL_THINGS,
		.behaviors = {{.name = "ten",
			       .metric = "aws:all-bytes-out",
			       .op = "less-than",
			       .value = KIT_COUNT(0),
			       .duration_s = 600},
			      {.name = "five",
			       .metric = "aws:all-bytes-out",
			       .op = "less-than",
			       .value = KIT_COUNT(0),
			       .duration_s = 300}}
        };
	struct report report = {.report_id = 1, .has_counter[REPORT_BYTES_OUT] = true};
	struct report without = {.report_id = 2};
	struct kit k;
	kit_start(&k);
	kit_config(&k, &profile, 1);
	report.counter[REPORT_BYTES_OUT] = 5;
	kit_report(&k, "t", &report);
	assert_string_equal(kit_take(&k), "in-alarm t p ten 5\nin-alarm t p five 5\n");
	k.now_ms += 5 * KIT_MINUTE_MS;
	report.counter[REPORT_BYTES_OUT] = 7;
	kit_report(&k, "t", &report);
	assert_string_equal(kit_take(&k), "still t p ten 12\nstill t p five 7\n");
	k.now_ms += 5 * KIT_MINUTE_MS;
	kit_report(&k, "t", &without);
	assert_string_equal(kit_take(&k), "");
	k.now_ms += 5 * KIT_MINUTE_MS;
	kit_restart(&k);
	kit_report(&k, "t", &report);
	assert_string_equal(kit_take(&k), "still t p ten 14\nstill t p five 7\n");
	kit_stop(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table_of_metrics),
		cmocka_unit_test(test_table_of_comparisons),
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_empty_lists_conform),
		cmocka_unit_test(test_custom),
		cmocka_unit_test(test_windows),
		cmocka_unit_test(test_windows_stop_at_the_end),
		cmocka_unit_test(test_windows_with_many_reports),
		cmocka_unit_test(test_counters_of_a_device),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

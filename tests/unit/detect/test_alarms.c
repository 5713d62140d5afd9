/* The state machine of spec/detect.md section 7, and its lifecycle table. */
#include "kit.h"

#include "base/compiler.h"

#define PORTS "aws:num-listening-tcp-ports"

static const struct kit_profile base = {
	.name = "p",
	.targets = TARGET_ALL_THINGS,
	.behaviors = {{.name = "few", .metric = PORTS, .op = "less-than", .value = KIT_COUNT(10)}},
};

static struct report ports_open(uint64_t n)
{
	static uint64_t id;
	return (struct report){
		.report_id = ++id, .tcp = {.is_present = true, .has_total = true, .total = n}
        };
}

static void report_ports(struct kit *k, const char *thing, uint64_t n)
{
	struct report report = ports_open(n);
	k->now_ms += 5 * KIT_MINUTE_MS;
	kit_report(k, thing, &report);
}

/* Values one after the other, and what each leads to: a letter (i n-alarm, s till, c leared, -
 * none). */
struct machine_case {
	uint8_t to_alarm, to_clear;
	const char *values; /* 'b' violates, 'g' conforms, '0' a report without the metric */
	const char *effects;
};

static const struct machine_case machine_cases[] = {
	{1,  1,  "gbbg",                 "-isc"                },
	{3,  1,  "bbgbbbg",              "-----ic"             },
	{1,  3,  "bggbgggg",             "i--s--c-"            },
	{2,  2,  "bbgbggbb",             "-i-s-c-i"            },
	{1,  2,  "bg0gb",                "i--ci"               },
	{2,  1,  "b0b",                  "--i"                 },
	{10, 10, "bbbbbbbbbbgggggggggg", "---------i---------c"},
};

static void test_machine(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(machine_cases); i++) {
		const struct machine_case *row = &machine_cases[i];
		struct kit k;
		struct kit_profile profile = base;
		profile.behaviors[0].to_alarm = row->to_alarm;
		profile.behaviors[0].to_clear = row->to_clear;
		kit_start(&k);
		kit_config(&k, &profile, 1);
		for (size_t at = 0; row->values[at]; at++) {
			struct report none = {.report_id = 99};
			if (row->values[at] == '0')
				kit_report(&k, "t", &none);
			else
				report_ports(&k, "t", row->values[at] == 'b' ? 10 : 9);
			const char *line = kit_take(&k);
			assert_int_equal(*line ? *line : '-', row->effects[at]);
		}
		kit_stop(&k);
	}
}

static void test_events_tell_the_datapoint(void **state)
{
	(void)state;
	struct kit k;
	struct kit_profile profile = base;
	profile.behaviors[0].is_suppressed = true;
	kit_start(&k);
	kit_config(&k, &profile, 1);
	struct report bad = ports_open(11), good = ports_open(9);
	kit_report_by(&k, "t", &bad, false);
	assert_string_equal(kit_take(&k), "in-alarm t p few foreign quiet 11\n");
	kit_report(&k, "t", &good);
	assert_string_equal(kit_take(&k), "cleared t p few quiet 9\n");
	kit_stop(&k);
}

static void test_ids_differ_and_stay(void **state)
{
	(void)state;
	struct kit k;
	char first[VIOLATION_ID_SIZE];
	kit_start(&k);
	kit_config(&k, &base, 1);
	report_ports(&k, "t", 11);
	memcpy(first, k.last_id, sizeof(first));
	assert_int_equal(strlen(first), 32);
	report_ports(&k, "t", 12);
	assert_string_equal(k.last_id, first);
	report_ports(&k, "t", 1);
	assert_string_equal(k.last_id, first);
	report_ports(&k, "t", 12);
	assert_string_not_equal(k.last_id, first);
	kit_stop(&k);
}

static void test_silence(void **state)
{
	(void)state;
	struct kit k;
	kit_start(&k);
	kit_config(&k, &base, 1);
	kit_thing(&k, "t", true, NULL, 0);
	report_ports(&k, "t", 11);
	(void)kit_take(&k);
	k.now_ms += 2 * KIT_DAY_MS;
	kit_mark(&k);
	assert_string_equal(kit_take(&k), ""); /* more than two days, not two days */
	k.now_ms += 1;
	kit_mark(&k);
	assert_string_equal(kit_take(&k), "invalidated t p few\n");
	kit_mark(&k);
	assert_string_equal(kit_take(&k), "");
	report_ports(&k, "t", 11);
	assert_string_equal(kit_take(&k), "in-alarm t p few 11\n");
	kit_stop(&k);
}

/* ---- Lifecycle: what an open alarm (and a counter at 1 of 2) becomes ---- */

struct lifecycle_case {
	const char *what;
	struct kit_profile after;
	const char *at_change, *next_bad, *next_good;
};

#define BEHAVIOR(...)                                                                              \
	{                                                                                          \
		.name = "p", .targets = TARGET_ALL_THINGS, .behaviors = { __VA_ARGS__ }            \
	}

static const struct lifecycle_case lifecycle_cases[] = {
	{"nothing changes",
	 BEHAVIOR({.name = "few",
		   .metric = PORTS,
		   .op = "less-than",
		   .value = KIT_COUNT(10),
		   .to_clear = 2}),
	 "",													       "still t p few 11\n",       "cleared t p few 9\n"},
	{"limit",
	 BEHAVIOR({.name = "few",
		   .metric = PORTS,
		   .op = "less-than",
		   .value = KIT_COUNT(11),
		   .to_clear = 2}),
	 "",													       "still t p few 11\n",       ""                   },
	{"operator",
	 BEHAVIOR({.name = "few",
		   .metric = PORTS,
		   .op = "less-than-equals",
		   .value = KIT_COUNT(10),
		   .to_clear = 2}),
	 "",													       "still t p few 11\n",       ""                   },
	{"suppressed",
	 BEHAVIOR({.name = "few",
		   .metric = PORTS,
		   .op = "less-than",
		   .value = KIT_COUNT(10),
		   .to_clear = 2,
		   .is_suppressed = true}),
	 "",													       "still t p few quiet 11\n", ""                   },
	{"another metric",
	 BEHAVIOR({.name = "few",
		   .metric = "aws:num-listening-udp-ports",
		   .op = "less-than",
		   .value = KIT_COUNT(10),
		   .to_clear = 2}),
	 "invalidated t p few\n",											  "",                         ""                   },
	{"another name",
	 BEHAVIOR({.name = "none", .metric = PORTS, .op = "less-than", .value = KIT_COUNT(10)}),
	 "invalidated t p few\n",											  "in-alarm t p none 11\n",   ""                   },
	{"no behavior",       BEHAVIOR({0}),						      "invalidated t p few\n", "",                         ""                   },
	{"other profile",
	 {.name = "q",
	  .targets = TARGET_ALL_THINGS,
	  .behaviors =
		  {{.name = "few", .metric = PORTS, .op = "less-than", .value = KIT_COUNT(10)}}},
	 "invalidated t p few\n",											  "in-alarm t q few 11\n",
	 ""																				 },
	{"detached",
	 {.name = "p",
	  .targets = 0,
	  .behaviors =
		  {{.name = "few", .metric = PORTS, .op = "less-than", .value = KIT_COUNT(10)}}},
	 "invalidated t p few\n",											  "",
	 ""																				 },
	{"only unregistered",
	 {.name = "p",
	  .targets = TARGET_UNREGISTERED,
	  .behaviors =
		  {{.name = "few", .metric = PORTS, .op = "less-than", .value = KIT_COUNT(10)}}},
	 "invalidated t p few\n",											  "",
	 ""																				 },
};

static void lifecycle_start(struct kit *k)
{
	struct kit_profile before = base;
	before.behaviors[0].to_clear = 2;
	kit_start(k);
	kit_thing(k, "t", true, NULL, 0);
	kit_config(k, &before, 1);
	report_ports(k, "t", 11);
	report_ports(k, "t", 9);
	(void)kit_take(k);
}

static void test_lifecycle(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lifecycle_cases); i++) {
		const struct lifecycle_case *row = &lifecycle_cases[i];
		struct kit k;
		lifecycle_start(&k);
		kit_config(&k, &row->after, 1);
		assert_string_equal(kit_take(&k), row->at_change);
		report_ports(&k, "t", 11);
		assert_string_equal(kit_take(&k), row->next_bad);
		kit_stop(&k);

		lifecycle_start(&k);
		kit_config(&k, &row->after, 1);
		(void)kit_take(&k);
		report_ports(&k, "t", 9);
		assert_string_equal(kit_take(&k), row->next_good);
		kit_stop(&k);
	}
}

/* ---- Targets ---- */

static void test_groups(void **state)
{
	(void)state;
	static const uint64_t in[] = {3, 7, 900}, out[] = {3, 900};
	const struct kit_profile profile = {
		.name = "p",
		.groups = {1,           7, 1ULL << 40},
		.n_groups = 3,
		.behaviors = {{.name = "few",
			       .metric = PORTS,
			       .op = "less-than",
			       .value = KIT_COUNT(10)}}
        };
	struct kit k;
	kit_start(&k);
	kit_config(&k, &profile, 1);
	kit_thing(&k, "t", true, out, 2);
	report_ports(&k, "t", 11);
	assert_string_equal(kit_take(&k), "");
	kit_thing(&k, "t", true, in, 3);
	report_ports(&k, "t", 11);
	assert_string_equal(kit_take(&k), "in-alarm t p few 11\n");
	kit_thing(&k, "t", true, in, 3);
	assert_string_equal(kit_take(&k), "");
	kit_thing(&k, "t", true, out, 2);
	assert_string_equal(kit_take(&k), "invalidated t p few\n");
	kit_stop(&k);
}

static void test_several_targets_of_one_profile(void **state)
{
	(void)state;
	static const uint64_t in[] = {7};
	struct kit_profile profile = base;
	profile.targets = TARGET_ALL_THINGS | TARGET_REGISTERED;
	profile.groups[0] = 7;
	profile.n_groups = 1;
	struct kit k;
	kit_start(&k);
	kit_config(&k, &profile, 1);
	kit_thing(&k, "t", true, in, 1);
	report_ports(&k, "t", 11);
	assert_string_equal(kit_take(&k), "in-alarm t p few 11\n");
	kit_stop(&k);
}

static void test_two_identities(void **state)
{
	(void)state;
	struct kit k;
	kit_start(&k);
	kit_config(&k, &base, 1);
	report_ports(&k, "t", 11);
	kit_thing(&k, "t", true, NULL, 0);
	report_ports(&k, "t", 12);
	assert_string_equal(kit_take(&k), "in-alarm t p few 11\nin-alarm t p few 12\n");
	k.now_ms += 2 * KIT_DAY_MS - 4 * KIT_MINUTE_MS;
	kit_mark(&k);
	assert_string_equal(kit_take(&k), "invalidated t p few\n"); /* the unregistered one */
	struct detect_stats stats;
	detect_stats(k.detect, &stats);
	assert_int_equal(stats.devices, 1);
	assert_int_equal(stats.alarms_open, 1);
	kit_thing(&k, "t", false, NULL, 0);
	assert_string_equal(kit_take(&k), "invalidated t p few\n");
	detect_stats(k.detect, &stats);
	assert_int_equal(stats.devices, 0);
	kit_stop(&k);
}

static void test_cap_of_unregistered(void **state)
{
	(void)state;
	struct kit k;
	struct detect_stats stats;
	kit_start(&k);
	kit_config(&k, &base, 1);
	for (int i = 0; i < 150; i++) {
		char name[16];
		(void)snprintf(name, sizeof(name), "dev%d", i);
		report_ports(&k, name, 1);
	}
	detect_stats(k.detect, &stats);
	assert_int_equal(stats.devices, 100);
	assert_int_equal(stats.dropped_unregistered, 50);
	kit_thing(&k, "dev149", true, NULL, 0); /* the registry has room always */
	report_ports(&k, "dev149", 11);
	assert_string_equal(kit_take(&k), "in-alarm dev149 p few 11\n");
	k.now_ms += 3 * KIT_DAY_MS;
	kit_mark(&k);
	(void)kit_take(&k);
	detect_stats(k.detect, &stats);
	assert_int_equal(stats.devices, 1); /* the silent ones are forgotten */
	report_ports(&k, "dev0", 11);
	assert_string_equal(kit_take(&k), "in-alarm dev0 p few 11\n");
	kit_stop(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_machine),
		cmocka_unit_test(test_events_tell_the_datapoint),
		cmocka_unit_test(test_ids_differ_and_stay),
		cmocka_unit_test(test_silence),
		cmocka_unit_test(test_lifecycle),
		cmocka_unit_test(test_groups),
		cmocka_unit_test(test_several_targets_of_one_profile),
		cmocka_unit_test(test_two_identities),
		cmocka_unit_test(test_cap_of_unregistered),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

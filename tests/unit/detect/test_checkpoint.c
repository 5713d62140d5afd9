/* A state that was saved and loaded goes on as if nothing had happened. */
#include "kit.h"

#include "base/chance.h"
#include "base/compiler.h"
#include "base/sha256.h"

#include <errno.h>

#define ENTRIES 3000
#define THINGS  40

/* ---- Random runs ---- */

static uint32_t pick(struct chance chance, uint32_t n)
{
	uint32_t v;
	chance.fill(chance.ctx, &v, sizeof(v));
	return v % n;
}

static struct kit_behavior random_behavior(struct chance chance, uint32_t i)
{
	static const char *const names[] = {"a", "b", "c", "d"};
	static const char *const metrics_of[] = {"aws:all-bytes-out", "aws:all-packets-in",
						 "aws:num-listening-tcp-ports"};
	static const uint32_t durations[] = {300, 600, 3600};
	return (struct kit_behavior){
		.name = names[i],
		.metric = metrics_of[pick(chance, 3)],
		.op = pick(chance, 2) ? "less-than" : "greater-than-equals",
		.value = KIT_COUNT(pick(chance, 10)),
		.duration_s = durations[pick(chance, 3)],
		.to_alarm = (uint8_t)(1 + pick(chance, 3)),
		.to_clear = (uint8_t)(1 + pick(chance, 3)),
	};
}

static void random_config(struct kit *k, struct chance chance)
{
	static const char *const names[] = {"p", "q", "r"};
	struct kit_profile profiles[3] = {{0}};
	uint32_t n = 0;
	for (uint32_t i = 0; i < 3; i++) {
		if (pick(chance, 4) == 0)
			continue;
		struct kit_profile *p = &profiles[n++];
		p->name = names[i];
		p->targets = (uint8_t)pick(chance, 8);
		p->n_groups = pick(chance, 3);
		for (uint32_t g = 0; g < p->n_groups; g++)
			p->groups[g] = g * 10 + pick(chance, 9);
		for (uint32_t b = 0, m = pick(chance, 5); b < m; b++)
			p->behaviors[b] = random_behavior(chance, b);
	}
	kit_config(k, profiles, n);
}

static void random_report(struct kit *k, struct chance chance, const char *thing)
{
	struct report report = {.report_id = 1 + k->seq};
	for (unsigned i = 0; i < REPORT_COUNTERS; i++) {
		report.has_counter[i] = pick(chance, 4) != 0;
		report.counter[i] = pick(chance, 20);
	}
	report.tcp.is_present = report.tcp.has_total = pick(chance, 4) != 0;
	report.tcp.total = pick(chance, 12);
	kit_report_by(k, thing, &report, pick(chance, 8) != 0);
}

static void random_thing(struct kit *k, struct chance chance, const char *thing)
{
	uint64_t groups[3];
	uint32_t n = pick(chance, 4);
	for (uint32_t i = 0; i < n; i++)
		groups[i] = i * 10 + pick(chance, 9);
	kit_thing(k, thing, pick(chance, 5) != 0, groups, n);
}

static void random_entry(struct kit *k, struct chance chance)
{
	char thing[16];
	(void)snprintf(thing, sizeof(thing), "thing%u", pick(chance, THINGS));
	k->now_ms += pick(chance, 50) ? pick(chance, 400000) : KIT_DAY_MS;
	switch (pick(chance, 20)) {
	case 0:
		random_config(k, chance);
		break;
	case 1:
	case 2:
		random_thing(k, chance, thing);
		break;
	case 3:
		kit_mark(k);
		break;
	default:
		random_report(k, chance, thing);
	}
}

/* The digest of all effects of a run that is saved and loaded before every `restart`th entry. */
static int run(uint64_t seed, int restart, uint8_t digest[SHA256_SIZE])
{
	struct chance chance = chance_seeded(&seed);
	struct sha256 sha;
	struct kit *k = malloc(sizeof(*k));
	int n_lines;
	sha256_init(&sha);
	kit_start(k);
	for (int i = 0; i < ENTRIES; i++) {
		if (restart && i % restart == restart - 1)
			kit_restart(k);
		random_entry(k, chance);
		const char *lines = kit_take(k);
		sha256_add(&sha, lines, strlen(lines));
		sha256_add(&sha, k->last_id, sizeof(k->last_id));
	}
	sha256_end(&sha, digest);
	n_lines = k->n_lines;
	kit_stop(k);
	free(k);
	return n_lines;
}

static void test_random_runs(void **state)
{
	(void)state;
	static const int restarts[] = {3, 500};
	for (uint64_t seed = 1; seed <= 4; seed++) {
		uint8_t whole[SHA256_SIZE], broken[SHA256_SIZE];
		assert_true(run(seed, 0, whole) > 500); /* else it proves little */
		for (size_t i = 0; i < ARRAY_LEN(restarts); i++) {
			(void)run(seed, restarts[i], broken);
			assert_memory_equal(whole, broken, sizeof(whole));
		}
	}
}

/* Effects are the same bytes on every machine; when the engine's meaning changes, DETECT_ENGINE and
 * this digest do. */
static void test_golden_run(void **state)
{
	(void)state;
	uint8_t digest[SHA256_SIZE];
	char hex[2 * SHA256_SIZE + 1];
	(void)run(42, 0, digest);
	hex_encode(digest, sizeof(digest), hex);
	assert_string_equal(hex,
			    "d151c8b84a4693edc1bf8ecccb9539824ee43b307ef5e5861b383f5e6bd17db5");
}

/* ---- Damage ---- */

static const struct detect_limits limits = {.min_report_delta_ms = 300000, .max_unregistered = 10};

static void save_some(uint8_t **ret_bytes, size_t *ret_n)
{
	uint64_t seed = 5;
	struct chance chance = chance_seeded(&seed);
	struct kit *k = malloc(sizeof(*k));
	kit_start(k);
	for (int i = 0; i < 60; i++) {
		random_entry(k, chance);
		(void)kit_take(k);
	}
	assert_int_equal(detect_save(k->detect, 77, ret_bytes, ret_n), 0);
	kit_stop(k);
	free(k);
}

static void test_damage_is_refused(void **state)
{
	(void)state;
	uint8_t *bytes;
	size_t n;
	uint64_t seq;
	struct detect *d = NULL;
	save_some(&bytes, &n);
	for (size_t cut = 0; cut < n; cut++)
		assert_int_equal(detect_load(&limits, bytes, cut, &d, &seq), -EBADMSG);
	for (size_t at = 0; at < n; at++) {
		bytes[at] ^= 0x10;
		assert_int_equal(detect_load(&limits, bytes, n, &d, &seq), -EBADMSG);
		bytes[at] ^= 0x10;
	}
	assert_int_equal(detect_load(&limits, bytes, n, &d, &seq), 0);
	assert_int_equal(seq, 77);
	detect_free(d);
	free(bytes);
}

static void seal(uint8_t *bytes, size_t n)
{
	struct sha256 sha;
	sha256_init(&sha);
	sha256_add(&sha, bytes, n - SHA256_SIZE);
	sha256_end(&sha, bytes + n - SHA256_SIZE);
}

/* With the sum made right again: whatever is loaded can be used without harm. */
static void test_damage_with_a_right_sum(void **state)
{
	(void)state;
	uint8_t *bytes;
	size_t n;
	uint64_t seq;
	save_some(&bytes, &n);
	for (size_t at = 0; at < n - SHA256_SIZE; at++) {
		struct kit *k = calloc(1, sizeof(*k));
		bytes[at] ^= (uint8_t)(1U << at % 8);
		seal(bytes, n);
		int rc = detect_load(&limits, bytes, n, &k->detect, &seq);
		if (rc == 0) {
			k->now_ms = 1900000000000;
			kit_mark(k);
			kit_stop(k);
		}
		bytes[at] ^= (uint8_t)(1U << at % 8);
		free(k);
	}
	free(bytes);
}

static void test_other_engine(void **state)
{
	(void)state;
	uint8_t *bytes;
	size_t n;
	uint64_t seq;
	struct detect *d = NULL;
	save_some(&bytes, &n);
	bytes[4]++;
	seal(bytes, n);
	assert_int_equal(detect_load(&limits, bytes, n, &d, &seq), -ENOTSUP);
	free(bytes);
}

/* ---- Entries that cannot be ---- */

static int no_effect(const struct effect *effect, void *ctx)
{
	(void)effect;
	(void)ctx;
	return 0;
}

static int stop_at_once(const struct effect *effect, void *ctx)
{
	(void)effect;
	(void)ctx;
	return -EINTR;
}

static void test_bad_entries(void **state)
{
	(void)state;
	struct detect *d;
	assert_int_equal(detect_new(&limits, &d), 0);
	for (int kind = 0; kind < 12; kind++) {
		struct detect_entry entry = {
			.seq = 1, .kind = (enum entry_kind)kind, .body = VIEW_LIT("\xff")};
		assert_int_equal(detect_step(d, &entry, no_effect, NULL), -EBADMSG);
	}
	uint8_t buf[256];
	struct writer w = writer_of(buf, sizeof(buf));
	entry_write_report(
		&w, &(struct entry_report){.thing = VIEW_LIT("t"), .payload = VIEW_LIT("{")});
	struct detect_entry entry = {
		.seq = 1, .kind = ENTRY_REPORT, .body = {(char *)buf, w.len}
        };
	assert_int_equal(detect_step(d, &entry, no_effect, NULL), -EBADMSG);
	detect_free(d);
}

/* The state decodes the report itself when the caller has not: in recovery. */
static void test_undecoded_report_and_a_receiver_that_stops(void **state)
{
	(void)state;
	static const struct kit_profile profile = {
		.name = "p",
		.targets = TARGET_ALL_THINGS,
		.behaviors = {{.name = "b",
			       .metric = "aws:num-listening-tcp-ports",
			       .op = "less-than",
			       .value = KIT_COUNT(1)}}};
	struct kit k;
	uint8_t buf[512];
	struct writer w = writer_of(buf, sizeof(buf));
	entry_write_report(
		&w, &(struct entry_report){
			    .thing = VIEW_LIT("t"),
			    .payload = VIEW_LIT(
				    "{\"header\":{\"report_id\":1,\"version\":\"1.0\"},"
				    "\"metrics\":{\"listening_tcp_ports\":{\"total\":3}}}")});
	kit_start(&k);
	kit_config(&k, &profile, 1);
	kit_entry(&k, ENTRY_REPORT, &w, NULL);
	assert_string_equal(kit_take(&k), "in-alarm t p b foreign 3\n");
	struct detect_entry entry = {
		.seq = 9, .kind = ENTRY_REPORT, .body = {(char *)buf, w.len}
        };
	assert_int_equal(detect_step(k.detect, &entry, stop_at_once, NULL), -EINTR);
	kit_stop(&k);
}

/* ---- Walks ---- */

static void note_device(struct view thing, uint64_t last_report_id, int64_t last_report_ms,
			void *ctx)
{
	char *text = ctx;
	(void)snprintf(text + strlen(text), 64, "%.*s %" PRIu64 " %" PRId64 "\n", (int)thing.n,
		       thing.p, last_report_id, last_report_ms);
}

static void note_alarm(struct view thing, struct view profile, struct view behavior,
		       const char *violation_id, void *ctx)
{
	char *text = ctx;
	(void)snprintf(text + strlen(text), 64, "%.*s %.*s %.*s %u\n", (int)thing.n, thing.p,
		       (int)profile.n, profile.p, (int)behavior.n, behavior.p,
		       (unsigned)strlen(violation_id));
}

static void test_walks(void **state)
{
	(void)state;
	static const struct kit_profile profile = {
		.name = "p",
		.targets = TARGET_ALL_THINGS,
		.behaviors = {{.name = "b",
			       .metric = "aws:num-listening-tcp-ports",
			       .op = "less-than",
			       .value = KIT_COUNT(1)}}};
	struct report report = {
		.report_id = 5, .tcp = {.is_present = true, .has_total = true, .total = 1}
        };
	struct kit k;
	char text[256] = "";
	kit_start(&k);
	k.now_ms = 1000;
	kit_config(&k, &profile, 1);
	kit_report(&k, "lamp", &report);
	kit_thing(&k, "lamp", true, NULL, 0); /* a second identity takes over what is known */
	kit_thing(&k, "door", true, NULL, 0); /* never reported */
	detect_each_device(k.detect, note_device, text);
	assert_string_equal(text, "lamp 5 1000\n");
	text[0] = '\0';
	detect_each_alarm(k.detect, note_alarm, text);
	assert_string_equal(text, "lamp p b 32\n");
	kit_stop(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_runs),
		cmocka_unit_test(test_golden_run),
		cmocka_unit_test(test_damage_is_refused),
		cmocka_unit_test(test_damage_with_a_right_sum),
		cmocka_unit_test(test_other_engine),
		cmocka_unit_test(test_bad_entries),
		cmocka_unit_test(test_undecoded_report_and_a_receiver_that_stops),
		cmocka_unit_test(test_walks),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

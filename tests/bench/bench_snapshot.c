/* What the snapshot of a large fleet costs, beside the plainest thing that moves the same bytes.
 *
 *     bench_snapshot DIR [IDENTITIES]          1,000,000; DIR is empty and is left empty
 *
 * An identity is a certificate with its thing, in one of a hundred groups, under a policy of ten
 * statements' size. Prints one line of JSON. */
#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"
#include "broker/snapshot_write.h"
#include "mosquitto/options.h"
#include "mosquitto/rules.h"
#include "policy/policy.h"

#define PAGE    2000
#define GROUPS  100
#define APPENDS 200
#define LOOKUPS 1000000
#define FACTS   120 /* bytes of what is known of a certificate */

struct bench {
	uint32_t n;
	char *path, *plain;
	struct policy_program program;
	struct snapshot_file *file;
	uint64_t generation;
};

static double now_s(void)
{
	struct timespec t;
	CHECK(clock_gettime(CLOCK_MONOTONIC, &t) == 0);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- The fleet ---- */

/* As good as a SHA-256 for a hash table: every byte depends on i. */
static void fingerprint(uint32_t i, uint8_t ret[SNAPSHOT_FINGERPRINT])
{
	uint64_t x = i;
	for (unsigned at = 0; at < SNAPSHOT_FINGERPRINT; at += 8) {
		x += 0x9E3779B97F4A7C15U;
		uint64_t z = (x ^ x >> 30) * 0xBF58476D1CE4E5B9U;
		z = (z ^ z >> 27) * 0x94D049BB133111EBU;
		memcpy(ret + at, &z, sizeof(z));
	}
}

static void thing_name(uint32_t i, char ret[16])
{
	CHECK(g_snprintf(ret, 16, "dev%08u", i) < 16);
}

static void add_cert(struct snapshot_builder *b, uint32_t i, enum snapshot_cert_status status)
{
	static const char facts[FACTS];
	static const char *const policies[] = {"device"};
	char name[16];
	const char *const things[] = {name};
	thing_name(i, name);
	struct snapshot_new_cert c = {
		.status = status,
		.not_after = INT64_C(4102444800),
		.facts = {facts, sizeof(facts)},
		.things = things,
		.n_things = 1,
		.policies = policies,
		.n_policies = 1,
	};
	fingerprint(i, c.fingerprint);
	snapshot_add_cert(b, &c);
}

static void add_thing(struct snapshot_builder *b, uint32_t i)
{
	char name[16], group[16];
	const char *const groups[] = {"fleet", group};
	thing_name(i, name);
	CHECK(g_snprintf(group, sizeof(group), "group%u", i % GROUPS) < 16);
	snapshot_add_thing(b, name, (struct view){0}, groups, G_N_ELEMENTS(groups));
}

static void add_shared(const struct bench *bench, struct snapshot_builder *b)
{
	static const char *const policies[] = {"site"};
	struct view program = {(const char *)bench->program.bytes, bench->program.n};
	snapshot_add_account(b, "aws", "us-east-1", "123456789012");
	snapshot_add_policy(b, "device", 1, program);
	snapshot_add_policy(b, "site", 1, program);
	snapshot_add_group(b, "fleet", false, policies, 1);
	for (unsigned i = 0; i < GROUPS; i++) {
		g_autofree char *name = g_strdup_printf("group%u", i);
		snapshot_add_group(b, name, false, NULL, 0);
	}
}

static void build(struct bench *bench)
{
	struct snapshot_builder *b = snapshot_builder_new();
	CHECK(snapshot_file_new(bench->path, 0600, (gid_t)-1, &bench->file) == 0);
	add_shared(bench, b);
	for (uint32_t i = 0; i < bench->n; i++) {
		add_thing(b, i);
		add_cert(b, i, SNAPSHOT_CERT_ACTIVE);
		if (i % PAGE == PAGE - 1 || i == bench->n - 1) {
			CHECK(snapshot_file_add(bench->file, b) == 0);
			snapshot_builder_empty(b);
		}
	}
	snapshot_builder_free(b);
	CHECK(snapshot_file_end_base(bench->file, ++bench->generation) == 0);
	CHECK(snapshot_file_take_place(bench->file) == 0);
}

static double timed_build(struct bench *bench)
{
	double start = now_s();
	build(bench);
	return now_s() - start;
}

/* ---- Beside it: the same bytes ---- */

static double copy_s(size_t n)
{
	char *from = g_malloc(n), *to = g_malloc(n);
	memset(from, 1, n);
	memset(to, 2, n);
	double start = now_s();
	memcpy(to, from, n);
	double took = now_s() - start;
	CHECK(to[n - 1] == 1);
	g_free(from);
	g_free(to);
	return took;
}

static double plain_write_s(const struct bench *bench, size_t n)
{
	char *bytes = g_malloc0(n);
	double start = now_s();
	int fd = open(bench->plain, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	CHECK(fd >= 0);
	for (size_t at = 0; at < n; at += 1 << 20)
		CHECK(write(fd, bytes + at, MIN(n - at, 1U << 20)) > 0);
	CHECK(fsync(fd) == 0);
	double took = now_s() - start;
	CHECK(close(fd) == 0 && g_unlink(bench->plain) == 0);
	g_free(bytes);
	return took;
}

static double plain_append_s(const struct bench *bench, size_t n)
{
	char bytes[1024] = {0};
	int fd = open(bench->plain, O_WRONLY | O_CREAT | O_APPEND, 0600);
	CHECK(fd >= 0 && n <= sizeof(bytes));
	double start = now_s();
	for (unsigned i = 0; i < APPENDS; i++)
		CHECK(write(fd, bytes, n) == (ssize_t)n && fdatasync(fd) == 0);
	double took = (now_s() - start) / APPENDS;
	CHECK(close(fd) == 0 && g_unlink(bench->plain) == 0);
	return took;
}

/* ---- The broker's side ---- */

static void ignore_cert(void *ctx, const uint8_t *print)
{
	(void)print;
	++*(unsigned *)ctx;
}

static double poll_s(struct rules *rules)
{
	char why[SNAPSHOT_WHY_SIZE];
	unsigned n = 0;
	double start = now_s();
	if (rules_poll(rules, ignore_cert, &n, why) < 0) {
		(void)fprintf(stderr, "%s\n", why);
		exit(1);
	}
	return now_s() - start;
}

struct reload {
	double load_s, stall_s; /* all of it; the longest that the broker's thread was held */
};

/* A new file takes the old one's place while the broker's thread goes on turning. */
static struct reload reload(struct bench *bench, struct rules *rules)
{
	struct reload done = {0};
	uint64_t epoch = rules->epoch;
	snapshot_file_free(bench->file);
	build(bench);
	double start = now_s();
	while (rules->epoch == epoch) {
		done.stall_s = MAX(done.stall_s, poll_s(rules));
		g_usleep(100);
	}
	done.load_s = now_s() - start;
	start = now_s();
	rules_let_go(rules);
	done.stall_s = MAX(done.stall_s, now_s() - start);
	return done;
}

struct append {
	double append_s, apply_s;
};

static struct append append(struct bench *bench, struct rules *rules, size_t *ret_bytes)
{
	struct append done = {0};
	uint64_t before = snapshot_file_size(bench->file);
	for (uint32_t i = 0; i < APPENDS; i++) {
		struct snapshot_builder *b = snapshot_builder_new();
		double start = now_s();
		add_cert(b, i, SNAPSHOT_CERT_INACTIVE);
		CHECK(snapshot_file_append(bench->file, b, ++bench->generation) == 0);
		CHECK(snapshot_file_sync(bench->file) == 0);
		done.append_s += (now_s() - start) / APPENDS;
		done.apply_s += poll_s(rules) / APPENDS;
		CHECK(rules_generation(rules) == bench->generation);
		snapshot_builder_free(b);
	}
	*ret_bytes = (snapshot_file_size(bench->file) - before) / APPENDS;
	return done;
}

static double find_s(const struct bench *bench, const struct snapshot *s)
{
	uint8_t print[SNAPSHOT_FINGERPRINT];
	struct snapshot_cert cert;
	uint32_t found = 0;
	double start = now_s();
	for (uint32_t i = 0; i < LOOKUPS; i++) {
		fingerprint((uint32_t)((uint64_t)i * 7919 % bench->n), print);
		found += snapshot_find(s, print, &cert);
	}
	double took = (now_s() - start) / LOOKUPS;
	CHECK(found == LOOKUPS);
	return took;
}

static double resolve_s(const struct bench *bench, const struct snapshot *s)
{
	enum { TIMES = LOOKUPS / 10 };
	double start = now_s();
	for (uint32_t i = 0; i < TIMES; i++) {
		uint8_t print[SNAPSHOT_FINGERPRINT];
		char name[16];
		struct snapshot_cert cert;
		struct policy_request request = {0};
		struct snapshot_policy found[SNAPSHOT_PROGRAMS_MAX];
		bool is_quarantined;
		uint32_t which = (uint32_t)((uint64_t)i * 7919 % bench->n);
		fingerprint(which, print);
		thing_name(which, name);
		CHECK(snapshot_find(s, print, &cert));
		CHECK(snapshot_programs(s, &cert, view_of(name), &request, found,
					SNAPSHOT_PROGRAMS_MAX, &is_quarantined) == 2);
	}
	return (now_s() - start) / TIMES;
}

static void run(struct bench *bench)
{
	size_t record;
	struct options options = {.snapshot = bench->path, .daemon_uid = geteuid()};
	struct rules rules;
	double build_s = timed_build(bench);
	size_t bytes = snapshot_file_size(bench->file);
	rules_init(&rules, &options);
	double first_s = poll_s(&rules);
	struct reload again = reload(bench, &rules);
	struct append changes = append(bench, &rules, &record);
	(void)printf("{\"identities\": %u, \"build_ms\": %.1f, \"plain_write_ms\": %.1f, "
		     "\"first_load_ms\": %.1f, \"load_ms\": %.1f, \"copy_ms\": %.1f, "
		     "\"stall_us\": %.1f, ",
		     bench->n, 1e3 * build_s, 1e3 * plain_write_s(bench, bytes), 1e3 * first_s,
		     1e3 * again.load_s, 1e3 * copy_s(bytes), 1e6 * again.stall_s);
	(void)printf("\"append_us\": %.1f, \"plain_append_us\": %.1f, \"apply_us\": %.2f, "
		     "\"find_ns\": %.0f, \"resolve_ns\": %.0f, \"file_bytes\": %.0f, "
		     "\"memory_bytes\": %.0f}\n",
		     1e6 * changes.append_s, 1e6 * plain_append_s(bench, record),
		     1e6 * changes.apply_s, 1e9 * find_s(bench, rules.snapshot),
		     1e9 * resolve_s(bench, rules.snapshot), (double)bytes / bench->n,
		     (double)snapshot_memory(rules.snapshot) / bench->n);
	rules_release(&rules);
	snapshot_file_free(bench->file);
}

int main(int argc, char **argv)
{
	static const char document[] =
		"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":"
		"\"iot:*\",\"Resource\":\"*\"}]}";
	if (argc < 2) {
		(void)fprintf(stderr, "usage: bench_snapshot DIR [IDENTITIES]\n");
		return 2;
	}
	struct bench bench = {.n = argc > 2 ? (uint32_t)atoi(argv[2]) : 1000000};
	bench.path = g_build_filename(argv[1], "snapshot", NULL);
	bench.plain = g_build_filename(argv[1], "plain", NULL);
	struct fault fault;
	CHECK(bench.n >= APPENDS);
	CHECK(policy_compile(view_of(document), SIZE_MAX, &bench.program, &fault) == 0);
	run(&bench);
	CHECK(g_unlink(bench.path) == 0);
	policy_program_clear(&bench.program);
	g_free(bench.path);
	g_free(bench.plain);
	return 0;
}

/* Reports as real agents emit them (tests/data/reports) are read, with what they carry. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "report/report.h"

#include <stdio.h>
#include <stdlib.h>

static uint8_t payload[REPORT_SIZE_MAX];
static uint8_t memory[REPORT_ARENA_SIZE];

static size_t load(const char *name)
{
	char path[512];
	(void)snprintf(path, sizeof(path), "%s/tests/data/reports/%s", SOURCE_DIR, name);
	FILE *f = fopen(path, "rb");
	assert_non_null(f);
	size_t n = fread(payload, 1, sizeof(payload), f);
	(void)fclose(f);
	assert_true(n > 0);
	return n;
}

static struct report read_file(const char *name, enum report_format format)
{
	struct report_arena arena = {memory, sizeof(memory), 0};
	struct report report;
	struct report_refusal refusal;
	size_t n = load(name);
	if (report_read(format, payload, n, &arena, &report, &refusal) != 0)
		fail_msg("%s: %s", name, refusal.detail);
	return report;
}

static const struct agent_case {
	const char *file;
	enum report_format format;
	uint64_t report_id;
	bool has_counters;
	uint32_t tcp_listed, tcp, udp_listed, udp, connections_listed, remote, custom;
	uint64_t tcp_total, connections_total;
} cases[] = {
#include "agents.tbl.h"
};

static void reads_every_agent(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct agent_case *c = &cases[i];
		struct report r = read_file(c->file, c->format);
		print_message("%s\n", c->file);
		assert_int_equal(r.report_id, c->report_id);
		assert_int_equal(r.version_major, 1);
		assert_int_equal(r.version_minor, 0);
		for (unsigned k = 0; k < REPORT_COUNTERS; k++)
			assert_int_equal(r.has_counter[k], c->has_counters);
		assert_int_equal(r.tcp.n_listed, c->tcp_listed);
		assert_int_equal(r.tcp.n, c->tcp);
		assert_int_equal(r.tcp.total, c->tcp_total);
		assert_int_equal(r.udp.n_listed, c->udp_listed);
		assert_int_equal(r.udp.n, c->udp);
		assert_int_equal(r.established.n_listed, c->connections_listed);
		assert_int_equal(r.established.n, c->remote);
		assert_int_equal(r.established.total, c->connections_total);
		assert_int_equal(r.n_custom, c->custom);
		for (uint32_t k = 0; k < r.n_custom; k++)
			assert_true(r.custom[k].is_storable);
	}
}

/* -1: there is none of that name. */
static int kind_of(const struct report *r, const char *name)
{
	for (uint32_t i = 0; i < r->n_custom; i++) {
		if (view_is(r->custom[i].name, name))
			return (int)r->custom[i].kind;
	}
	return -1;
}

static void reads_custom_values(void **state)
{
	(void)state;
	struct report r = read_file("embedded-c-202412-long.json", REPORT_JSON);
	assert_int_equal(kind_of(&r, "uptime"), REPORT_NUMBER);
	assert_int_equal(kind_of(&r, "cpu_user_usage"), REPORT_NUMBER_LIST);
	assert_int_equal(kind_of(&r, "network_interface_names"), REPORT_STRING_LIST);
	assert_int_equal(kind_of(&r, "network_interface_addresses"), REPORT_IP_LIST);
	r = read_file("python-head-short-first-custom.cbor", REPORT_CBOR);
	assert_int_equal(kind_of(&r, "cpu_usage"), REPORT_NUMBER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_every_agent),
		cmocka_unit_test(reads_custom_values),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

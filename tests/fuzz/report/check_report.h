/* What must hold for every report that was read, and for every one that was refused. */
#ifndef TESTS_CHECK_REPORT_H
#define TESTS_CHECK_REPORT_H

#include "base/utf8.h"
#include "report/report.h"

#include <stdio.h>
#include <stdlib.h>

static inline void expect(bool holds, const char *what)
{
	if (holds)
		return;
	(void)fprintf(stderr, "does not hold: %s\n", what);
	abort();
}

static inline void check_ports(const struct report_ports *p)
{
	expect(p->is_present || (!p->has_list && !p->has_total), "absent block is empty");
	expect(p->n <= p->n_listed, "no more ports than entries");
	for (uint32_t i = 0; i < p->n; i++)
		expect(p->ports[i] > (i ? p->ports[i - 1] : 0), "ports ascend");
}

static inline void check_connections(const struct report_connections *c)
{
	expect(c->n <= c->n_listed, "no more addresses than entries");
	for (uint32_t i = 1; i < c->n; i++)
		expect(memcmp(&c->remote[i - 1], &c->remote[i], sizeof(c->remote[i])) < 0,
		       "addresses ascend");
}

static inline void check_custom(const struct report_custom *c)
{
	double sum = c->kind == REPORT_NUMBER ? c->number : 0;
	expect(sum - sum == 0, "numbers are finite");
	for (uint32_t i = 0; i < c->n && c->kind == REPORT_NUMBER_LIST; i++)
		expect(c->numbers[i] - c->numbers[i] == 0, "numbers are finite");
	for (uint32_t i = 0; i < c->n && c->kind == REPORT_STRING_LIST; i++)
		expect(utf8_valid(c->strings[i]), "text is UTF-8");
	expect(c->kind != REPORT_IP_LIST || c->addrs, "addresses are there");
}

static inline void check_report(const struct report *r)
{
	expect(r->report_id >= 1 && r->report_id <= INT64_MAX, "report id in range");
	expect(r->version_major == 1 && r->version_minor <= 999, "version in range");
	expect(r->has_metrics || r->has_custom, "a block is there");
	check_ports(&r->tcp);
	check_ports(&r->udp);
	check_connections(&r->established);
	for (uint32_t i = 0; i < r->n_custom; i++)
		check_custom(&r->custom[i]);
}

/* The path before the words is the sender's. */
static inline bool ran_out(const struct report_refusal *refusal)
{
	static const char words[] = "needs more memory than a report may take; send shorter lists";
	size_t n = strlen(refusal->detail), k = sizeof(words) - 1;
	return n >= k && memcmp(refusal->detail + n - k, words, k) == 0;
}

/* Reads, checks and answers. True when the report was accepted. A greatest arena never runs out; a
 * small one may. */
static inline bool check_payload(enum report_format format, const uint8_t *data, size_t size,
				 struct report *ret)
{
	static uint8_t memory[REPORT_ARENA_SIZE];
	uint8_t reply[REPORT_REPLY_MAX];
	struct report_arena arena = {memory, sizeof(memory), 0};
	struct report_arena small = {memory, size + size % 509, 0};
	struct report_refusal refusal;
	struct view thing = {(const char *)data, size};
	if (report_read(format, data, size, &small, ret, &refusal) == 0)
		check_report(ret);
	bool is_read = report_read(format, data, size, &arena, ret, &refusal) == 0;
	if (is_read) {
		check_report(ret);
		expect(report_accepted(format, thing, ret->report_id, 1, reply, sizeof(reply)) > 0,
		       "reply fits");
	} else {
		expect(!ran_out(&refusal), "the arena is large enough");
		expect(report_rejected(format, thing, &refusal, 1, reply, sizeof(reply)) > 0,
		       "reply fits");
	}
	return is_read;
}

#endif

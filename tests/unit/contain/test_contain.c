/* The state machine: each row is what is known at one moment, and what a containment becomes by it.
 */
#include "base/compiler.h"
#include "contain/contain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define ASKED_MS 1000000

static const struct contain_limits limits = {.apply_ms = 60000, .quiet_ms = 30000};
static const struct contain_asked denied = {.questions = 12, .certificates = 1};
static const struct contain_asked sampled = {
	.questions = 12, .certificates = 1000, .is_sample = true};
static const struct contain_asked escaped = {
	.questions = 3, .certificates = 1, .escape = "policy P version 2 statement 1 allows it"};

struct row {
	const char *name;
	enum contain_kind kind;
	struct contain was; /* kind, generation and request left out */
	struct contain_facts facts;
	enum contain_state state;
	const char *evidence; /* a part of it; NULL: it does not move */
};

#define APPLIED_AT(ms)                                                                             \
	{                                                                                          \
		.state = CONTAIN_APPLIED, .applied_ms = ASKED_MS + (ms)                            \
	}
#define VERIFIED_AT(ms)                                                                            \
	{                                                                                          \
		.state = CONTAIN_VERIFIED, .applied_ms = ASKED_MS + (ms)                           \
	}
#define FAILED_AT(ms)                                                                              \
	{                                                                                          \
		.state = CONTAIN_INEFFECTIVE, .applied_ms = ASKED_MS + (ms)                        \
	}
#define NOT_APPLIED                                                                                \
	{                                                                                          \
		.state = CONTAIN_INEFFECTIVE                                                       \
	}
#define KNOWN(ms, ...)                                                                             \
	{                                                                                          \
		.now_ms = ASKED_MS + (ms), .brokers = 2, __VA_ARGS__                               \
	}

/* clang-format off */
static const struct row rows[] = {
	{"waits for a broker", CONTAIN_CERT_DEACTIVATED, {0},
	 KNOWN(59999, .waiting = "b2"), CONTAIN_REQUESTED, NULL},
	{"waits for the first broker", CONTAIN_CERT_DEACTIVATED, {0},
	 {.now_ms = ASKED_MS + 5}, CONTAIN_REQUESTED, NULL},
	{"a broker is silent", CONTAIN_CERT_DEACTIVATED, {0},
	 KNOWN(60000, .waiting = "b2"), CONTAIN_INEFFECTIVE, "broker b2 has not confirmed generation 7 60 s"},
	{"a broker does not cut", CONTAIN_CERT_DEACTIVATED, {0},
	 KNOWN(60000, .waiting = "b2", .session = "one is open"), CONTAIN_INEFFECTIVE,
	 "60 s after the request; one is open"},
	{"a session may stay open", CONTAIN_POLICY_DETACHED, {0},
	 KNOWN(60000, .waiting = "b2", .session = "one is open"), CONTAIN_INEFFECTIVE,
	 "has not confirmed generation 7 60 s after the request"},
	{"no broker at all", CONTAIN_CERT_DEACTIVATED, {0},
	 {.now_ms = ASKED_MS + 60000}, CONTAIN_INEFFECTIVE, "no broker is known"},
	{"still silent", CONTAIN_CERT_DEACTIVATED, NOT_APPLIED,
	 KNOWN(90000, .waiting = "b2"), CONTAIN_INEFFECTIVE, NULL},
	{"the silent broker comes", CONTAIN_CERT_DEACTIVATED, NOT_APPLIED,
	 KNOWN(90000, .applied_ms = ASKED_MS + 89000), CONTAIN_APPLIED, "89000 ms after the request"},
	{"all confirm", CONTAIN_CERT_DEACTIVATED, {0},
	 KNOWN(300, .applied_ms = ASKED_MS + 212), CONTAIN_APPLIED, "generation 7 is in force on 2 brokers"},
	{"one confirms", CONTAIN_CERT_DEACTIVATED, {0},
	 {.now_ms = ASKED_MS + 300, .brokers = 1, .applied_ms = ASKED_MS + 212}, CONTAIN_APPLIED, "on 1 broker and"},

	{"no session, no connect yet", CONTAIN_CERT_DEACTIVATED, APPLIED_AT(100),
	 KNOWN(30099, .waiting = NULL), CONTAIN_APPLIED, NULL},
	{"quiet for long enough", CONTAIN_CERT_DEACTIVATED, APPLIED_AT(100),
	 KNOWN(30100, .waiting = NULL), CONTAIN_VERIFIED, "no connect was tried for 30 s"},
	{"refused when it came back", CONTAIN_CERT_DELETED, APPLIED_AT(100),
	 KNOWN(200, .refused = "a connect was refused"), CONTAIN_VERIFIED, "no session is open, and a connect was refused"},
	{"the session was not cut", CONTAIN_CERT_DEACTIVATED, APPLIED_AT(100),
	 KNOWN(200, .session = "the session is open"), CONTAIN_INEFFECTIVE, "the session is open"},
	{"not cut, though a second connect was refused", CONTAIN_CERT_DEACTIVATED, APPLIED_AT(100),
	 KNOWN(200, .session = "open", .refused = "refused"), CONTAIN_INEFFECTIVE, "open"},
	{"refused again and again", CONTAIN_CERT_DEACTIVATED, VERIFIED_AT(100),
	 KNOWN(900000, .refused = "a connect was refused"), CONTAIN_VERIFIED, NULL},
	{"let in after all", CONTAIN_CERT_DEACTIVATED, VERIFIED_AT(100),
	 KNOWN(900000, .session = "a session began"), CONTAIN_INEFFECTIVE, "a session began"},
	{"failed once it was applied: stays so", CONTAIN_CERT_DEACTIVATED, FAILED_AT(100),
	 KNOWN(900000, .refused = "refused"), CONTAIN_INEFFECTIVE, NULL},

	{"not asked yet", CONTAIN_POLICY_DETACHED, APPLIED_AT(100),
	 KNOWN(900000, .waiting = NULL), CONTAIN_APPLIED, NULL},
	{"denied", CONTAIN_POLICY_DETACHED, APPLIED_AT(100),
	 KNOWN(200, .asked = &denied), CONTAIN_VERIFIED, "denies what was granted before: 12 questions about 1 certificate"},
	{"denied, by a sample", CONTAIN_POLICY_CHANGED, APPLIED_AT(100),
	 KNOWN(200, .asked = &sampled), CONTAIN_VERIFIED, "1000 certificates (a sample"},
	{"denied under every client id", CONTAIN_GROUP_ENTERED, APPLIED_AT(100),
	 KNOWN(200, .asked = &denied), CONTAIN_VERIFIED, "under every client id"},
	{"quarantined", CONTAIN_QUARANTINED, APPLIED_AT(100),
	 KNOWN(200, .asked = &denied), CONTAIN_VERIFIED, "by the quarantine's policies alone"},
	{"escaped", CONTAIN_GROUP_ENTERED, APPLIED_AT(100),
	 KNOWN(200, .asked = &escaped), CONTAIN_INEFFECTIVE, "policy P version 2 statement 1"},
	{"escaped for good", CONTAIN_GROUP_ENTERED, FAILED_AT(100),
	 KNOWN(200, .asked = &denied), CONTAIN_INEFFECTIVE, NULL},
	{"a session of a quarantined device is its right", CONTAIN_QUARANTINED, APPLIED_AT(100),
	 KNOWN(200, .asked = &denied, .session = "open"), CONTAIN_VERIFIED, "quarantine"},
};
/* clang-format on */

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct row *row = &rows[i];
		struct contain c = row->was;
		char evidence[CONTAIN_EVIDENCE_SIZE] = "";
		c.kind = row->kind;
		c.generation = 7;
		c.requested_ms = ASKED_MS;
		bool moved = contain_judge(&c, &row->facts, &limits, evidence);
		if (c.state != row->state || moved != (row->evidence != NULL) ||
		    (row->evidence && !strstr(evidence, row->evidence)))
			fail_msg("%s: %s, \"%s\"", row->name, contain_state_word(c.state),
				 evidence);
	}
}

static void test_answers_are_wanted_when_they_count(void **state)
{
	(void)state;
	struct contain c = {.kind = CONTAIN_POLICY_DETACHED};
	assert_false(contain_wants_answers(&c));
	c.state = CONTAIN_APPLIED;
	assert_true(contain_wants_answers(&c));
	c.kind = CONTAIN_CERT_DELETED;
	assert_false(contain_wants_answers(&c));
}

static void test_words(void **state)
{
	(void)state;
	for (int i = 0; i < CONTAIN_KINDS; i++)
		assert_int_equal(contain_kind_of(contain_kind_word((enum contain_kind)i)), i);
	for (int i = 1; i < CONTAIN_KINDS; i++)
		assert_true(strcmp(contain_kind_word((enum contain_kind)(i - 1)),
				   contain_kind_word((enum contain_kind)i)) < 0);
	for (int i = 0; i < CONTAIN_STATES; i++)
		assert_int_equal(contain_state_of(contain_state_word((enum contain_state)i)), i);
	assert_int_equal(contain_kind_of("none"), CONTAIN_KINDS);
	assert_int_equal(contain_state_of("none"), CONTAIN_STATES);
}

static void test_long_evidence_is_cut(void **state)
{
	(void)state;
	char name[2 * CONTAIN_EVIDENCE_SIZE], evidence[CONTAIN_EVIDENCE_SIZE];
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	struct contain c = {.requested_ms = ASKED_MS};
	const struct contain_facts facts = KNOWN(60000, .waiting = name);
	assert_true(contain_judge(&c, &facts, &limits, evidence));
	assert_int_equal(strlen(evidence), CONTAIN_EVIDENCE_SIZE - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_answers_are_wanted_when_they_count),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_long_evidence_is_cut),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

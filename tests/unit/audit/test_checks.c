/* The checks, which take values and give findings, and the table they stand in. */
#include "audit/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define NOW   INT64_C(1767225600) /* 2026-01-01T00:00:00Z */
#define DAY   INT64_C(86400)
#define ID    "5d7d1e0b6c8f4a3b2c1d0e9f8a7b6c5d4e3f2a1b0c9d8e7f6a5b4c3d2e1f0a9b"
#define ALLOW "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":"

static const struct registry_settings settings = {
	.partition = "aws",
	.region = "us-east-1",
	.account_id = "123456789012",
};

static GPtrArray *judge(audit_judge_fn *fn, const struct audit_resource *resource,
			int64_t parameter)
{
	const struct audit_terms terms = {NOW * 1000 + 999, parameter, &settings};
	GPtrArray *findings = findings_new();
	struct fault fault;
	assert_int_equal(fn(&terms, resource, findings, &fault), 0);
	return findings;
}

static void assert_json(const json_t *json, const char *expected)
{
	char *text = json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
	assert_string_equal(text, expected);
	g_free(text);
}

#define PAST        "CERTIFICATE_PAST_EXPIRATION"
#define APPROACHING "CERTIFICATE_APPROACHING_EXPIRATION"

/* Both boundaries are inclusive. */
static void test_certificate_expiring(void **state)
{
	(void)state;
	static const struct {
		int64_t not_after, days;
		const char *code; /* NULL: compliant */
	} rows[] = {
		{0,		     30,   PAST       },
		{NOW - 1,               30,   PAST       },
		{NOW,                   30,   PAST       },
		{NOW + 1,               30,   APPROACHING},
		{NOW + 30 * DAY,        30,   APPROACHING},
		{NOW + 30 * DAY + 1,    30,   NULL       },
		{NOW + 30 * DAY + 1,    31,   APPROACHING},
		{NOW + 3652 * DAY,      3652, APPROACHING},
		{NOW + 3652 * DAY + 1,  3652, NULL       },
		{INT64_C(2524607999),   30,   NULL       },
		{INT64_C(253402300799), 3652, NULL       },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		const struct audit_resource resource = {
			.key = ID, .certificate = {ID, rows[i].not_after}
                };
		g_autoptr(GPtrArray) findings =
			judge(check_certificate_expiring, &resource, rows[i].days);
		assert_int_equal(findings->len, rows[i].code ? 1 : 0);
		if (rows[i].code) {
			const struct finding *finding = findings->pdata[0];
			assert_string_equal(finding->code, rows[i].code);
		}
	}
}

static void test_certificate_finding_in_full(void **state)
{
	(void)state;
	const struct audit_resource resource = {
		.key = ID, .certificate = {ID, INT64_C(1582862626)}
        };
	g_autoptr(GPtrArray) findings = judge(check_certificate_expiring, &resource, 30);
	const struct finding *finding = findings->pdata[0];
	assert_string_equal(finding->reason, "Certificate is past its expiration.");
	assert_json(finding->identifier, "\"" ID "\"");
	assert_json(finding->additional_info, "{\"EXPIRATION_TIME\":\"1582862626000\"}");
}

static void test_policy_permissive(void **state)
{
	(void)state;
	static const struct {
		const char *document, *reason; /* NULL: compliant */
	} rows[] = {
		{ALLOW "\"iot:Receive\",\"Resource\":\"*\"}]}", NULL									    },
		{ALLOW "\"iot:Connect\",\"Resource\":\"*\"}]}",
		 "Policy allows broad access to IoT data plane actions: [iot:Connect]."                                                         },
		{ALLOW
		 "[\"iot:Subscribe\",\"iot:DeleteThingShadow\",\"iot:Connect\",\"iot:Publish\"],"
		 "\"Resource\":[\"*\"]}]}",    "Policy allows broad access to IoT data plane actions: "
		 "[iot:Connect, iot:Publish, iot:Subscribe, iot:DeleteThingShadow]."},
	};
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		const struct audit_resource resource = {
			.key = "p", .policy = {"p", 3, rows[i].document}
                };
		g_autoptr(GPtrArray) findings = judge(check_policy_permissive, &resource, 0);
		assert_int_equal(findings->len, rows[i].reason ? 1 : 0);
		if (!rows[i].reason)
			continue;
		const struct finding *finding = findings->pdata[0];
		assert_string_equal(finding->code, "ALLOWS_BROAD_ACCESS_TO_IOT_DATA_PLANE_ACTIONS");
		assert_string_equal(finding->reason, rows[i].reason);
		assert_json(finding->identifier,
			    "{\"policyName\":\"p\",\"policyVersionId\":\"3\"}");
		assert_null(finding->additional_info);
	}
}

/* What cannot be judged is told, not called compliant. */
static void test_policy_that_is_none(void **state)
{
	(void)state;
	const struct audit_terms terms = {NOW * 1000, 0, &settings};
	const struct audit_resource resource = {
		.key = "p", .policy = {"p", 3, "{}"}
        };
	g_autoptr(GPtrArray) findings = findings_new();
	struct fault fault;
	assert_int_equal(check_policy_permissive(&terms, &resource, findings, &fault), -1);
	assert_non_null(strstr(fault.message, "policy p, version 3: Statement is missing"));
	assert_int_equal(findings->len, 0);
}

static void test_logging_disabled(void **state)
{
	(void)state;
	static const struct {
		struct audit_logging logging;
		guint findings;
	} rows[] = {
		{{false, false, "", 0},        1},
                {{true, false, "INFO", 0},     0},
		{{true, false, "DISABLED", 0}, 1},
                {{true, false, "DISABLED", 1}, 0},
		{{true, true, "INFO", 1},      1},
	};
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		const struct audit_resource resource = {.key = "account",
							.logging = rows[i].logging};
		g_autoptr(GPtrArray) findings = judge(check_logging_disabled, &resource, 0);
		assert_int_equal(findings->len, rows[i].findings);
		if (!findings->len)
			continue;
		const struct finding *finding = findings->pdata[0];
		assert_string_equal(finding->code, "LOGGING_DISABLED");
		assert_json(finding->identifier, "\"123456789012\"");
	}
}

static void test_table(void **state)
{
	(void)state;
	assert_int_equal(audit_checks_count, 17);
	for (size_t i = 0; i < audit_checks_count; i++) {
		const struct audit_check *check = &audit_checks[i];
		assert_ptr_equal(audit_check_find(check->name), check);
		assert_true(i == 0 || strcmp(audit_checks[i - 1].name, check->name) < 0);
		assert_int_equal(check->judge != NULL, check->source != NULL);
		assert_true(check->min <= check->absent && check->absent <= check->max);
		assert_int_equal(check->parameter != NULL, check->max > 0);
	}
	assert_null(audit_check_find("REVOKED_CA_CERT_CHECK"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_certificate_expiring),
		cmocka_unit_test(test_certificate_finding_in_full),
		cmocka_unit_test(test_policy_permissive),
		cmocka_unit_test(test_policy_that_is_none),
		cmocka_unit_test(test_logging_disabled),
		cmocka_unit_test(test_table),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

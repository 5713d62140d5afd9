/* Audit over the API: configuration, tasks from start to end, cancelled and cut off, findings and
 * lists. */
#include "api_env.h"

#include "audit/audit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>
#include <sched.h>

#define ROLE_ARN       "\"roleArn\":\"arn:aws:iam::123456789012:role/audit\""
#define ENABLE(checks) "{" ROLE_ARN ",\"auditCheckConfigurations\":{" checks "}}"
#define ON             ":{\"enabled\":true}"
#define EXPIRING       "DEVICE_CERTIFICATE_EXPIRING_CHECK"
#define PERMISSIVE     "IOT_POLICY_OVERLY_PERMISSIVE_CHECK"
#define LOGGING        "LOGGING_DISABLED_CHECK"
#define ALL_THREE      "\"" EXPIRING "\"" ON ",\"" PERMISSIVE "\"" ON ",\"" LOGGING "\"" ON
#define START(checks)  "{\"targetCheckNames\":[" checks "]}"
#define START_ALL      START("\"" EXPIRING "\",\"" PERMISSIVE "\",\"" LOGGING "\"")
#define PATH           "/audit/configuration"

static int start(void **state)
{
	struct api_test *t = malloc(sizeof(*t));
	api_test_start(t);
	*state = t;
	return 0;
}

static int stop(void **state)
{
	struct api_test *t = *state;
	audit_free(t->env.audit);
	api_test_stop(t);
	free(t);
	return 0;
}

/* ---- The worker, with chance of its own: it is another thread ---- */

struct worker {
	struct chance chance;
	uint64_t seed;
	/* Cancels the task as finding number `at` is judged. */
	struct api_test *t;
	const char *cancel;
	int at, n;
};

static int cancel_in_txn(struct sql_conn *txn, void *ctx)
{
	struct worker *w = ctx;
	struct fault fault;
	struct registry r = {.db = txn,
			     .settings = &w->t->settings,
			     .chance = w->chance,
			     .now_ms = API_TEST_START_MS,
			     .fault = &fault};
	return audit_task_cancel(&r, w->cancel);
}

static void fill(void *ctx, void *buf, size_t n)
{
	struct worker *w = ctx;
	if (++w->n == w->at)
		assert_int_equal(store_write(w->t->env.store, cancel_in_txn, w), 0);
	w->chance.fill(w->chance.ctx, buf, n);
}

static void work(struct api_test *t, struct worker *w)
{
	struct fault fault;
	w->t = t;
	w->seed = 2;
	w->chance = chance_seeded(&w->seed);
	t->env.audit = audit_new(t->env.store, t->env.clock, (struct chance){fill, w}, &t->settings,
				 &fault);
	if (!t->env.audit)
		fail_msg("audit_new: %s", fault.message);
}

/* Starts a task behind the worker's back, as one is found that was cut off. */
static int start_in_txn(struct sql_conn *txn, void *ctx)
{
	struct api_test *t = ctx;
	struct fault fault;
	char id[ID_HEX_SIZE];
	struct registry r = {.db = txn,
			     .settings = &t->settings,
			     .chance = t->env.chance,
			     .now_ms = API_TEST_START_MS,
			     .fault = &fault};
	json_t *names = json_pack("[s, s]", EXPIRING, LOGGING);
	int err = audit_task_start(&r, names, id);
	json_decref(names);
	return err;
}

static void start_unseen(struct api_test *t)
{
	assert_int_equal(store_write(t->env.store, start_in_txn, t), 0);
}

/* ---- What is audited ---- */

struct certificates {
	int n;
	const char *status;
	char digit; /* the last of their ids */
	int64_t not_after;
};

static int add_in_txn(struct sql_conn *txn, void *ctx)
{
	const struct certificates *c = ctx;
	const struct sql_arg none = sql_text("");
	for (int i = 0; i < c->n; i++) {
		g_autofree char *id = g_strdup_printf("%063d%c", i, c->digit);
		int err = sql_exec(txn, SQL_certificate_add,
				   SQL_ARGS(sql_text(id), sql_text(c->status), none, none, none,
					    none, none, none, none, none, sql_int(0), sql_int(0),
					    sql_int(0), sql_int(c->not_after), sql_int(0), none),
				   NULL);
		if (err)
			return err;
	}
	return 0;
}

static void add_certificates(struct api_test *t, int n, const char *status, char digit,
			     int64_t not_after)
{
	struct certificates c = {n, status, digit, not_after};
	assert_int_equal(store_write(t->env.store, add_in_txn, &c), 0);
}

static void add_policy(struct api_test *t, const char *name, const char *resource)
{
	json_t *statement = json_pack("{s:s, s:s, s:s}", "Effect", "Allow", "Action", "iot:Connect",
				      "Resource", resource);
	json_t *document =
		json_pack("{s:s, s:[o]}", "Version", "2012-10-17", "Statement", statement);
	char *text = json_dumps(document, JSON_COMPACT);
	json_t *body = json_pack("{s:s}", "policyDocument", text);
	char *body_text = json_dumps(body, JSON_COMPACT);
	g_autofree char *path = g_strconcat("/policies/", name, NULL);
	api_ok(t, "POST", path, body_text);
	json_decref(document);
	json_decref(body);
	g_free(text);
	g_free(body_text);
}

/* ---- Waiting ---- */

static char *start_task(struct api_test *t, const char *body)
{
	return g_strdup(json_str(api_ok(t, "POST", "/audit/tasks", body), "taskId"));
}

/* Asks until the task has ended; its description stands in t->out. */
static json_t *ended(struct api_test *t, const char *id)
{
	g_autofree char *path = g_strconcat("/audit/tasks/", id, NULL);
	gint64 deadline = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;
	while (strcmp(json_str(api_ok(t, "GET", path, NULL), "taskStatus"), "IN_PROGRESS") == 0) {
		assert_true(g_get_monotonic_time() < deadline);
		(void)sched_yield();
	}
	return t->out;
}

static char *only_task(struct api_test *t)
{
	json_t *out = api_ok(
		t, "GET",
		"/audit/tasks?startTime=2025-12-01T00:00:00Z&endTime=2026-02-01T00:00:00Z", NULL);
	json_t *tasks = json_object_get(out, "tasks");
	assert_int_equal(json_array_size(tasks), 1);
	return g_strdup(json_str(json_array_get(tasks, 0), "taskId"));
}

/* "status total non-compliant" of a check of the task in t->out. */
static const char *details(const struct api_test *t, const char *check)
{
	static char text[128];
	const json_t *d = json_object_get(json_object_get(t->out, "auditDetails"), check);
	(void)g_snprintf(text, sizeof(text), "%s %d %d", json_str(d, "checkRunStatus"),
			 (int)json_num(d, "totalResourcesCount"),
			 (int)json_num(d, "nonCompliantResourcesCount"));
	return text;
}

static int64_t statistic(const struct api_test *t, const char *member)
{
	return json_num(json_object_get(t->out, "taskStatistics"), member);
}

/* ---- Configuration ---- */

static void test_unconfigured(void **state)
{
	struct api_test *t = *state;
	json_t *out = api_ok(t, "GET", PATH, NULL),
	       *checks = json_object_get(out, "auditCheckConfigurations");
	assert_int_equal(json_object_size(out), 1);
	assert_int_equal(json_object_size(checks), 17);
	const char *name;
	json_t *check;
	json_object_foreach(checks, name, check)
	{
		assert_true(json_is_false(json_object_get(check, "enabled")));
		assert_null(json_object_get(check, "configuration"));
	}
	api_fails(t, "DELETE", PATH, NULL, 404, "ResourceNotFoundException");
}

#define PARAMETER(check, configuration)                                                            \
	"{\"auditCheckConfigurations\":{\"" check "\":{\"configuration\":{" configuration "}}}}"

static const struct {
	const char *body, *words;
} refused[] = {
	{"{\"auditCheckConfigurations\":{\"" LOGGING "\"" ON "}}",            "roleArn"                               },
	{"{" ROLE_ARN "}",						    "at least one check"                    },
	{ENABLE("\"" LOGGING "\":{\"enabled\":false}"),                       "at least one check"                    },
	{ENABLE("\"NO_SUCH_CHECK\"" ON),                                      "no audit check 'NO_SUCH_CHECK'"        },
	{ENABLE("\"REVOKED_CA_CERT_CHECK\"" ON),                              "no audit check 'REVOKED_CA_CERT_CHECK'"},
	{ENABLE("\"" LOGGING "\"" ON ",\"DEVICE_CERTIFICATE_AGE_CHECK\"" ON),
	 "DEVICE_CERTIFICATE_AGE_CHECK is not available in this version"                                              },
};

static const struct {
	const char *body, *words;
} refused_parameters[] = {
	{PARAMETER(LOGGING,  "\"CERT_EXPIRATION_THRESHOLD_IN_DAYS\":\"30\""),   "has no settings"},
	{PARAMETER(EXPIRING, "\"CERT_AGE_THRESHOLD_IN_DAYS\":\"30\""),          "no such setting"},
	{PARAMETER(EXPIRING, "\"CERT_EXPIRATION_THRESHOLD_IN_DAYS\":\"29\""),   "from 30 to 3652"},
	{PARAMETER(EXPIRING, "\"CERT_EXPIRATION_THRESHOLD_IN_DAYS\":\"3653\""), "from 30 to 3652"},
	{PARAMETER(EXPIRING, "\"CERT_EXPIRATION_THRESHOLD_IN_DAYS\":\"0x40\""), "from 30 to 3652"},
};

static void test_refused_configurations(void **state)
{
	struct api_test *t = *state;
	for (size_t i = 0; i < G_N_ELEMENTS(refused); i++) {
		const char *message = api_fails(t, "PATCH", PATH, refused[i].body, 400,
						"InvalidRequestException");
		if (!strstr(message, refused[i].words))
			fail_msg("'%s' does not say '%s'", message, refused[i].words);
	}
	api_fails(t, "DELETE", PATH, NULL, 404, "ResourceNotFoundException");
	api_ok(t, "PATCH", PATH, ENABLE(ALL_THREE));
	for (size_t i = 0; i < G_N_ELEMENTS(refused_parameters); i++) {
		const char *message = api_fails(t, "PATCH", PATH, refused_parameters[i].body, 400,
						"InvalidRequestException");
		if (!strstr(message, refused_parameters[i].words))
			fail_msg("'%s' does not say '%s'", message, refused_parameters[i].words);
	}
}

#define SNS "{\"auditNotificationTargetConfigurations\":{\"SNS\":{"

static void test_updates_merge(void **state)
{
	struct api_test *t = *state;
	api_ok(t, "PATCH", PATH, ENABLE("\"" LOGGING "\"" ON));
	api_ok(t, "PATCH", PATH,
	       PARAMETER(EXPIRING, "\"CERT_EXPIRATION_THRESHOLD_IN_DAYS\":\"60\""));
	api_ok(t, "PATCH", PATH, "{\"auditCheckConfigurations\":{\"" EXPIRING "\"" ON "}}");
	api_ok(t, "PATCH", PATH,
	       SNS "\"targetArn\":\"arn:aws:sns:us-east-1:123456789012:t\",\"enabled\":true}}}");
	api_ok(t, "PATCH", PATH, SNS "\"enabled\":false}}}");
	json_t *out = api_ok(t, "GET", PATH, NULL),
	       *checks = json_object_get(out, "auditCheckConfigurations");
	assert_string_equal(json_str(out, "roleArn"), "arn:aws:iam::123456789012:role/audit");
	assert_true(json_is_true(json_object_get(json_object_get(checks, LOGGING), "enabled")));
	json_t *expiring = json_object_get(checks, EXPIRING);
	assert_true(json_is_true(json_object_get(expiring, "enabled")));
	assert_string_equal(json_str(json_object_get(expiring, "configuration"),
				     "CERT_EXPIRATION_THRESHOLD_IN_DAYS"),
			    "60");
	json_t *sns = json_object_get(json_object_get(out, "auditNotificationTargetConfigurations"),
				      "SNS");
	assert_string_equal(json_str(sns, "targetArn"), "arn:aws:sns:us-east-1:123456789012:t");
	assert_true(json_is_false(json_object_get(sns, "enabled")));

	api_ok(t, "DELETE", PATH, NULL);
	test_unconfigured(state);
}

/* ---- Tasks ---- */

static void test_task_to_its_end(void **state)
{
	struct api_test *t = *state;
	struct worker w = {.at = 0};
	const int64_t now = API_TEST_START_MS / 1000;
	add_certificates(t, 450, "ACTIVE", 'a', now - 1);
	add_certificates(t, 1, "PENDING_TRANSFER", 'b', now + 30 * 86400);
	add_certificates(t, 3, "INACTIVE", 'c', now - 1);
	add_policy(t, "broad", "*");
	add_policy(t, "narrow", "arn:aws:iot:us-east-1:123456789012:client/dev-1");
	api_ok(t, "PATCH", PATH, ENABLE(ALL_THREE));
	work(t, &w);
	g_autofree char *id = start_task(t, START_ALL);
	assert_int_equal(strlen(id), 32);
	json_t *out = ended(t, id);
	assert_string_equal(json_str(out, "taskStatus"), "COMPLETED");
	assert_string_equal(json_str(out, "taskType"), "ON_DEMAND_AUDIT_TASK");
	assert_string_equal(details(t, EXPIRING), "COMPLETED_NON_COMPLIANT 451 451");
	assert_string_equal(details(t, PERMISSIVE), "COMPLETED_NON_COMPLIANT 2 1");
	assert_string_equal(details(t, LOGGING), "COMPLETED_NON_COMPLIANT 1 1");
	assert_int_equal(statistic(t, "totalChecks"), 3);
	assert_int_equal(statistic(t, "nonCompliantChecks"), 3);
	assert_int_equal(statistic(t, "inProgressChecks"), 0);
	g_autofree char *cancel = g_strdup_printf("/audit/tasks/%s/cancel", id);
	const char *message = api_fails(t, "PUT", cancel, NULL, 400, "InvalidRequestException");
	assert_non_null(strstr(message, "is COMPLETED"));
}

static void test_compliant_task(void **state)
{
	struct api_test *t = *state;
	struct worker w = {.at = 0};
	api_ok(t, "PATCH", PATH, ENABLE(ALL_THREE));
	work(t, &w);
	g_autofree char *id = start_task(t, START("\"" EXPIRING "\",\"" EXPIRING "\""));
	ended(t, id);
	assert_string_equal(details(t, EXPIRING), "COMPLETED_COMPLIANT 0 0");
	assert_int_equal(statistic(t, "totalChecks"), 1);
	assert_int_equal(statistic(t, "compliantChecks"), 1);
}

/* The parameter in force decides: 31 days of life are enough for 30, not for 60. */
static void test_parameter_in_force(void **state)
{
	struct api_test *t = *state;
	struct worker w = {.at = 0};
	add_certificates(t, 1, "ACTIVE", 'a', API_TEST_START_MS / 1000 + 31 * 86400);
	api_ok(t, "PATCH", PATH, ENABLE(ALL_THREE));
	work(t, &w);
	g_autofree char *before = start_task(t, START("\"" EXPIRING "\""));
	ended(t, before);
	assert_string_equal(details(t, EXPIRING), "COMPLETED_COMPLIANT 1 0");
	api_ok(t, "PATCH", PATH,
	       PARAMETER(EXPIRING, "\"CERT_EXPIRATION_THRESHOLD_IN_DAYS\":\"60\""));
	g_autofree char *after = start_task(t, START("\"" EXPIRING "\""));
	ended(t, after);
	assert_string_equal(details(t, EXPIRING), "COMPLETED_NON_COMPLIANT 1 1");
}

static void test_refused_starts(void **state)
{
	struct api_test *t = *state;
	api_fails(t, "POST", "/audit/tasks", START("\"" LOGGING "\""), 400,
		  "InvalidRequestException");
	api_ok(t, "PATCH", PATH, ENABLE("\"" LOGGING "\"" ON ",\"" EXPIRING "\"" ON));
	api_fails(t, "POST", "/audit/tasks", START(""), 400, "InvalidRequestException");
	api_fails(t, "POST", "/audit/tasks", START("\"" PERMISSIVE "\""), 400,
		  "InvalidRequestException");
	api_fails(t, "POST", "/audit/tasks", START("\"NO_SUCH_CHECK\""), 400,
		  "InvalidRequestException");
	for (int i = 0; i < 10; i++)
		start_unseen(t);
	const char *message = api_fails(t, "POST", "/audit/tasks", START("\"" LOGGING "\""), 410,
					"LimitExceededException");
	assert_non_null(strstr(message, "10 audits"));
	api_fails(t, "GET", "/audit/tasks/none", NULL, 404, "ResourceNotFoundException");
	api_fails(t, "PUT", "/audit/tasks/none/cancel", NULL, 404, "ResourceNotFoundException");
}

/* A task that was in progress when the process ended goes on with the next one. A check disabled
 * meanwhile fails; one of two makes the task no failure. */
static void test_task_goes_on_after_a_restart(void **state)
{
	struct api_test *t = *state;
	struct worker w = {.at = 0};
	add_certificates(t, 3, "ACTIVE", 'a', 0);
	api_ok(t, "PATCH", PATH, ENABLE(ALL_THREE));
	start_unseen(t);
	api_ok(t, "PATCH", PATH,
	       "{\"auditCheckConfigurations\":{\"" LOGGING "\":{\"enabled\":false}}}");
	work(t, &w);
	g_autofree char *id = only_task(t);
	json_t *out = ended(t, id);
	assert_string_equal(json_str(out, "taskStatus"), "COMPLETED");
	assert_string_equal(details(t, EXPIRING), "COMPLETED_NON_COMPLIANT 3 3");
	assert_string_equal(details(t, LOGGING), "FAILED 0 0");
	const json_t *logging = json_object_get(json_object_get(t->out, "auditDetails"), LOGGING);
	assert_string_equal(json_str(logging, "errorCode"), "AUDIT_CHECK_DISABLED");
	assert_int_equal(statistic(t, "failedChecks"), 1);
	assert_int_equal(statistic(t, "nonCompliantChecks"), 1);
}

static void test_task_fails_when_all_checks_do(void **state)
{
	struct api_test *t = *state;
	struct worker w = {.at = 0};
	api_ok(t, "PATCH", PATH, ENABLE(ALL_THREE));
	start_unseen(t);
	api_ok(t, "DELETE", PATH, NULL);
	work(t, &w);
	g_autofree char *id = only_task(t);
	assert_string_equal(json_str(ended(t, id), "taskStatus"), "FAILED");
}

static int spoil_in_txn(struct sql_conn *txn, void *ctx)
{
	(void)ctx;
	const struct sql_arg version = sql_int(1), now = sql_int(0);
	int err = sql_exec(txn, SQL_policy_add, SQL_ARGS(sql_text("spoilt"), now, sql_text("")),
			   NULL);
	return err ? err
		   : sql_exec(txn, SQL_policy_version_add,
			      SQL_ARGS(sql_text("spoilt"), version, sql_text("{}"), sql_blob("", 0),
				       now),
			      NULL);
}

/* A policy that cannot be judged fails its check, which says which and why. */
static void test_check_that_cannot_judge(void **state)
{
	struct api_test *t = *state;
	struct worker w = {.at = 0};
	api_ok(t, "PATCH", PATH, ENABLE(ALL_THREE));
	assert_int_equal(store_write(t->env.store, spoil_in_txn, NULL), 0);
	work(t, &w);
	g_autofree char *id = start_task(t, START("\"" PERMISSIVE "\""));
	assert_string_equal(json_str(ended(t, id), "taskStatus"), "FAILED");
	const json_t *d = json_object_get(json_object_get(t->out, "auditDetails"), PERMISSIVE);
	assert_non_null(
		strstr(json_str(d, "message"), "policy spoilt, version 1: Statement is missing"));
}

/* Cancelled while the second slice is judged: the first stays, the second is not written (S15). */
static void test_cancel_between_slices(void **state)
{
	struct api_test *t = *state;
	add_certificates(t, 450, "ACTIVE", 'a', 0);
	api_ok(t, "PATCH", PATH, ENABLE(ALL_THREE));
	start_unseen(t);
	g_autofree char *id = only_task(t);
	struct worker w = {.at = 201, .cancel = id};
	work(t, &w);
	assert_string_equal(json_str(ended(t, id), "taskStatus"), "CANCELED");
	assert_string_equal(details(t, EXPIRING), "CANCELED 200 200");
	assert_string_equal(details(t, LOGGING), "CANCELED 0 0");
	assert_int_equal(statistic(t, "canceledChecks"), 2);
	audit_free(t->env.audit);
	t->env.audit = NULL;
	g_autofree char *body = g_strdup_printf("{\"taskId\":\"%s\",\"maxResults\":250}", id);
	json_t *out = api_ok(t, "POST", "/audit/findings", body);
	assert_int_equal(json_array_size(json_object_get(out, "findings")), 200);
}

/* An hour after the retention, the next start finds the old task gone, with what it found (S36). */
static void test_old_tasks_are_forgotten(void **state)
{
	struct api_test *t = *state;
	struct worker w = {.at = 0};
	add_certificates(t, 600, "ACTIVE", 'a', 0);
	api_ok(t, "PATCH", PATH, ENABLE(ALL_THREE));
	work(t, &w);
	g_autofree char *old = start_task(t, START_ALL);
	ended(t, old);
	clock_advance(t->env.clock, t->settings.audit_retention_days * INT64_C(86400000), NULL,
		      NULL);
	g_autofree char *kept = start_task(t, START("\"" LOGGING "\""));
	ended(t, kept);
	g_autofree char *path = g_strconcat("/audit/tasks/", old, NULL);
	api_ok(t, "GET", path, NULL);
	clock_advance(t->env.clock, 3600000, NULL, NULL);
	g_autofree char *last = start_task(t, START("\"" LOGGING "\""));
	ended(t, last);
	api_fails(t, "GET", path, NULL, 404, "ResourceNotFoundException");
	g_autofree char *body = g_strdup_printf("{\"taskId\":\"%s\"}", old);
	json_t *out = api_ok(t, "POST", "/audit/findings", body);
	assert_int_equal(json_array_size(json_object_get(out, "findings")), 0);
}

/* Logging to one target is enough. */
static void test_logging_is_seen(void **state)
{
	struct api_test *t = *state;
	struct worker w = {.at = 0};
	api_ok(t, "PATCH", PATH, ENABLE(ALL_THREE));
	work(t, &w);
	api_ok(t, "POST", "/v2LoggingOptions",
	       "{\"roleArn\":\"arn:aws:iam::123456789012:role/"
	       "log\",\"defaultLogLevel\":\"DISABLED\"}");
	g_autofree char *off = start_task(t, START("\"" LOGGING "\""));
	ended(t, off);
	assert_string_equal(details(t, LOGGING), "COMPLETED_NON_COMPLIANT 1 1");
	api_ok(t, "POST", "/v2LoggingLevel",
	       "{\"logTarget\":{\"targetType\":\"CLIENT_ID\",\"targetName\":\"a\"},\"logLevel\":"
	       "\"INFO\"}");
	g_autofree char *on = start_task(t, START("\"" LOGGING "\""));
	ended(t, on);
	assert_string_equal(details(t, LOGGING), "COMPLETED_COMPLIANT 1 0");
}

static void test_task_list(void **state)
{
	struct api_test *t = *state;
	api_ok(t, "PATCH", PATH, ENABLE(ALL_THREE));
	for (int i = 0; i < 3; i++)
		start_unseen(t);
#define SPAN "/audit/tasks?startTime=2025-12-01T00:00:00Z&endTime=2026-02-01T00:00:00Z"
	json_t *out = api_ok(t, "GET", SPAN "&maxResults=2", NULL);
	assert_int_equal(json_array_size(json_object_get(out, "tasks")), 2);
	g_autofree char *token = g_uri_escape_string(json_str(out, "nextToken"), NULL, FALSE);
	g_autofree char *next = g_strconcat(SPAN "&maxResults=2&nextToken=", token, NULL);
	out = api_ok(t, "GET", next, NULL);
	assert_int_equal(json_array_size(json_object_get(out, "tasks")), 1);
	assert_null(json_object_get(out, "nextToken"));
	out = api_ok(t, "GET", SPAN "&taskStatus=COMPLETED", NULL);
	assert_int_equal(json_array_size(json_object_get(out, "tasks")), 0);
	out = api_ok(t, "GET", SPAN "&taskStatus=IN_PROGRESS&taskType=ON_DEMAND_AUDIT_TASK", NULL);
	assert_int_equal(json_array_size(json_object_get(out, "tasks")), 3);
	out = api_ok(t, "GET",
		     "/audit/tasks?startTime=2025-12-01T00:00:00Z&endTime=2025-12-31T00:00:00Z",
		     NULL);
	assert_int_equal(json_array_size(json_object_get(out, "tasks")), 0);
	api_fails(t, "GET",
		  "/audit/tasks?startTime=2025-12-01T00:00:00Z&endTime=2025-12-01T00:00:00Z", NULL,
		  400, "InvalidRequestException");
	api_fails(t, "GET",
		  "/audit/tasks?startTime=2025-10-02T00:00:00Z&endTime=2026-02-01T00:00:00Z", NULL,
		  400, "InvalidRequestException");
}

/* ---- Findings ---- */

static size_t found(struct api_test *t, const char *members)
{
	g_autofree char *body =
		g_strconcat("{\"startTime\":1767139200,\"endTime\":1767312000", members, "}", NULL);
	return json_array_size(
		json_object_get(api_ok(t, "POST", "/audit/findings", body), "findings"));
}

static void test_findings(void **state)
{
	struct api_test *t = *state;
	struct worker w = {.at = 0};
	add_certificates(t, 3, "ACTIVE", 'a', INT64_C(1582862626));
	api_ok(t, "PATCH", PATH, ENABLE(ALL_THREE));
	work(t, &w);
	g_autofree char *id = start_task(t, START_ALL);
	ended(t, id);
	assert_int_equal(found(t, ""), 4);
	assert_int_equal(found(t, ",\"checkName\":\"" LOGGING "\""), 1);
	assert_int_equal(found(t, ",\"listSuppressedFindings\":true"), 0);
	assert_int_equal(found(t, ",\"listSuppressedFindings\":false"), 4);
#define ZEROS "00000000000000000000000000000000000000000000000000000000000000"
	assert_int_equal(
		found(t, ",\"resourceIdentifier\":{\"deviceCertificateId\":\"" ZEROS "1A\"}"), 1);
	const json_t *finding = json_array_get(json_object_get(t->out, "findings"), 0);
	assert_string_equal(json_str(finding, "taskId"), id);
	assert_string_equal(json_str(finding, "checkName"), EXPIRING);
	assert_string_equal(json_str(finding, "severity"), "MEDIUM");
	assert_string_equal(json_str(finding, "reasonForNonComplianceCode"),
			    "CERTIFICATE_PAST_EXPIRATION");
	assert_true(json_is_false(json_object_get(finding, "isSuppressed")));
	const json_t *resource = json_object_get(finding, "nonCompliantResource");
	assert_string_equal(json_str(resource, "resourceType"), "DEVICE_CERTIFICATE");
	assert_string_equal(
		json_str(json_object_get(resource, "additionalInfo"), "EXPIRATION_TIME"),
		"1582862626000");
	assert_string_equal(
		json_str(json_object_get(resource, "resourceIdentifier"), "deviceCertificateId"),
		ZEROS "1a");

	g_autofree char *finding_id = g_strdup(json_str(finding, "findingId"));
	g_autofree char *path = g_strconcat("/audit/findings/", finding_id, NULL);
	json_t *out = api_ok(t, "GET", path, NULL);
	assert_string_equal(json_str(json_object_get(out, "finding"), "findingId"), finding_id);
	g_autofree char *related =
		g_strconcat("/audit/relatedResources?findingId=", finding_id, NULL);
	out = api_ok(t, "GET", related, NULL);
	assert_int_equal(json_array_size(json_object_get(out, "relatedResources")), 0);
	api_fails(t, "GET", "/audit/findings/none", NULL, 404, "ResourceNotFoundException");
	api_fails(t, "GET", "/audit/relatedResources?findingId=none", NULL, 404,
		  "ResourceNotFoundException");
}

/* Pages follow each other without a gap or a repeat. */
static void test_finding_pages(void **state)
{
	struct api_test *t = *state;
	struct worker w = {.at = 0};
	add_certificates(t, 25, "ACTIVE", 'a', 0);
	api_ok(t, "PATCH", PATH, ENABLE(ALL_THREE));
	work(t, &w);
	g_autofree char *id = start_task(t, START("\"" EXPIRING "\""));
	ended(t, id);
	g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_autofree char *token = g_strdup("");
	for (int page = 0; page < 3; page++) {
		g_autofree char *body = g_strdup_printf(
			"{\"taskId\":\"%s\",\"maxResults\":10%s%s%s}", id,
			*token ? ",\"nextToken\":\"" : "", token, *token ? "\"" : "");
		json_t *out = api_ok(t, "POST", "/audit/findings", body), *finding;
		size_t i;
		json_array_foreach(json_object_get(out, "findings"), i, finding) assert_true(
			g_hash_table_add(seen, g_strdup(json_str(finding, "findingId"))));
		g_free(token);
		token = g_strdup(json_str(out, "nextToken"));
	}
	assert_string_equal(token, "");
	assert_int_equal(g_hash_table_size(seen), 25);
}

static void test_refused_finding_lists(void **state)
{
	struct api_test *t = *state;
	static const char *const bodies[] = {
		"{}",
		"{\"startTime\":1767139200}",
		"{\"taskId\":\"a\",\"startTime\":1767139200}",
		"{\"taskId\":\"a\",\"startTime\":1767139200,\"endTime\":1767312000}",
		"{\"startTime\":1767139200,\"endTime\":1767139200}",
	};
	for (size_t i = 0; i < G_N_ELEMENTS(bodies); i++)
		api_fails(t, "POST", "/audit/findings", bodies[i], 400, "InvalidRequestException");
	json_t *out = api_ok(t, "POST", "/audit/findings", "{\"taskId\":\"none\"}");
	assert_int_equal(json_array_size(json_object_get(out, "findings")), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_unconfigured),
		TEST(test_refused_configurations),
		TEST(test_updates_merge),
		TEST(test_task_to_its_end),
		TEST(test_compliant_task),
		TEST(test_parameter_in_force),
		TEST(test_refused_starts),
		TEST(test_task_goes_on_after_a_restart),
		TEST(test_task_fails_when_all_checks_do),
		TEST(test_check_that_cannot_judge),
		TEST(test_cancel_between_slices),
		TEST(test_old_tasks_are_forgotten),
		TEST(test_logging_is_seen),
		TEST(test_task_list),
		TEST(test_findings),
		TEST(test_finding_pages),
		TEST(test_refused_finding_lists),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

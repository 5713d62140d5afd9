/* Settings: sources and their order, what is refused and with which words, and the table itself. */
#include "daemon/settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <glib.h>
#include <glib/gstdio.h>

#define NONE                                                                                       \
	{                                                                                          \
		NULL                                                                               \
	}

struct row {
	const char *file; /* its contents; NULL: none */
	const char *environment[4];
	const char *set[4];
	const char *region; /* expected; NULL: refused */
	const char *words;  /* of the refusal */
};

static const struct row rows[] = {
	{NULL,			 NONE,					      NONE,					"us-east-1", NULL							    },
	{"[aws]\nregion=eu-west-1\n",  NONE,					      NONE,                                        "eu-west-1", NULL                                                            },
	{"[aws]\nregion=a\n",          {"THINGWARD_AWS_REGION=b"},                        NONE,                                        "b",         NULL                                                            },
	{"[aws]\nregion=a\n",          {"THINGWARD_AWS_REGION=b"},                        {"aws.region=c"},                            "c",         NULL                                                            },
	{NULL,			 NONE,					      {"aws.region=a", "aws.region=b"},            "b",         NULL                                                            },
 /* Names that are not ours. */
	{NULL,			 {"THINGWARD=1", "THINGWARD_BUILD=x", "PATH=/bin"}, NONE,                                        "us-east-1", NULL                                                            },
	{NULL,			 {"THINGWARD_ROOT_ACCESS_KEY_ID=x"},                NONE,                                        "us-east-1", NULL                                                            },
 /* Unknown keys, with the nearest one. */
	{"[aws]\nregoin=a\n",          NONE,					      NONE,                                        NULL,        "did you mean aws.region"                                       },
	{"[report]\nmin_interval=0\n", NONE,					      NONE,                                        NULL,
	 "did you mean report.min_interval_seconds"																				 },
	{NULL,
	 {"THINGWARD_HTTP_LISTN=x"},
	 NONE,															 NULL,
	 "THINGWARD_HTTP_LISTN: there is no setting http.listn"																		     },
	{NULL,			 NONE,					      {"quota.policy_char=1"},                     NULL,        "did you mean quota.policy_chars"                               },
 /* Bad values name key, value and range. */
	{NULL,
	 NONE,									    {"quota.policy_chars=0"},
	 NULL,																      "quota.policy_chars = 0: must be a whole number from 1 to 65536"},
	{NULL,			 NONE,					      {"quota.policy_chars=12x"},                  NULL,        "quota.policy_chars = 12x"                                      },
	{NULL,			 NONE,					      {"quota.policy_chars="},                     NULL,        "quota.policy_chars = :"                                        },
	{NULL,			 NONE,					      {"quota.policy_chars=99999999999999999999"}, NULL,        "from 1 to 65536"                                               },
	{NULL,			 NONE,					      {"clock.mode=fast"},                         NULL,        "clock.mode = fast: must be one of real|manual"                 },
	{NULL,			 NONE,					      {"http.allow_plaintext=maybe"},              NULL,        "must be true or false"                                         },
	{NULL,			 NONE,					      {"aws.account_id=123"},                      NULL,        "must be 12 digits"                                             },
	{NULL,			 NONE,					      {"aws.region=a b"},                          NULL,        "must be words"                                                 },
	{NULL,			 NONE,					      {"aws.region"},                              NULL,        "must be section.key=value"                                     },
	{"no section",                 NONE,					      NONE,					NULL,        "settings-test"                                                 },
};

static void check(const struct row *row)
{
	g_autofree char *path = NULL;
	struct settings s;
	struct fault fault = {0};
	if (row->file) {
		path = g_build_filename(g_get_tmp_dir(), "settings-test.conf", NULL);
		assert_true(g_file_set_contents(path, row->file, -1, NULL));
	}
	const struct settings_sources sources = {
		.file = path, .environment = row->environment, .set = row->set};
	int r = settings_load(&sources, &s, &fault);
	if (path)
		(void)g_unlink(path);
	if (row->region) {
		assert_int_equal(r, 0);
		assert_string_equal(s.region, row->region);
		assert_ptr_equal(s.registry.region, s.region);
		settings_clear(&s);
		return;
	}
	assert_int_equal(r, -1);
	if (!strstr(fault.message, row->words))
		fail_msg("\"%s\" does not say \"%s\"", fault.message, row->words);
}

static void test_sources_and_refusals(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		check(&rows[i]);
}

static void test_missing_file(void **state)
{
	struct settings s;
	struct fault fault = {0};
	struct settings_sources sources = {.file = "/nonexistent/thingward.conf"};
	(void)state;
	assert_int_equal(settings_load(&sources, &s, &fault), -1);
	assert_non_null(strstr(fault.message, "/nonexistent/thingward.conf"));
	sources.is_file_optional = true;
	assert_int_equal(settings_load(&sources, &s, &fault), 0);
	settings_clear(&s);
}

/* S32. */
static void test_values_for_tests_are_marked(void **state)
{
	static const struct {
		const char *set;
		bool is_test;
	} cases[] = {
		{"clock.mode=manual",             true },
		{"clock.mode=real",               false},
		{"report.min_interval_seconds=0", true },
		{"report.min_interval_seconds=1", false},
		{"audit.window_lag_seconds=0",    true },
		{"ml.min_training_days=1",        true },
		{"ml.min_datapoints=10",          true },
		{"aws.region=x",                  false},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *set[] = {cases[i].set, NULL};
		struct settings_sources sources = {.set = set};
		struct settings s;
		struct fault fault;
		assert_int_equal(settings_load(&sources, &s, &fault), 0);
		assert_int_equal(s.is_test, cases[i].is_test);
		settings_clear(&s);
	}
}

struct walk {
	char *last;
	int n;
};

static void check_row(const char *key, const char *value, const char *absent, const char *help,
		      void *ctx)
{
	struct walk *walk = ctx;
	assert_string_equal(value, absent); /* defaults print as they are written */
	assert_true(strlen(help) > 0);
	if (walk->last && strcmp(walk->last, key) >= 0)
		fail_msg("%s stands behind %s", key, walk->last);
	g_free(walk->last);
	walk->last = g_strdup(key);
	walk->n++;
}

static void test_table_is_sorted_and_documented(void **state)
{
	struct walk walk = {0};
	struct settings s;
	struct fault fault;
	(void)state;
	assert_int_equal(settings_load(&(struct settings_sources){0}, &s, &fault), 0);
	settings_each(&s, check_row, &walk);
	assert_true(walk.n > 30);
	g_free(walk.last);
	settings_clear(&s);
}

static void check_hidden(const char *key, const char *value, const char *absent, const char *help,
			 void *n_hidden)
{
	(void)absent, (void)help;
	if (strstr(value, "hush"))
		fail_msg("%s is shown", key);
	*(int *)n_hidden += strcmp(value, "(set)") == 0;
}

/* S25. */
static void test_secrets_are_not_shown(void **state)
{
	const char *set[] = {"store.url=postgresql://u:hush@db/t", "http.page_token=hush", NULL};
	struct settings_sources sources = {.set = set};
	struct settings s;
	struct fault fault;
	int n_hidden = 0;
	(void)state;
	assert_int_equal(settings_load(&sources, &s, &fault), 0);
	assert_string_equal(s.http_page_token, "hush");
	settings_each(&s, check_hidden, &n_hidden);
	assert_int_equal(n_hidden, 2);
	settings_clear(&s);
}

/* S25. */
static void test_root_key_is_taken_once(void **state)
{
	struct root_key key;
	(void)state;
	(void)setenv("THINGWARD_ROOT_ACCESS_KEY_ID", "AKIA", 1);
	(void)setenv("THINGWARD_ROOT_SECRET_ACCESS_KEY", "hush", 1);
	settings_take_root_key(&key);
	assert_string_equal(key.id, "AKIA");
	assert_string_equal(key.secret, "hush");
	assert_null(getenv("THINGWARD_ROOT_ACCESS_KEY_ID"));
	assert_null(getenv("THINGWARD_ROOT_SECRET_ACCESS_KEY"));
	settings_take_root_key(&key);
	assert_string_equal(key.id, "");
	root_key_clear(&key);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sources_and_refusals),
		cmocka_unit_test(test_missing_file),
		cmocka_unit_test(test_values_for_tests_are_marked),
		cmocka_unit_test(test_table_is_sorted_and_documented),
		cmocka_unit_test(test_secrets_are_not_shown),
		cmocka_unit_test(test_root_key_is_taken_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

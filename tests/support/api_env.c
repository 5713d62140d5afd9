#include "api_env.h"

#include "base/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>
#include <glib/gstdio.h>

static const struct registry_settings default_settings = {
	.partition = "aws",
	.region = "us-east-1",
	.account_id = "123456789012",
	.endpoint = "localhost",
	.quota_thing_attributes_with_type = 50,
	.quota_thing_attributes = 3,
	.quota_groups_per_thing = 10,
	.quota_group_children = 100,
	.quota_group_depth = 7,
	.quota_policies_per_certificate = 10,
	.quota_policies_per_group = 2,
	.quota_policy_versions = 5,
	.quota_policy_chars = 2048,
	.quota_profiles_per_target = 5,
	.quota_behaviors_per_profile = 100,
	.quota_behavior_values_per_profile = 1000,
	.quota_on_demand_audits = 10,
	.quota_dimensions = 10,
	.quota_custom_metrics = 100,
	.audit_retention_days = 90,
};

static int count_publish(void *ctx)
{
	struct api_test *t = ctx;
	t->published++;
	return 0;
}

static void start_store(struct api_test *t)
{
	struct fault fault;
	g_strlcpy(t->dir, "/tmp/api-test-XXXXXX", sizeof(t->dir));
	CHECK(g_mkdtemp(t->dir));
	g_autofree char *url = g_strdup_printf("sqlite:%s", t->dir);
	const struct store_options options = {.url = url, .partitions = 1};
	if (store_open(&options, &t->env.store, &fault) < 0)
		fail_msg("store_open: %s", fault.message);
	t->reader = store_reader_open(t->env.store, &fault);
	if (!t->reader)
		fail_msg("store_reader_open: %s", fault.message);
}

static void count_one(void *ctx, enum api_count what)
{
	struct api_test *t = ctx;
	atomic_fetch_add(&t->counts[what], 1);
}

void api_test_start(struct api_test *t)
{
	struct fault fault;
	*t = (struct api_test){.settings = default_settings, .role = ROLE_ADMIN, .seed = 1};
	t->env.settings = &t->settings;
	t->env.clock = clock_new_manual(API_TEST_START_MS);
	t->env.chance = chance_seeded(&t->seed);
	t->env.publish = count_publish;
	t->env.publish_ctx = t;
	t->env.count = count_one;
	t->env.count_ctx = t;
	start_store(t);
	const struct api_options options = {.env = &t->env, .check_output = true};
	t->api = api_new(&options, &fault);
	if (!t->api)
		fail_msg("api_new: %s", fault.message);
}

static void remove_dir(const char *path)
{
	GDir *dir = g_dir_open(path, 0, NULL);
	const char *name;
	while (dir && (name = g_dir_read_name(dir))) {
		g_autofree char *file = g_build_filename(path, name, NULL);
		if (g_file_test(file, G_FILE_TEST_IS_DIR))
			remove_dir(file);
		else
			g_unlink(file);
	}
	g_clear_pointer(&dir, g_dir_close);
	g_rmdir(path);
}

void api_test_stop(struct api_test *t)
{
	json_decref(t->out);
	api_free(t->api);
	store_reader_close(t->reader);
	store_close(t->env.store);
	clock_free(t->env.clock);
	remove_dir(t->dir);
}

int api_test_setup(void **state)
{
	struct api_test *t = g_new(struct api_test, 1);
	api_test_start(t);
	*state = t;
	return 0;
}

int api_test_teardown(void **state)
{
	api_test_stop(*state);
	g_free(*state);
	return 0;
}

void api_send(struct api_test *t, const char *method, const char *target, const char *body)
{
	char id[ID_UUID_SIZE];
	const char *mark = strchr(target, '?');
	const struct api_caller caller = {"TWAKTEST", t->role};
	struct api_answer answer;
	id_uuid(t->env.chance, id);
	const struct api_request request = {
		.method = method,
		.path = {target, mark ? (size_t)(mark - target) : strlen(target)},
		.query = view_of(mark ? mark + 1 : ""),
		.headers = t->headers,
		.n_headers = t->n_headers,
		.body = view_of(body),
		.id = id,
		.address = "127.0.0.1",
	};
	api_run(t->api, &caller, &request, t->reader, &answer);
	json_decref(t->out);
	t->out = json_loads(answer.body, 0, NULL);
	t->status = answer.status;
	t->exception = answer.exception ? answer.exception : "";
	api_answer_clear(&answer);
}

json_t *api_ok(struct api_test *t, const char *method, const char *target, const char *body)
{
	api_send(t, method, target, body);
	if (t->status != 200)
		fail_msg("%s %s: %d %s: %s", method, target, t->status, t->exception,
			 json_str(t->out, "message"));
	return t->out;
}

const char *api_fails(struct api_test *t, const char *method, const char *target, const char *body,
		      int status, const char *exception)
{
	api_send(t, method, target, body);
	const char *message = json_str(t->out, "message");
	if (t->status != status || strcmp(t->exception, exception) != 0)
		fail_msg("%s %s: %d %s (%s) instead of %d %s", method, target, t->status,
			 t->exception, message, status, exception);
	return message;
}

const char *json_str(const json_t *object, const char *member)
{
	const char *text = json_string_value(json_object_get(object, member));
	return text ? text : "";
}

int64_t json_num(const json_t *object, const char *member)
{
	return json_integer_value(json_object_get(object, member));
}

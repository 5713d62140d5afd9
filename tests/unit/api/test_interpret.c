/* What the interpreter makes of a handler's outcome: operations of the model with handlers of this
 * file. */
#include "api_env.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static struct operation *operation_of(struct api_test *t, const char *name)
{
	return (struct operation *)(uintptr_t)model_operation(api_model(t->api), name);
}

/* Puts a handler in the place of the operation's own. */
static void handle(struct api_test *t, const char *operation, api_handler *handler)
{
	struct operation *op = operation_of(t, operation);
	op->handler = handler;
	op->prepare = NULL;
}

static int exists(struct api_call *call)
{
	fault_set(&call->fault, FAULT_RESOURCE_ALREADY_EXISTS, "Certificate is there");
	g_strlcpy(call->fault.resource_id, "abc", sizeof(call->fault.resource_id));
	g_strlcpy(call->fault.resource_arn, "arn:abc", sizeof(call->fault.resource_arn));
	return -1;
}

static void test_already_exists(void **state)
{
	struct api_test *t = *state;
	handle(t, "CreateThing", exists);
	api_fails(t, "POST", "/things/a", NULL, 409, "ResourceAlreadyExistsException");
	assert_string_equal(json_str(t->out, "resourceId"), "abc");
	assert_string_equal(json_str(t->out, "resourceArn"), "arn:abc");
}

static int failing(struct api_call *call)
{
	(void)call;
	return -EIO;
}

static void test_store_fails(void **state)
{
	struct api_test *t = *state;
	handle(t, "DescribeThing", failing);
	handle(t, "CreateThing", failing);
	api_fails(t, "GET", "/things/a", NULL, 500, "InternalFailureException");
	api_fails(t, "POST", "/things/a", NULL, 500, "InternalFailureException");
}

static int busy(struct api_call *call)
{
	out_text(call, "thingName", "left over");
	return -EAGAIN;
}

static void test_store_is_busy(void **state)
{
	struct api_test *t = *state;
	handle(t, "CreateThing", busy);
	api_fails(t, "POST", "/things/a", NULL, 503, "ServiceUnavailableException");
}

/* A transaction that is run again begins with an empty answer. */
static int busy_once(struct api_call *call)
{
	if (json_object_size(call->out) != 0)
		return -EIO;
	out_text(call, "thingName", "a");
	int64_t *runs = call->env->publish_ctx;
	return ++*runs == 1 ? -EAGAIN : 0;
}

static void test_run_again(void **state)
{
	struct api_test *t = *state;
	int64_t runs = 0;
	t->env.publish_ctx = &runs;
	handle(t, "CreateThing", busy_once);
	assert_string_equal(json_str(api_ok(t, "POST", "/things/a", NULL), "thingName"), "a");
	assert_int_equal(runs, 2);
	assert_int_equal(json_object_size(t->out), 1);
}

static int talkative(struct api_call *call)
{
	out_text(call, "thingName", "not a name");
	out_int(call, "version", 1);
	out_text(call, "secret", "x");
	return 0;
}

static void test_output_is_checked(void **state)
{
	struct api_test *t = *state;
	handle(t, "DescribeThing", talkative);
	const char *message =
		api_fails(t, "GET", "/things/a", NULL, 500, "InternalFailureException");
	assert_non_null(strstr(message, "2 validation errors"));
	assert_non_null(strstr(message, "known members only"));
}

static int changing(struct api_call *call)
{
	return change_add(call->db, CHANGE_THING, in_text(call, "thingName"), NULL);
}

static int unreachable(void *ctx)
{
	(void)ctx;
	return -ENOTCONN;
}

static void test_publisher(void **state)
{
	struct api_test *t = *state;
	handle(t, "CreateThing", changing);
	handle(t, "DeleteThing", exists);
	api_ok(t, "POST", "/things/a", NULL);
	api_send(t, "DELETE", "/things/a", NULL);
	assert_int_equal(t->published, 1);
	t->env.publish = unreachable;
	const char *message =
		api_fails(t, "POST", "/things/a", NULL, 503, "ServiceUnavailableException");
	assert_non_null(strstr(message, "stored but not yet in force"));
}

static int half_a_page(struct api_call *call)
{
	struct page page = page_of(call);
	page_add(&page, json_string("dropped"), "1");
	return failing(call);
}

static void test_failing_page_leaks_nothing(void **state)
{
	struct api_test *t = *state;
	handle(t, "ListThings", half_a_page);
	api_fails(t, "GET", "/things", NULL, 500, "InternalFailureException");
}

static int secret(struct api_call *call)
{
	out_json(call, "keyPair",
		 json_pack("{s:s, s:s}", "PublicKey", "pub", "PrivateKey", "priv"));
	return 0;
}

static void test_secret_is_answered(void **state)
{
	struct api_test *t = *state;
	handle(t, "CreateKeysAndCertificate", secret);
	json_t *out = api_ok(t, "POST", "/keys-and-certificate", NULL);
	assert_string_equal(json_str(json_object_get(out, "keyPair"), "PrivateKey"), "priv");
}

static int prepares, releases;

static void count_release(void *prepared)
{
	releases += *(const char *)prepared == 'p';
}

static int prepare_once(struct api_call *call)
{
	if (call->db)
		return -EIO;
	prepares++;
	call->prepared = (void *)(uintptr_t) "prepared";
	call->release = count_release;
	return 0;
}

static int busy_then_prepared(struct api_call *call)
{
	int64_t *runs = call->env->publish_ctx;
	if (++*runs == 1)
		return -EAGAIN;
	out_text(call, "thingName", call->prepared);
	return 0;
}

static int cannot_prepare(struct api_call *call)
{
	return fault_set(&call->fault, FAULT_INVALID_REQUEST, "not today");
}

/* What is slow is done once, without the writer, however often the transaction runs. */
static void test_prepare_runs_once(void **state)
{
	struct api_test *t = *state;
	int64_t runs = 0;
	t->env.publish_ctx = &runs;
	t->env.publish = NULL;
	prepares = releases = 0;
	handle(t, "CreateThing", busy_then_prepared);
	operation_of(t, "CreateThing")->prepare = prepare_once;
	assert_string_equal(json_str(api_ok(t, "POST", "/things/a", NULL), "thingName"),
			    "prepared");
	assert_int_equal(runs, 2);
	assert_int_equal(prepares, 1);
	assert_int_equal(releases, 1);
	operation_of(t, "CreateThing")->prepare = cannot_prepare;
	api_fails(t, "POST", "/things/a", NULL, 400, "InvalidRequestException");
	assert_int_equal(runs, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_already_exists, api_test_setup,
						api_test_teardown),
		cmocka_unit_test_setup_teardown(test_store_fails, api_test_setup,
						api_test_teardown),
		cmocka_unit_test_setup_teardown(test_store_is_busy, api_test_setup,
						api_test_teardown),
		cmocka_unit_test_setup_teardown(test_run_again, api_test_setup, api_test_teardown),
		cmocka_unit_test_setup_teardown(test_prepare_runs_once, api_test_setup,
						api_test_teardown),
		cmocka_unit_test_setup_teardown(test_output_is_checked, api_test_setup,
						api_test_teardown),
		cmocka_unit_test_setup_teardown(test_publisher, api_test_setup, api_test_teardown),
		cmocka_unit_test_setup_teardown(test_failing_page_leaks_nothing, api_test_setup,
						api_test_teardown),
		cmocka_unit_test_setup_teardown(test_secret_is_answered, api_test_setup,
						api_test_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

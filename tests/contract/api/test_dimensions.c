/* Dimensions (spec/detect.md section 3). */
#include "registry_kit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>
#include <glib.h>

#define TOKEN                "\"clientRequestToken\":\"0123456789abcdef0123456789abcdef0123\""
#define OTHER                "\"clientRequestToken\":\"f123456789abcdef0123456789abcdef0123\""
#define BODY(filters, token) "{\"type\":\"TOPIC_FILTER\",\"stringValues\":[" filters "]," token "}"

static void makes_shows_changes_deletes(void **state)
{
	struct kit *k = *state;
	json_t *out =
		ok(k, BODY("\"a/+\",\"b/${iot:ClientId}/#\"", TOKEN), "POST /dimensions/topics");
	assert_string_equal(json_str(out, "name"), "topics");
	assert_non_null(strstr(json_str(out, "arn"), ":dimension/topics"));
	out = ok(k, NULL, "GET /dimensions/topics");
	assert_string_equal(json_str(out, "type"), "TOPIC_FILTER");
	assert_int_equal(json_array_size(json_object_get(out, "stringValues")), 2);
	out = ok(k, "{\"stringValues\":[\"c\"]}", "PATCH /dimensions/topics");
	assert_int_equal(json_array_size(json_object_get(out, "stringValues")), 1);
	out = ok(k, NULL, "GET /dimensions");
	assert_int_equal(json_array_size(json_object_get(out, "dimensionNames")), 1);
	ok(k, NULL, "DELETE /dimensions/topics");
	ok(k, NULL, "DELETE /dimensions/topics");
	fails(k, 404, "ResourceNotFoundException", NULL, "GET /dimensions/topics");
	fails(k, 404, "ResourceNotFoundException", "{\"stringValues\":[\"c\"]}",
	      "PATCH /dimensions/topics");
}

static void only_a_repetition_may_use_a_taken_name(void **state)
{
	struct kit *k = *state;
	ok(k, BODY("\"a\"", TOKEN), "POST /dimensions/again");
	ok(k, BODY("\"a\"", TOKEN), "POST /dimensions/again");
	fails(k, 409, "ResourceAlreadyExistsException", BODY("\"b\"", TOKEN),
	      "POST /dimensions/again");
	fails(k, 409, "ResourceAlreadyExistsException", BODY("\"a\"", OTHER),
	      "POST /dimensions/again");
	ok(k, NULL, "DELETE /dimensions/again");
}

static void refuses_what_is_no_dimension(void **state)
{
	struct kit *k = *state;
	fails(k, 400, "InvalidRequestException", BODY("", TOKEN), "POST /dimensions/empty");
	fails(k, 400, "InvalidRequestException", BODY("\"\"", TOKEN), "POST /dimensions/empty");
	fails(k, 400, "InvalidRequestException",
	      "{\"type\":\"CLIENT\",\"stringValues\":[\"a\"]," TOKEN "}", "POST /dimensions/type");
	fails(k, 400, "InvalidRequestException", BODY("\"a\"", TOKEN),
	      "POST /dimensions/sp%%20ace");
}

/* What changed nothing costs no generation. */
static void tells_the_brokers(void **state)
{
	struct kit *k = *state;
	(void)kit_changes(k);
	ok(k, BODY("\"a\"", TOKEN), "POST /dimensions/told");
	ok(k, BODY("\"a\"", TOKEN), "POST /dimensions/told");
	ok(k, "{\"stringValues\":[\"c\"]}", "PATCH /dimensions/told");
	assert_string_equal(kit_changes(k), "dimension:told dimension:told ");
	ok(k, NULL, "DELETE /dimensions/told");
	ok(k, NULL, "DELETE /dimensions/told");
	assert_string_equal(kit_changes(k), "dimension:told ");
}

static void an_account_has_ten(void **state)
{
	struct kit *k = *state;
	for (int i = 0; i < 10; i++)
		ok(k, BODY("\"a\"", TOKEN), "POST /dimensions/d%d", i);
	fails(k, 410, "LimitExceededException", BODY("\"a\"", TOKEN), "POST /dimensions/d10");
	for (int i = 0; i < 10; i++)
		ok(k, NULL, "DELETE /dimensions/d%d", i);
}

static void profiles_are_listed_by_a_dimension_that_exists(void **state)
{
	struct kit *k = *state;
	fails(k, 404, "ResourceNotFoundException", NULL, "GET /security-profiles?dimensionName=d");
	ok(k, BODY("\"a\"", TOKEN), "POST /dimensions/d");
	json_t *out = ok(k, NULL, "GET /security-profiles?dimensionName=d");
	assert_int_equal(json_array_size(json_object_get(out, "securityProfileIdentifiers")), 0);
	ok(k, NULL, "DELETE /dimensions/d");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_BOTH(makes_shows_changes_deletes),
		ON_BOTH(only_a_repetition_may_use_a_taken_name),
		ON_BOTH(refuses_what_is_no_dimension),
		ON_BOTH(tells_the_brokers),
		ON_BOTH(an_account_has_ten),
		ON_BOTH(profiles_are_listed_by_a_dimension_that_exists),
	};
	return cmocka_run_group_tests(tests, kit_group_start, kit_group_stop);
}

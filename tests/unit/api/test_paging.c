/* Pages and their tokens: nothing repeated, nothing skipped, no token of somebody else's taken. */
#include "api_env.h"

#include "api/token.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static void test_walk(void **state)
{
	struct api_test *t = *state;
	char name[16];
	for (int i = 0; i < 7; i++) {
		g_autofree char *path = g_strdup_printf("/things/t%d", i);
		api_ok(t, "POST", path, NULL);
	}
	g_autofree char *token = g_strdup("");
	int seen = 0;
	do {
		g_autofree char *escaped = g_uri_escape_string(token, NULL, FALSE);
		g_autofree char *target =
			g_strdup_printf("/things?maxResults=3%s%s", token[0] ? "&nextToken=" : "",
					token[0] ? escaped : "");
		const json_t *out = api_ok(t, "GET", target, NULL),
			     *things = json_object_get(out, "things");
		for (size_t i = 0; i < json_array_size(things); i++) {
			g_snprintf(name, sizeof(name), "t%d", seen++);
			assert_string_equal(json_str(json_array_get(things, i), "thingName"), name);
		}
		g_free(token);
		token = g_strdup(json_str(out, "nextToken"));
	} while (token[0] != '\0');
	assert_int_equal(seen, 7);
}

static void test_tokens_are_bound(void **state)
{
	struct api_test *t = *state;
	const struct token_key key = {{1}}, other = {{2}};
	const struct operation *things = model_operation(api_model(t->api), "ListThings");
	const struct operation *groups = model_operation(api_model(t->api), "ListThingGroups");
	char cursor[PAGE_CURSOR_MAX + 1];
	json_t *in = json_pack("{s:s, s:i}", "thingTypeName", "x", "maxResults", 3);
	json_t *larger = json_pack("{s:s, s:i, s:s}", "thingTypeName", "x", "maxResults", 4,
				   "nextToken", "y");
	json_t *filtered = json_pack("{s:s}", "thingTypeName", "z");
	g_autofree char *token = token_seal(&key, things, in, "lamp/1");
	assert_int_equal(token_open(&key, things, in, token, cursor), 0);
	assert_string_equal(cursor, "lamp/1");
	assert_int_equal(token_open(&key, things, larger, token, cursor), 0);
	assert_int_equal(token_open(&key, things, filtered, token, cursor), -1);
	assert_int_equal(token_open(&key, groups, in, token, cursor), -1);
	assert_int_equal(token_open(&other, things, in, token, cursor), -1);
	token[0] = token[0] == 'A' ? 'B' : 'A';
	assert_int_equal(token_open(&key, things, in, token, cursor), -1);
	json_decref(in);
	json_decref(larger);
	json_decref(filtered);
}

static void test_longest_cursor_fits_a_marker(void **state)
{
	struct api_test *t = *state;
	const struct token_key key = {{1}};
	const struct operation *op = model_operation(api_model(t->api), "ListPolicies");
	const struct member *marker = shape_member(&op->input, "marker");
	g_autofree char *cursor = g_strnfill(PAGE_CURSOR_MAX, 'c');
	json_t *in = json_object();
	g_autofree char *token = token_seal(&key, op, in, cursor);
	assert_true((int64_t)strlen(token) <= marker->shape->max);
	json_decref(in);
}

static void test_rubbish(void **state)
{
	static const char *const tokens[] = {"",    "x",     "AAAA", "AAAAAAAAAAAAAAAAAAAAAAAA",
					     "%00", "%2b%2b"};
	struct api_test *t = *state;
	for (size_t i = 0; i < ARRAY_LEN(tokens); i++) {
		g_autofree char *target = g_strconcat("/things?nextToken=", tokens[i], NULL);
		api_send(t, "GET", target, NULL);
		assert_int_equal(t->status, 400);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_walk, api_test_setup, api_test_teardown),
		cmocka_unit_test_setup_teardown(test_tokens_are_bound, api_test_setup,
						api_test_teardown),
		cmocka_unit_test_setup_teardown(test_longest_cursor_fits_a_marker, api_test_setup,
						api_test_teardown),
		cmocka_unit_test_setup_teardown(test_rubbish, api_test_setup, api_test_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

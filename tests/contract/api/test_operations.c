/* Every row of model/, walked: complete, routed to, guarded by its role, and answered. */
#include "api_env.h"

#include "api/route.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

/* A path of the operation's form, labels filled with "x". */
static char *path_of(const struct operation *op)
{
	GString *path = g_string_new(NULL);
	for (size_t i = 0; i < op->n_segments; i++)
		g_string_append_printf(path, "/%s",
				       op->segments[i][0] == '{' ? "x" : op->segments[i]);
	return g_string_free(path, FALSE);
}

static const struct operation *rows(struct api_test *t, size_t *ret_n)
{
	return model_operations(api_model(t->api), ret_n);
}

static void test_all_of_them(void **state)
{
	size_t n, ours = 0;
	const struct operation *op = rows(*state, &n);
	for (size_t i = 0; i < n; i++)
		ours += strcmp(op[i].family, "thingward") == 0;
	assert_int_equal(n - ours, 141);
}

static void test_rows_are_complete(void **state)
{
	size_t n;
	const struct operation *op = rows(*state, &n);
	for (size_t i = 0; i < n; i++, op++) {
		assert_true(strlen(op->summary) > 10 && g_str_has_suffix(op->summary, "."));
		assert_in_range(op->role, ROLE_VIEWER, ROLE_ADMIN);
		/* Who may change something is at least an operator, and reading needs a viewer
		 * (S17). */
		assert_int_equal(op->writes, op->role != ROLE_VIEWER);
		if (g_str_has_prefix(op->name, "List") &&
		    strcmp(op->name, "ListTagsForResource") != 0 && op->is_paged)
			assert_non_null(op->page.limit);
	}
}

static void test_routes(void **state)
{
	struct api_test *t = *state;
	size_t n;
	const struct operation *op = rows(t, &n);
	for (size_t i = 0; i < n; i++, op++) {
		g_autofree char *path = path_of(op);
		g_autofree char *slashed = g_strconcat(path, "/", NULL);
		assert_ptr_equal(route_find(api_model(t->api), op->method, view_of(path)).operation,
				 op);
		assert_ptr_equal(
			route_find(api_model(t->api), op->method, view_of(slashed)).operation, op);
		struct route head = route_find(api_model(t->api), "HEAD", view_of(path));
		assert_null(head.operation);
		assert_true(head.is_path_known);
	}
}

static void test_each_role_against_each_row(void **state)
{
	struct api_test *t = *state;
	size_t n;
	const struct operation *op = rows(t, &n);
	for (size_t i = 0; i < n; i++, op++) {
		g_autofree char *path = path_of(op);
		for (t->role = ROLE_VIEWER; t->role <= ROLE_ADMIN; t->role++) {
			api_send(t, op->method, path, "{}");
			bool is_denied = t->status == 403 &&
					 strcmp(t->exception, "AccessDeniedException") == 0;
			if (is_denied != (t->role < op->role))
				fail_msg("%s as %s: %d %s", op->name, role_name(t->role), t->status,
					 t->exception);
		}
	}
}

static void test_absent_ones_say_so(void **state)
{
	struct api_test *t = *state;
	size_t n;
	const struct operation *op = rows(t, &n);
	for (size_t i = 0; i < n; i++, op++) {
		g_autofree char *path = path_of(op);
		api_send(t, op->method, path, "{}");
		assert_int_equal(t->status == 501, op->handler == NULL);
		if (!op->handler)
			assert_string_equal(t->exception, "NotImplementedException");
	}
}

/* Every operation with a handler that lacks a required member says so; a lenient one in its answer.
 */
static void test_required_members(void **state)
{
	struct api_test *t = *state;
	size_t n;
	const struct operation *op = rows(t, &n);
	for (size_t i = 0; i < n; i++, op++) {
		g_autofree char *path = path_of(op);
		bool lacks = false;
		for (size_t k = 0; k < op->input.n_members; k++)
			lacks |= op->input.members[k].is_required &&
				 op->input.members[k].place != PLACE_URI;
		if (!op->handler || !lacks || op->is_lenient)
			continue;
		const char *message =
			api_fails(t, op->method, path, NULL, 400, "InvalidRequestException");
		assert_non_null(strstr(message, "Member must not be null"));
	}
}

static void test_foreign_tokens(void **state)
{
	struct api_test *t = *state;
	size_t n;
	const struct operation *op = rows(t, &n);
	for (size_t i = 0; i < n; i++, op++) {
		const struct member *token =
			op->is_paged ? shape_member(&op->input, op->page.token_in) : NULL;
		bool is_free = op->handler && token && token->place == PLACE_QUERY;
		for (size_t k = 0; k < op->input.n_members; k++)
			is_free &= !op->input.members[k].is_required;
		if (!is_free)
			continue;
		g_autofree char *path = path_of(op);
		g_autofree char *target =
			g_strdup_printf("%s?%s=bm90IG91cnMgYXQgYWxs", path, token->wire);
		api_fails(t, op->method, target, NULL, 400, "InvalidRequestException");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_all_of_them, api_test_setup,
						api_test_teardown),
		cmocka_unit_test_setup_teardown(test_rows_are_complete, api_test_setup,
						api_test_teardown),
		cmocka_unit_test_setup_teardown(test_routes, api_test_setup, api_test_teardown),
		cmocka_unit_test_setup_teardown(test_each_role_against_each_row, api_test_setup,
						api_test_teardown),
		cmocka_unit_test_setup_teardown(test_absent_ones_say_so, api_test_setup,
						api_test_teardown),
		cmocka_unit_test_setup_teardown(test_required_members, api_test_setup,
						api_test_teardown),
		cmocka_unit_test_setup_teardown(test_foreign_tokens, api_test_setup,
						api_test_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Access keys, secrets at rest and the administrator trail (S17, S18, S21, S24). */
#include "api_env.h"

#include "api/access.h"
#include "api/trail.h"
#include "base/check.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <cmocka.h>
#include <glib/gstdio.h>

static void test_seal(void **state)
{
	struct api_test *t = *state;
	const struct seal_key key =
				      {
					      {1, 2, 3}
        },
			      other = {{1, 2, 4}};
	unsigned char sealed[5 + SEAL_OVERHEAD], again[5 + SEAL_OVERHEAD];
	char plain[5];
	seal(&key, t->env.chance, "row", "hello", 5, sealed);
	seal(&key, t->env.chance, "row", "hello", 5, again);
	assert_memory_not_equal(sealed, again, sizeof(sealed));
	assert_int_equal(unseal(&key, "row", sealed, sizeof(sealed), plain), 0);
	assert_memory_equal(plain, "hello", 5);
	assert_int_equal(unseal(&other, "row", sealed, sizeof(sealed), plain), -1);
	assert_int_equal(unseal(&key, "another row", sealed, sizeof(sealed), plain), -1);
	assert_int_equal(unseal(&key, "row", sealed, SEAL_OVERHEAD - 1, plain), -1);
	for (size_t i = 0; i < sizeof(sealed); i++) {
		sealed[i] ^= 1;
		assert_int_equal(unseal(&key, "row", sealed, sizeof(sealed), plain), -1);
		sealed[i] ^= 1;
	}
}

static void test_key_file(void **state)
{
	struct api_test *t = *state;
	g_autofree char *path = g_build_filename(t->dir, "secret.key", NULL);
	struct seal_key first, second;
	struct fault fault;
	struct stat st;
	assert_int_equal(seal_key_load(path, t->env.chance, &first, &fault), 0);
	assert_int_equal(g_stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(seal_key_load(path, t->env.chance, &second, &fault), 0);
	assert_memory_equal(&first, &second, sizeof(first));
	assert_int_equal(g_chmod(path, 0640), 0);
	assert_int_equal(seal_key_load(path, t->env.chance, &second, &fault), -1);
	assert_non_null(strstr(fault.message, "chmod 600"));
	assert_int_equal(g_chmod(path, 0600), 0);
	assert_true(g_file_set_contents(path, "short", 5, NULL));
	assert_int_equal(g_chmod(path, 0600), 0);
	assert_int_equal(seal_key_load(path, t->env.chance, &second, &fault), -1);
	assert_non_null(strstr(fault.message, "32 bytes"));
}

static const struct seal_key test_key = {{9}};

static void create(struct api_test *t, const char *id, enum role role, struct access_key *key)
{
	const struct access access = {t->env.store, t->env.chance, &test_key};
	struct fault fault;
	*key = (struct access_key){.role = role};
	g_strlcpy(key->id, id, sizeof(key->id));
	if (access_key_create(&access, 1, key, &fault) < 0)
		fail_msg("%s", fault.message);
}

static void test_access_keys(void **state)
{
	struct api_test *t = *state;
	const struct access access = {t->env.store, t->env.chance, &test_key};
	const struct seal_key other = {{8}};
	struct access_key made, got;
	struct fault fault;
	create(t, "", ROLE_OPERATOR, &made);
	assert_true(g_str_has_prefix(made.id, "TWAK"));
	assert_int_equal(strlen(made.id), 20);
	assert_int_equal(strlen(made.secret), 40);
	assert_int_equal(access_key_get(t->reader, &test_key, made.id, &got), 0);
	assert_string_equal(got.secret, made.secret);
	assert_int_equal(got.role, ROLE_OPERATOR);
	assert_int_equal(access_key_get(t->reader, &other, made.id, &got), -EBADMSG);
	assert_int_equal(access_key_get(t->reader, &test_key, "none", &got), -ENOENT);
	assert_int_equal(access_key_create(&access, 1, &made, &fault), -1);
	assert_int_equal(fault.kind, FAULT_RESOURCE_ALREADY_EXISTS);
	struct access_key bad = {.id = "a/b", .role = ROLE_ADMIN};
	assert_int_equal(access_key_create(&access, 1, &bad, &fault), -1);
	assert_int_equal(fault.kind, FAULT_INVALID_REQUEST);
}

static int count_key(const char *id, enum role role, int64_t created_ms, void *ctx)
{
	(void)id;
	(void)role;
	(void)created_ms;
	++*(int *)ctx;
	return 0;
}

static void test_last_admin_stays(void **state)
{
	struct api_test *t = *state;
	const struct access access = {t->env.store, t->env.chance, &test_key};
	struct access_key key;
	struct fault fault;
	int n = 0;
	create(t, "A", ROLE_ADMIN, &key);
	create(t, "V", ROLE_VIEWER, &key);
	assert_int_equal(access_key_delete(&access, "A", &fault), -1);
	assert_int_equal(fault.kind, FAULT_DELETE_CONFLICT);
	create(t, "B", ROLE_ADMIN, &key);
	assert_int_equal(access_key_delete(&access, "A", &fault), 0);
	assert_int_equal(access_key_delete(&access, "A", &fault), -1);
	assert_int_equal(fault.kind, FAULT_RESOURCE_NOT_FOUND);
	assert_int_equal(access_key_delete(&access, "V", &fault), 0);
	assert_int_equal(access_key_each(t->reader, count_key, &n), 0);
	assert_int_equal(n, 1);
}

static int collect(const struct trail_row *row, void *ctx)
{
	g_string_append_printf(ctx, "%s %s %s %s %s %s\n", row->key_id, row->address,
			       row->operation, row->target, row->result, row->detail);
	return 0;
}

static void expect_trail(struct api_test *t, const char *expected)
{
	g_autoptr(GString) got = g_string_new(NULL);
	assert_int_equal(trail_each(t->reader, 0, collect, got), 0);
	assert_string_equal(got->str, expected);
}

static void test_changes_and_refusals_are_recorded(void **state)
{
	struct api_test *t = *state;
	api_ok(t, "POST", "/things/lamp", "{\"attributePayload\":{\"attributes\":{\"a\":\"b\"}}}");
	clock_advance(t->env.clock, 1, NULL, NULL);
	api_ok(t, "GET", "/things/lamp", NULL);
	api_fails(t, "GET", "/things/none", NULL, 404, "ResourceNotFoundException");
	api_fails(t, "PATCH", "/things/none", "{}", 404, "ResourceNotFoundException");
	clock_advance(t->env.clock, 1, NULL, NULL);
	t->role = ROLE_VIEWER;
	api_fails(t, "DELETE", "/things/lamp", NULL, 403, "AccessDeniedException");
	g_autoptr(GString) got = g_string_new(NULL);
	assert_int_equal(trail_each(t->reader, 0, collect, got), 0);
	g_auto(GStrv) lines = g_strsplit(got->str, "\n", 0);
	assert_int_equal(g_strv_length(lines), 4);
	assert_true(g_str_has_prefix(
		lines[0], "TWAKTEST 127.0.0.1 CreateThing lamp ok {\"in\":{\"attributePayload\":"));
	assert_true(g_str_has_prefix(
		lines[1], "TWAKTEST 127.0.0.1 UpdateThing none ResourceNotFoundException "));
	assert_true(g_str_has_prefix(
		lines[2],
		"TWAKTEST 127.0.0.1 DeleteThing lamp AccessDeniedException {\"message\":"));
	assert_true(t->published == 1);
}

static int forget(struct sql_conn *txn, void *ctx)
{
	return trail_forget(txn, *(int64_t *)ctx);
}

static void test_retention(void **state)
{
	struct api_test *t = *state;
	int64_t before = API_TEST_START_MS + 1;
	api_ok(t, "POST", "/things/lamp", NULL);
	assert_int_equal(store_write(t->env.store, forget, &before), 0);
	expect_trail(t, "");
}

static void test_secrets_and_long_texts_are_cut(void **state)
{
	struct api_test *t = *state;
	const struct operation *op = model_operation(api_model(t->api), "CreateKeysAndCertificate");
	g_autofree char *pem = g_strnfill(300, 'p');
	json_t *in = json_pack("{s:b}", "setAsActive", 1);
	json_t *out =
		json_pack("{s:s, s:s, s:{s:s, s:s}}", "certificateArn", "arn", "certificatePem",
			  pem, "keyPair", "PublicKey", "public", "PrivateKey", "private");
	g_autofree char *detail = trail_detail(op, in, out);
	g_autofree char *target = trail_target(op, in, out);
	assert_null(strstr(detail, "private"));
	assert_non_null(strstr(detail, "\"PublicKey\":\"public\""));
	assert_non_null(strstr(detail, "pppp...\""));
	assert_string_equal(target, "arn");
	assert_string_equal(
		json_string_value(json_object_get(json_object_get(out, "keyPair"), "PrivateKey")),
		"private");
	json_decref(in);
	json_decref(out);
}

static void test_flood_of_refusals_is_bounded(void **state)
{
	struct api_test *t = *state;
	g_autoptr(GString) got = g_string_new(NULL);
	t->role = ROLE_VIEWER;
	for (int i = 0; i < 210; i++)
		api_fails(t, "DELETE", "/things/lamp", NULL, 403, "AccessDeniedException");
	assert_int_equal(trail_each(t->reader, 0, collect, got), 0);
	g_auto(GStrv) lines = g_strsplit(got->str, "\n", 0);
	assert_int_equal(g_strv_length(lines), 201);
	assert_int_equal(t->counts[API_COUNT_UNRECORDED], 10);
}

/* Who has no key cannot crowd out the record of those who have. */
static void test_strangers_hide_nobody(void **state)
{
	struct api_test *t = *state;
	char message[] = "none";
	struct refusal refusal = {.exception = "UnrecognizedClientException", .message = message};
	g_autoptr(GString) got = g_string_new(NULL);
	for (int i = 0; i < 210; i++) {
		char id[ID_UUID_SIZE];
		struct api_answer answer;
		id_uuid(t->env.chance, id);
		const struct api_request request = {
			.method = "GET", .id = id, .address = "192.0.2.1"};
		api_refuse(t->api, "TWAKNOBODY", &request, &refusal, &answer);
		api_answer_clear(&answer);
	}
	assert_int_equal(t->counts[API_COUNT_UNRECORDED], 10);
	t->role = ROLE_VIEWER;
	api_fails(t, "DELETE", "/things/lamp", NULL, 403, "AccessDeniedException");
	assert_int_equal(trail_each(t->reader, 0, collect, got), 0);
	assert_non_null(strstr(got->str, "AccessDeniedException"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_seal, api_test_setup, api_test_teardown),
		cmocka_unit_test_setup_teardown(test_key_file, api_test_setup, api_test_teardown),
		cmocka_unit_test_setup_teardown(test_access_keys, api_test_setup,
						api_test_teardown),
		cmocka_unit_test_setup_teardown(test_last_admin_stays, api_test_setup,
						api_test_teardown),
		cmocka_unit_test_setup_teardown(test_changes_and_refusals_are_recorded,
						api_test_setup, api_test_teardown),
		cmocka_unit_test_setup_teardown(test_retention, api_test_setup, api_test_teardown),
		cmocka_unit_test_setup_teardown(test_secrets_and_long_texts_are_cut, api_test_setup,
						api_test_teardown),
		cmocka_unit_test_setup_teardown(test_strangers_hide_nobody, api_test_setup,
						api_test_teardown),
		cmocka_unit_test_setup_teardown(test_flood_of_refusals_is_bounded, api_test_setup,
						api_test_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

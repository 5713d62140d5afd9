#include "registry_kit.h"

#include "backend.h"
#include "registry/arn.h"
#include "store/change.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>
#include <glib.h>

const char kit_policy_body[] =
	"{\"policyDocument\": \"{\\\"Version\\\":\\\"2012-10-17\\\",\\\"Statement\\\":[{"
	"\\\"Effect\\\":\\\"Allow\\\",\\\"Action\\\":\\\"iot:Connect\\\",\\\"Resource\\\":"
	"\\\"arn:aws:iot:us-east-1:123456789012:client/lamp\\\"}]}\"}";

int kit_group_start(void **state)
{
	*state = backend_start();
	return 0;
}

int kit_group_stop(void **state)
{
	backend_stop(*state);
	return 0;
}

/* The API works on whatever store its environment names: this one is put in the place of the
 * embedded one. */
static void open_store(struct kit *k, enum backend_kind kind)
{
	struct fault fault;
	g_autofree char *url = backend_url(k->backend, kind);
	const struct store_options options = {.url = url, .partitions = 1};
	store_reader_close(k->api.reader);
	store_close(k->api.env.store);
	if (store_open(&options, &k->api.env.store, &fault) < 0)
		fail_msg("store_open: %s", fault.message);
	k->api.reader = store_reader_open(k->api.env.store, &fault);
	if (!k->api.reader)
		fail_msg("store_reader_open: %s", fault.message);
}

static int start(void **state, enum backend_kind kind)
{
	struct kit *k = g_new0(struct kit, 1);
	k->backend = *state;
	k->text = g_string_new(NULL);
	api_test_start(&k->api);
	open_store(k, kind);
	*state = k;
	return 0;
}

int kit_start_sqlite(void **state)
{
	return start(state, BACKEND_SQLITE);
}

int kit_start_pg(void **state)
{
	return start(state, BACKEND_PG);
}

int kit_stop(void **state)
{
	struct kit *k = *state;
	api_test_stop(&k->api);
	g_string_free(k->text, TRUE);
	g_free(k);
	return 0;
}

/* Takes "METHOD /path" apart. */
static char *split(char *request)
{
	char *space = strchr(request, ' ');
	assert_non_null(space);
	*space = '\0';
	return space + 1;
}

json_t *ok(struct kit *k, const char *body, const char *request, ...)
{
	va_list args;
	va_start(args, request);
	g_autofree char *line = g_strdup_vprintf(request, args);
	va_end(args);
	const char *target = split(line);
	return api_ok(&k->api, line, target, body);
}

const char *fails(struct kit *k, int status, const char *exception, const char *body,
		  const char *request, ...)
{
	va_list args;
	va_start(args, request);
	g_autofree char *line = g_strdup_vprintf(request, args);
	va_end(args);
	const char *target = split(line);
	return api_fails(&k->api, line, target, body, status, exception);
}

void kit_header(struct kit *k, const char *name, const char *value)
{
	k->api.headers = name ? &k->header : NULL;
	k->api.n_headers = name ? 1 : 0;
	if (name) {
		g_strlcpy(k->header_value, value, sizeof(k->header_value));
		k->header = (struct api_header){name, k->header_value};
	}
}

const char *kit_arn(struct kit *k, const char *type, const char *name)
{
	return arn_write(&k->api.settings, type, name, k->arn);
}

const char *kit_arn_encoded(struct kit *k, const char *type, const char *name)
{
	g_autofree char *encoded = g_uri_escape_string(kit_arn(k, type, name), NULL, FALSE);
	g_strlcpy(k->arn, encoded, sizeof(k->arn));
	return k->arn;
}

void kit_certificate(struct kit *k, const char *status, char ret_id[X509_ID_SIZE])
{
	char *pem = NULL;
	char *key = NULL;
	assert_int_equal(x509_make_ca("lamp", 100, &pem, &key), 0);
	json_t *in = json_pack("{s:s, s:s}", "certificatePem", pem, "status", status);
	char *body = json_dumps(in, 0);
	json_t *out = ok(k, body, "POST /certificate/register-no-ca");
	assert_int_equal(strlen(json_str(out, "certificateId")), X509_ID_SIZE - 1);
	memcpy(ret_id, json_str(out, "certificateId"), X509_ID_SIZE);
	free(body);
	json_decref(in);
	x509_free_text(pem);
	x509_free_text(key);
}

void kit_attach(struct kit *k, const char *thing, const char *certificate)
{
	kit_header(k, "x-amzn-principal", kit_arn(k, "cert", certificate));
	ok(k, NULL, "PUT /things/%s/principals", thing);
	kit_header(k, NULL, NULL);
}

void kit_thing(struct kit *k, const char *name)
{
	ok(k, "{}", "POST /things/%s", name);
}

void kit_group(struct kit *k, const char *name, const char *parent)
{
	g_autofree char *body =
		parent ? g_strdup_printf("{\"parentGroupName\": \"%s\"}", parent) : NULL;
	ok(k, body, "POST /thing-groups/%s", name);
}

void kit_policy(struct kit *k, const char *name)
{
	ok(k, kit_policy_body, "POST /policies/%s", name);
}

static int tell(const struct change *change, void *ctx)
{
	static const char *const kinds[] = {"?",      "config", "thing",    "cert",
					    "policy", "group",  "settings", "dimension"};
	struct kit *k = ctx;
	int digits = change->kind == CHANGE_CERT ? 4 : 128;
	assert_int_equal(change->g, k->seen + 1);
	k->seen = change->g;
	g_string_append_printf(k->text, "%s:%.*s ", kinds[change->kind], digits, change->key);
	return 0;
}

const char *kit_changes(struct kit *k)
{
	g_string_truncate(k->text, 0);
	assert_int_equal(change_each(k->api.reader, k->seen, tell, k), 0);
	return k->text->str;
}

void assert_items(const json_t *list, const char *member, ...)
{
	va_list args;
	va_start(args, member);
	size_t i = 0;
	const char *wanted;
	for (; (wanted = va_arg(args, const char *)); i++) {
		const json_t *item = json_array_get(list, i);
		const char *text = json_string_value(member ? json_object_get(item, member) : item);
		if (g_strcmp0(text, wanted) != 0)
			fail_msg("item %zu is '%s' instead of '%s'", i, text ? text : "(nothing)",
				 wanted);
	}
	va_end(args);
	assert_int_equal(json_array_size(list), i);
}

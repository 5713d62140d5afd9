/* Device certificates, and certificates of things. */
#include "registry_kit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>
#include <glib.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

struct issuer {
	char *cert_file, *key_file;
};

/* Gives the API a device CA; its files lie in the test's own directory. */
static struct issuer issuer_start(struct kit *k)
{
	char *cert = NULL;
	char *key = NULL;
	struct issuer files = {g_build_filename(k->api.dir, "ca.pem", NULL),
			       g_build_filename(k->api.dir, "ca.key", NULL)};
	assert_int_equal(x509_make_ca("Device CA", 100, &cert, &key), 0);
	assert_true(g_file_set_contents(files.cert_file, cert, -1, NULL));
	assert_true(g_file_set_contents(files.key_file, key, -1, NULL));
	k->api.settings.device_ca_cert_file = files.cert_file;
	k->api.settings.device_ca_key_file = files.key_file;
	x509_free_text(cert);
	x509_free_text(key);
	return files;
}

static void issuer_stop(struct issuer *files)
{
	g_free(files->cert_file);
	g_free(files->key_file);
}

static const char *status_of(struct kit *k, const char *id)
{
	return json_str(
		json_object_get(ok(k, NULL, "GET /certificates/%s", id), "certificateDescription"),
		"status");
}

static void issues_with_keys(void **state)
{
	struct kit *k = *state;
	struct issuer files = issuer_start(k);
	json_t *out = ok(k, NULL, "POST /keys-and-certificate?setAsActive=true");
	g_autofree char *id = g_strdup(json_str(out, "certificateId"));
	g_autofree char *pem = g_strdup(json_str(out, "certificatePem"));
	assert_string_equal(json_str(out, "certificateArn"), kit_arn(k, "cert", id));
	assert_non_null(
		strstr(json_str(json_object_get(out, "keyPair"), "PrivateKey"), "PRIVATE KEY"));
	assert_non_null(
		strstr(json_str(json_object_get(out, "keyPair"), "PublicKey"), "PUBLIC KEY"));
	out = json_object_get(ok(k, NULL, "GET /certificates/%s", id), "certificateDescription");
	assert_string_equal(json_str(out, "status"), "ACTIVE");
	assert_string_equal(json_str(out, "certificateMode"), "DEFAULT");
	assert_string_equal(json_str(out, "certificatePem"), pem);
	assert_string_equal(json_str(out, "ownedBy"), "123456789012");
	assert_int_equal(json_num(out, "customerVersion"), 1);
	assert_int_equal(json_num(json_object_get(out, "validity"), "notAfter"),
			 INT64_C(2524607999));

	out = ok(k, NULL, "POST /keys-and-certificate");
	assert_string_equal(status_of(k, json_str(out, "certificateId")), "INACTIVE");
	issuer_stop(&files);
}

static char *request_body(void)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509_REQ *request = X509_REQ_new();
	BIO *bio = BIO_new(BIO_s_mem());
	char *bytes;
	X509_REQ_set_pubkey(request, key);
	X509_REQ_sign(request, key, EVP_sha256());
	PEM_write_bio_X509_REQ(bio, request);
	long n = BIO_get_mem_data(bio, &bytes);
	json_t *in = json_pack("{s:s%}", "certificateSigningRequest", bytes, (size_t)n);
	char *body = json_dumps(in, 0);
	json_decref(in);
	BIO_free(bio);
	X509_REQ_free(request);
	EVP_PKEY_free(key);
	return body;
}

static void issues_for_requests(void **state)
{
	struct kit *k = *state;
	struct issuer files = issuer_start(k);
	char *body = request_body();
	json_t *out = ok(k, body, "POST /certificates?setAsActive=true");
	g_autofree char *first = g_strdup(json_str(out, "certificateId"));
	assert_string_equal(status_of(k, first), "ACTIVE");
	/* The same request again gives another certificate. */
	out = ok(k, body, "POST /certificates");
	assert_string_not_equal(json_str(out, "certificateId"), first);
	fails(k, 400, "InvalidRequestException", "{\"certificateSigningRequest\":\"none\"}",
	      "POST /certificates");
	free(body);
	issuer_stop(&files);
}

static void issues_only_with_an_authority(void **state)
{
	struct kit *k = *state;
	char *body = request_body();
	fails(k, 400, "InvalidRequestException", NULL, "POST /keys-and-certificate");
	fails(k, 400, "InvalidRequestException", body, "POST /certificates");
	k->api.settings.device_ca_cert_file = "/nowhere/ca.pem";
	k->api.settings.device_ca_key_file = "/nowhere/ca.key";
	fails(k, 503, "ServiceUnavailableException", NULL, "POST /keys-and-certificate");
	free(body);
}

static char *register_body(const char *pem, const char *status)
{
	json_t *in = json_pack("{s:s, s:s*}", "certificatePem", pem, "status", status);
	char *body = json_dumps(in, 0);
	json_decref(in);
	return body;
}

static void registers_without_authority(void **state)
{
	struct kit *k = *state;
	char *pem = NULL;
	char *key = NULL;
	assert_int_equal(x509_make_ca("lamp", 100, &pem, &key), 0);
	char *body = register_body(pem, NULL);
	json_t *out = ok(k, body, "POST /certificate/register-no-ca");
	g_autofree char *id = g_strdup(json_str(out, "certificateId"));
	out = json_object_get(ok(k, NULL, "GET /certificates/%s", id), "certificateDescription");
	assert_string_equal(json_str(out, "status"), "INACTIVE");
	assert_string_equal(json_str(out, "certificateMode"), "SNI_ONLY");
	fails(k, 409, "ResourceAlreadyExistsException", body, "POST /certificate/register-no-ca");
	assert_string_equal(json_str(k->api.out, "resourceId"), id);
	assert_string_equal(json_str(k->api.out, "resourceArn"), kit_arn(k, "cert", id));
	free(body);

	body = register_body(pem, "PENDING_TRANSFER");
	fails(k, 400, "InvalidRequestException", body, "POST /certificate/register-no-ca");
	free(body);
	fails(k, 400, "CertificateValidationException", "{\"certificatePem\":\"none\"}",
	      "POST /certificate/register-no-ca");
	x509_free_text(pem);
	x509_free_text(key);
}

static void changes_status(void **state)
{
	struct kit *k = *state;
	char id[X509_ID_SIZE];
	static const struct {
		const char *from, *to;
		int status;
		const char *exception;
	} rows[] = {
		{"ACTIVE",   "INACTIVE",           200, NULL                       },
		{"INACTIVE", "ACTIVE",             200, NULL                       },
		{"ACTIVE",   "REVOKED",            200, NULL                       },
		{"REVOKED",  "REVOKED",            200, NULL                       },
		{"REVOKED",  "ACTIVE",             406, "CertificateStateException"},
		{"REVOKED",  "INACTIVE",           406, "CertificateStateException"},
		{"ACTIVE",   "PENDING_TRANSFER",   400, "InvalidRequestException"  },
		{"ACTIVE",   "PENDING_ACTIVATION", 400, "InvalidRequestException"  },
		{"INACTIVE", "REGISTER_INACTIVE",  400, "InvalidRequestException"  },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		kit_certificate(k, rows[i].from, id);
		(void)kit_changes(k);
		bool is_change = !rows[i].exception && strcmp(rows[i].from, rows[i].to) != 0;
		if (rows[i].exception)
			fails(k, rows[i].status, rows[i].exception, NULL,
			      "PUT /certificates/%s?newStatus=%s", id, rows[i].to);
		else
			ok(k, NULL, "PUT /certificates/%s?newStatus=%s", id, rows[i].to);
		assert_string_equal(status_of(k, id),
				    rows[i].exception ? rows[i].from : rows[i].to);
		g_autofree char *note = g_strdup_printf("cert:%.4s ", id);
		assert_string_equal(kit_changes(k), is_change ? note : "");
	}
	id[0] = id[0] == '0' ? '1' : '0';
	fails(k, 404, "ResourceNotFoundException", NULL, "PUT /certificates/%s?newStatus=ACTIVE",
	      id);
	fails(k, 404, "ResourceNotFoundException", NULL, "GET /certificates/%s", id);
}

static void takes_ids_in_either_case(void **state)
{
	struct kit *k = *state;
	char id[X509_ID_SIZE];
	kit_certificate(k, "ACTIVE", id);
	g_autofree char *upper = g_ascii_strup(id, -1);
	json_t *out = json_object_get(ok(k, NULL, "GET /certificates/%s", upper),
				      "certificateDescription");
	assert_string_equal(json_str(out, "certificateId"), id);
}

static void deletes(void **state)
{
	struct kit *k = *state;
	char id[X509_ID_SIZE];
	kit_certificate(k, "ACTIVE", id);
	kit_thing(k, "lamp");
	kit_policy(k, "p");
	kit_attach(k, "lamp", id);
	g_autofree char *target = g_strdup_printf("{\"target\":\"%s\"}", kit_arn(k, "cert", id));
	ok(k, target, "PUT /target-policies/p");

	fails(k, 406, "CertificateStateException", NULL, "DELETE /certificates/%s?forceDelete=true",
	      id);
	ok(k, NULL, "PUT /certificates/%s?newStatus=INACTIVE", id);
	fails(k, 409, "DeleteConflictException", NULL, "DELETE /certificates/%s?forceDelete=true",
	      id);
	kit_header(k, "x-amzn-principal", kit_arn(k, "cert", id));
	ok(k, NULL, "DELETE /things/lamp/principals");
	kit_header(k, NULL, NULL);
	fails(k, 409, "DeleteConflictException", NULL, "DELETE /certificates/%s", id);
	(void)kit_changes(k);
	ok(k, NULL, "DELETE /certificates/%s?forceDelete=true", id);
	g_autofree char *note = g_strdup_printf("cert:%.4s ", id);
	assert_string_equal(kit_changes(k), note);
	fails(k, 404, "ResourceNotFoundException", NULL, "DELETE /certificates/%s", id);
	ok(k, NULL, "DELETE /policies/p");
}

static void lists_by_date(void **state)
{
	struct kit *k = *state;
	char ids[3][X509_ID_SIZE];
	for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
		kit_certificate(k, "ACTIVE", ids[i]);
		clock_advance(k->api.env.clock, 1000, NULL, NULL);
	}
	json_t *out = ok(k, NULL, "GET /certificates?pageSize=2");
	assert_items(json_object_get(out, "certificates"), "certificateId", ids[2], ids[1], NULL);
	g_autofree char *down = g_uri_escape_string(json_str(out, "nextMarker"), NULL, FALSE);
	out = ok(k, NULL, "GET /certificates?pageSize=2&marker=%s", down);
	assert_items(json_object_get(out, "certificates"), "certificateId", ids[0], NULL);
	assert_null(json_object_get(out, "nextMarker"));

	out = ok(k, NULL, "GET /certificates?pageSize=2&isAscendingOrder=true");
	assert_items(json_object_get(out, "certificates"), "certificateId", ids[0], ids[1], NULL);
	g_autofree char *up = g_uri_escape_string(json_str(out, "nextMarker"), NULL, FALSE);
	out = ok(k, NULL, "GET /certificates?pageSize=2&isAscendingOrder=true&marker=%s", up);
	assert_items(json_object_get(out, "certificates"), "certificateId", ids[2], NULL);
}

/* ---- Certificates of things ---- */

static void attaches(void **state)
{
	struct kit *k = *state;
	char id[X509_ID_SIZE];
	kit_certificate(k, "ACTIVE", id);
	kit_thing(k, "lamp");
	(void)kit_changes(k);
	kit_attach(k, "lamp", id);
	g_autofree char *note = g_strdup_printf("cert:%.4s thing:lamp ", id);
	assert_string_equal(kit_changes(k), note);
	kit_attach(k, "lamp", id);
	assert_string_equal(kit_changes(k), "");
	json_t *out = ok(k, NULL, "GET /things/lamp/principals");
	assert_items(json_object_get(out, "principals"), NULL, kit_arn(k, "cert", id), NULL);
	out = ok(k, NULL, "GET /things/lamp/principals-v2");
	assert_items(json_object_get(out, "thingPrincipalObjects"), "thingPrincipalType",
		     "NON_EXCLUSIVE_THING", NULL);

	kit_header(k, "x-amzn-principal", kit_arn(k, "cert", id));
	out = ok(k, NULL, "GET /principals/things");
	assert_items(json_object_get(out, "things"), NULL, "lamp", NULL);
	ok(k, NULL, "DELETE /things/lamp/principals");
	assert_string_equal(kit_changes(k), note);
	ok(k, NULL, "DELETE /things/lamp/principals");
	assert_string_equal(kit_changes(k), "");
	out = ok(k, NULL, "GET /principals/things");
	assert_items(json_object_get(out, "things"), NULL, NULL);
}

static void refuses_unknown_principals(void **state)
{
	struct kit *k = *state;
	char id[X509_ID_SIZE];
	kit_certificate(k, "ACTIVE", id);
	kit_thing(k, "lamp");
	kit_header(k, "x-amzn-principal", kit_arn(k, "cert", id));
	fails(k, 404, "ResourceNotFoundException", NULL, "PUT /things/none/principals");
	fails(k, 404, "ResourceNotFoundException", NULL, "DELETE /things/none/principals");
	fails(k, 404, "ResourceNotFoundException", NULL, "GET /things/none/principals");
	id[0] = id[0] == '0' ? '1' : '0';
	kit_header(k, "x-amzn-principal", kit_arn(k, "cert", id));
	fails(k, 404, "ResourceNotFoundException", NULL, "PUT /things/lamp/principals");
	fails(k, 404, "ResourceNotFoundException", NULL, "DELETE /things/lamp/principals");
	fails(k, 404, "ResourceNotFoundException", NULL, "GET /principals/things");
	kit_header(k, "x-amzn-principal", "us-east-1:11111111-2222-3333-4444-555555555555");
	assert_non_null(strstr(
		fails(k, 400, "InvalidRequestException", NULL, "PUT /things/lamp/principals"),
		"Cognito"));
	kit_header(k, "x-amzn-principal", kit_arn(k, "policy", "p"));
	fails(k, 400, "InvalidRequestException", NULL, "PUT /things/lamp/principals");
}

/* The rules of EXCLUSIVE_THING as steps over one certificate and two things. */
static void attaches_exclusively(void **state)
{
	struct kit *k = *state;
	static const struct {
		const char *request;
		bool is_refused;
	} steps[] = {
		{"PUT /things/a/principals?thingPrincipalType=EXCLUSIVE_THING",     false},
		{"PUT /things/a/principals?thingPrincipalType=EXCLUSIVE_THING",     false},
		{"PUT /things/b/principals",                                        true },
		{"PUT /things/b/principals?thingPrincipalType=EXCLUSIVE_THING",     true },
		{"PUT /things/a/principals",                                        true },
		{"DELETE /things/a/principals",                                     false},
		{"PUT /things/a/principals",                                        false},
		{"PUT /things/b/principals?thingPrincipalType=EXCLUSIVE_THING",     true },
		{"PUT /things/b/principals?thingPrincipalType=NON_EXCLUSIVE_THING", false},
		{"PUT /things/a/principals?thingPrincipalType=EXCLUSIVE_THING",     true },
		{"DELETE /things/b/principals",                                     false},
		{"PUT /things/a/principals?thingPrincipalType=EXCLUSIVE_THING",     false},
	};
	char id[X509_ID_SIZE];
	kit_certificate(k, "ACTIVE", id);
	kit_thing(k, "a");
	kit_thing(k, "b");
	kit_header(k, "x-amzn-principal", kit_arn(k, "cert", id));
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		if (steps[i].is_refused)
			fails(k, 400, "InvalidRequestException", NULL, "%s", steps[i].request);
		else
			ok(k, NULL, "%s", steps[i].request);
	}
	json_t *out = ok(k, NULL, "GET /principals/things-v2?thingPrincipalType=EXCLUSIVE_THING");
	assert_items(json_object_get(out, "principalThingObjects"), "thingName", "a", NULL);
	out = ok(k, NULL, "GET /principals/things-v2?thingPrincipalType=NON_EXCLUSIVE_THING");
	assert_items(json_object_get(out, "principalThingObjects"), "thingName", NULL);
}

static void pages_principals(void **state)
{
	struct kit *k = *state;
	char id[X509_ID_SIZE];
	kit_certificate(k, "ACTIVE", id);
	static const char *const names[] = {"a", "b", "c"};
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		kit_thing(k, names[i]);
		kit_attach(k, names[i], id);
	}
	kit_header(k, "x-amzn-principal", kit_arn(k, "cert", id));
	json_t *out = ok(k, NULL, "GET /principals/things?maxResults=2");
	assert_items(json_object_get(out, "things"), NULL, "a", "b", NULL);
	g_autofree char *token = g_uri_escape_string(json_str(out, "nextToken"), NULL, FALSE);
	out = ok(k, NULL, "GET /principals/things?maxResults=2&nextToken=%s", token);
	assert_items(json_object_get(out, "things"), NULL, "c", NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_BOTH(issues_with_keys),
		ON_BOTH(issues_for_requests),
		ON_BOTH(issues_only_with_an_authority),
		ON_BOTH(registers_without_authority),
		ON_BOTH(changes_status),
		ON_BOTH(takes_ids_in_either_case),
		ON_BOTH(deletes),
		ON_BOTH(lists_by_date),
		ON_BOTH(attaches),
		ON_BOTH(refuses_unknown_principals),
		ON_BOTH(attaches_exclusively),
		ON_BOTH(pages_principals),
	};
	return cmocka_run_group_tests(tests, kit_group_start, kit_group_stop);
}

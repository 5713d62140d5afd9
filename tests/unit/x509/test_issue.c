/* Issuing (S27, S28): what our authorities sign, and what they refuse to. */
#include "x509/x509.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>
#include <glib.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

struct authority {
	char *cert_pem, *key_pem;
	struct x509_ca *ca;
};

static int setup(void **state)
{
	struct authority *a = g_new0(struct authority, 1);
	assert_int_equal(x509_make_ca("Device CA", 3650, &a->cert_pem, &a->key_pem), 0);
	assert_int_equal(x509_ca_load(view_of(a->cert_pem), view_of(a->key_pem), &a->ca, NULL), 0);
	*state = a;
	return 0;
}

static int teardown(void **state)
{
	struct authority *a = *state;
	x509_free_text(a->cert_pem);
	x509_free_text(a->key_pem);
	x509_ca_free(a->ca);
	g_free(a);
	return 0;
}

static X509 *cert_of(const char *pem)
{
	BIO *bio = BIO_new_mem_buf(pem, -1);
	X509 *cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	assert_non_null(cert);
	BIO_free(bio);
	return cert;
}

static EVP_PKEY *key_of(const char *pem)
{
	BIO *bio = BIO_new_mem_buf(pem, -1);
	EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
	assert_non_null(key);
	BIO_free(bio);
	return key;
}

static void assert_signed_by(const char *cert_pem, const char *ca_pem, int purpose)
{
	X509 *cert = cert_of(cert_pem);
	X509 *ca = cert_of(ca_pem);
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	X509_STORE_add_cert(store, ca);
	X509_STORE_CTX_init(ctx, store, cert, NULL);
	X509_STORE_CTX_set_purpose(ctx, purpose);
	X509_STORE_CTX_set_flags(ctx, X509_V_FLAG_X509_STRICT);
	int is_valid = X509_verify_cert(ctx);
	if (is_valid != 1)
		fail_msg("%s", X509_verify_cert_error_string(X509_STORE_CTX_get_error(ctx)));
	X509_STORE_CTX_free(ctx);
	X509_STORE_free(store);
	X509_free(ca);
	X509_free(cert);
}

static void assert_device_certificate(const struct authority *a, const char *pem,
				      char ret_serial[X509_HEX_SIZE])
{
	struct x509_facts f = {0};
	assert_signed_by(pem, a->cert_pem, X509_PURPOSE_SSL_CLIENT);
	assert_int_equal(x509_read(view_of(pem), &f, NULL), 0);
	assert_string_equal(f.subject, "CN=AWS IoT Certificate");
	assert_string_equal(f.issuer, "CN=Device CA");
	assert_int_equal(f.not_after, INT64_C(2524607999));
	assert_true(f.not_before <= time(NULL) && f.not_before > time(NULL) - 3600);
	assert_false(f.is_ca);
	assert_true(strlen(f.serial) <= 32);
	memcpy(ret_serial, f.serial, X509_HEX_SIZE);
	x509_facts_clear(&f);

	X509 *cert = cert_of(pem);
	assert_int_equal(X509_get_key_usage(cert), KU_DIGITAL_SIGNATURE);
	assert_int_equal(X509_get_extended_key_usage(cert), XKU_SSL_CLIENT);
	assert_int_equal(X509_get_ext_count(cert), 5);
	X509_free(cert);
}

static void issues_key_pairs(void **state)
{
	const struct authority *a = *state;
	struct x509_key_pair pair = {0};
	char first[X509_HEX_SIZE];
	char second[X509_HEX_SIZE];
	assert_int_equal(x509_issue_key(a->ca, &pair, NULL), 0);
	assert_device_certificate(a, pair.cert_pem, first);
	assert_true(g_str_has_prefix(pair.private_pem, "-----BEGIN RSA PRIVATE KEY-----\n"));
	assert_true(g_str_has_prefix(pair.public_pem, "-----BEGIN PUBLIC KEY-----\n"));
	X509 *cert = cert_of(pair.cert_pem);
	EVP_PKEY *key = key_of(pair.private_pem);
	assert_int_equal(EVP_PKEY_get_bits(key), 2048);
	assert_int_equal(X509_check_private_key(cert, key), 1);
	X509_free(cert);
	EVP_PKEY_free(key);
	x509_key_pair_clear(&pair);
	assert_null(pair.private_pem);

	assert_int_equal(x509_issue_key(a->ca, &pair, NULL), 0);
	assert_device_certificate(a, pair.cert_pem, second);
	assert_string_not_equal(first, second);
	x509_key_pair_clear(&pair);
}

/* A request that asks for more than it gets: another name, CA:TRUE. `signer` NULL: its own key. */
static char *request_of(EVP_PKEY *key, EVP_PKEY *signer)
{
	X509_REQ *request = X509_REQ_new();
	STACK_OF(X509_EXTENSION) *wishes = sk_X509_EXTENSION_new_null();
	char *bytes;
	X509_NAME_add_entry_by_txt(X509_REQ_get_subject_name(request), "CN", MBSTRING_ASC,
				   (const unsigned char *)"root", -1, -1, 0);
	sk_X509_EXTENSION_push(wishes,
			       X509V3_EXT_nconf_nid(NULL, NULL, NID_basic_constraints, "CA:TRUE"));
	sk_X509_EXTENSION_push(
		wishes, X509V3_EXT_nconf_nid(NULL, NULL, NID_subject_alt_name, "DNS:broker"));
	X509_REQ_add_extensions(request, wishes);
	sk_X509_EXTENSION_pop_free(wishes, X509_EXTENSION_free);
	X509_REQ_set_pubkey(request, key);
	assert_true(X509_REQ_sign(request, signer ? signer : key, EVP_sha256()) > 0);
	BIO *bio = BIO_new(BIO_s_mem());
	PEM_write_bio_X509_REQ(bio, request);
	long n = BIO_get_mem_data(bio, &bytes);
	char *pem = g_strndup(bytes, (gsize)n);
	BIO_free(bio);
	X509_REQ_free(request);
	EVP_PKEY_free(key);
	EVP_PKEY_free(signer);
	return pem;
}

static void signs_requests(void **state)
{
	const struct authority *a = *state;
	const char *const curves[] = {"P-256", "P-384", "P-521"};
	char serial[X509_HEX_SIZE];
	for (size_t i = 0; i < ARRAY_LEN(curves); i++) {
		char *csr = request_of(EVP_EC_gen(curves[i]), NULL);
		char *pem = NULL;
		assert_int_equal(x509_issue_csr(a->ca, view_of(csr), &pem, NULL), 0);
		assert_device_certificate(a, pem, serial);
		x509_free_text(pem);
		g_free(csr);
	}
}

static void refuses_request(const struct authority *a, char *csr, const char *why)
{
	char *pem = NULL;
	struct fault fault = {0};
	assert_int_equal(x509_issue_csr(a->ca, view_of(csr), &pem, &fault), -1);
	assert_int_equal(fault.kind, FAULT_INVALID_REQUEST);
	if (!strstr(fault.message, why))
		fail_msg("'%s' does not say '%s'", fault.message, why);
	assert_null(pem);
	g_free(csr);
}

static void refuses_unfit_requests(void **state)
{
	const struct authority *a = *state;
	refuses_request(a, request_of(EVP_RSA_gen(1024), NULL), "RSA with 1024 bits");
	refuses_request(a, request_of(EVP_EC_gen("secp256k1"), NULL), "another curve");
	refuses_request(a, request_of(EVP_EC_gen("P-256"), EVP_EC_gen("P-256")),
			"signature does not verify");
	refuses_request(a, g_strdup(""), "PKCS#10");
	refuses_request(a,
			g_strdup("-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE "
				 "REQUEST-----\n"),
			"PKCS#10");
	/* One that asks for a pass phrase: OpenSSL would prompt for it and wait. */
	refuses_request(a,
			g_strdup("-----BEGIN CERTIFICATE REQUEST-----\nProc-Type: 4,ENCRYPTED\n"
				 "DEK-Info: AES-128-CBC,00112233445566778899AABBCCDDEEFF\n\n"
				 "AAAAAAAAAAAAAAAAAAAAAA==\n-----END CERTIFICATE REQUEST-----\n"),
			"PKCS#10");
	char *good = request_of(EVP_EC_gen("P-256"), NULL);
	char *padded = g_strdup_printf("%5000s\n%s", "", good);
	g_free(good);
	refuses_request(a, padded, "at most 4096");
}

static void refuses_authority(const char *cert, const char *key, const char *why)
{
	struct x509_ca *ca = NULL;
	struct fault fault = {0};
	assert_int_equal(x509_ca_load(view_of(cert), view_of(key), &ca, &fault), -1);
	assert_int_equal(fault.kind, FAULT_SERVICE_UNAVAILABLE);
	if (!strstr(fault.message, why))
		fail_msg("'%s' does not say '%s'", fault.message, why);
	assert_null(ca);
}

static void checks_authorities(void **state)
{
	const struct authority *a = *state;
	const char *const names[] = {"localhost"};
	char *other_cert = NULL;
	char *other_key = NULL;
	assert_int_equal(
		x509_make_server(names, 1, 30, a->cert_pem, a->key_pem, &other_cert, &other_key),
		0);
	refuses_authority("", a->key_pem, "certificate cannot be read");
	refuses_authority(a->cert_pem, "", "key cannot be read");
	refuses_authority(a->cert_pem, other_key, "does not belong");
	refuses_authority(other_cert, other_key, "not a CA's");
	x509_free_text(other_cert);
	x509_free_text(other_key);
	x509_ca_free(NULL);
	x509_free_text(NULL);
}

static void makes_servers(void **state)
{
	const struct authority *a = *state;
	const char *const names[] = {"broker.example", "127.0.0.1", "::1", "*.fleet.example"};
	char *pem = NULL;
	char *key_pem = NULL;
	assert_int_equal(x509_make_server(names, ARRAY_LEN(names), 30, a->cert_pem, a->key_pem,
					  &pem, &key_pem),
			 0);
	assert_signed_by(pem, a->cert_pem, X509_PURPOSE_SSL_SERVER);
	X509 *cert = cert_of(pem);
	EVP_PKEY *key = key_of(key_pem);
	assert_int_equal(X509_check_private_key(cert, key), 1);
	assert_int_equal(X509_check_host(cert, "broker.example", 0, 0, NULL), 1);
	assert_int_equal(X509_check_host(cert, "a.fleet.example", 0, 0, NULL), 1);
	assert_int_equal(X509_check_host(cert, "other.example", 0, 0, NULL), 0);
	assert_int_equal(X509_check_ip_asc(cert, "127.0.0.1", 0), 1);
	assert_int_equal(X509_check_ip_asc(cert, "::1", 0), 1);
	assert_int_equal(X509_check_ip_asc(cert, "127.0.0.2", 0), 0);
	X509_free(cert);
	EVP_PKEY_free(key);
	x509_free_text(pem);
	x509_free_text(key_pem);
}

static void refuses_server_names(void **state)
{
	const struct authority *a = *state;
	const char *const bad[] = {"", "two words", "a,DNS:b", "b\xc3\xbc"};
	char *pem = NULL;
	char *key = NULL;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(
			x509_make_server(&bad[i], 1, 30, a->cert_pem, a->key_pem, &pem, &key), -1);
	assert_int_equal(x509_make_server(bad, 0, 30, a->cert_pem, a->key_pem, &pem, &key), -1);
	const char *const good[] = {"a"};
	assert_int_equal(x509_make_server(good, 1, 30, "", a->key_pem, &pem, &key), -1);
	assert_null(pem);
	assert_null(key);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(issues_key_pairs),       cmocka_unit_test(signs_requests),
		cmocka_unit_test(refuses_unfit_requests), cmocka_unit_test(checks_authorities),
		cmocka_unit_test(makes_servers),          cmocka_unit_test(refuses_server_names),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}

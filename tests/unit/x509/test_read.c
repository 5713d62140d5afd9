/* x509_read: what comes out of good certificates, and the refusal of everything else. */
#include "x509/x509.h"

#include "base/chance.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <glib.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>
#include <openssl/x509v3.h>

struct plan {
	EVP_PKEY *key;
	const char *common_name;
	const char *not_before, *not_after; /* ASN.1 times */
	const char *serial;                 /* hex; NULL: 0x2a */
	const char *constraints;            /* basicConstraints, NULL: none */
	void (*extend)(X509 *cert);         /* what else it has; NULL: nothing */
};

static const struct plan usual = {NULL,       "lamp", "20260101000000Z", "20360101000000Z", NULL,
				  "CA:FALSE", NULL};

static void add_extension(X509 *cert, int nid, const char *value)
{
	X509_EXTENSION *e = X509V3_EXT_nconf_nid(NULL, NULL, nid, value);
	assert_non_null(e);
	assert_int_equal(X509_add_ext(cert, e, -1), 1);
	X509_EXTENSION_free(e);
}

static void set_serial(X509 *cert, const char *hex)
{
	BIGNUM *n = NULL;
	assert_true(BN_hex2bn(&n, hex) > 0);
	assert_non_null(BN_to_ASN1_INTEGER(n, X509_get_serialNumber(cert)));
	BN_free(n);
}

static X509 *make(const struct plan *plan)
{
	X509 *cert = X509_new();
	EVP_PKEY *key = plan->key ? plan->key : EVP_EC_gen("P-256");
	X509_NAME *name = X509_get_subject_name(cert);
	X509_set_version(cert, X509_VERSION_3);
	set_serial(cert, plan->serial ? plan->serial : "2a");
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
				   (const unsigned char *)plan->common_name, -1, -1, 0);
	X509_set_issuer_name(cert, name);
	assert_int_equal(ASN1_TIME_set_string_X509(X509_getm_notBefore(cert), plan->not_before), 1);
	assert_int_equal(ASN1_TIME_set_string_X509(X509_getm_notAfter(cert), plan->not_after), 1);
	X509_set_pubkey(cert, key);
	if (plan->constraints)
		add_extension(cert, NID_basic_constraints, plan->constraints);
	if (plan->extend)
		plan->extend(cert);
	assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
	EVP_PKEY_free(key);
	return cert;
}

static GString *pem_of(X509 *cert)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *bytes;
	PEM_write_bio_X509(bio, cert);
	long n = BIO_get_mem_data(bio, &bytes);
	GString *pem = g_string_new_len(bytes, n);
	BIO_free(bio);
	return pem;
}

static GString *der_of(X509 *cert)
{
	unsigned char *der = NULL;
	int n = i2d_X509(cert, &der);
	GString *bytes = g_string_new_len((const char *)der, n);
	OPENSSL_free(der);
	return bytes;
}

static GString *pem_of_plan(const struct plan *plan)
{
	X509 *cert = make(plan);
	GString *pem = pem_of(cert);
	X509_free(cert);
	return pem;
}

static struct view view_of_string(const GString *s)
{
	return (struct view){s->str, s->len};
}

static void refuses(GString *input, const char *why)
{
	struct x509_facts facts = {0};
	struct fault fault = {0};
	assert_int_equal(x509_read(view_of_string(input), &facts, &fault), -1);
	assert_int_equal(fault.kind, FAULT_CERTIFICATE_VALIDATION);
	if (!strstr(fault.message, why))
		fail_msg("'%s' does not say '%s'", fault.message, why);
	assert_null(facts.pem);
	g_string_free(input, TRUE);
}

static void reads_the_facts(void **state)
{
	(void)state;
	struct x509_facts f = {0};
	X509 *cert = make(&usual);
	GString *pem = pem_of(cert);
	GString *der = der_of(cert);
	uint8_t hash[SHA256_DIGEST_LENGTH];
	char id[X509_ID_SIZE];
	hex_encode(SHA256((const unsigned char *)der->str, der->len, hash), sizeof(hash), id);

	assert_int_equal(x509_read(view_of_string(pem), &f, NULL), 0);
	assert_string_equal(f.id, id);
	assert_string_equal(f.subject, "CN=lamp");
	assert_string_equal(f.issuer, "CN=lamp");
	assert_string_equal(f.serial, "2a");
	assert_string_equal(f.ski, "");
	assert_string_equal(f.aki, "");
	assert_int_equal(f.not_before, 1767225600);
	assert_int_equal(f.not_after, 2082758400);
	assert_string_equal(f.key_type, "EC P-256");
	assert_int_equal(f.key_bits, 256);
	assert_false(f.is_ca);
	assert_string_equal(f.pem, pem->str);
	x509_facts_clear(&f);
	x509_facts_clear(&f);

	/* DER, and white space around PEM, give the same certificate. */
	assert_int_equal(x509_read(view_of_string(der), &f, NULL), 0);
	assert_string_equal(f.id, id);
	assert_string_equal(f.pem, pem->str);
	x509_facts_clear(&f);
	g_string_prepend(pem, " \r\n\t");
	g_string_append(pem, "\n \n");
	assert_int_equal(x509_read(view_of_string(pem), &f, NULL), 0);
	assert_string_equal(f.id, id);
	x509_facts_clear(&f);
	g_string_free(pem, TRUE);
	g_string_free(der, TRUE);
	X509_free(cert);
}

static void knows_keys(void **state)
{
	(void)state;
	static const struct {
		const char *type, *name;
		unsigned bits;
		bool is_strong;
	} rows[] = {
		{"P-256",     "EC P-256",            256,  true },
                {"P-384",     "EC P-384",            384,  true },
		{"P-521",     "EC P-521",            521,  true },
                {"secp256k1", "EC of another curve", 256,  false},
		{"2048",      "RSA",                 2048, true },
                {"1024",      "RSA",                 1024, false},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct x509_facts f = {0};
		struct fault fault = {0};
		struct plan plan = usual;
		unsigned rsa_bits = (unsigned)atoi(rows[i].type);
		plan.key = rsa_bits ? EVP_RSA_gen(rsa_bits) : EVP_EC_gen(rows[i].type);
		GString *pem = pem_of_plan(&plan);
		assert_int_equal(x509_read(view_of_string(pem), &f, NULL), 0);
		assert_string_equal(f.key_type, rows[i].name);
		assert_int_equal(f.key_bits, rows[i].bits);
		assert_int_equal(x509_key_strong(&f, &fault), rows[i].is_strong ? 0 : -1);
		assert_int_equal(fault.kind,
				 rows[i].is_strong ? FAULT_NONE : FAULT_CERTIFICATE_VALIDATION);
		x509_facts_clear(&f);
		g_string_free(pem, TRUE);
	}
}

static void names_are_inert(void **state)
{
	(void)state;
	struct x509_facts f = {0};
	struct plan plan = usual;
	plan.common_name = "a\nb,c\"<\x1b\xc3\xa9>";
	GString *pem = pem_of_plan(&plan);
	assert_int_equal(x509_read(view_of_string(pem), &f, NULL), 0);
	assert_string_equal(f.subject, "CN=a\\0Ab\\,c\\\"\\<\\1B\\C3\\A9\\>");
	x509_facts_clear(&f);
	g_string_free(pem, TRUE);
}

static void add_entry(X509_NAME *name, const char *field, int type, const char *value, int n)
{
	assert_int_equal(X509_NAME_add_entry_by_txt(name, field, type, (const unsigned char *)value,
						    n, -1, 0),
			 1);
}

static void add_attributes(X509 *cert)
{
	X509_NAME *subject = X509_get_subject_name(cert), *issuer = X509_NAME_new();
	add_entry(subject, "O", MBSTRING_UTF8, "Example Corp", -1);
	add_entry(subject, "O", MBSTRING_UTF8, "AnyCompany", -1);
	add_entry(subject, "L", MBSTRING_UTF8, "not asked for", -1);
	add_entry(subject, "GN", V_ASN1_T61STRING, "\xe9", -1);
	add_entry(subject, "title", V_ASN1_UTF8STRING, "a\0b", 3);
	add_entry(issuer, "CN", MBSTRING_UTF8, "An Issuer", -1);
	X509_set_issuer_name(cert, issuer);
	X509_NAME_free(issuer);
	add_extension(cert, NID_subject_alt_name,
		      "DNS:a.example,DNS:b.example,email:a@example.com,URI:urn:x,IP:10.0.0.1,"
		      "IP:2001:db8::1,RID:1.2.3");
	add_extension(cert, NID_issuer_alt_name, "DNS:ca.example");
}

/* Several of one kind in their order, whatever their encoding, a NUL among them. */
static void reads_single_attributes(void **state)
{
	(void)state;
	static const char expected[] =
		"Subject.CommonName=lamp;Subject.Organization=Example Corp;"
		"Subject.Organization=AnyCompany;Subject.GivenName=\xc3\xa9;Subject.Title=a\0b;"
		"Subject.AlternativeName.DNSName=a.example;"
		"Subject.AlternativeName.DNSName=b.example;"
		"Subject.AlternativeName.RFC822Name=a@example.com;"
		"Subject.AlternativeName.UniformResourceIdentifier=urn:x;"
		"Subject.AlternativeName.IPAddress=10.0.0.1;"
		"Subject.AlternativeName.IPAddress=2001:db8::1;Issuer.CommonName=An Issuer;"
		"Issuer.AlternativeName.DNSName=ca.example;";
	struct x509_facts f = {0};
	struct plan plan = usual;
	plan.extend = add_attributes;
	GString *pem = pem_of_plan(&plan), *all = g_string_new(NULL);
	assert_int_equal(x509_read(view_of_string(pem), &f, NULL), 0);
	for (size_t i = 0; i < f.n_attributes; i++) {
		g_string_append_printf(all, "%s=", f.attributes[i].name);
		g_string_append_len(all, f.attributes[i].value, (gssize)f.attributes[i].n);
		g_string_append_c(all, ';');
	}
	assert_int_equal(all->len, sizeof(expected) - 1);
	assert_memory_equal(all->str, expected, all->len);
	x509_facts_clear(&f);
	g_string_free(all, TRUE);
	g_string_free(pem, TRUE);
}

static void tells_authorities(void **state)
{
	(void)state;
	struct x509_facts f = {0};
	struct plan plan = usual;
	plan.constraints = "critical,CA:TRUE";
	plan.serial = "-ff";
	GString *pem = pem_of_plan(&plan);
	assert_int_equal(x509_read(view_of_string(pem), &f, NULL), 0);
	assert_true(f.is_ca);
	assert_string_equal(f.serial, "-ff");
	x509_facts_clear(&f);
	g_string_free(pem, TRUE);
}

static GString *usual_pem(void)
{
	return pem_of_plan(&usual);
}

static void refuses_wrong_wrapping(void **state)
{
	(void)state;
	GString *two = usual_pem();
	GString *second = usual_pem();
	g_string_append(two, second->str);
	g_string_free(second, TRUE);
	refuses(two, "several certificates");

	GString *text_after = usual_pem();
	g_string_append(text_after, "hello");
	refuses(text_after, "after the end");

	GString *text_before = usual_pem();
	g_string_prepend(text_before, "Certificate:\n");
	refuses(text_before, "does not begin");

	GString *cut = usual_pem();
	g_string_truncate(cut, cut->len / 2);
	refuses(cut, "damaged");

	GString *no_base64 = usual_pem();
	no_base64->str[100] = '!';
	refuses(no_base64, "damaged");

	refuses(g_string_new(""), "does not begin");
	refuses(g_string_new("MIIB"), "does not begin");
	refuses(g_string_new("-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n"),
		"does not begin");
	refuses(g_string_new("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"),
		"damaged");
	refuses(g_string_new("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
		"not an X.509");
	refuses(g_string_new("-----BEGIN CERTIFICATE-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: "
			     "A,00\n\nAAAA\n"
			     "-----END CERTIFICATE-----\n"),
		"header lines");
	refuses(g_string_new_len(NULL, 0), "does not begin");
}

static void refuses_wrong_bytes(void **state)
{
	(void)state;
	X509 *cert = make(&usual);
	GString *trailing = der_of(cert);
	g_string_append_c(trailing, '\0');
	refuses(trailing, "1 bytes inside");

	GString *cut = der_of(cert);
	g_string_truncate(cut, cut->len - 1);
	refuses(cut, "damaged");

	/* The outer length written in the long way: BER, not DER. */
	GString *ber = der_of(cert);
	assert_int_equal((unsigned char)ber->str[1], 0x82);
	ber->str[1] = (char)0x83;
	g_string_insert_len(ber, 2, "\0", 1);
	refuses(ber, "not encoded in DER");

	GString *huge = g_string_new("0");
	g_string_set_size(huge, X509_PEM_MAX + 1);
	memset(huge->str + 1, 0, X509_PEM_MAX);
	refuses(huge, "at most 65536");
	X509_free(cert);
}

static void refuses_wrong_contents(void **state)
{
	(void)state;
	struct plan reversed = usual;
	reversed.not_after = "20251231235959Z";
	refuses(pem_of_plan(&reversed), "notAfter lies before");

	struct plan serial = usual;
	char digits[200];
	memset(digits, '7', sizeof(digits) - 1);
	digits[sizeof(digits) - 1] = '\0';
	serial.serial = digits;
	refuses(pem_of_plan(&serial), "serial number");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_the_facts),        cmocka_unit_test(knows_keys),
		cmocka_unit_test(names_are_inert),        cmocka_unit_test(tells_authorities),
		cmocka_unit_test(refuses_wrong_wrapping), cmocka_unit_test(refuses_wrong_bytes),
		cmocka_unit_test(refuses_wrong_contents), cmocka_unit_test(reads_single_attributes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* covers: src/x509/issue.c src/x509/build.c src/x509/pem.c src/x509/key.c
 *
 * Whatever bytes come as a certificate request: refused with words, or signed into a certificate
 * that reads well. And as an authority: what the operator put there may be damaged, too. */
#include "x509/x509.h"

#include "base/check.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* What has no certificate of a CA with its own key is no authority, for reasons in words. */
static void check_authority(struct view input)
{
	struct fault fault = {0};
	struct x509_ca *ca = NULL;
	if (x509_ca_load(input, input, &ca, &fault) != 0)
		CHECK(fault.kind == FAULT_SERVICE_UNAVAILABLE && fault.message[0] != '\0');
	x509_ca_free(ca);
}

static void check_issued(const char *pem)
{
	struct x509_facts facts = {0};
	CHECK(x509_read(view_of(pem), &facts, NULL) == 0);
	CHECK(x509_key_strong(&facts, NULL) == 0);
	CHECK(!facts.is_ca);
	CHECK(strcmp(facts.subject, "CN=AWS IoT Certificate") == 0);
	x509_facts_clear(&facts);
}

static void check_issued_key(const struct x509_ca *ca)
{
	struct x509_key_pair pair;
	CHECK(x509_issue_key(ca, &pair, NULL) == 0);
	check_issued(pair.cert_pem);
	x509_key_pair_clear(&pair);
}

/* One authority for all inputs, made and tried at the first. */
static const struct x509_ca *authority(void)
{
	static struct x509_ca *ca;
	char *cert = NULL;
	char *key = NULL;
	if (ca)
		return ca;
	CHECK(x509_make_ca("Device CA", 10, &cert, &key) == 0);
	CHECK(x509_ca_load(view_of(cert), view_of(key), &ca, NULL) == 0);
	x509_free_text(cert);
	x509_free_text(key);
	check_issued_key(ca);
	return ca;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct view input = {(const char *)data, n};
	struct fault fault = {0};
	char *pem = NULL;
	if (x509_issue_csr(authority(), input, &pem, &fault) == 0)
		check_issued(pem);
	else
		CHECK(fault.kind == FAULT_INVALID_REQUEST && fault.message[0] != '\0');
	x509_free_text(pem);
	check_authority(input);
	return 0;
}

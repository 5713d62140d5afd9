/* Issuing device certificates (security S27, S28). */
#include "x509/x509.h"
#include "x509/x509_priv.h"

#include <openssl/err.h>
#include <time.h>

#define NOT_AFTER       INT64_C(2524607999) /* 2049-12-31T23:59:59Z, as AWS issues them */
#define CLOCK_SLACK_S   300                 /* devices whose clock is a little late */
#define ISSUED_KEY_BITS 2048

struct x509_ca {
	X509 *cert;
	EVP_PKEY *key;
};

static const struct cert_extension device_extensions[] = {
	{NID_basic_constraints,        "critical,CA:FALSE"        },
	{NID_key_usage,                "critical,digitalSignature"},
	{NID_ext_key_usage,            "clientAuth"               },
	{NID_subject_key_identifier,   "hash"                     },
	{NID_authority_key_identifier, "keyid"                    },
	{0,			    NULL		       },
};

static int check_ca(const struct x509_ca *ca, struct fault *fault)
{
	const char *what = NULL;
	if (!ca->cert)
		what = "its certificate cannot be read";
	else if (!ca->key)
		what = "its key cannot be read";
	else if (X509_check_private_key(ca->cert, ca->key) != 1)
		what = "its key does not belong to its certificate";
	else if (X509_check_ca(ca->cert) != 1)
		what = "its certificate is not a CA's (basic constraints CA:TRUE)";
	else if (key_kind_of(ca->key)->bits_max == 0)
		what = "its key is neither RSA nor EC on P-256, P-384 or P-521";
	return what ? fault_set(fault, FAULT_SERVICE_UNAVAILABLE, "The device CA cannot sign: %s.",
				what)
		    : 0;
}

int x509_ca_load(struct view cert_pem, struct view key_pem, struct x509_ca **ret,
		 struct fault *fault)
{
	struct x509_ca *ca = g_new0(struct x509_ca, 1);
	ca->cert = cert_of_pem(cert_pem);
	ca->key = private_key_of_pem(key_pem);
	int result = check_ca(ca, fault);
	ERR_clear_error();
	if (result == 0)
		*ret = ca;
	else
		x509_ca_free(ca);
	return result;
}

void x509_ca_free(struct x509_ca *ca)
{
	if (!ca)
		return;
	X509_free(ca->cert);
	EVP_PKEY_free(ca->key);
	g_free(ca);
}

static X509 *issue(const struct x509_ca *ca, EVP_PKEY *key)
{
	return cert_make(&(struct cert_recipe){
		.common_name = "AWS IoT Certificate",
		.key = key,
		.issuer = ca->cert,
		.signer = ca->key,
		.not_before = time(NULL) - CLOCK_SLACK_S,
		.not_after = NOT_AFTER,
		.extensions = device_extensions,
	});
}

static int openssl_failed(struct fault *fault)
{
	char words[160];
	ERR_error_string_n(ERR_peek_last_error(), words, sizeof(words));
	ERR_clear_error();
	return fault_set(fault, FAULT_INTERNAL_FAILURE, "The certificate could not be made: %s.",
			 words);
}

/* The request's key, once the request is signed with it and it is strong; borrowed from the
 * request. */
static EVP_PKEY *key_of_request(X509_REQ *request, struct fault *fault)
{
	EVP_PKEY *key = X509_REQ_get0_pubkey(request);
	if (!key) {
		(void)fault_set(fault, FAULT_INVALID_REQUEST,
				"certificateSigningRequest: its public key cannot be read.");
		return NULL;
	}
	if (key_check(key_kind_of(key)->name, EVP_PKEY_get_bits(key), FAULT_INVALID_REQUEST,
		      fault) != 0)
		return NULL;
	if (X509_REQ_verify(request, key) != 1) {
		(void)fault_set(fault, FAULT_INVALID_REQUEST,
				"certificateSigningRequest: its signature does not verify with its "
				"own key.");
		return NULL;
	}
	return key;
}

static X509_REQ *read_request(struct view pem, struct fault *fault)
{
	X509_REQ *request = pem.n <= X509_CSR_MAX ? request_of_pem(pem) : NULL;
	if (!request)
		(void)fault_set(fault, FAULT_INVALID_REQUEST,
				"certificateSigningRequest: no PKCS#10 request in PEM form of at "
				"most %d bytes.",
				X509_CSR_MAX);
	return request;
}

int x509_issue_csr(const struct x509_ca *ca, struct view csr_pem, char **ret_cert_pem,
		   struct fault *fault)
{
	g_autoptr(X509_REQ) request = read_request(csr_pem, fault);
	EVP_PKEY *key = request ? key_of_request(request, fault) : NULL;
	ERR_clear_error();
	if (!key)
		return -1;
	g_autoptr(X509) cert = issue(ca, key);
	char *pem = cert ? pem_of_cert(cert) : NULL;
	if (!pem)
		return openssl_failed(fault);
	*ret_cert_pem = pem;
	return 0;
}

int x509_issue_key(const struct x509_ca *ca, struct x509_key_pair *ret, struct fault *fault)
{
	g_autoptr(EVP_PKEY) key = EVP_RSA_gen(ISSUED_KEY_BITS);
	g_autoptr(X509) cert = key ? issue(ca, key) : NULL;
	if (!cert)
		return openssl_failed(fault);
	struct x509_key_pair pair = {pem_of_cert(cert), pem_of_public_key(key),
				     pem_of_private_key(key)};
	if (!pair.cert_pem || !pair.public_pem || !pair.private_pem) {
		x509_key_pair_clear(&pair);
		return openssl_failed(fault);
	}
	*ret = pair;
	return 0;
}

void x509_key_pair_clear(struct x509_key_pair *pair)
{
	x509_free_text(pair->cert_pem);
	x509_free_text(pair->public_pem);
	x509_free_text(pair->private_pem);
	*pair = (struct x509_key_pair){0};
}

/* Certificates by recipe: one order of fields and extensions for all that we sign. */
#include "x509/x509_priv.h"

#include <openssl/bn.h>

/* A random number of 128 bits (S28); zero is no serial number. */
static int set_serial(X509 *cert)
{
	g_autoptr(BIGNUM) number = BN_new();
	if (!number || !BN_rand(number, 128, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) ||
	    BN_is_zero(number))
		return 0;
	return BN_to_ASN1_INTEGER(number, X509_get_serialNumber(cert)) != NULL;
}

static int set_names(X509 *cert, const char *common_name, X509 *issuer)
{
	X509_NAME *subject = X509_get_subject_name(cert);
	return X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
					  (const unsigned char *)common_name, -1, -1, 0) &&
	       X509_set_issuer_name(cert, X509_get_subject_name(issuer ? issuer : cert));
}

/* UTCTime up to 2049, GeneralizedTime after, as RFC 5280 wants it. */
static int set_validity(X509 *cert, int64_t not_before, int64_t not_after)
{
	return ASN1_TIME_set(X509_getm_notBefore(cert), (time_t)not_before) &&
	       ASN1_TIME_set(X509_getm_notAfter(cert), (time_t)not_after);
}

static int add_extension(X509 *cert, X509 *issuer, const struct cert_extension *extension)
{
	X509V3_CTX ctx;
	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, issuer ? issuer : cert, cert, NULL, NULL, 0);
	X509_EXTENSION *made = X509V3_EXT_nconf_nid(NULL, &ctx, extension->nid, extension->value);
	int is_added = made && X509_add_ext(cert, made, -1);
	X509_EXTENSION_free(made);
	return is_added;
}

static int add_extensions(X509 *cert, const struct cert_recipe *recipe)
{
	for (const struct cert_extension *e = recipe->extensions; e->nid != 0; e++)
		if (!add_extension(cert, recipe->issuer, e))
			return 0;
	return !recipe->alternative_names ||
	       X509_add1_ext_i2d(cert, NID_subject_alt_name, recipe->alternative_names, 0, 0) == 1;
}

X509 *cert_make(const struct cert_recipe *recipe)
{
	g_autoptr(X509) cert = X509_new();
	if (!cert || !X509_set_version(cert, X509_VERSION_3) || !set_serial(cert) ||
	    !set_names(cert, recipe->common_name, recipe->issuer) ||
	    !set_validity(cert, recipe->not_before, recipe->not_after) ||
	    !X509_set_pubkey(cert, recipe->key) || !add_extensions(cert, recipe) ||
	    !X509_sign(cert, recipe->signer, EVP_sha256()))
		return NULL;
	return g_steal_pointer(&cert);
}

/* What the files of x509/ share: kinds of keys, certificates by recipe, and scope-bound OpenSSL
 * objects. */
#ifndef X509_X509_PRIV_H
#define X509_X509_PRIV_H

#include "base/fault.h"
#include "base/view.h"

#include "x509/x509.h"

#include <glib.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdint.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BIO, BIO_free_all)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BIGNUM, BN_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(EVP_PKEY, EVP_PKEY_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(X509, X509_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(X509_REQ, X509_REQ_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(GENERAL_NAMES, GENERAL_NAMES_free)

/* A kind of key, and the bits that one of a device must have; 0 to 0: never accepted. */
struct key_kind {
	const char *name;
	int bits_min, bits_max;
};
const struct key_kind *key_kind_of(const EVP_PKEY *key);
/* 0, or -1 with a fault of the given kind that names the key and what would do. */
int key_check(const char *key_type, int bits, enum fault_kind kind, struct fault *fault);

/* What a certificate of ours is made from. Validity in seconds since the epoch. */
struct cert_extension {
	int nid;
	const char *value; /* as in openssl.cnf; ours, never a caller's */
};
struct cert_recipe {
	const char *common_name;
	EVP_PKEY *key; /* the subject's */
	X509 *issuer;  /* NULL: itself */
	EVP_PKEY *signer;
	int64_t not_before, not_after;
	const struct cert_extension *extensions; /* ends with nid 0 */
	GENERAL_NAMES *alternative_names;        /* may be NULL */
};
/* The signed certificate, or NULL when OpenSSL failed. */
X509 *cert_make(const struct cert_recipe *recipe);

/* The PEM text of an object, for x509_free_text; NULL when OpenSSL failed. */
char *pem_of_cert(X509 *cert);
char *pem_of_public_key(EVP_PKEY *key);
char *pem_of_private_key(EVP_PKEY *key);

/* The first certificate, request or private key of a PEM text; NULL when there is none. Never asks
 * for a pass phrase. */
X509 *cert_of_pem(struct view pem);
X509_REQ *request_of_pem(struct view pem);
EVP_PKEY *private_key_of_pem(struct view pem);

/* A name in RFC 2253 form, ASCII; g_free. NULL when OpenSSL failed. */
char *name_text(const X509_NAME *name);

/* Fills facts->attributes, and frees them. */
void read_attributes(const X509 *cert, struct x509_facts *facts);
void attributes_clear(struct x509_facts *facts);

/* A read-only BIO over borrowed bytes; NULL when there are more than INT_MAX. */
BIO *bio_over(struct view bytes);

#endif

/* X.509: the facts of a certificate, read once, and the issuing of our own (security S27, S28).
 *
 * Reading. A certificate that comes in is parsed here and nowhere else: x509_read refuses what is
 * not exactly one well-formed certificate and tells the reason; what the registry, the snapshot and
 * the audits need is then in `struct x509_facts`, and nobody parses the PEM again.
 *
 * Issuing. Two authorities of our own, made by x509_make_ca: the device CA signs device
 * certificates (x509_issue_key, x509_issue_csr), the server CA signs the broker's certificate
 * (x509_make_server). Issued device certificates have CA:FALSE, client use only, a random 128-bit
 * serial, the subject "CN=AWS IoT Certificate" and end at 2049-12-31T23:59:59Z; nothing of a CSR
 * but its public key is used. Validity follows the system's clock, never the server time of tests:
 * TLS on the other side does so too.
 *
 * Texts that are returned are owned by the caller and freed with x509_free_text, which wipes them
 * first; private keys are kept nowhere else. */
#ifndef X509_X509_H
#define X509_X509_H

#include "base/fault.h"
#include "base/view.h"

#include <stdbool.h>
#include <stdint.h>

#define X509_PEM_MAX  65536 /* bytes of a certificate, PEM or DER, that are looked at */
#define X509_CSR_MAX  4096
#define X509_ID_SIZE  65  /* 64 hex digits and the NUL */
#define X509_HEX_SIZE 129 /* of serial and key identifiers: at most 64 bytes each */

/* One value: what stands several times in the certificate stands several times here, in its order.
 */
struct x509_attribute {
	char *name;  /* "Subject.CommonName", "Issuer.AlternativeName.DNSName", ...: those that
			policies  can ask for (spec/registry-and-policies.md section 10.1) */
	char *value; /* UTF-8, n bytes; there may be a NUL among them */
	size_t n;
};

struct x509_facts {
	char id[X509_ID_SIZE];      /* SHA-256 of the DER bytes, lower-case hex: certificateId and
				       fingerprint */
	char *subject, *issuer;     /* RFC 2253 names, ASCII; the rest as \XX */
	char serial[X509_HEX_SIZE]; /* lower-case hex, no sign; a negative one starts with '-' */
	char ski[X509_HEX_SIZE];    /* subject key identifier, "" when absent */
	char aki[X509_HEX_SIZE];    /* authority key identifier, "" when absent */
	int64_t not_before, not_after; /* seconds since the epoch */
	const char *key_type; /* "RSA", "EC P-256", ... (x509/key.c has the list); static */
	unsigned key_bits;
	bool is_ca; /* basic constraints say CA:TRUE */
	struct x509_attribute *attributes;
	size_t n_attributes;
	char *pem; /* the certificate alone, written anew: 64 columns, no text around it */
};

/* Reads exactly one certificate from PEM text or DER bytes. White space around it is allowed,
 * further certificates or bytes are not. 0 with *ret filled (the caller clears it with
 * x509_facts_clear), or -1 with FAULT_CERTIFICATE_VALIDATION saying what is wrong: too long, no
 * certificate, damaged, several, trailing bytes, unreadable dates or public key. */
int x509_read(struct view input, struct x509_facts *ret, struct fault *fault) MUST_USE;
/* NULL and cleared ones are allowed. */
void x509_facts_clear(struct x509_facts *facts);

/* True when AWS would register a device certificate with this key: RSA of at least 2048 bits or EC
 * on P-256, P-384, P-521. Else -1 with FAULT_CERTIFICATE_VALIDATION naming the key. */
int x509_key_strong(const struct x509_facts *facts, struct fault *fault) MUST_USE;

/* The device CA, loaded from its two PEM texts. -1 with FAULT_SERVICE_UNAVAILABLE when they cannot
 * be read, do not fit one another or are no CA: the operator's fault, not the caller's. Freed with
 * x509_ca_free (NULL is allowed), which wipes the key. */
struct x509_ca;
int x509_ca_load(struct view cert_pem, struct view key_pem, struct x509_ca **ret,
		 struct fault *fault) MUST_USE;
void x509_ca_free(struct x509_ca *ca);

/* Signs the public key of a PKCS#10 request (PEM). 0 with the certificate's PEM, or -1:
 * FAULT_INVALID_REQUEST when the request is damaged, not signed by its own key, or its key is weak;
 * FAULT_INTERNAL_FAILURE when OpenSSL failed. */
int x509_issue_csr(const struct x509_ca *ca, struct view csr_pem, char **ret_cert_pem,
		   struct fault *fault) MUST_USE;

/* Makes an RSA 2048 key pair and signs it: certificate, public key (SubjectPublicKeyInfo) and
 * private key (PKCS#1), all PEM. 0, or -1 with FAULT_INTERNAL_FAILURE. */
struct x509_key_pair {
	char *cert_pem, *public_pem, *private_pem;
};
int x509_issue_key(const struct x509_ca *ca, struct x509_key_pair *ret,
		   struct fault *fault) MUST_USE;
/* Frees and wipes the three texts; NULL members are allowed. */
void x509_key_pair_clear(struct x509_key_pair *pair);

/* A new self-signed authority with a P-256 key, path length 0, valid for `days` from now. 0, or -1
 * when OpenSSL failed. */
int x509_make_ca(const char *common_name, int days, char **ret_cert_pem,
		 char **ret_key_pem) MUST_USE;

/* A server certificate with a P-256 key for n >= 1 host names or IP addresses (subject alternative
 * names; the first is the common name), signed by the given authority. 0, or -1 when a name is
 * unusable, the authority cannot be read, or OpenSSL failed. */
int x509_make_server(const char *const *names, size_t n, int days, const char *ca_cert_pem,
		     const char *ca_key_pem, char **ret_cert_pem, char **ret_key_pem) MUST_USE;

/* Wipes and frees a text that this module returned. NULL is allowed. */
void x509_free_text(char *text);

#endif

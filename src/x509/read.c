/* Reading a certificate that somebody sent: strict about the wrapping, then every fact once. */
#include "x509/x509.h"
#include "x509/x509_priv.h"

#include "base/chance.h"
#include "base/check.h"

#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/sha.h>
#include <time.h>

#define REFUSE(...) fault_set(fault, FAULT_CERTIFICATE_VALIDATION, __VA_ARGS__)

static struct view trimmed(struct view v)
{
	while (v.n > 0 && g_ascii_isspace(v.p[0])) {
		v.p++;
		v.n--;
	}
	while (v.n > 0 && g_ascii_isspace(v.p[v.n - 1]))
		v.n--;
	return v;
}

static bool starts_with(struct view v, const char *prefix)
{
	size_t n = strlen(prefix);
	return v.n >= n && memcmp(v.p, prefix, n) == 0;
}

/* What is left behind the block that PEM_read_bio took. */
static int check_rest(BIO *bio, struct fault *fault)
{
	char rest[27]; /* as long as the line that a second certificate begins with */
	int n = BIO_read(bio, rest, sizeof(rest));
	if (n <= 0)
		return 0;
	if (starts_with((struct view){rest, (size_t)n}, "-----BEGIN CERTIFICATE-----"))
		return REFUSE("The PEM text holds several certificates; send the device "
			      "certificate alone.");
	return REFUSE(
		"There are bytes after the end of the certificate; send the certificate alone.");
}

/* The DER bytes inside one PEM block. *ret_der is OpenSSL's (OPENSSL_free). */
static int unwrap_pem(struct view text, unsigned char **ret_der, long *ret_n, struct fault *fault)
{
	if (!starts_with(text, "-----BEGIN CERTIFICATE-----"))
		return REFUSE(
			"The text does not begin with '-----BEGIN CERTIFICATE-----'; send the "
			"certificate in PEM form, alone.");
	g_autoptr(BIO) bio = bio_over(text);
	char *name = NULL;
	char *header = NULL;
	if (!bio || !PEM_read_bio(bio, &name, &header, ret_der, ret_n))
		return REFUSE("The PEM text is damaged: its base64 lines or its end line cannot be "
			      "read.");
	int result = header[0] == '\0'
			     ? check_rest(bio, fault)
			     : REFUSE("The PEM text has header lines; send it without them.");
	OPENSSL_free(name);
	OPENSSL_free(header);
	if (result != 0)
		OPENSSL_free(*ret_der);
	return result;
}

/* Refuses what is not written in DER to the last byte: fingerprints are over these bytes,
 * everywhere. */
static int parse_der(const unsigned char *der, long n, X509 **ret, struct fault *fault)
{
	const unsigned char *at = der;
	g_autoptr(X509) cert = d2i_X509(NULL, &at, n);
	if (!cert)
		return REFUSE("The certificate is damaged: it is not an X.509 certificate in DER.");
	if (at != der + n)
		return REFUSE("There are %ld bytes inside the PEM block after the certificate.",
			      (long)(der + n - at));
	unsigned char *again = NULL;
	int n_again = i2d_X509(cert, &again);
	bool is_same = n_again == n && memcmp(again, der, (size_t)n) == 0;
	OPENSSL_free(again);
	if (!is_same)
		return REFUSE("The certificate is not encoded in DER; write it anew with 'openssl "
			      "x509'.");
	*ret = g_steal_pointer(&cert);
	return 0;
}

static int parse(struct view input, struct x509_facts *facts, X509 **ret, struct fault *fault)
{
	if (input.n > X509_PEM_MAX)
		return REFUSE("The certificate has %zu bytes; at most %d are read.", input.n,
			      X509_PEM_MAX);
	unsigned char *der = NULL;
	long n = 0;
	if (input.n > 0 && input.p[0] == 0x30) {
		n = (long)input.n;
		der = OPENSSL_memdup(input.p, input.n);
		if (!der)
			return REFUSE("Out of memory.");
	} else if (unwrap_pem(trimmed(input), &der, &n, fault) != 0) {
		return -1;
	}
	CHECK(der);
	int result = parse_der(der, n, ret, fault);
	uint8_t hash[SHA256_DIGEST_LENGTH];
	hex_encode(SHA256(der, (size_t)n, hash), sizeof(hash), facts->id);
	OPENSSL_free(der);
	return result;
}

char *name_text(const X509_NAME *name)
{
	g_autoptr(BIO) bio = BIO_new(BIO_s_mem());
	char *bytes = NULL;
	if (!bio || X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253) < 0)
		return NULL;
	long n = BIO_get_mem_data(bio, &bytes);
	return g_strndup(bytes, n < 0 ? 0 : (gsize)n);
}

static int read_names(const X509 *cert, struct x509_facts *facts, struct fault *fault)
{
	facts->subject = name_text(X509_get_subject_name(cert));
	facts->issuer = name_text(X509_get_issuer_name(cert));
	return facts->subject && facts->issuer
		       ? 0
		       : REFUSE("The subject or the issuer name cannot be read.");
}

static int read_serial(const X509 *cert, char out[X509_HEX_SIZE], struct fault *fault)
{
	g_autoptr(BIGNUM) number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(cert), NULL);
	char *hex = number ? BN_bn2hex(number) : NULL;
	bool fits = hex && strlen(hex) < X509_HEX_SIZE;
	for (size_t i = 0; fits && i <= strlen(hex); i++)
		out[i] = g_ascii_tolower(hex[i]);
	OPENSSL_free(hex);
	return fits ? 0 : REFUSE("The serial number is unreadable or longer than 64 bytes.");
}

static int read_key_id(const ASN1_OCTET_STRING *id, const char *what, char out[X509_HEX_SIZE],
		       struct fault *fault)
{
	int n = id ? ASN1_STRING_length(id) : 0;
	if (n > (X509_HEX_SIZE - 1) / 2)
		return REFUSE("The %s key identifier has %d bytes; at most 64 are read.", what, n);
	hex_encode(id ? ASN1_STRING_get0_data(id) : NULL, (size_t)n, out);
	return 0;
}

static int read_time(const ASN1_TIME *time, const char *what, int64_t *ret, struct fault *fault)
{
	struct tm tm;
	if (!ASN1_TIME_to_tm(time, &tm))
		return REFUSE("The certificate's %s is no readable date.", what);
	*ret = timegm(&tm);
	return 0;
}

static int read_validity(const X509 *cert, struct x509_facts *facts, struct fault *fault)
{
	if (read_time(X509_get0_notBefore(cert), "notBefore", &facts->not_before, fault) != 0 ||
	    read_time(X509_get0_notAfter(cert), "notAfter", &facts->not_after, fault) != 0)
		return -1;
	return facts->not_before <= facts->not_after
		       ? 0
		       : REFUSE("The certificate's notAfter lies before its notBefore.");
}

static int read_extensions(X509 *cert, struct x509_facts *facts, struct fault *fault)
{
	uint32_t flags = X509_get_extension_flags(cert);
	if (flags & EXFLAG_INVALID)
		return REFUSE("An extension of the certificate is damaged or contradicts another.");
	facts->is_ca = (flags & EXFLAG_CA) != 0;
	if (read_key_id(X509_get0_subject_key_id(cert), "subject", facts->ski, fault) != 0)
		return -1;
	return read_key_id(X509_get0_authority_key_id(cert), "authority", facts->aki, fault);
}

static int read_key(const X509 *cert, struct x509_facts *facts, struct fault *fault)
{
	const EVP_PKEY *key = X509_get0_pubkey(cert);
	if (!key)
		return REFUSE("The certificate's public key cannot be read.");
	facts->key_type = key_kind_of(key)->name;
	facts->key_bits = (unsigned)EVP_PKEY_get_bits(key);
	return 0;
}

static int read_facts(X509 *cert, struct x509_facts *facts, struct fault *fault)
{
	if (read_names(cert, facts, fault) != 0 || read_serial(cert, facts->serial, fault) != 0 ||
	    read_validity(cert, facts, fault) != 0 || read_extensions(cert, facts, fault) != 0 ||
	    read_key(cert, facts, fault) != 0)
		return -1;
	read_attributes(cert, facts);
	facts->pem = pem_of_cert(cert);
	return facts->pem ? 0 : REFUSE("The certificate cannot be written as PEM.");
}

int x509_read(struct view input, struct x509_facts *ret, struct fault *fault)
{
	struct x509_facts facts = {0};
	g_autoptr(X509) cert = NULL;
	int result = parse(input, &facts, &cert, fault);
	if (result == 0)
		result = read_facts(cert, &facts, fault);
	ERR_clear_error();
	if (result == 0)
		*ret = facts;
	else
		x509_facts_clear(&facts);
	return result;
}

void x509_facts_clear(struct x509_facts *facts)
{
	if (!facts)
		return;
	g_free(facts->subject);
	g_free(facts->issuer);
	g_free(facts->pem);
	attributes_clear(facts);
	*facts = (struct x509_facts){0};
}

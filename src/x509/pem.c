/* PEM texts to OpenSSL objects and back. */
#include "x509/x509.h"
#include "x509/x509_priv.h"

#include <limits.h>
#include <openssl/crypto.h>

BIO *bio_over(struct view bytes)
{
	return bytes.n > INT_MAX ? NULL : BIO_new_mem_buf(bytes.p, (int)bytes.n);
}

/* Takes what was written into the BIO as a text; the BIO's own memory is wiped by BIO_s_secmem. */
static char *text_of(BIO *bio, int is_written)
{
	char *bytes = NULL;
	long n = is_written ? BIO_get_mem_data(bio, &bytes) : -1;
	return n < 0 ? NULL : g_strndup(bytes, (gsize)n);
}

char *pem_of_cert(X509 *cert)
{
	g_autoptr(BIO) bio = BIO_new(BIO_s_mem());
	return text_of(bio, bio && PEM_write_bio_X509(bio, cert));
}

char *pem_of_public_key(EVP_PKEY *key)
{
	g_autoptr(BIO) bio = BIO_new(BIO_s_mem());
	return text_of(bio, bio && PEM_write_bio_PUBKEY(bio, key));
}

char *pem_of_private_key(EVP_PKEY *key)
{
	g_autoptr(BIO) bio = BIO_new(BIO_s_secmem());
	return text_of(bio, bio && PEM_write_bio_PrivateKey_traditional(bio, key, NULL, NULL, 0,
									NULL, NULL));
}

/* OpenSSL would prompt on the terminal without this, and wait. */
static int no_pass_phrase(char *buf, int size, int is_writing, void *ctx)
{
	(void)buf;
	(void)size;
	(void)is_writing;
	(void)ctx;
	return -1;
}

X509 *cert_of_pem(struct view pem)
{
	g_autoptr(BIO) bio = bio_over(pem);
	return bio ? PEM_read_bio_X509(bio, NULL, no_pass_phrase, NULL) : NULL;
}

X509_REQ *request_of_pem(struct view pem)
{
	g_autoptr(BIO) bio = bio_over(pem);
	return bio ? PEM_read_bio_X509_REQ(bio, NULL, no_pass_phrase, NULL) : NULL;
}

EVP_PKEY *private_key_of_pem(struct view pem)
{
	g_autoptr(BIO) bio = bio_over(pem);
	return bio ? PEM_read_bio_PrivateKey(bio, NULL, no_pass_phrase, NULL) : NULL;
}

void x509_free_text(char *text)
{
	if (text)
		OPENSSL_cleanse(text, strlen(text));
	g_free(text);
}

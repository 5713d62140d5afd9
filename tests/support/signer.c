#include "signer.h"

#include "api/sigv4_canonical.h"
#include "base/chance.h"

#include <glib.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

static void hmac(unsigned char *key, size_t n, const char *text)
{
	unsigned char out[32];
	HMAC(EVP_sha256(), key, (int)n, (const unsigned char *)text, strlen(text), out, NULL);
	memcpy(key, out, sizeof(out));
}

static char *hash(const char *text, size_t n)
{
	return g_compute_checksum_for_data(G_CHECKSUM_SHA256, (const guchar *)(text ? text : ""),
					   n);
}

char *sign_request(const struct signer *signer, const struct api_request *request)
{
	char *names[] = {g_strdup("host"), g_strdup("x-amz-date"), NULL};
	const struct sigv4 claim = {.signed_headers = names};
	g_autofree char *date = g_strndup(signer->at, 8);
	g_autofree char *scope =
		g_strdup_printf("%s/%s/%s/aws4_request", date, signer->region, signer->service);
	g_autofree char *body_hash = hash(request->body.p, request->body.n);
	g_autofree char *canonical = sigv4_canonical(&claim, request, body_hash);
	g_autofree char *canonical_hash = hash(canonical, strlen(canonical));
	g_autofree char *text =
		g_strdup_printf("AWS4-HMAC-SHA256\n%s\n%s\n%s", signer->at, scope, canonical_hash);
	unsigned char key[256];
	char signature[65];
	size_t n = (size_t)g_snprintf((char *)key, sizeof(key), "AWS4%s", signer->secret);
	hmac(key, n, date);
	hmac(key, 32, signer->region);
	hmac(key, 32, signer->service);
	hmac(key, 32, "aws4_request");
	hmac(key, 32, text);
	hex_encode(key, 32, signature);
	g_free(names[0]);
	g_free(names[1]);
	return g_strdup_printf(
		"AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=host;x-amz-date, Signature=%s",
		signer->key_id, scope, signature);
}

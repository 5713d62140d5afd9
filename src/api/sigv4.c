/* Whether a claim holds. */
#include "api/sigv4.h"

#include "api/sigv4_canonical.h"
#include "base/chance.h"
#include "base/check.h"

#include <glib.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#define HEX_SIZE (2 * SHA256_DIGEST_LENGTH + 1)

static void sha256_hex(struct view text, char out[HEX_SIZE])
{
	unsigned char digest[SHA256_DIGEST_LENGTH];
	CHECK(EVP_Digest(text.p ? text.p : "", text.n, digest, NULL, EVP_sha256(), NULL) == 1);
	hex_encode(digest, sizeof(digest), out);
}

/* key = HMAC(key, text), in place. */
static void chain(unsigned char key[SHA256_DIGEST_LENGTH], const char *text)
{
	unsigned char next[SHA256_DIGEST_LENGTH];
	CHECK(HMAC(EVP_sha256(), key, SHA256_DIGEST_LENGTH, (const unsigned char *)text,
		   strlen(text), next, NULL));
	memcpy(key, next, sizeof(next));
	OPENSSL_cleanse(next, sizeof(next));
}

static void signing_key(const struct sigv4 *claim, const char *secret,
			unsigned char key[SHA256_DIGEST_LENGTH])
{
	g_autofree char *first = g_strconcat("AWS4", secret, NULL);
	CHECK(HMAC(EVP_sha256(), first, (int)strlen(first), (const unsigned char *)claim->date,
		   strlen(claim->date), key, NULL));
	OPENSSL_cleanse(first, strlen(first));
	chain(key, claim->region);
	chain(key, claim->service);
	chain(key, "aws4_request");
}

static void signature_of(const struct sigv4 *claim, const struct api_request *request,
			 const char *secret, const char *body_hash, char out[HEX_SIZE])
{
	g_autofree char *canonical = sigv4_canonical(claim, request, body_hash);
	char hash[HEX_SIZE];
	sha256_hex(view_of(canonical), hash);
	g_autofree char *to_sign =
		g_strdup_printf("AWS4-HMAC-SHA256\n%s\n%s/%s/%s/aws4_request\n%s", claim->at,
				claim->date, claim->region, claim->service, hash);
	unsigned char key[SHA256_DIGEST_LENGTH];
	signing_key(claim, secret, key);
	chain(key, to_sign);
	hex_encode(key, sizeof(key), out);
	OPENSSL_cleanse(key, sizeof(key));
}

static bool is_equal(const char *a, const char *b)
{
	size_t n = strlen(a);
	return n == strlen(b) && CRYPTO_memcmp(a, b, n) == 0;
}

static int check_token(const struct sigv4 *claim, const struct sigv4_secret *secret,
		       struct refusal *refusal)
{
	bool is_known =
		secret && (secret->token ? claim->token && is_equal(secret->token, claim->token)
					 : !claim->token);
	return is_known ? 0
			: refuse(refusal, "UnrecognizedClientException",
				 "The security token included in the request is invalid.");
}

/* The hash that the client signed: of the body as it came, or what the client says where that may
 * differ. */
static int body_hash(const struct sigv4_rules *rules, const struct api_request *request,
		     char out[HEX_SIZE], struct refusal *refusal)
{
	const char *told = api_request_header(request, "x-amz-content-sha256");
	sha256_hex(request->body, out);
	if (!told || is_equal(told, out))
		return 0;
	if (rules->allows_unsigned_payload && strcmp(told, "UNSIGNED-PAYLOAD") == 0) {
		g_strlcpy(out, told, HEX_SIZE);
		return 0;
	}
	return refuse(refusal, "InvalidSignatureException",
		      "x-amz-content-sha256 must be the SHA-256 of the body as it was received");
}

int sigv4_verify(const struct sigv4_rules *rules, const struct sigv4 *claim,
		 const struct api_request *request, const struct sigv4_secret *secret,
		 struct refusal *refusal)
{
	char hash[HEX_SIZE], signature[HEX_SIZE];
	if (check_token(claim, secret, refusal) < 0 || body_hash(rules, request, hash, refusal) < 0)
		return -1;
	signature_of(claim, request, secret->secret, hash, signature);
	if (is_equal(signature, claim->signature))
		return 0;
	return refuse(refusal, "InvalidSignatureException",
		      "The request signature we calculated does not match the signature you "
		      "provided. Check your AWS "
		      "Secret Access Key and signing method. Consult the service documentation for "
		      "details.");
}

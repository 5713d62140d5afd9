#include "api/token.h"

#include "base/check.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#define MAC_SIZE 16 /* the first half of HMAC-SHA256 */

/* What a token is bound to: every input member but the token itself and the limit, in one spelling.
 */
static char *binding(const struct operation *op, const json_t *in)
{
	json_t *filters = json_copy((json_t *)(uintptr_t)in);
	json_object_del(filters, op->page.token_in);
	if (op->page.limit)
		json_object_del(filters, op->page.limit);
	char *text = json_dumps(filters, JSON_SORT_KEYS | JSON_COMPACT);
	json_decref(filters);
	return text;
}

static void mac(const struct token_key *key, const struct operation *op, const json_t *in,
		const char *cursor, unsigned char out[EVP_MAX_MD_SIZE])
{
	char *filters = binding(op, in);
	g_autoptr(GString) text = g_string_new(op->name);
	g_string_append_printf(text, "\n%s\n%s", filters, cursor);
	free(filters);
	unsigned n;
	CHECK(HMAC(EVP_sha256(), key->bytes, TOKEN_KEY_SIZE, (const unsigned char *)text->str,
		   text->len, out, &n));
}

char *token_seal(const struct token_key *key, const struct operation *op, const json_t *in,
		 const char *cursor)
{
	unsigned char bytes[EVP_MAX_MD_SIZE + PAGE_CURSOR_MAX];
	size_t n = strlen(cursor);
	CHECK(n > 0 && n <= PAGE_CURSOR_MAX);
	mac(key, op, in, cursor, bytes);
	memcpy(bytes + MAC_SIZE, cursor, n);
	return g_base64_encode(bytes, MAC_SIZE + n);
}

int token_open(const struct token_key *key, const struct operation *op, const json_t *in,
	       const char *token, char cursor[PAGE_CURSOR_MAX + 1])
{
	unsigned char expected[EVP_MAX_MD_SIZE];
	gsize n;
	g_autofree unsigned char *bytes = g_base64_decode(token, &n);
	if (!bytes || n <= MAC_SIZE || n > MAC_SIZE + PAGE_CURSOR_MAX ||
	    memchr(bytes + MAC_SIZE, '\0', n - MAC_SIZE))
		return -1;
	memcpy(cursor, bytes + MAC_SIZE, n - MAC_SIZE);
	cursor[n - MAC_SIZE] = '\0';
	mac(key, op, in, cursor, expected);
	return CRYPTO_memcmp(expected, bytes, MAC_SIZE) == 0 ? 0 : -1;
}

/* Kinds of keys and what is strong enough for a device (spec/registry-and-policies.md section 3).
 */
#include "x509/x509.h"
#include "x509/x509_priv.h"

#include <openssl/objects.h>

static const struct {
	struct key_kind kind;
	const char *type;  /* EVP_PKEY_is_a */
	const char *group; /* EC only: the curve's name in OpenSSL */
} kinds[] = {
	{{"RSA", 2048, 16384},          "RSA",     NULL               },
	{{"EC P-256", 256, 256},        "EC",      SN_X9_62_prime256v1},
	{{"EC P-384", 384, 384},        "EC",      SN_secp384r1       },
	{{"EC P-521", 521, 521},        "EC",      SN_secp521r1       },
	{{"EC of another curve", 0, 0}, "EC",      NULL               },
	{{"Ed25519", 0, 0},             "ED25519", NULL               },
	{{"DSA", 0, 0},                 "DSA",     NULL               },
};

static const struct key_kind unknown_kind = {"of an unknown kind", 0, 0};

const struct key_kind *key_kind_of(const EVP_PKEY *key)
{
	char group[64] = "";
	(void)EVP_PKEY_get_group_name(key, group, sizeof(group), NULL);
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (EVP_PKEY_is_a(key, kinds[i].type) &&
		    (!kinds[i].group || strcmp(kinds[i].group, group) == 0))
			return &kinds[i].kind;
	return &unknown_kind;
}

int key_check(const char *key_type, int bits, enum fault_kind kind, struct fault *fault)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		const struct key_kind *k = &kinds[i].kind;
		if (strcmp(k->name, key_type) == 0 && bits >= k->bits_min && bits <= k->bits_max)
			return 0;
	}
	return fault_set(fault, kind,
			 "The public key is %s with %d bits; use RSA with 2048 to 16384 bits, or "
			 "EC on the curve "
			 "P-256, P-384 or P-521.",
			 key_type, bits);
}

int x509_key_strong(const struct x509_facts *facts, struct fault *fault)
{
	return key_check(facts->key_type, (int)facts->key_bits, FAULT_CERTIFICATE_VALIDATION,
			 fault);
}

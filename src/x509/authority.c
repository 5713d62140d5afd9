/* Our own authorities and the broker's server certificate, made by `thingward init`. */
#include "x509/x509.h"
#include "x509/x509_priv.h"

#include <openssl/err.h>
#include <time.h>

#define CURVE           "P-256"
#define CLOCK_SLACK_S   300
#define DAY_S           86400
#define HOST_MAX        253 /* RFC 1035: characters of a host name */
#define COMMON_NAME_MAX 64  /* X.520 */

static const struct cert_extension ca_extensions[] = {
	{NID_basic_constraints,      "critical,CA:TRUE,pathlen:0"  },
	{NID_key_usage,              "critical,keyCertSign,cRLSign"},
	{NID_subject_key_identifier, "hash"                        },
	{0,			  NULL			  },
};

static const struct cert_extension server_extensions[] = {
	{NID_basic_constraints,        "critical,CA:FALSE"        },
	{NID_key_usage,                "critical,digitalSignature"},
	{NID_ext_key_usage,            "serverAuth"               },
	{NID_subject_key_identifier,   "hash"                     },
	{NID_authority_key_identifier, "keyid"                    },
	{0,			    NULL		       },
};

/* Completes the recipe with a new key and days of validity, and hands out both texts or none. */
static int make(struct cert_recipe *recipe, EVP_PKEY *key, int days, char **ret_cert_pem,
		char **ret_key_pem)
{
	int64_t now = time(NULL);
	recipe->key = key;
	recipe->not_before = now - CLOCK_SLACK_S;
	recipe->not_after = now + (int64_t)days * DAY_S;
	g_autoptr(X509) cert = cert_make(recipe);
	char *cert_pem = cert ? pem_of_cert(cert) : NULL;
	char *key_pem = cert_pem ? pem_of_private_key(key) : NULL;
	ERR_clear_error();
	if (!key_pem) {
		x509_free_text(cert_pem);
		return -1;
	}
	*ret_cert_pem = cert_pem;
	*ret_key_pem = key_pem;
	return 0;
}

int x509_make_ca(const char *common_name, int days, char **ret_cert_pem, char **ret_key_pem)
{
	g_autoptr(EVP_PKEY) key = EVP_EC_gen(CURVE);
	struct cert_recipe recipe = {
		.common_name = common_name,
		.signer = key,
		.extensions = ca_extensions,
	};
	return key ? make(&recipe, key, days, ret_cert_pem, ret_key_pem) : -1;
}

static bool is_host_name(const char *name)
{
	size_t n = strlen(name);
	return n > 0 && n <= HOST_MAX &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_*") ==
		       n;
}

/* The name takes the value over; both are freed when that fails. */
static GENERAL_NAME *general_name(int type, void *value)
{
	GENERAL_NAME *name = value ? GENERAL_NAME_new() : NULL;
	if (name)
		GENERAL_NAME_set0_value(name, type, value);
	else
		ASN1_STRING_free(value);
	return name;
}

static GENERAL_NAME *alternative_name(const char *name)
{
	ASN1_OCTET_STRING *address = a2i_IPADDRESS(name);
	if (address)
		return general_name(GEN_IPADD, address);
	if (!is_host_name(name))
		return NULL;
	ASN1_IA5STRING *host = ASN1_IA5STRING_new();
	if (host && !ASN1_STRING_set(host, name, -1)) {
		ASN1_STRING_free(host);
		return NULL;
	}
	return general_name(GEN_DNS, host);
}

static GENERAL_NAMES *alternative_names(const char *const *names, size_t n)
{
	g_autoptr(GENERAL_NAMES) list = GENERAL_NAMES_new();
	for (size_t i = 0; list && i < n; i++) {
		GENERAL_NAME *name = alternative_name(names[i]);
		if (!name || !sk_GENERAL_NAME_push(list, name)) {
			GENERAL_NAME_free(name);
			return NULL;
		}
	}
	return g_steal_pointer(&list);
}

int x509_make_server(const char *const *names, size_t n, int days, const char *ca_cert_pem,
		     const char *ca_key_pem, char **ret_cert_pem, char **ret_key_pem)
{
	g_autoptr(X509) issuer = cert_of_pem(view_of(ca_cert_pem));
	g_autoptr(EVP_PKEY) signer = private_key_of_pem(view_of(ca_key_pem));
	g_autoptr(GENERAL_NAMES) alternatives = alternative_names(names, n);
	g_autoptr(EVP_PKEY) key = EVP_EC_gen(CURVE);
	ERR_clear_error();
	if (!issuer || !signer || !alternatives || !key || n == 0)
		return -1;
	struct cert_recipe recipe = {
		.common_name = strlen(names[0]) <= COMMON_NAME_MAX ? names[0] : "MQTT broker",
		.issuer = issuer,
		.signer = signer,
		.extensions = server_extensions,
		.alternative_names = alternatives,
	};
	return make(&recipe, key, days, ret_cert_pem, ret_key_pem);
}

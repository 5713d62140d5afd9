/* The single attributes of subject, issuer and alternative names, as policies ask for them. */
#include "x509/x509.h"
#include "x509/x509_priv.h"

#include <arpa/inet.h>
#include <openssl/asn1.h>

/* Whose attributes are read. */
struct side {
	const char *name;
	int alternative_names; /* its extension */
	GArray *out;
};

static void add(const struct side *side, const char *name, const char *value, size_t n)
{
	struct x509_attribute attribute = {
		.name = g_strconcat(side->name, ".", name, NULL),
		.value = g_memdup2(value, n),
		.n = n,
	};
	g_array_append_val(side->out, attribute);
}

/* What cannot be read as text counts by its bytes: it is there, and equals nothing that a policy
 * can write. */
static void add_string(const struct side *side, const char *name, const ASN1_STRING *string)
{
	unsigned char *text = NULL;
	int n = ASN1_STRING_to_UTF8(&text, string);
	if (n >= 0)
		add(side, name, (const char *)text, (size_t)n);
	else
		add(side, name, (const char *)ASN1_STRING_get0_data(string),
		    (size_t)ASN1_STRING_length(string));
	OPENSSL_free(text);
}

/* ---- Names ---- */

static const char *attribute_name(int nid)
{
	static const struct {
		int nid;
		const char *name;
	} rows[] = {
#define ATTRIBUTE(nid, name) {nid, name},
#include "x509/attribute.tbl.h"
#undef ATTRIBUTE
	};
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
		if (rows[i].nid == nid)
			return rows[i].name;
	return NULL;
}

static void add_name(const struct side *side, const X509_NAME *name)
{
	for (int i = 0; i < X509_NAME_entry_count(name); i++) {
		const X509_NAME_ENTRY *entry = X509_NAME_get_entry(name, i);
		const char *attribute =
			attribute_name(OBJ_obj2nid(X509_NAME_ENTRY_get_object(entry)));
		if (attribute)
			add_string(side, attribute, X509_NAME_ENTRY_get_data(entry));
	}
}

/* ---- Alternative names ---- */

static void add_address(const struct side *side, const char *name, const void *value)
{
	const ASN1_STRING *bytes = value;
	char text[INET6_ADDRSTRLEN];
	int family = ASN1_STRING_length(bytes) == 4 ? AF_INET : AF_INET6;
	if (ASN1_STRING_length(bytes) != 4 && ASN1_STRING_length(bytes) != 16)
		return;
	if (inet_ntop(family, ASN1_STRING_get0_data(bytes), text, sizeof(text)))
		add(side, name, text, strlen(text));
}

static void add_directory(const struct side *side, const char *name, const void *directory)
{
	g_autofree char *text = name_text(directory);
	if (text)
		add(side, name, text, strlen(text));
}

typedef void general_fn(const struct side *side, const char *name, const void *value);

static void add_text(const struct side *side, const char *name, const void *value)
{
	add_string(side, name, value);
}

static void add_general(const struct side *side, const GENERAL_NAME *general)
{
	static const struct {
		int type;
		const char *name;
		general_fn *add;
	} rows[] = {
		{GEN_EMAIL,   "AlternativeName.RFC822Name",                add_text     },
		{GEN_DNS,     "AlternativeName.DNSName",                   add_text     },
		{GEN_URI,     "AlternativeName.UniformResourceIdentifier", add_text     },
		{GEN_IPADD,   "AlternativeName.IPAddress",                 add_address  },
		{GEN_DIRNAME, "AlternativeName.DirectoryName",             add_directory},
	};
	int type;
	const void *value = GENERAL_NAME_get0_value(general, &type);
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
		if (rows[i].type == type)
			rows[i].add(side, rows[i].name, value);
}

static void add_alternative_names(const struct side *side, const X509 *cert)
{
	g_autoptr(GENERAL_NAMES) names =
		X509_get_ext_d2i(cert, side->alternative_names, NULL, NULL);
	for (int i = 0; names && i < sk_GENERAL_NAME_num(names); i++)
		add_general(side, sk_GENERAL_NAME_value(names, i));
}

void read_attributes(const X509 *cert, struct x509_facts *facts)
{
	GArray *out = g_array_new(FALSE, FALSE, sizeof(struct x509_attribute));
	const struct side subject = {"Subject", NID_subject_alt_name, out};
	const struct side issuer = {"Issuer", NID_issuer_alt_name, out};
	add_name(&subject, X509_get_subject_name(cert));
	add_alternative_names(&subject, cert);
	add_name(&issuer, X509_get_issuer_name(cert));
	add_alternative_names(&issuer, cert);
	facts->n_attributes = out->len;
	facts->attributes = (struct x509_attribute *)(void *)g_array_free(out, FALSE);
}

void attributes_clear(struct x509_facts *facts)
{
	for (size_t i = 0; i < facts->n_attributes; i++) {
		g_free(facts->attributes[i].name);
		g_free(facts->attributes[i].value);
	}
	g_free(facts->attributes);
}

/* Device certificates: issuing, registering, status, end. */
#include "api/registry_call.h"
#include "registry/certificate.h"

#include <glib.h>

static void out_certificate(struct api_call *call, const char *id)
{
	out_arn(call, "certificateArn", "cert", id);
	out_text(call, "certificateId", id);
}

static void release_pair(void *pair)
{
	x509_key_pair_clear(pair);
	g_free(pair);
}

int prepare_CreateKeysAndCertificate(struct api_call *call)
{
	struct registry r = registry_of(call);
	struct x509_key_pair *pair = g_new0(struct x509_key_pair, 1);
	call->prepared = pair;
	call->release = release_pair;
	return certificate_issue_key(&r, pair);
}

int op_CreateKeysAndCertificate(struct api_call *call)
{
	struct registry r = registry_of(call);
	char id[X509_ID_SIZE];
	const struct x509_key_pair *pair = call->prepared;
	int err = certificate_add_issued(&r, pair->cert_pem, in_bool(call, "setAsActive", 0), id);
	if (err)
		return err;
	out_certificate(call, id);
	out_text(call, "certificatePem", pair->cert_pem);
	out_json(call, "keyPair",
		 json_pack("{s:s, s:s}", "PublicKey", pair->public_pem, "PrivateKey",
			   pair->private_pem));
	return 0;
}

static void release_text(void *text)
{
	x509_free_text(text);
}

int prepare_CreateCertificateFromCsr(struct api_call *call)
{
	struct registry r = registry_of(call);
	char *pem = NULL;
	int err = certificate_issue_csr(&r, in_text(call, "certificateSigningRequest"), &pem);
	call->prepared = pem;
	call->release = release_text;
	return err;
}

int op_CreateCertificateFromCsr(struct api_call *call)
{
	struct registry r = registry_of(call);
	char id[X509_ID_SIZE];
	int err = certificate_add_issued(&r, call->prepared, in_bool(call, "setAsActive", 0), id);
	if (err)
		return err;
	out_certificate(call, id);
	out_text(call, "certificatePem", call->prepared);
	return 0;
}

int op_RegisterCertificateWithoutCA(struct api_call *call)
{
	struct registry r = registry_of(call);
	char id[X509_ID_SIZE];
	const char *status = in_text(call, "status");
	int err = certificate_register(&r, in_text(call, "certificatePem"),
				       status ? status : "INACTIVE", id);
	if (!err)
		out_certificate(call, id);
	return err;
}

static json_t *describe(struct api_call *call, const char *id, const struct certificate *c,
			const char *pem)
{
	return json_pack("{s:o, s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:s, s:{s:I, s:I}, s:s}",
			 "certificateArn", arn_string(call, "cert", id), "certificateId", id,
			 "status", c->status, "certificatePem", pem, "ownedBy",
			 call->env->settings->account_id, "creationDate", (json_int_t)c->created,
			 "lastModifiedDate", (json_int_t)c->modified, "customerVersion",
			 (json_int_t)c->version, "generationId", c->generation_id, "validity",
			 "notBefore", (json_int_t)c->not_before * 1000, "notAfter",
			 (json_int_t)c->not_after * 1000, "certificateMode", c->mode);
}

int op_DescribeCertificate(struct api_call *call)
{
	struct registry r = registry_of(call);
	char id[X509_ID_SIZE];
	struct certificate certificate = {0};
	g_autofree char *pem = NULL;
	certificate_id(in_text(call, "certificateId"), id);
	int err = certificate_get(&r, id, &certificate);
	if (!err)
		err = certificate_pem(&r, id, &pem);
	if (!err)
		out_json(call, "certificateDescription", describe(call, id, &certificate, pem));
	certificate_clear(&certificate);
	return err;
}

int op_UpdateCertificate(struct api_call *call)
{
	struct registry r = registry_of(call);
	char id[X509_ID_SIZE];
	certificate_id(in_text(call, "certificateId"), id);
	return certificate_set_status(&r, id, in_text(call, "newStatus"));
}

int op_DeleteCertificate(struct api_call *call)
{
	struct registry r = registry_of(call);
	char id[X509_ID_SIZE];
	certificate_id(in_text(call, "certificateId"), id);
	return certificate_delete(&r, id, in_bool(call, "forceDelete", 0));
}

static int add_certificate(const struct certificate_item *item, void *ctx)
{
	struct page *page = ctx;
	json_t *certificate = json_pack("{s:o, s:s, s:s, s:s, s:I}", "certificateArn",
					arn_string(page->call, "cert", item->id), "certificateId",
					item->id, "status", item->status, "certificateMode",
					item->mode, "creationDate", (json_int_t)item->created);
	return list_dated(page, certificate, item->created, item->id);
}

int op_ListCertificates(struct api_call *call)
{
	struct registry r = registry_of(call);
	struct page page = page_of(call);
	struct list_place place = place_of(&page);
	return list_end(&page,
			certificate_list(&r, &place, page.limit + 1, add_certificate, &page));
}

/* Certificates attached to things. */
#include "api/registry_call.h"
#include "registry/attachment.h"
#include "registry/principal.h"

#include <string.h>

#define EXCLUSIVE "EXCLUSIVE_THING"

static const char *type_name(bool is_exclusive)
{
	return is_exclusive ? EXCLUSIVE : "NON_EXCLUSIVE_THING";
}

static bool is_exclusive(const struct api_call *call)
{
	const char *type = in_text(call, "thingPrincipalType");
	return type && strcmp(type, EXCLUSIVE) == 0;
}

static enum principal_filter filter_of(const struct api_call *call)
{
	if (!in_text(call, "thingPrincipalType"))
		return PRINCIPAL_ANY;
	return is_exclusive(call) ? PRINCIPAL_EXCLUSIVE : PRINCIPAL_NON_EXCLUSIVE;
}

int op_AttachThingPrincipal(struct api_call *call)
{
	struct registry r = registry_of(call);
	struct target principal;
	int err = target_parse_principal(&r, in_text(call, "principal"), &principal);
	return err ? err
		   : principal_attach(&r, in_text(call, "thingName"), principal.name,
				      is_exclusive(call));
}

int op_DetachThingPrincipal(struct api_call *call)
{
	struct registry r = registry_of(call);
	struct target principal;
	int err = target_parse_principal(&r, in_text(call, "principal"), &principal);
	return err ? err : principal_detach(&r, in_text(call, "thingName"), principal.name);
}

static int add_principal(const char *id, bool exclusive, void *ctx)
{
	struct page *page = ctx;
	(void)exclusive;
	return page_add(page, arn_string(page->call, "cert", id), id) ? 0 : 1;
}

static int add_principal_object(const char *id, bool exclusive, void *ctx)
{
	struct page *page = ctx;
	json_t *item = json_pack("{s:o, s:s}", "principal", arn_string(page->call, "cert", id),
				 "thingPrincipalType", type_name(exclusive));
	return page_add(page, item, id) ? 0 : 1;
}

static int add_thing(const char *name, bool exclusive, void *ctx)
{
	(void)exclusive;
	return list_name(name, ctx);
}

static int add_thing_object(const char *name, bool exclusive, void *ctx)
{
	json_t *item = json_pack("{s:s, s:s}", "thingName", name, "thingPrincipalType",
				 type_name(exclusive));
	return page_add(ctx, item, name) ? 0 : 1;
}

static int list_certificates(struct api_call *call, principal_fn *add)
{
	struct registry r = registry_of(call);
	struct page page = page_of(call);
	return list_end(&page,
			principal_each_certificate(&r, in_text(call, "thingName"), filter_of(call),
						   page.after, page.limit + 1, add, &page));
}

static int list_things(struct api_call *call, principal_fn *add)
{
	struct registry r = registry_of(call);
	struct target principal;
	int err = target_parse_principal(&r, in_text(call, "principal"), &principal);
	if (err)
		return err;
	struct page page = page_of(call);
	return list_end(&page, principal_each_thing(&r, principal.name, filter_of(call), page.after,
						    page.limit + 1, add, &page));
}

int op_ListThingPrincipals(struct api_call *call)
{
	return list_certificates(call, add_principal);
}

int op_ListThingPrincipalsV2(struct api_call *call)
{
	return list_certificates(call, add_principal_object);
}

int op_ListPrincipalThings(struct api_call *call)
{
	return list_things(call, add_thing);
}

int op_ListPrincipalThingsV2(struct api_call *call)
{
	return list_things(call, add_thing_object);
}

/* Dimensions: named sets of topic filters. */
#include "api/registry_call.h"
#include "registry/dimension.h"

static void out_dimension(struct api_call *call, const char *name, struct dimension *dimension)
{
	out_text(call, "name", name);
	out_arn(call, "arn", "dimension", name);
	out_text(call, "type", "TOPIC_FILTER");
	out_json(call, "stringValues", json_incref(dimension->values));
	out_int(call, "creationDate", dimension->created);
	out_int(call, "lastModifiedDate", dimension->modified);
	dimension_clear(dimension);
}

int op_CreateDimension(struct api_call *call)
{
	struct registry r = registry_of(call);
	const char *name = in_text(call, "name");
	int err = refuse_tags(call);
	if (!err)
		err = dimension_create(&r, name, in_json(call, "stringValues"),
				       in_text(call, "clientRequestToken"));
	if (err)
		return err;
	out_text(call, "name", name);
	out_arn(call, "arn", "dimension", name);
	return 0;
}

int op_DescribeDimension(struct api_call *call)
{
	struct registry r = registry_of(call);
	const char *name = in_text(call, "name");
	struct dimension dimension;
	int err = dimension_get(&r, name, &dimension);
	if (!err)
		out_dimension(call, name, &dimension);
	return err;
}

int op_UpdateDimension(struct api_call *call)
{
	struct registry r = registry_of(call);
	const char *name = in_text(call, "name");
	struct dimension dimension;
	int err = dimension_update(&r, name, in_json(call, "stringValues"), &dimension);
	if (!err)
		out_dimension(call, name, &dimension);
	return err;
}

int op_DeleteDimension(struct api_call *call)
{
	struct registry r = registry_of(call);
	return dimension_delete(&r, in_text(call, "name"));
}

int op_ListDimensions(struct api_call *call)
{
	struct registry r = registry_of(call);
	struct page page = page_of(call);
	return list_end(&page, dimension_list(&r, page.after, page.limit + 1, list_name, &page));
}

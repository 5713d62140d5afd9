/* Containments and clone cases: operations of ours. */
#include "api/containment_json.h"
#include "api/registry_call.h"

#include <glib.h>
#include <inttypes.h>
#include <stdlib.h>

static int add_containment(const struct containment *c, void *page)
{
	g_autofree char *id = g_strdup_printf("%" PRId64, c->id);
	return page_add(page, containment_json(c), id) ? 0 : 1;
}

int op_ListContainments(struct api_call *call)
{
	struct page page = page_of(call);
	const char *state = in_text(call, "state");
	int64_t before = *page.after ? strtoll(page.after, NULL, 10) : INT64_MAX;
	return list_end(&page, containment_list(call->db, before, state ? state : "",
						page.limit + 1, add_containment, &page));
}

static int out_containment(const struct containment *c, void *call)
{
	out_json(call, "containment", containment_json(c));
	return 0;
}

int op_DescribeContainment(struct api_call *call)
{
	int64_t id = strtoll(in_text(call, "containmentId"), NULL, 10);
	int r = containment_get(call->db, id, out_containment, call);
	if (r == 0)
		return fault_set(&call->fault, FAULT_RESOURCE_NOT_FOUND,
				 "There is no containment %" PRId64 ".", id);
	return r < 0 ? r : containment_details(call->db, id, call->out);
}

static int add_case(const char *key, const struct clone_subject *subject,
		    const struct clone_case *c, void *page)
{
	return list_dated(page, clone_case_json(subject, c), c->last_ms, key);
}

int op_ListCloneCases(struct api_call *call)
{
	struct page page = page_of(call);
	struct list_place place = place_of(&page);
	return list_end(&page, clone_case_list(call->db, place.is_start ? INT64_MAX : place.created,
					       place.key, page.limit + 1, add_case, &page));
}

/* What the registry's handlers (op_things.c .. op_logging.c) share: from a call to registry/ and
 * back. */
#ifndef API_REGISTRY_CALL_H
#define API_REGISTRY_CALL_H

#include "api/call.h"
#include "registry/registry.h"

/* The call as registry/ wants it; it borrows the call. */
struct registry registry_of(struct api_call *call);

/* The member's text, or that of a nested member: "attributePayload", "merge". NULL when absent. */
json_t *in_nested(const struct api_call *call, const char *member, const char *nested);

/* FAULT_INVALID_REQUEST when tags were given: they come with the tag operations. */
int refuse_tags(struct api_call *call) MUST_USE;

/* Writes the ARN of a resource of this account as an output member. */
void out_arn(struct api_call *call, const char *member, const char *type, const char *name);
/* {"<name_member>": name, "<arn_member>": its ARN} */
json_t *named_arn(const struct api_call *call, const char *name_member, const char *arn_member,
		  const char *type, const char *name);
json_t *arn_string(const struct api_call *call, const char *type, const char *name);

/* Ends a list: what the walk returned (positive: the page was full) becomes the handler's result.
 */
int list_end(struct page *page, int walked) MUST_USE;
/* A name_fn that adds the name itself; ctx is the page. */
int list_name(const char *name, void *page);

/* Lists by date: where the page begins, in the order that `ascendingOrder` asks for, and the cursor
 * of an item. */
struct list_place place_of(const struct page *page);
int list_dated(struct page *page, json_t *item, int64_t created, const char *key);

/* Lists by two keys: the cursor "first/second", taken apart into `first`; returns second ("" and ""
 * on the first page). */
#define FIRST_KEY_SIZE 32
const char *place_pair(const struct page *page, char first[FIRST_KEY_SIZE]);

#endif

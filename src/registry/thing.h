/* Things: a device's entry in the registry (spec section 2). */
#ifndef REGISTRY_THING_H
#define REGISTRY_THING_H

#include "registry/registry.h"

#include <jansson.h>

struct thing {
	char *id;
	char *attributes;    /* compact JSON */
	char *billing_group; /* "" when none */
	int64_t version, created;
};
void thing_clear(struct thing *thing);

/* 0 with *ret filled (thing_clear), or -1 with FAULT_RESOURCE_NOT_FOUND. */
int thing_get(struct registry *r, const char *name, struct thing *ret) MUST_USE;
/* 0 when it exists, or -1 with FAULT_RESOURCE_NOT_FOUND. */
int thing_check(struct registry *r, const char *name) MUST_USE;

/* attributes: an object of strings or NULL; billing_group: NULL when none. The same content again
 * succeeds and gives the thing that is there; another content is FAULT_RESOURCE_ALREADY_EXISTS.
 * type_name other than NULL: no such type yet. */
int thing_create(struct registry *r, const char *name, const char *type_name,
		 const json_t *attributes, const char *billing_group, struct thing *ret) MUST_USE;

struct thing_update {
	const json_t *attributes; /* NULL: left as they are */
	bool is_merge;            /* else they are replaced */
	const char *type_name;    /* NULL: none given */
	bool is_type_removed;
	int64_t expected_version; /* or REGISTRY_NO_VERSION */
};
int thing_update(struct registry *r, const char *name, const struct thing_update *update) MUST_USE;

/* A thing that is not there succeeds; one with principals is FAULT_INVALID_REQUEST. */
int thing_delete(struct registry *r, const char *name, int64_t expected_version) MUST_USE;

/* By name. */
struct thing_item {
	const char *name, *attributes;
	int64_t version;
};
typedef int thing_item_fn(const struct thing_item *item, void *ctx);
int thing_list(struct registry *r, const char *after, int64_t limit, thing_item_fn *fn,
	       void *ctx) MUST_USE;

#endif

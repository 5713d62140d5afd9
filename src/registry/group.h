/* Static thing groups: a forest whose parents are set at creation and never change (spec section
 * 2). */
#ifndef REGISTRY_GROUP_H
#define REGISTRY_GROUP_H

#include "registry/registry.h"

#include <jansson.h>

struct group {
	int64_t num; /* unique for ever; a parent's is smaller than its children's */
	char *id, *description, *attributes;
	int64_t parent; /* its number, 0 for a root */
	int64_t depth;  /* 1 for a root */
	int64_t version, created;
};
void group_clear(struct group *group);

/* 0 with *ret filled (group_clear), or -1 with FAULT_RESOURCE_NOT_FOUND. */
int group_get(struct registry *r, const char *name, struct group *ret) MUST_USE;
/* Its number only. */
int group_number(struct registry *r, const char *name, int64_t *ret_num) MUST_USE;

/* parent, description, attributes: NULL when not given. The same content again succeeds and gives
 * the group that is there; another is FAULT_RESOURCE_ALREADY_EXISTS; an unknown parent
 * FAULT_RESOURCE_NOT_FOUND; too deep or too many children FAULT_INVALID_REQUEST. */
int group_create(struct registry *r, const char *name, const char *parent, const char *description,
		 const json_t *attributes, struct group *ret) MUST_USE;

struct group_update {
	const char *description;  /* NULL: left as it is */
	const json_t *attributes; /* NULL: left as they are */
	bool is_merge;
	int64_t expected_version;
};
int group_update(struct registry *r, const char *name, const struct group_update *update,
		 int64_t *ret_version) MUST_USE;

/* A group that is not there succeeds; one with children is FAULT_INVALID_REQUEST. Its members leave
 * it, its policies are detached. */
int group_delete(struct registry *r, const char *name, int64_t expected_version) MUST_USE;

/* The names of its ancestors, root first. */
int group_each_ancestor(struct registry *r, int64_t num, name_fn *fn, void *ctx) MUST_USE;

/* Names, ascending, of the groups that begin with `prefix`: all of them (parent -1), the roots
 * (parent 0), a group's children, or with is_recursive everything below it. */
struct group_filter {
	int64_t parent;
	bool is_recursive;
	const char *prefix;
};
#define GROUP_ANY_PARENT (-1)
int group_list(struct registry *r, const struct group_filter *filter, const char *after,
	       int64_t limit, name_fn *fn, void *ctx) MUST_USE;

#endif

/* Things in groups: at most quota_groups_per_thing each, and never two groups of one hierarchy
 * (spec section 2). */
#ifndef REGISTRY_MEMBER_H
#define REGISTRY_MEMBER_H

#include "registry/registry.h"

/* Thing and group must exist (FAULT_RESOURCE_NOT_FOUND). What is so already succeeds without a
 * change; too many groups, or one of the same hierarchy, is FAULT_INVALID_REQUEST. */
int member_add(struct registry *r, const char *thing, const char *group) MUST_USE;
int member_remove(struct registry *r, const char *thing, const char *group) MUST_USE;
/* A certificate was attached to the thing, and what its groups take away holds for it from now on:
 * containments begin as if the thing had entered them. Behind the change_add of it. */
int member_note_certificate(struct registry *r, const char *thing) MUST_USE;

/* A thing's own groups by name; an unknown thing is FAULT_RESOURCE_NOT_FOUND. */
int member_each_group(struct registry *r, const char *thing, const char *after, int64_t limit,
		      name_fn *fn, void *ctx) MUST_USE;
/* A group's things by name, is_recursive: with those of all groups below it. */
int member_each_thing(struct registry *r, const char *group, bool is_recursive, const char *after,
		      int64_t limit, name_fn *fn, void *ctx) MUST_USE;

#endif

/* Attribute maps of things and groups: name to value, kept as compact JSON with sorted keys. */
#ifndef REGISTRY_ATTRIBUTES_H
#define REGISTRY_ATTRIBUTES_H

#include "registry/registry.h"

#include <jansson.h>

/* The map as it is kept: `given` (an object of strings, or NULL: none) laid over `old` (kept JSON,
 * or NULL: nothing), where an empty value removes the attribute. The caller frees *ret with g_free.
 * More than `max`: FAULT_INVALID_REQUEST naming the owner. */
int attributes_lay(struct registry *r, const char *owner, const char *old, const json_t *given,
		   int64_t max, char **ret) MUST_USE;

/* A kept map as an object that the caller owns; never NULL. */
json_t *attributes_json(const char *kept) MUST_USE;

#endif

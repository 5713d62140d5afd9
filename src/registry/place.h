/* A place in a dated list as SQL arguments. */
#ifndef REGISTRY_PLACE_H
#define REGISTRY_PLACE_H

#include "registry/registry.h"

static inline struct sql_arg place_created(const struct list_place *place)
{
	int64_t start = place->is_ascending ? INT64_MIN : INT64_MAX;
	return sql_int(place->is_start ? start : place->created);
}

static inline struct sql_arg place_key(const struct list_place *place)
{
	return sql_text(place->is_start ? "" : place->key);
}

#endif

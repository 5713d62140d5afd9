/* Dimensions: named sets of topic filters that narrow a metric (spec/detect.md section 3). */
#ifndef REGISTRY_DIMENSION_H
#define REGISTRY_DIMENSION_H

#include "registry/registry.h"

#include <jansson.h>

struct dimension {
	json_t *values; /* the filters, as given */
	char *token;    /* clientRequestToken of the call that made it */
	int64_t created, modified;
};
void dimension_clear(struct dimension *dimension);

/* A name that is taken: FAULT_ALREADY_EXISTS, unless token and filters are those it was made with:
 * then nothing is done. More than quota.dimensions: FAULT_LIMIT_EXCEEDED. */
int dimension_create(struct registry *r, const char *name, const json_t *values,
		     const char *token) MUST_USE;
/* The filters anew; *ret is the caller's to dimension_clear. */
int dimension_update(struct registry *r, const char *name, const json_t *values,
		     struct dimension *ret) MUST_USE;
int dimension_get(struct registry *r, const char *name, struct dimension *ret) MUST_USE;
/* An unknown one succeeds. */
int dimension_delete(struct registry *r, const char *name) MUST_USE;
int dimension_list(struct registry *r, const char *after, int64_t limit, name_fn *fn,
		   void *ctx) MUST_USE;

#endif

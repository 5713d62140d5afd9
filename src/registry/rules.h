/* Rules and refusals that several nouns of the registry share. */
#ifndef REGISTRY_RULES_H
#define REGISTRY_RULES_H

#include "registry/registry.h"

/* "Thing", "thing" and the like: how a kind of resource is called in messages and ARNs. */
struct noun {
	const char *word;     /* "Thing group" */
	const char *arn_type; /* "thinggroup" */
};
extern const struct noun noun_thing, noun_group, noun_certificate, noun_policy;

/* All return -1 with the fault filled. */
int refuse_unknown(struct registry *r, const struct noun *noun, const char *name) MUST_USE;
int refuse_exists(struct registry *r, const struct noun *noun, const char *name,
		  const char *why) MUST_USE;

/* 0 when no version was expected or it is the present one; else -1 with FAULT_VERSION_CONFLICT. */
int check_version(struct registry *r, const struct noun *noun, const char *name, int64_t version,
		  int64_t expected) MUST_USE;

/* 0 when count has not reached the limit; else -1 with a fault of the given kind: "<name>: <what>:
 * at most <limit>." */
int check_quota(struct registry *r, enum fault_kind kind, const char *name, const char *what,
		int64_t count, int64_t limit) MUST_USE;

#endif

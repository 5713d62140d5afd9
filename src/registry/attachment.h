/* What policies are attached to: certificates and static thing groups (spec section 5). */
#ifndef REGISTRY_ATTACHMENT_H
#define REGISTRY_ATTACHMENT_H

#include "registry/registry.h"

enum target_kind { TARGET_CERTIFICATE, TARGET_GROUP };

/* A target, taken from its ARN; `name` is the certificate's id or the group's name. */
struct target {
	enum target_kind kind;
	char name[129];
};

/* FAULT_INVALID_REQUEST when the text is no ARN of this account's certificates or thing groups; a
 * Cognito identity is told as what it is. Whether the target exists is asked by those below. */
int target_parse(struct registry *r, const char *arn, struct target *ret) MUST_USE;
/* A certificate only: the principals of the older operations. Certificate ids come out in lower
 * case. */
int target_parse_principal(struct registry *r, const char *arn, struct target *ret) MUST_USE;

/* Policy and target must exist. Attaching again succeeds; beyond the quota of the target:
 * FAULT_LIMIT_EXCEEDED. */
int attachment_add(struct registry *r, const char *policy, const struct target *target) MUST_USE;
/* What is not attached, or not there, succeeds. */
int attachment_remove(struct registry *r, const char *policy, const struct target *target) MUST_USE;

/* Policies of a target by name; is_recursive: with those of a group's ancestors. An unknown target
 * is FAULT_RESOURCE_NOT_FOUND. */
int attachment_each_policy(struct registry *r, const struct target *target, bool is_recursive,
			   const char *after, int64_t limit, name_fn *fn, void *ctx) MUST_USE;
/* Targets of a policy, from behind `after` (NULL: from the start). */
typedef int target_fn(const char *type, const char *name, void *ctx);
int attachment_each_target(struct registry *r, const char *policy, const char *after_type,
			   const char *after_name, int64_t limit, target_fn *fn,
			   void *ctx) MUST_USE;

/* The older lists, in order of attachment: a certificate's policies, a policy's certificates. */
int attachment_each_policy_dated(struct registry *r, const char *certificate,
				 const struct list_place *place, int64_t limit, dated_name_fn *fn,
				 void *ctx) MUST_USE;
int attachment_each_principal_dated(struct registry *r, const char *policy,
				    const struct list_place *place, int64_t limit,
				    dated_name_fn *fn, void *ctx) MUST_USE;

#endif

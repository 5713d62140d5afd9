/* IoT policies and their versions (spec section 5). A document is compiled when it comes in, so
 * that one which the policy engine cannot obey in full is refused at once; the default version's
 * program is what the broker decides by. */
#ifndef REGISTRY_IOT_POLICY_H
#define REGISTRY_IOT_POLICY_H

#include "registry/registry.h"

struct iot_policy {
	int64_t default_version, newest_version, created, modified;
	char *generation_id;
};
void iot_policy_clear(struct iot_policy *policy);

int iot_policy_get(struct registry *r, const char *name, struct iot_policy *ret) MUST_USE;
int iot_policy_check(struct registry *r, const char *name) MUST_USE;

/* Version 1, the default. FAULT_MALFORMED_POLICY, FAULT_RESOURCE_ALREADY_EXISTS (same content too).
 */
int iot_policy_create(struct registry *r, const char *name, const char *document) MUST_USE;
/* FAULT_DELETE_CONFLICT: attached, or it has versions that are not the default. */
int iot_policy_delete(struct registry *r, const char *name) MUST_USE;
/* Names with their time of creation. */
int iot_policy_list(struct registry *r, const struct list_place *place, int64_t limit,
		    dated_name_fn *fn, void *ctx) MUST_USE;

/* Version ids travel as decimal text; one that is no number of a version is
 * FAULT_RESOURCE_NOT_FOUND, like an unknown one. */
struct iot_policy_version {
	int64_t version, created;
	char *document;
};
void iot_policy_version_clear(struct iot_policy_version *version);
int iot_policy_version_get(struct registry *r, const char *name, const char *id,
			   struct iot_policy_version *ret) MUST_USE;

/* FAULT_MALFORMED_POLICY, FAULT_VERSIONS_LIMIT_EXCEEDED. */
int iot_policy_version_create(struct registry *r, const char *name, const char *document,
			      bool is_default, int64_t *ret_version) MUST_USE;
/* The default version: FAULT_INVALID_REQUEST. */
int iot_policy_version_delete(struct registry *r, const char *name, const char *id) MUST_USE;
int iot_policy_version_set_default(struct registry *r, const char *name, const char *id) MUST_USE;
/* Newest first. */
typedef int iot_policy_version_fn(int64_t version, int64_t created, void *ctx);
int iot_policy_version_each(struct registry *r, const char *name, iot_policy_version_fn *fn,
			    void *ctx) MUST_USE;

#endif

/* Security profiles: what is stored of them, and the evaluator's configuration made from it
 * (spec/detect.md sections 1 and 2).
 *
 * A profile is kept as the API gave it: its members as JSON, never with defaults filled in, so that
 * Describe echoes exactly what Create got. A target is one of the three `all/...` forms or a thing
 * group, by its number. What makes a behavior valid stands in registry/behavior.h. Functions over
 * `struct registry` answer as registry.h says. */
#ifndef REGISTRY_PROFILE_H
#define REGISTRY_PROFILE_H

#include "registry/registry.h"

#include <glib.h>
#include <jansson.h>

struct profile_row {
	json_t *members; /* by member name of the API, without name, version and dates */
	int64_t version, created, modified;
};
void profile_row_clear(struct profile_row *row);

/* 0 with *ret filled (profile_row_clear), or -1 with FAULT_RESOURCE_NOT_FOUND. */
int profile_get(struct registry *r, const char *name, struct profile_row *ret) MUST_USE;
/* Stores a new one with these members, which are checked. FAULT_INVALID_REQUEST tells each
 * malformed behavior; FAULT_RESOURCE_ALREADY_EXISTS, also for the same content. */
int profile_create(struct registry *r, const char *name, json_t *members) MUST_USE;
/* Replaces the members given in `changes` and removes those named in `removed` (list ends with
 * NULL). *ret as by profile_get. */
int profile_update(struct registry *r, const char *name, json_t *changes,
		   const char *const *removed, int64_t expected_version,
		   struct profile_row *ret) MUST_USE;
/* With its targets. An unknown one succeeds. */
int profile_delete(struct registry *r, const char *name, int64_t expected_version) MUST_USE;
/* Names; metric NULL: all, else of those that name this metric. */
int profile_list(struct registry *r, const char *metric, const char *after, int64_t limit,
		 name_fn *fn, void *ctx) MUST_USE;

/* ---- Targets ---- */

#define TARGET_GROUP_KIND 8 /* beside enum config_target */

struct profile_target {
	int64_t kind; /* enum config_target or TARGET_GROUP_KIND */
	int64_t num;  /* of the group, else 0 */
};

/* Takes the ARN of a target apart. FAULT_INVALID_REQUEST: it is none; FAULT_RESOURCE_NOT_FOUND: an
 * unknown group. */
int profile_target_parse(struct registry *r, const char *arn, struct profile_target *ret) MUST_USE;

/* Attaching again and detaching what is not attached succeed. FAULT_RESOURCE_NOT_FOUND: no such
 * profile; FAULT_LIMIT_EXCEEDED: the target has its quota of profiles. */
int profile_attach(struct registry *r, const char *name,
		   const struct profile_target *target) MUST_USE;
int profile_detach(struct registry *r, const char *name,
		   const struct profile_target *target) MUST_USE;

/* A profile on a target; `arn_type` and `arn_name` make the target's ARN (arn.h). */
struct profile_mapping {
	const char *profile;
	struct profile_target target;
	const char *arn_type, *arn_name;
};
typedef int profile_mapping_fn(const struct profile_mapping *mapping, void *ctx);

/* The targets of a profile, in the order (kind, num), behind `after`. */
int profile_each_target(struct registry *r, const char *name, const struct profile_target *after,
			int64_t limit, profile_mapping_fn *fn, void *ctx) MUST_USE;
/* The profiles of a target in the order (profile, num), behind `after_profile` and `after_num`;
 * is_recursive: of a group's ancestors too. */
int profile_each_for_target(struct registry *r, const struct profile_target *target,
			    bool is_recursive, const char *after_profile, int64_t after_num,
			    int64_t limit, profile_mapping_fn *fn, void *ctx) MUST_USE;

/* ---- The evaluator ---- */

/* Appends the body of an ENTRY_CONFIG: every profile that has a target, with all its behaviors, by
 * name (detect/config.h). The same tables give the same bytes. Runs in the caller's transaction or
 * read view. 0, or a negative errno of the sql_ functions; -EBADMSG when a stored profile cannot be
 * read, which is our own fault and told in *ret_fault (may be NULL). */
int profile_config_build(struct sql_conn *conn, GByteArray *body, struct fault *ret_fault) MUST_USE;

#endif

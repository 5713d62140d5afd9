/* Logging options of the account, and levels per target (spec section 7). They are kept for clients
 * and for the audit LOGGING_DISABLED_CHECK. */
#ifndef REGISTRY_LOGGING_H
#define REGISTRY_LOGGING_H

#include "registry/registry.h"

struct logging_options {
	char *role_arn, *default_level;
	char *events; /* event configurations as they were given: compact JSON list */
	bool is_disabled;
};
void logging_options_clear(struct logging_options *options);

/* -1 with FAULT_NOT_CONFIGURED when they were never set. */
int logging_get(struct registry *r, struct logging_options *ret) MUST_USE;

/* NULL members stay as they are; the first time role and level are needed, else
 * FAULT_INVALID_REQUEST. */
struct logging_update {
	const char *role_arn, *default_level, *events;
	bool is_disabled;
};
int logging_set(struct registry *r, const struct logging_update *update) MUST_USE;

/* Before the options exist: FAULT_NOT_CONFIGURED. Deleting what is not there succeeds. */
int logging_level_set(struct registry *r, const char *type, const char *name,
		      const char *level) MUST_USE;
int logging_level_delete(struct registry *r, const char *type, const char *name) MUST_USE;
struct logging_level {
	const char *type, *name, *level;
};
typedef int logging_level_fn(const struct logging_level *level, void *ctx);
int logging_level_each(struct registry *r, const char *after_type, const char *after_name,
		       int64_t limit, logging_level_fn *fn, void *ctx) MUST_USE;

#endif

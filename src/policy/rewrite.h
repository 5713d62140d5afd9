/* Within the policy module: a document as the audit reads it (spec/audit.md section 4.2, step 2).
 */
#ifndef POLICY_REWRITE_H
#define POLICY_REWRITE_H

#include "base/view.h"

#include <jansson.h>
#include <stdbool.h>

/* What stands where a variable stood: a character that no probe contains. */
#define REWRITE_OPAQUE '\x01'

/* A copy (json_decref) without Deny statements under a condition, without the conditions of Allow
 * statements, and without variables. For Connect, Allow statements that ask for an attached thing
 * are left out, and the client id, which a device chooses, is `*`. What is no policy is copied as
 * it is: compiling it says what is wrong. */
json_t *rewrite_for_audit(json_t *document, bool for_connect);

/* Calls fn for every resource of the Allow statements of a rewritten document, without the five
 * heads of its ARN, until it returns true; returns whether it did. */
typedef bool rewrite_resource_fn(struct view resource, void *ctx);
bool rewrite_any_allowed(json_t *rewritten, rewrite_resource_fn *fn, void *ctx);

#endif

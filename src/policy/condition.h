/* The Condition of a statement to its program form (spec section 10.2). Daemon side. */
#ifndef POLICY_CONDITION_H
#define POLICY_CONDITION_H

#include "base/compiler.h"

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* Appends the conditions to `out` and adds the variables in their values to *needs. 0, or -1 with
 * the reason in words: *ret_why is the caller's to g_free. */
int condition_compile(json_t *condition, bool has_variables, GByteArray *out, uint32_t *needs,
		      char **ret_why) MUST_USE;

#endif

/* The Condition of a statement to its program form (spec section 10.2). Daemon side. */
#ifndef POLICY_CONDITION_H
#define POLICY_CONDITION_H

#include "policy/glob_compile.h"

#include <jansson.h>

/* Appends the conditions to `out`; options->has_wildcards does not count. 0, or -1 with the reason
 * in words: *ret_why is the caller's to g_free. */
int condition_compile(json_t *condition, const struct glob_options *options, GByteArray *out,
		      char **ret_why) MUST_USE;

#endif

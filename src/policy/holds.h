/* Within the policy module: does a compiled condition hold for a request? (spec section 10.2) */
#ifndef POLICY_HOLDS_H
#define POLICY_HOLDS_H

#include "policy/known.h"

/* An ARN, or any text, as ARN compare sees it (spec section 10): whole, and in its six parts. */
struct arn {
	struct glob_text whole, name; /* name: the last part */
	struct view heads[PROGRAM_HEADS];
	bool has_parts; /* else only patterns that are compared as one string can match */
};

/* Of the pieces of arn_lay_out. */
struct arn arn_of_pieces(const struct view pieces[ARN_PIECES]);

/* Does a resource (program.h), behind its kind and type, match? */
bool resource_matches(uint8_t kind, struct scan rest, const struct arn *arn,
		      struct glob_terms *terms);
/* What stands behind that first pattern: do the heads that it is about match? */
bool heads_match(struct scan rest, const struct view heads[PROGRAM_HEADS],
		 struct glob_terms *terms);

/* One condition, without its length. When it does not hold because its key has no value,
 * *ret_lacking is the key's reference; else it is left alone. */
bool condition_holds(const struct program *program, struct view condition,
		     const struct policy_request *request, struct glob_terms *terms,
		     int *ret_lacking);

#endif

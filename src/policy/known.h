/* Within the policy module: what a request knows (spec section 10.1), asked for by references.
 *
 * A variable takes a text, a condition takes values: both are views into the request, or into the
 * caller's room, never copies. */
#ifndef POLICY_KNOWN_H
#define POLICY_KNOWN_H

#include "policy/glob.h"
#include "policy/program.h"

#define ARN_PIECES 13

/* arn : partition : iot : region : account : type / name, as pieces of a text: every second one is
 * a part, the last three together are one. */
void arn_lay_out(const struct policy_request *request, struct view type, struct view name,
		 struct view ret[ARN_PIECES]);
/* The parts before type and name. */
void arn_heads(const struct policy_request *request, struct view ret[PROGRAM_HEADS]);

/* Where the pieces of a value lie: the caller's. All values of a request can share `arn`, since
 * there is one key that is an ARN. */
struct value_room {
	struct view *one, *arn;
};

/* Whether the request has this key at all; a list that is known and empty is there. */
bool known_exists(const struct policy_request *request, const struct reference *reference);

/* The key's value number i, from 0; false when there are no more. *ret is good as long as the room
 * is not used again. */
bool known_value(const struct policy_request *request, const struct reference *reference,
		 unsigned i, struct value_room room, struct glob_text *ret);

/* The text that takes a variable's place; false when the variable cannot be resolved: its value is
 * not known, a list, or may not be put in (FACT_RAW). */
bool known_text(const struct policy_request *request, const struct reference *reference,
		struct value_room room, struct glob_text *ret);

#endif

/* Patterns of the policy language, compiled, and the one matcher for all of them.
 *
 * A pattern is the least number of bytes it can match, and a row of ops: literal bytes, one
 * character, any run, the value of a variable. Values are never copied into a pattern: the matcher
 * compares them where they stand, so what a device puts into its client id cannot act as a
 * wildcard. The text may lie in several pieces (an ARN is never put together either).
 *
 * Plain C11, no allocation. A match takes at most (bytes of text + 1) x (bytes of the pattern with
 * its values put in) steps, whatever the wildcards (S7). */
#ifndef POLICY_GLOB_H
#define POLICY_GLOB_H

#include "base/view.h"

#include <stdint.h>

enum glob_op {
	GLOB_LITERAL = 1, /* u32 n and n bytes: these */
	GLOB_ONE = 2,     /* one character (of UTF-8) */
	GLOB_RUN = 3,     /* any run of characters, also none, also '/' */
	GLOB_VALUE = 4    /* u8: the value of this reference */
};

struct glob_text {
	const struct view *pieces;
	unsigned n;
};

struct glob_terms {
	const struct glob_text *values; /* by the number of the reference */
	bool is_folded;                 /* letter case (of ASCII) does not count */
	uint64_t steps;                 /* bytes and ops compared so far */
};

/* Does the pattern, valid and with all its values known, match the whole text? */
bool glob_match(struct view pattern, struct glob_text text, struct glob_terms *terms);

/* False when no value of its variables can make the pattern match: it needs more bytes, or begins
 * otherwise. A few nanoseconds; what most statements end with. */
bool glob_may_match(struct view pattern, struct view text);

/* True when the bytes are a pattern that glob_match can walk with n_values values; *uses gets a bit
 * for each value it uses. */
bool glob_valid(struct view pattern, unsigned n_values, uint64_t *uses);

#endif

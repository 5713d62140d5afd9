/* Patterns of the policy language, compiled, and the one matcher for all of them.
 *
 * A pattern is a row of ops: literal bytes, one character, any run, the value of a variable. Values
 * are never copied into a pattern: the matcher compares them where they stand, so what a device
 * puts into its client id cannot act as a wildcard. The text may lie in several pieces (an ARN is
 * never put together either).
 *
 * Plain C11, no allocation. A pattern that cannot be as short as the text is refused at once; else
 * a match takes at most (bytes of text + 1) x (bytes of the pattern with its values put in) steps,
 * whatever the wildcards (S7). */
#ifndef POLICY_GLOB_H
#define POLICY_GLOB_H

#include "base/view.h"

#include <stdint.h>

enum glob_op {
	GLOB_LITERAL = 1, /* bytes32: these bytes */
	GLOB_ONE = 2,     /* one character (of UTF-8) */
	GLOB_RUN = 3,     /* any run of characters, also none, also '/' */
	GLOB_VALUE = 4    /* u8: the value of this key */
};

struct glob_text {
	const struct view *pieces;
	unsigned n;
};

/* Does the pattern, valid and with all its values known, match the whole text? `values` is by enum
 * policy_key. Adds the bytes it compared to *steps. */
bool glob_match(struct view pattern, struct glob_text text, const struct view *values,
		uint64_t *steps);

/* True when the bytes are ops that glob_match can walk with n_values values; *keys gets a bit for
 * each value used. */
bool glob_valid(struct view pattern, unsigned n_values, uint32_t *keys);

#endif

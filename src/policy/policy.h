/* The policy language of AWS IoT (spec/registry-and-policies.md sections 9-12): from a JSON
 * document to a program.
 *
 * The daemon compiles a document once into a program: a block of bytes without pointers, which goes
 * into the snapshot as it is and is decided by policy/decide.h. What the engine does not know yet
 * is refused here, with words, never half-obeyed. */
#ifndef POLICY_POLICY_H
#define POLICY_POLICY_H

#include "base/fault.h"
#include "base/view.h"

#include <stdint.h>

struct policy_program {
	uint8_t *bytes; /* g_free */
	size_t n;
};

/* Compiles a document. 0, or -1 with FAULT_MALFORMED_POLICY and what is wrong, where, and the cure.
 * The size limit (2048 characters without white space) is `max_chars`. */
int policy_compile(struct view document, size_t max_chars, struct policy_program *ret,
		   struct fault *fault) MUST_USE;
void policy_program_clear(struct policy_program *program);

struct policy_home {
	struct view partition, region, account; /* what stands in the ARNs of the devices */
};

/* The audit's question (spec/audit.md section 4.2): which actions does this document give to a
 * broad set of devices? The engine itself is asked, for two device names of `home` that have
 * nothing in common: an action is broad when both may. On 0 *ret_actions has a bit for each such
 * action (1 << enum policy_action); -1 with FAULT_MALFORMED_POLICY. */
int policy_broad(struct view document, const struct policy_home *home, uint32_t *ret_actions,
		 struct fault *fault) MUST_USE;

#endif

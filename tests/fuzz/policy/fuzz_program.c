/* covers: src/policy/valid.c src/policy/decide.c src/policy/holds.c src/policy/known.c
 * src/policy/operand.c src/policy/facts.c src/policy/glob.c
 *
 * The bytes of a program, as the broker plugin finds them in a snapshot: what policy_program_valid
 * lets pass, policy_decide walks without reading outside. */
#include "requests.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (policy_program_valid(data, size))
		decide_all(data, size);
	return 0;
}

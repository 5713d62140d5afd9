/* covers: src/policy/compile.c src/policy/condition.c src/policy/rewrite.c
 * src/policy/glob_compile.c src/policy/reference_compile.c src/policy/reach.c src/policy/decide.c
 * src/policy/holds.c src/policy/known.c src/policy/operand.c src/policy/glob.c
 *
 * A policy document: read, compiled, checked, decided, and looked at by the audit. */
#include "policy/policy.h"
#include "requests.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct view document = {(const char *)data, size};
	const struct policy_home home = {VIEW_LIT("aws"), VIEW_LIT("us-east-1"),
					 VIEW_LIT("123456789012")};
	struct policy_program program;
	struct fault fault = {.kind = FAULT_NONE};
	uint32_t actions = 0;
	int broad = policy_broad(document, &home, &actions, &fault);
	if (policy_compile(document, 2048, &program, &fault) != 0) {
		if (fault.kind != FAULT_MALFORMED_POLICY || fault.message[0] == '\0')
			abort();
		return 0;
	}
	/* The audit reads less of a document than the compiler: what compiles, it can judge. */
	if (broad != 0 || !policy_program_valid(program.bytes, program.n))
		abort();
	decide_all(program.bytes, program.n);
	policy_program_clear(&program);
	return 0;
}

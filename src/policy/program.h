/* The form of a compiled policy, between compile.c (writes), valid.c (checks) and decide.c (walks).
 * Not for other modules.
 *
 *   program    u32 magic, statement* to the end
 *   statement  bytes32: u8 effect, u8 not_resource, u32 actions, u32 needs,
 *              bytes32 resource*, condition* to the end
 *   resource   u8 parts, then so many times bytes32 pattern:
 *              1 is compared with the whole ARN, 6 part by part
 *   condition  u8 operator, u8 if_exists, u8 key, bytes32 value*
 *   value      bytes32: a pattern; for addresses u8 prefix bits and 16 bytes (IPv4 mapped)
 *   pattern    op*, see policy/glob.h
 *
 * Numbers are little endian (base/cursor.h). A list has no count: it is as long as its bytes.
 * `actions` is a bit set over enum policy_action, with NotAction already turned round; `needs` a
 * bit set over enum policy_key: the variables that must be known for the statement to match.
 *
 * Programs are kept (store, snapshot). Whoever changes their form, or adds an action, changes the
 * magic with it: an old program must be compiled again, since its "iot:*" does not know the new
 * action, and a Deny that misses one is a hole. */
#ifndef POLICY_PROGRAM_H
#define POLICY_PROGRAM_H

#include <stdbool.h>
#include <stdint.h>

#define PROGRAM_MAGIC 0x31505754U /* "TWP1" */

enum program_effect { PROGRAM_DENY, PROGRAM_ALLOW, PROGRAM_EFFECTS };

#define PROGRAM_WHOLE      1 /* parts of a resource that is compared as one string */
#define PROGRAM_ARN_PARTS  6
#define PROGRAM_ADDRESS    17 /* bytes of an address value */
#define PROGRAM_V4_MAPPED  96 /* prefix bits before an IPv4 address in its mapped form */
#define PROGRAM_PREFIX_MAX 128

enum policy_key {
#define KEY(id, name, type, value) KEY_##id,
#include "policy/key.tbl.h"
#undef KEY
	POLICY_KEYS
};

enum policy_operator {
#define OPERATOR(id, name, form, key_type, negated) OPERATOR_##id,
#include "policy/operator.tbl.h"
#undef OPERATOR
	POLICY_OPERATORS
};

enum policy_key_type { KEY_TYPE_TEXT, KEY_TYPE_BOOLEAN, KEY_TYPE_ADDRESS, KEY_TYPE_ANY };

enum policy_form { FORM_LITERAL, FORM_GLOB, FORM_BOOLEAN, FORM_ADDRESS, POLICY_FORMS };

struct policy_operator_row {
	const char *name;
	enum policy_form form;
	enum policy_key_type key_type;
	bool is_negated;
};

extern const struct policy_operator_row policy_operators[POLICY_OPERATORS];

#endif

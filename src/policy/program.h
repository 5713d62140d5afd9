/* The form of a compiled policy, between compile.c (writes), valid.c (checks) and decide.c (walks).
 * Not for other modules.
 *
 *   program    u32 magic, u32 n, u32 offset[n + 1]: where the statements begin and the program
 * ends, counted from its first byte, u32 start[LISTS + 1], u16 order[start[LISTS]], u8 m,
 * reference[m], statement[n] list       the statements with one action and one effect, in the
 * document's order: those of action A and effect E are order[start[L]] .. before order[start[L +
 * 1]], with L = A * POLICY_EFFECTS + E. A decision looks at no other statement reference  u8 key,
 * u8 field, u8 index, u8 from, u8 length, u16 n, name: what a variable or a condition asks for. The
 * name as the document writes it; of an attribute, its own name is `length` bytes of that from
 * `from`; of a certificate, the field and which of its values (PROGRAM_ALL: the list) statement  u8
 * not_resource, u64 needs, u32 n, resource* in n bytes, condition* to the next statement. needs: a
 * bit for each reference that must have a value resource   bytes32: u8 kind, then PROGRAM_WHOLE: a
 * pattern; PROGRAM_ARN: u8 n, n bytes of type, bytes32 pattern of the name behind it (without type:
 * of "type/name"), then for each of the five heads that does not go without saying u8 part, bytes32
 * pattern condition  bytes32: u8 operator, u8 quantifier, u8 if_exists, u8 reference, value* value
 * bytes32, by the operator's form: a pattern; a resource without its length; a number's text; a
 * date (u64 seconds, two's complement, u32 nanoseconds); a truth (u8); bytes; an address (u8 prefix
 * bits and 16 bytes, IPv4 mapped) pattern    u32 least length, op*: see policy/glob.h
 *
 * Numbers are little endian. A list without a count is as long as its bytes.
 *
 * Programs are kept (store, snapshot). Whoever changes their form, or adds an action, a key, a
 * field or an operator, changes the magic with it: an old program must be compiled again, since its
 * "iot:*" does not know the new action, and a Deny that misses one is a hole. */
#ifndef POLICY_PROGRAM_H
#define POLICY_PROGRAM_H

#include "policy/decide.h"
#include "policy/scan.h"

#define PROGRAM_MAGIC 0x32505754U /* "TWP2" */

#define PROGRAM_LISTS      (POLICY_ACTIONS * POLICY_EFFECTS)
#define PROGRAM_STATEMENTS 65536 /* as many as `order` can tell apart */
#define PROGRAM_REFERENCES 64    /* as many as `needs` has bits */
#define PROGRAM_ALL        255   /* index of a reference: all values, as a list */

enum program_resource { PROGRAM_WHOLE, PROGRAM_ARN, PROGRAM_RESOURCES };

#define PROGRAM_HEADS      5 /* of an ARN, before its last part */
#define PROGRAM_DATE       12
#define PROGRAM_ADDRESS    17
#define PROGRAM_V4_MAPPED  96 /* prefix bits before an IPv4 address in its mapped form */
#define PROGRAM_PREFIX_MAX 128

/* ---- Keys ---- */

enum policy_key {
#define KEY(id, name, shape, value) KEY_##id,
#include "policy/key.tbl.h"
#undef KEY
	POLICY_KEYS
};

struct reference {
	uint8_t key, field, index;
	struct view name, argument;
};

/* ---- Operators ---- */

enum policy_operator {
#define OPERATOR(id, name, form, accepts, negated) OPERATOR_##id,
#include "policy/operator.tbl.h"
#undef OPERATOR
	POLICY_OPERATORS
};

enum policy_form {
	FORM_TEXT,
	FORM_GLOB,
	FORM_FOLDED,
	FORM_ARN,
	FORM_NUMBER,
	FORM_DATE,
	FORM_BOOLEAN,
	FORM_BINARY,
	FORM_ADDRESS,
	FORM_ABSENCE,
	POLICY_FORMS
};

/* How a value of the request stands to one of the policy. */
#define RELATION_LESS    1
#define RELATION_EQUAL   2
#define RELATION_GREATER 4

struct policy_operator_row {
	const char *name;
	enum policy_form form;
	uint8_t accepts; /* the relations that make it true */
	bool is_negated;
};

extern const struct policy_operator_row policy_operators[POLICY_OPERATORS];

/* Which values of a key an operator must be true of. */
enum program_quantifier { QUANTIFIER_NONE, QUANTIFIER_ALL, QUANTIFIER_ANY, PROGRAM_QUANTIFIERS };

/* ---- Walking a valid program ---- */

struct program {
	struct view bytes;
	uint32_t n_statements;
	const uint8_t *offsets, *starts, *order;
	struct view references; /* with their count */
};

static inline struct program program_open(struct view bytes)
{
	struct program p = {.bytes = bytes};
	const uint8_t *base = (const uint8_t *)bytes.p;
	p.n_statements = bytes_at_u32(base + 4);
	p.offsets = base + 8;
	p.starts = p.offsets + (size_t)4 * (p.n_statements + 1);
	p.order = p.starts + (size_t)4 * (PROGRAM_LISTS + 1);
	const uint8_t *references = p.order + (size_t)2 * bytes_at_u32(p.order - 4);
	p.references =
		(struct view){(const char *)references, bytes.n - (size_t)(references - base)};
	return p;
}

static inline struct view program_statement(const struct program *p, uint32_t i)
{
	size_t begin = bytes_at_u32(p->offsets + (size_t)4 * i);
	size_t end = bytes_at_u32(p->offsets + (size_t)4 * (i + 1));
	return (struct view){p->bytes.p + begin, end - begin};
}

static inline struct reference program_next_reference(struct scan *s)
{
	struct reference r = {
		s->at[0], s->at[1], s->at[2], {NULL, 0},
                   {NULL, 0}
        };
	size_t from = s->at[3], length = s->at[4], n = bytes_at_u16(s->at + 5);
	(void)scan_raw(s, 7);
	r.name = scan_raw(s, n);
	r.argument = (struct view){r.name.p + from, length};
	return r;
}

/* i is below the count. */
static inline struct reference program_reference(const struct program *p, unsigned i)
{
	struct scan s = scan_of(p->references);
	(void)scan_u8(&s);
	struct reference r = program_next_reference(&s);
	while (i-- > 0)
		r = program_next_reference(&s);
	return r;
}

#endif

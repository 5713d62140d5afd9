#include "policy/decide.h"

#include "base/compiler.h"
#include "base/cursor.h"
#include "policy/glob.h"
#include "policy/program.h"

#include <arpa/inet.h>
#include <strings.h>

static const char *const action_names[POLICY_ACTIONS] = {
#define ACTION(id, name) [POLICY_##id] = name,
#include "policy/action.tbl.h"
#undef ACTION
};

const struct policy_operator_row policy_operators[POLICY_OPERATORS] = {
#define OPERATOR(id, name, form, key_type, negated)                                                \
	[OPERATOR_##id] = {name, FORM_##form, KEY_TYPE_##key_type, negated},
#include "policy/operator.tbl.h"
#undef OPERATOR
};

/* The request, laid out for the walk: the ARN in pieces, the values of the keys and which of them
 * are known. */
struct context {
	const struct policy_request *request;
	struct view pieces[13];
	unsigned n_pieces;
	struct view values[POLICY_KEYS];
	uint32_t known;
	uint64_t steps;
};

/* arn : partition : iot : region : account : type / name. An action without a resource of its own
 * is asked about "*". */
static void lay_out_arn(struct context *c)
{
	const struct policy_request *request = c->request;
	const struct view colon = VIEW_LIT(":");
	const struct view arn[] = {
		VIEW_LIT("arn"), colon, request->partition, colon, VIEW_LIT("iot"), colon,
		request->region, colon, request->account,   colon, request->type,   VIEW_LIT("/"),
		request->name,
	};
	_Static_assert(ARRAY_LEN(arn) == ARRAY_LEN(c->pieces), "a piece for each piece");
	memcpy(c->pieces, arn, sizeof(arn));
	c->n_pieces = ARRAY_LEN(arn);
	if (request->type.n == 0) {
		c->pieces[0] = VIEW_LIT("*");
		c->n_pieces = 1;
	}
}

static void context_fill(struct context *c, const struct policy_request *request)
{
	const struct view values[POLICY_KEYS] = {
#define KEY(id, name, type, value) [KEY_##id] = value,
#include "policy/key.tbl.h"
#undef KEY
	};
	*c = (struct context){.request = request};
	for (unsigned i = 0; i < POLICY_KEYS; i++) {
		c->values[i] = values[i];
		c->known |= (uint32_t)(values[i].p != NULL) << i;
	}
	lay_out_arn(c);
}

/* Part i of the ARN: every second piece; the last part is all that is left. */
static struct glob_text arn_part(const struct context *c, unsigned i)
{
	bool is_last = i + 1 == PROGRAM_ARN_PARTS;
	return (struct glob_text){c->pieces + (size_t)2 * i, is_last ? c->n_pieces - 2 * i : 1};
}

/* The name first: it tells policies apart, while the heads are nearly always alike. */
static bool parts_match(struct context *c, const struct view parts[PROGRAM_ARN_PARTS])
{
	for (unsigned i = PROGRAM_ARN_PARTS; i-- > 0;)
		if (!glob_match(parts[i], arn_part(c, i), c->values, &c->steps))
			return false;
	return true;
}

/* Reads one resource to its end, whatever the outcome. */
static bool resource_matches(struct context *c, struct reader *r)
{
	if (read_u8(r) == PROGRAM_WHOLE)
		return glob_match(read_bytes32(r), (struct glob_text){c->pieces, c->n_pieces},
				  c->values, &c->steps);
	struct view parts[PROGRAM_ARN_PARTS];
	for (unsigned i = 0; i < PROGRAM_ARN_PARTS; i++)
		parts[i] = read_bytes32(r);
	return c->n_pieces == ARRAY_LEN(c->pieces) && parts_match(c, parts);
}

static bool any_resource_matches(struct context *c, struct view resources)
{
	struct reader r = reader_of(resources.p, resources.n);
	while (reader_left(&r) > 0)
		if (resource_matches(c, &r))
			return true;
	return false;
}

/* The address as 16 bytes, IPv4 in its mapped form, so that one comparison serves both families. */
static bool address_read(struct view text, uint8_t ret[16])
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	char s[INET6_ADDRSTRLEN];
	if (text.n >= sizeof(s))
		return false;
	memcpy(s, text.p, text.n);
	s[text.n] = '\0';
	memcpy(ret, mapped, sizeof(mapped));
	return inet_pton(AF_INET, s, ret + sizeof(mapped)) == 1 || inet_pton(AF_INET6, s, ret) == 1;
}

static bool address_matches(struct context *c, struct view value, struct view actual)
{
	(void)c;
	uint8_t address[16];
	if (!address_read(actual, address))
		return false;
	unsigned bits = (uint8_t)value.p[0], whole = bits / 8, rest = bits % 8;
	const char *network = value.p + 1;
	if (memcmp(address, network, whole) != 0)
		return false;
	return rest == 0 || ((address[whole] ^ (uint8_t)network[whole]) >> (8 - rest)) == 0;
}

static bool text_matches(struct context *c, struct view value, struct view actual)
{
	return glob_match(value, (struct glob_text){&actual, 1}, c->values, &c->steps);
}

static bool (*const value_matches[POLICY_FORMS])(struct context *c, struct view value,
						 struct view actual) = {
	[FORM_LITERAL] = text_matches,
	[FORM_GLOB] = text_matches,
	[FORM_BOOLEAN] = text_matches,
	[FORM_ADDRESS] = address_matches,
};

/* Reads one condition to its end. A key without value: false, true when negated or IfExists (spec
 * section 10.2). */
static bool condition_holds(struct context *c, struct reader *r)
{
	const struct policy_operator_row *row = &policy_operators[read_u8(r)];
	bool if_exists = read_u8(r) != 0;
	uint8_t key = read_u8(r);
	struct view values = read_bytes32(r);
	if ((c->known >> key & 1) == 0)
		return row->is_negated || if_exists;
	struct reader list = reader_of(values.p, values.n);
	while (reader_left(&list) > 0)
		if (value_matches[row->form](c, read_bytes32(&list), c->values[key]))
			return !row->is_negated;
	return row->is_negated;
}

static bool statement_matches(struct context *c, struct view statement,
			      enum program_effect *ret_effect)
{
	struct reader r = reader_of(statement.p, statement.n);
	*ret_effect = read_u8(&r) == PROGRAM_ALLOW ? PROGRAM_ALLOW : PROGRAM_DENY;
	bool not_resource = read_u8(&r) != 0;
	uint32_t actions = read_u32(&r), needs = read_u32(&r);
	if ((actions >> c->request->action & 1) == 0 || (needs & ~c->known) != 0)
		return false;
	if (any_resource_matches(c, read_bytes32(&r)) == not_resource)
		return false;
	while (reader_left(&r) > 0)
		if (!condition_holds(c, &r))
			return false;
	return true;
}

static struct policy_verdict verdict_of(enum policy_decision decision, int program, int statement)
{
	return (struct policy_verdict){
		.decision = decision,
		.program = program,
		.statement = statement,
		.nearest_program = -1,
		.nearest_statement = -1,
	};
}

/* Goes through one program; the first matching Allow and the first matching Deny speak. */
static void decide_program(struct context *c, struct view program, int index,
			   struct policy_verdict *verdict)
{
	struct reader r = reader_of(program.p, program.n);
	(void)read_u32(&r);
	for (int i = 0; reader_left(&r) > 0 && verdict->decision != POLICY_EXPLICIT_DENY; i++) {
		enum program_effect effect;
		if (!statement_matches(c, read_bytes32(&r), &effect))
			continue;
		if (effect == PROGRAM_DENY)
			*verdict = verdict_of(POLICY_EXPLICIT_DENY, index, i);
		else if (verdict->decision == POLICY_IMPLICIT_DENY)
			*verdict = verdict_of(POLICY_ALLOWED, index, i);
	}
}

struct policy_verdict policy_decide(const struct view *programs, unsigned n_programs,
				    const struct policy_request *request)
{
	struct context c;
	context_fill(&c, request);
	struct policy_verdict verdict = verdict_of(POLICY_IMPLICIT_DENY, -1, -1);
	for (unsigned i = 0; i < n_programs && verdict.decision != POLICY_EXPLICIT_DENY; i++)
		decide_program(&c, programs[i], (int)i, &verdict);
	return verdict;
}

const char *policy_action_name(enum policy_action action)
{
	return action_names[action];
}

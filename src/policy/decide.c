#include "policy/decide.h"

#include "base/compiler.h"
#include "policy/holds.h"

static const char *const action_names[POLICY_ACTIONS] = {
#define ACTION(id, name) [POLICY_##id] = name,
#include "policy/action.tbl.h"
#undef ACTION
};

/* The request, and what has been worked out of it for the program that is being walked. */
struct context {
	const struct policy_request *request;
	struct program program;
	/* Variables are resolved when a statement first needs them. */
	uint64_t resolved, known;
	struct view texts[PROGRAM_REFERENCES];
	struct glob_text values[PROGRAM_REFERENCES];
	struct glob_terms terms;
	struct view will[ARN_PIECES]; /* where iot:LastWillTopic lies */
	/* The resource, laid out when the first pattern asks for more than its name. */
	bool has_arn;
	struct view pieces[ARN_PIECES];
	struct arn arn;
};

struct statement {
	bool not_resource;
	uint64_t needs;
	struct scan resources, conditions;
};

/* How far a statement came. */
enum outcome {
	OTHER,   /* it is not about this resource */
	LACKING, /* a value is not known */
	UNMET,   /* a condition does not hold */
	MATCHES
};

static void context_open(struct context *c, const struct policy_request *request)
{
	c->request = request;
	c->terms = (struct glob_terms){c->values, false, 0};
	c->has_arn = false;
}

static void context_enter(struct context *c, struct view program)
{
	c->program = program_open(program);
	c->resolved = c->known = 0;
}

/* An action without a resource of its own is asked about "*". */
static const struct arn *arn_of(struct context *c)
{
	if (c->has_arn)
		return &c->arn;
	c->has_arn = true;
	if (c->request->type.n > 0) {
		arn_lay_out(c->request, c->request->type, c->request->name, c->pieces);
		c->arn = arn_of_pieces(c->pieces);
		return &c->arn;
	}
	c->pieces[0] = VIEW_LIT("*");
	c->arn.whole = (struct glob_text){c->pieces, 1};
	c->arn.has_parts = false;
	return &c->arn;
}

/* ---- Variables ---- */

static void resolve(struct context *c, unsigned i)
{
	struct reference reference = program_reference(&c->program, i);
	struct value_room room = {&c->texts[i], c->will};
	c->resolved |= UINT64_C(1) << i;
	if (known_text(c->request, &reference, room, &c->values[i]))
		c->known |= UINT64_C(1) << i;
}

static unsigned first_bit(uint64_t bits)
{
	unsigned i = 0;
	while ((bits >> i & 1) == 0)
		i++;
	return i;
}

/* Those of `needs` that have no value. */
static uint64_t unresolved(struct context *c, uint64_t needs)
{
	for (uint64_t left = needs & ~c->resolved; left != 0; left = needs & ~c->resolved)
		resolve(c, first_bit(left));
	return needs & ~c->known;
}

/* ---- Resources ---- */

/* Takes kind and type of a resource; false when it cannot match whatever its variables stand for.
 * *ret_is_name: the first pattern is the name's alone, not "type/name". */
static bool may_match(const struct context *c, struct scan *resource, uint8_t *ret_kind,
		      bool *ret_is_name)
{
	const struct policy_request *request = c->request;
	*ret_kind = scan_u8(resource);
	*ret_is_name = false;
	if (*ret_kind == PROGRAM_WHOLE)
		return true;
	struct view type = scan_raw(resource, scan_u8(resource));
	*ret_is_name = type.n > 0;
	if (type.n == 0)
		return true;
	if (type.n != request->type.n || memcmp(type.p, request->type.p, type.n) != 0)
		return false;
	struct scan rest = *resource;
	return glob_may_match(scan_bytes32(&rest), request->name);
}

/* Only the name is asked about: the ARN is not laid out for it. */
static bool named_matches(struct context *c, struct scan resource)
{
	struct view heads[PROGRAM_HEADS];
	struct glob_text name = {&c->request->name, 1};
	if (!glob_match(scan_bytes32(&resource), name, &c->terms))
		return false;
	arn_heads(c->request, heads);
	return heads_match(resource, heads, &c->terms);
}

enum answer { NO, YES, UNRESOLVED };

/* Values are looked for only when a resource may match: most statements end before that. */
static enum answer any_resource_matches(struct context *c, const struct statement *statement)
{
	struct scan resources = statement->resources;
	while (scan_more(&resources)) {
		struct scan resource = scan_of(scan_bytes32(&resources));
		uint8_t kind;
		bool is_name;
		if (!may_match(c, &resource, &kind, &is_name))
			continue;
		if (unresolved(c, statement->needs) != 0)
			return UNRESOLVED;
		if (is_name ? named_matches(c, resource)
			    : resource_matches(kind, resource, arn_of(c), &c->terms))
			return YES;
	}
	return NO;
}

/* ---- Statements ---- */

static struct statement statement_open(const struct program *program, uint32_t i)
{
	struct scan s = scan_of(program_statement(program, i));
	struct statement statement = {.not_resource = scan_u8(&s) != 0};
	statement.needs = scan_u64(&s);
	statement.resources = scan_of(scan_bytes32(&s));
	statement.conditions = s;
	return statement;
}

/* *ret_lacking: with LACKING the reference without a value. */
static enum outcome try_statement(struct context *c, uint32_t i, int *ret_lacking)
{
	struct statement statement = statement_open(&c->program, i);
	enum answer answer = any_resource_matches(c, &statement);
	if (answer == (statement.not_resource ? YES : NO))
		return OTHER;
	uint64_t without = unresolved(c, statement.needs);
	if (without != 0) {
		*ret_lacking = (int)first_bit(without);
		return LACKING;
	}
	while (scan_more(&statement.conditions)) {
		int lacking = -1;
		if (condition_holds(&c->program, scan_bytes32(&statement.conditions), c->request,
				    &c->terms, &lacking))
			continue;
		*ret_lacking = lacking;
		return lacking < 0 ? UNMET : LACKING;
	}
	return MATCHES;
}

/* ---- Lists of statements ---- */

/* The statements with the request's action and one effect: places in `order` from..to. */
struct list {
	uint32_t from, to;
};

static struct list list_of(const struct context *c, enum policy_effect effect)
{
	size_t list = (size_t)c->request->action * POLICY_EFFECTS + (size_t)effect;
	const uint8_t *start = c->program.starts + 4 * list;
	return (struct list){bytes_at_u32(start), bytes_at_u32(start + 4)};
}

static uint32_t listed(const struct context *c, uint32_t place)
{
	return bytes_at_u16(c->program.order + (size_t)2 * place);
}

/* A statement that was about the resource and did not match, and what it lacked (a reference); -1
 * for none. */
struct nearest {
	int statement, lacking;
};

/* The first match, or -1; then *nearest is the first that came near. */
static int first_match(struct context *c, enum policy_effect effect, struct nearest *nearest)
{
	struct list list = list_of(c, effect);
	for (uint32_t i = list.from; i < list.to; i++) {
		int lacking = -1, statement = (int)listed(c, i);
		enum outcome outcome = try_statement(c, (uint32_t)statement, &lacking);
		if (outcome == MATCHES)
			return statement;
		if (outcome != OTHER && nearest->statement < 0)
			*nearest = (struct nearest){statement, lacking};
	}
	return -1;
}

/* ---- The decision ---- */

static const struct policy_verdict nothing_matched = {
	.decision = POLICY_IMPLICIT_DENY,
	.program = -1,
	.statement = -1,
	.nearest_program = -1,
	.nearest_statement = -1,
};

/* Looks through one program; true when that settles the matter. */
typedef bool pass_fn(struct context *c, int program, struct policy_verdict *verdict);

static bool find_deny(struct context *c, int program, struct policy_verdict *verdict)
{
	struct nearest nearest = {-1, -1};
	int statement = first_match(c, POLICY_EFFECT_DENY, &nearest);
	if (statement < 0)
		return false;
	verdict->decision = POLICY_EXPLICIT_DENY;
	verdict->program = program;
	verdict->statement = statement;
	return true;
}

static bool find_allow(struct context *c, int program, struct policy_verdict *verdict)
{
	struct nearest nearest = {-1, -1};
	int statement = first_match(c, POLICY_EFFECT_ALLOW, &nearest);
	if (statement >= 0) {
		*verdict = nothing_matched;
		verdict->decision = POLICY_ALLOWED;
		verdict->program = program;
		verdict->statement = statement;
		return true;
	}
	if (nearest.statement < 0 || verdict->nearest_program >= 0)
		return false;
	verdict->nearest_program = program;
	verdict->nearest_statement = nearest.statement;
	if (nearest.lacking >= 0)
		verdict->missing = program_reference(&c->program, (unsigned)nearest.lacking).name;
	return false;
}

struct policy_verdict policy_decide(const struct view *programs, unsigned n_programs,
				    const struct policy_request *request)
{
	static pass_fn *const passes[] = {find_deny, find_allow};
	struct policy_verdict verdict = nothing_matched;
	struct context c UNINITIALIZED;
	context_open(&c, request);
	for (size_t pass = 0; pass < ARRAY_LEN(passes); pass++)
		for (unsigned i = 0; i < n_programs; i++) {
			context_enter(&c, programs[i]);
			if (passes[pass](&c, (int)i, &verdict))
				return verdict;
		}
	return verdict;
}

/* ---- For explaining and testing ---- */

int policy_first_match(struct view program, enum policy_effect effect,
		       const struct policy_request *request)
{
	struct context c UNINITIALIZED;
	struct nearest nearest = {-1, -1};
	context_open(&c, request);
	context_enter(&c, program);
	return first_match(&c, effect, &nearest);
}

static void each_missing(struct context *c, enum policy_effect effect, policy_missing_fn *fn,
			 void *ctx)
{
	struct list list = list_of(c, effect);
	for (uint32_t i = list.from; i < list.to; i++) {
		struct statement statement = statement_open(&c->program, listed(c, i));
		uint64_t left = unresolved(c, statement.needs);
		for (; left != 0; left &= left - 1)
			fn(program_reference(&c->program, first_bit(left)).name, ctx);
	}
}

void policy_each_missing(struct view program, const struct policy_request *request,
			 policy_missing_fn *fn, void *ctx)
{
	struct context c UNINITIALIZED;
	context_open(&c, request);
	context_enter(&c, program);
	each_missing(&c, POLICY_EFFECT_DENY, fn, ctx);
	each_missing(&c, POLICY_EFFECT_ALLOW, fn, ctx);
}

const char *policy_action_name(enum policy_action action)
{
	return action_names[action];
}

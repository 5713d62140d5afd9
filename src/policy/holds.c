#include "policy/holds.h"

#include "policy/operand.h"

const struct policy_operator_row policy_operators[POLICY_OPERATORS] = {
#define OPERATOR(id, name, form, accepts, negated)                                                 \
	[OPERATOR_##id] = {name, FORM_##form, accepts, negated},
#include "policy/operator.tbl.h"
#undef OPERATOR
};

/* ---- ARNs ---- */

struct arn arn_of_pieces(const struct view pieces[ARN_PIECES])
{
	const unsigned name = 2 * PROGRAM_HEADS;
	struct arn arn = {
		.whole = {pieces,        ARN_PIECES       },
		.name = {pieces + name, ARN_PIECES - name},
		.has_parts = true
        };
	for (size_t i = 0; i < PROGRAM_HEADS; i++)
		arn.heads[i] = pieces[2 * i];
	return arn;
}

/* Splits at the first five colons. *room is what is left for the name. */
static struct arn arn_of_text(struct glob_text text, struct view *room)
{
	*room = text.pieces[0];
	struct arn arn = {
		.whole = text, .name = {room, 1}
        };
	for (unsigned i = 0; i < PROGRAM_HEADS; i++) {
		const char *colon = room->n > 0 ? memchr(room->p, ':', room->n) : NULL;
		if (!colon)
			return arn;
		arn.heads[i] = (struct view){room->p, (size_t)(colon - room->p)};
		*room = (struct view){colon + 1, room->n - arn.heads[i].n - 1};
	}
	arn.has_parts = true;
	return arn;
}

bool heads_match(struct scan rest, const struct view heads[PROGRAM_HEADS], struct glob_terms *terms)
{
	while (scan_more(&rest)) {
		uint8_t head = scan_u8(&rest);
		if (!glob_match(scan_bytes32(&rest), (struct glob_text){&heads[head], 1}, terms))
			return false;
	}
	return true;
}

/* The name first: it tells policies apart, while the heads are nearly always alike. */
bool resource_matches(uint8_t kind, struct scan rest, const struct arn *arn,
		      struct glob_terms *terms)
{
	if (kind == PROGRAM_WHOLE)
		return glob_match(scan_rest(&rest), arn->whole, terms);
	return arn->has_parts && glob_match(scan_bytes32(&rest), arn->name, terms) &&
	       heads_match(rest, arn->heads, terms);
}

/* ---- A value of the request beside one of the policy ---- */

static uint8_t relation_of(int order)
{
	if (order == 0)
		return RELATION_EQUAL;
	return order < 0 ? RELATION_LESS : RELATION_GREATER;
}

static uint8_t relation_if(bool is_equal)
{
	return is_equal ? RELATION_EQUAL : 0;
}

static uint8_t text_relation(struct view value, struct glob_text actual, struct glob_terms *terms)
{
	return relation_if(glob_match(value, actual, terms));
}

static uint8_t folded_relation(struct view value, struct glob_text actual, struct glob_terms *terms)
{
	terms->is_folded = true;
	bool is_equal = glob_match(value, actual, terms);
	terms->is_folded = false;
	return relation_if(is_equal);
}

static uint8_t arn_relation(struct view value, struct glob_text actual, struct glob_terms *terms)
{
	struct view room;
	struct arn arn =
		actual.n == ARN_PIECES ? arn_of_pieces(actual.pieces) : arn_of_text(actual, &room);
	struct scan s = scan_of(value);
	uint8_t kind = scan_u8(&s);
	if (kind == PROGRAM_ARN)
		(void)scan_u8(&s); /* without a type */
	return relation_if(resource_matches(kind, s, &arn, terms));
}

/* What follows reads one piece only: a text in several is an ARN, and no number. */
static struct view whole_piece(struct glob_text text)
{
	return text.n == 1 ? text.pieces[0] : (struct view){"", 0};
}

static uint8_t number_relation(struct view value, struct glob_text actual, struct glob_terms *terms)
{
	struct number ours, theirs;
	(void)terms;
	if (!number_read(value, &ours) || !number_read(whole_piece(actual), &theirs))
		return 0;
	return relation_of(number_compare(&theirs, &ours));
}

static uint8_t date_relation(struct view value, struct glob_text actual, struct glob_terms *terms)
{
	struct scan s = scan_of(value);
	struct instant theirs, ours = {.seconds = (int64_t)scan_u64(&s)};
	ours.nanoseconds = scan_u32(&s);
	(void)terms;
	if (!instant_read(whole_piece(actual), &theirs))
		return 0;
	return relation_of(instant_compare(&theirs, &ours));
}

static uint8_t truth_relation(struct view value, struct glob_text actual, struct glob_terms *terms)
{
	bool is_true;
	(void)terms;
	return relation_if(truth_read(whole_piece(actual), &is_true) &&
			   is_true == (value.p[0] != 0));
}

static uint8_t binary_relation(struct view value, struct glob_text actual, struct glob_terms *terms)
{
	(void)terms;
	for (unsigned i = 0; i < actual.n; i++) {
		struct view piece = actual.pieces[i];
		if (piece.n > value.n || (piece.n > 0 && memcmp(piece.p, value.p, piece.n) != 0))
			return 0;
		value = (struct view){value.p + piece.n, value.n - piece.n};
	}
	return relation_if(value.n == 0);
}

static uint8_t address_relation(struct view value, struct glob_text actual,
				struct glob_terms *terms)
{
	uint8_t address[16];
	(void)terms;
	if (!address_read(whole_piece(actual), address))
		return 0;
	const uint8_t *network = (const uint8_t *)value.p + 1;
	return relation_if(address_is_inside(address, network, (uint8_t)value.p[0]));
}

typedef uint8_t relation_fn(struct view value, struct glob_text actual, struct glob_terms *terms);

static relation_fn *const relations[POLICY_FORMS] = {
	[FORM_TEXT] = text_relation,       [FORM_GLOB] = text_relation,
	[FORM_FOLDED] = folded_relation,   [FORM_ARN] = arn_relation,
	[FORM_NUMBER] = number_relation,   [FORM_DATE] = date_relation,
	[FORM_BOOLEAN] = truth_relation,   [FORM_BINARY] = binary_relation,
	[FORM_ADDRESS] = address_relation, [FORM_ABSENCE] = NULL,
};

/* ---- A condition ---- */

struct condition {
	const struct policy_operator_row *row;
	enum program_quantifier quantifier;
	bool if_exists;
	uint8_t place; /* of the reference */
	struct reference reference;
	struct scan values;
	const struct policy_request *request;
	struct glob_terms *terms;
};

static bool is_any_value(const struct condition *c, struct glob_text actual)
{
	struct scan values = c->values;
	while (scan_more(&values))
		if (relations[c->row->form](scan_bytes32(&values), actual, c->terms) &
		    c->row->accepts)
			return true;
	return false;
}

/* Null is the only operator that looks at the key, not at its values. */
static bool absence_holds(const struct condition *c)
{
	bool is_absent = !known_exists(c->request, &c->reference);
	struct scan values = c->values;
	while (scan_more(&values))
		if ((scan_bytes32(&values).p[0] != 0) == is_absent)
			return true;
	return false;
}

/* Goes through the values of the request until one settles the matter: for ForAllValues one that
 * fails, else one that passes. Without a quantifier a negated operator wants none of the values to
 * be any of the policy's, which is the same as all of them not to be. */
static bool values_hold(const struct condition *c)
{
	bool is_all = c->quantifier == QUANTIFIER_ALL ||
		      (c->quantifier == QUANTIFIER_NONE && c->row->is_negated);
	struct view one, arn[ARN_PIECES];
	const struct value_room room = {&one, arn};
	struct glob_text actual;
	for (unsigned i = 0; known_value(c->request, &c->reference, i, room, &actual); i++)
		if ((is_any_value(c, actual) != c->row->is_negated) != is_all)
			return !is_all;
	return is_all;
}

static bool missing_holds(const struct condition *c)
{
	static const bool without_suffix[PROGRAM_QUANTIFIERS][2] = {
		[QUANTIFIER_NONE] = {false, true },
		[QUANTIFIER_ALL] = {true,  true },
		[QUANTIFIER_ANY] = {false, false},
	};
	return c->if_exists || without_suffix[c->quantifier][c->row->is_negated];
}

bool condition_holds(const struct program *program, struct view condition,
		     const struct policy_request *request, struct glob_terms *terms,
		     int *ret_lacking)
{
	struct scan s = scan_of(condition);
	struct condition c = {.request = request, .terms = terms};
	c.row = &policy_operators[scan_u8(&s)];
	c.quantifier = (enum program_quantifier)scan_u8(&s);
	c.if_exists = scan_u8(&s) != 0;
	c.place = scan_u8(&s);
	c.reference = program_reference(program, c.place);
	c.values = s;
	if (c.row->form == FORM_ABSENCE)
		return absence_holds(&c);
	if (known_exists(request, &c.reference))
		return values_hold(&c);
	if (missing_holds(&c))
		return true;
	*ret_lacking = c.place;
	return false;
}

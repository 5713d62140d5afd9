/* Is this a program? Apart from decide.c so that the walk, done for every message, and the check,
 * done once, can be read side by side. */
#include "policy/decide.h"

#include "base/cursor.h"
#include "policy/facts.h"
#include "policy/glob.h"
#include "policy/operand.h"
#include "policy/program.h"

/* What patterns and conditions may refer to. */
struct limits {
	unsigned n_references;
	uint64_t needs; /* of the statement */
};

/* ---- Patterns and resources ---- */

static bool pattern_valid(struct view pattern, const struct limits *limits)
{
	uint64_t uses;
	return glob_valid(pattern, limits->n_references, &uses) && (uses & ~limits->needs) == 0;
}

static bool heads_valid(struct reader *r, const struct limits *limits)
{
	while (reader_left(r) > 0)
		if (read_u8(r) >= PROGRAM_HEADS || !pattern_valid(read_bytes32(r), limits))
			return false;
	return reader_done(r);
}

static bool resource_valid(struct view resource, bool has_type, const struct limits *limits)
{
	struct reader r = reader_of(resource.p, resource.n);
	uint8_t kind = read_u8(&r);
	if (r.bad || kind >= PROGRAM_RESOURCES)
		return false;
	if (kind == PROGRAM_WHOLE)
		return pattern_valid((struct view){resource.p + 1, resource.n - 1}, limits);
	uint8_t type = read_u8(&r);
	(void)read_raw(&r, type);
	if (r.bad || (type > 0 && !has_type))
		return false;
	return pattern_valid(read_bytes32(&r), limits) && heads_valid(&r, limits);
}

static bool resources_valid(struct view resources, const struct limits *limits)
{
	struct reader r = reader_of(resources.p, resources.n);
	do
		if (!resource_valid(read_bytes32(&r), true, limits))
			return false;
	while (reader_left(&r) > 0);
	return reader_done(&r);
}

/* ---- Conditions ---- */

typedef bool value_fn(struct view value, const struct limits *limits);

static bool arn_valid(struct view value, const struct limits *limits)
{
	return resource_valid(value, false, limits);
}

static bool number_valid(struct view value, const struct limits *limits)
{
	struct number number;
	(void)limits;
	return number_read(value, &number);
}

static bool date_valid(struct view value, const struct limits *limits)
{
	(void)limits;
	return value.n == PROGRAM_DATE;
}

static bool boolean_valid(struct view value, const struct limits *limits)
{
	(void)limits;
	return value.n == 1;
}

static bool binary_valid(struct view value, const struct limits *limits)
{
	(void)limits;
	return value.p != NULL;
}

static bool address_valid(struct view value, const struct limits *limits)
{
	(void)limits;
	return value.n == PROGRAM_ADDRESS && (uint8_t)value.p[0] <= PROGRAM_PREFIX_MAX;
}

static value_fn *const value_valid[POLICY_FORMS] = {
	[FORM_TEXT] = pattern_valid,    [FORM_GLOB] = pattern_valid,
	[FORM_FOLDED] = pattern_valid,  [FORM_ARN] = arn_valid,
	[FORM_NUMBER] = number_valid,   [FORM_DATE] = date_valid,
	[FORM_BOOLEAN] = boolean_valid, [FORM_BINARY] = binary_valid,
	[FORM_ADDRESS] = address_valid, [FORM_ABSENCE] = boolean_valid,
};

static bool condition_valid(struct view condition, const struct limits *limits)
{
	struct reader r = reader_of(condition.p, condition.n);
	uint8_t op = read_u8(&r), quantifier = read_u8(&r), if_exists = read_u8(&r);
	uint8_t reference = read_u8(&r);
	if (r.bad || op >= POLICY_OPERATORS || quantifier >= PROGRAM_QUANTIFIERS || if_exists > 1 ||
	    reference >= limits->n_references)
		return false;
	do
		if (!value_valid[policy_operators[op].form](read_bytes32(&r), limits))
			return false;
	while (reader_left(&r) > 0);
	return reader_done(&r);
}

/* ---- Statements ---- */

static uint64_t bits_below(unsigned n)
{
	return n >= 64 ? UINT64_MAX : (UINT64_C(1) << n) - 1;
}

static bool statement_valid(struct reader *r, unsigned n_references)
{
	uint8_t not_resource = read_u8(r);
	struct limits limits = {n_references, read_u64(r)};
	struct view resources = read_bytes32(r);
	if (r->bad || not_resource > 1 || (limits.needs & ~bits_below(n_references)) != 0 ||
	    !resources_valid(resources, &limits))
		return false;
	while (reader_left(r) > 0)
		if (!condition_valid(read_bytes32(r), &limits))
			return false;
	return reader_done(r);
}

/* The statements follow one another from `at` to the end, where the offsets say. */
static bool statements_valid(struct view program, size_t at, struct reader *offsets,
			     unsigned n_references)
{
	if (read_u32(offsets) != at)
		return false;
	while (reader_left(offsets) > 0) {
		size_t end = read_u32(offsets);
		if (end <= at || end > program.n)
			return false;
		struct reader r = reader_of(program.p + at, end - at);
		if (!statement_valid(&r, n_references))
			return false;
		at = end;
	}
	return at == program.n;
}

/* ---- What stands before them ---- */

/* The lists follow one another, and hold statements that there are. */
static bool lists_valid(struct reader *r, uint32_t n_statements)
{
	uint32_t last = 0;
	for (unsigned i = 0; i <= PROGRAM_LISTS; i++) {
		uint32_t start = read_u32(r);
		if (start < last || (i == 0 && start > 0))
			return false;
		last = start;
	}
	for (uint32_t i = 0; i < last && !r->bad; i++)
		if (read_u16(r) >= n_statements)
			return false;
	return !r->bad;
}

static bool reference_valid(struct reader *r)
{
	uint8_t key = read_u8(r), field = read_u8(r), index = read_u8(r);
	size_t from = read_u8(r), length = read_u8(r);
	struct view name = read_str16(r);
	return !r->bad && key < POLICY_KEYS && field < POLICY_FIELDS &&
	       (index < FACT_VALUES_MAX || index == PROGRAM_ALL) && from + length <= name.n;
}

static bool references_valid(struct reader *r, unsigned *ret_n)
{
	*ret_n = read_u8(r);
	if (*ret_n > PROGRAM_REFERENCES)
		return false;
	for (unsigned i = 0; i < *ret_n; i++)
		if (!reference_valid(r))
			return false;
	return !r->bad;
}

bool policy_program_valid(const uint8_t *program, size_t n)
{
	struct reader r = reader_of(program, n);
	uint32_t magic = read_u32(&r), n_statements = read_u32(&r);
	if (magic != PROGRAM_MAGIC || n_statements > PROGRAM_STATEMENTS)
		return false;
	size_t n_offsets = ((size_t)n_statements + 1) * sizeof(uint32_t);
	const uint8_t *at = read_raw(&r, n_offsets);
	struct reader offsets = reader_of(at, at ? n_offsets : 0);
	unsigned n_references;
	if (!lists_valid(&r, n_statements) || !references_valid(&r, &n_references) || r.bad)
		return false;
	return statements_valid((struct view){(const char *)program, n}, (size_t)(r.at - program),
				&offsets, n_references);
}

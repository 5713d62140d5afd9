/* Is this a program? Apart from decide.c so that the walk, done for every message, and the check,
 * done once, can be read side by side. */
#include "policy/decide.h"

#include "base/cursor.h"
#include "policy/glob.h"
#include "policy/program.h"

static bool pattern_valid(struct view pattern, uint32_t needs)
{
	uint32_t keys;
	return glob_valid(pattern, POLICY_KEYS, &keys) && (keys & ~needs) == 0;
}

static bool address_valid(struct view value, uint32_t needs)
{
	(void)needs;
	return value.n == PROGRAM_ADDRESS && (uint8_t)value.p[0] <= PROGRAM_PREFIX_MAX;
}

static bool (*const value_valid[POLICY_FORMS])(struct view value, uint32_t needs) = {
	[FORM_LITERAL] = pattern_valid,
	[FORM_GLOB] = pattern_valid,
	[FORM_BOOLEAN] = pattern_valid,
	[FORM_ADDRESS] = address_valid,
};

static bool resource_valid(struct reader *r, uint32_t needs)
{
	uint8_t parts = read_u8(r);
	if (parts != PROGRAM_WHOLE && parts != PROGRAM_ARN_PARTS)
		return false;
	for (unsigned i = 0; i < parts; i++)
		if (!pattern_valid(read_bytes32(r), needs))
			return false;
	return !r->bad;
}

static bool resources_valid(struct view resources, uint32_t needs)
{
	struct reader r = reader_of(resources.p, resources.n);
	do
		if (!resource_valid(&r, needs))
			return false;
	while (reader_left(&r) > 0);
	return true;
}

static bool condition_valid(struct reader *r, uint32_t needs)
{
	uint8_t op = read_u8(r), if_exists = read_u8(r), key = read_u8(r);
	struct view values = read_bytes32(r);
	if (r->bad || op >= POLICY_OPERATORS || if_exists > 1 || key >= POLICY_KEYS)
		return false;
	struct reader list = reader_of(values.p, values.n);
	do
		if (!value_valid[policy_operators[op].form](read_bytes32(&list), needs))
			return false;
	while (reader_left(&list) > 0);
	return !list.bad;
}

static bool statement_valid(struct view statement)
{
	struct reader r = reader_of(statement.p, statement.n);
	uint8_t effect = read_u8(&r), not_resource = read_u8(&r);
	uint32_t actions = read_u32(&r), needs = read_u32(&r);
	struct view resources = read_bytes32(&r);
	if (r.bad || effect >= PROGRAM_EFFECTS || not_resource > 1 ||
	    actions >> POLICY_ACTIONS != 0 || needs >> POLICY_KEYS != 0 ||
	    !resources_valid(resources, needs))
		return false;
	while (reader_left(&r) > 0)
		if (!condition_valid(&r, needs))
			return false;
	return reader_done(&r);
}

bool policy_program_valid(const uint8_t *program, size_t n)
{
	struct reader r = reader_of(program, n);
	if (read_u32(&r) != PROGRAM_MAGIC)
		return false;
	while (reader_left(&r) > 0)
		if (!statement_valid(read_bytes32(&r)))
			return false;
	return reader_done(&r);
}

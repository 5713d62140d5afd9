#include "policy/known.h"

#include "base/compiler.h"
#include "policy/facts.h"

enum shape { SHAPE_ONE, SHAPE_ARN, SHAPE_LIST, SHAPE_NAMED, SHAPE_FIELD, SHAPE_NEVER };

struct value {
	struct view text;
	bool is_raw;
};

typedef bool value_fn(const struct policy_request *request, const struct reference *reference,
		      unsigned i, struct value *ret);

/* ---- One text ---- */

static bool one(struct view text, unsigned i, struct value *ret)
{
	*ret = (struct value){text, false};
	return i == 0 && text.p != NULL;
}

#define MEMBER(member)                                                                             \
	static bool member(const struct policy_request *request,                                   \
			   const struct reference *reference, unsigned i, struct value *ret)       \
	{                                                                                          \
		(void)reference;                                                                   \
		return one(request->member, i, ret);                                               \
	}

MEMBER(client_id)
MEMBER(source_ip)
MEMBER(domain_name)
MEMBER(certificate_id)
MEMBER(thing_name)
MEMBER(last_will_topic)

static bool is_attached(const struct policy_request *request, const struct reference *reference,
			unsigned i, struct value *ret)
{
	(void)reference;
	return one(request->is_thing_attached ? VIEW_LIT("true") : VIEW_LIT("false"), i, ret);
}

static bool never(const struct policy_request *request, const struct reference *reference,
		  unsigned i, struct value *ret)
{
	(void)request;
	(void)reference;
	(void)i;
	(void)ret;
	return false;
}

/* ---- Facts ---- */

static bool fact_value(struct view facts, uint8_t kind, struct view name, unsigned i,
		       struct value *ret)
{
	struct fact fact;
	if (!facts_find(facts, kind, name, i, &fact))
		return false;
	*ret = (struct value){fact.value, fact.is_raw};
	return true;
}

static bool thing_type(const struct policy_request *request, const struct reference *reference,
		       unsigned i, struct value *ret)
{
	(void)reference;
	return fact_value(request->thing_facts, FACT_THING_TYPE, VIEW_LIT(""), i, ret);
}

/* An attribute has one value. */
static bool attribute(const struct policy_request *request, const struct reference *reference,
		      unsigned i, struct value *ret)
{
	return i == 0 &&
	       fact_value(request->thing_facts, FACT_ATTRIBUTE, reference->argument, 0, ret);
}

static bool certificate(const struct policy_request *request, const struct reference *reference,
			unsigned i, struct value *ret)
{
	bool is_all = reference->index == PROGRAM_ALL;
	if (!is_all && i > 0)
		return false;
	return fact_value(request->cert_facts, (uint8_t)(FACT_FIELD + reference->field),
			  VIEW_LIT(""), is_all ? i : reference->index, ret);
}

static bool available_keys(const struct policy_request *request, const struct reference *reference,
			   unsigned i, struct value *ret)
{
	static const struct view names[POLICY_FIELDS] = {
#define FIELD(id, name) [FIELD_##id] = VIEW_INIT("iot:Certificate." name),
#include "policy/field.tbl.h"
#undef FIELD
	};
	(void)reference;
	struct view left = request->cert_facts;
	struct fact fact;
	uint64_t seen = 0;
	while (facts_next(&left, &fact)) {
		unsigned field = fact.kind - (unsigned)FACT_FIELD;
		if (field >= POLICY_FIELDS || (seen >> field & 1) != 0)
			continue;
		seen |= UINT64_C(1) << field;
		if (i-- > 0)
			continue;
		*ret = (struct value){names[field], false};
		return true;
	}
	return false;
}

static bool connect_attributes(const struct policy_request *request,
			       const struct reference *reference, unsigned i, struct value *ret)
{
	static const struct {
		uint8_t bit;
		struct view name;
	} rows[] = {
		{POLICY_PERSISTENT_CONNECT, VIEW_INIT("PersistentConnect")},
		{POLICY_LAST_WILL,          VIEW_INIT("LastWill")         },
	};
	(void)reference;
	if (!request->are_connect_attributes_known)
		return false;
	for (unsigned row = 0; row < ARRAY_LEN(rows); row++) {
		if ((request->connect_attributes & rows[row].bit) == 0 || i-- > 0)
			continue;
		*ret = (struct value){rows[row].name, false};
		return true;
	}
	return false;
}

/* ---- The keys ---- */

static const struct {
	enum shape shape;
	value_fn *value;
} keys[POLICY_KEYS] = {
#define KEY(id, name, shape, value) [KEY_##id] = {SHAPE_##shape, value},
#include "policy/key.tbl.h"
#undef KEY
};

static bool is_list(const struct reference *reference)
{
	return keys[reference->key].shape == SHAPE_LIST || reference->index == PROGRAM_ALL;
}

void arn_lay_out(const struct policy_request *request, struct view type, struct view name,
		 struct view ret[ARN_PIECES])
{
	const struct view colon = VIEW_LIT(":");
	const struct view arn[ARN_PIECES] = {
		VIEW_LIT("arn"),
		colon,
		request->partition,
		colon,
		VIEW_LIT("iot"),
		colon,
		request->region,
		colon,
		request->account,
		colon,
		type,
		VIEW_LIT("/"),
		name,
	};
	memcpy(ret, arn, sizeof(arn));
}

void arn_heads(const struct policy_request *request, struct view ret[PROGRAM_HEADS])
{
	const struct view heads[PROGRAM_HEADS] = {
		VIEW_LIT("arn"), request->partition, VIEW_LIT("iot"),
		request->region, request->account,
	};
	memcpy(ret, heads, sizeof(heads));
}

static struct glob_text as_text(const struct policy_request *request,
				const struct reference *reference, struct view text,
				struct value_room room)
{
	if (keys[reference->key].shape == SHAPE_ARN) {
		arn_lay_out(request, VIEW_LIT("topic"), text, room.arn);
		return (struct glob_text){room.arn, ARN_PIECES};
	}
	*room.one = text;
	return (struct glob_text){room.one, 1};
}

bool known_exists(const struct policy_request *request, const struct reference *reference)
{
	struct value value;
	if (reference->key == KEY_CONNECT_ATTRIBUTES)
		return request->are_connect_attributes_known;
	return keys[reference->key].value(request, reference, 0, &value);
}

bool known_value(const struct policy_request *request, const struct reference *reference,
		 unsigned i, struct value_room room, struct glob_text *ret)
{
	struct value value;
	if (!keys[reference->key].value(request, reference, i, &value))
		return false;
	*ret = as_text(request, reference, value.text, room);
	return true;
}

bool known_text(const struct policy_request *request, const struct reference *reference,
		struct value_room room, struct glob_text *ret)
{
	struct value value;
	if (is_list(reference) || !keys[reference->key].value(request, reference, 0, &value) ||
	    value.is_raw)
		return false;
	*ret = as_text(request, reference, value.text, room);
	return true;
}

/* Every operator, prefix and suffix, on one connection (spec/registry-and-policies.md
 * section 10.2), and the facts that conditions ask about. */
#include "policy/decide.h"
#include "policy/facts_write.h"
#include "policy/policy.h"

#include "base/compiler.h"

#include <glib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static const struct {
	const char *condition;
	bool expected;
} rows[] = {
#define HOLDS(condition) {condition, true},
#define FAILS(condition) {condition, false},
#include "conditions.tbl.h"
#undef HOLDS
#undef FAILS
};

struct facts {
	GByteArray *thing, *cert;
};

static struct facts facts_new(void)
{
	static const char *const attributes[][2] = {
		{"twin",  "pump-1"                      },
		{"upper", "PUMP-1"                      },
		{"n",     "-12.50"                      },
		{"zero",  "0"                           },
		{"d",     "2026-03-01T10:00:00.25+02:00"},
		{"t",     "True"                        },
		{"zone",  "fe80::1%eth0"                },
		{"w",     "w"			   },
		{"arn",   "a:b:c:d:e:f:g"               },
	};
	static const char *const organizations[] = {"A", "B*", "C,D"};
	static const char *const units[] = {"1", "2", "3", "4", "5", "6"};
	struct facts facts = {g_byte_array_new(), g_byte_array_new()};
	g_autofree char *title = g_strnfill(FACT_CHARS_MAX + 1, 'x');
	facts_add_thing_type(facts.thing, VIEW_LIT("pump"));
	for (size_t i = 0; i < ARRAY_LEN(attributes); i++)
		facts_add_attribute(facts.thing, view_of(attributes[i][0]),
				    view_of(attributes[i][1]));
	for (size_t i = 0; i < ARRAY_LEN(organizations); i++)
		facts_add_field(facts.cert, FIELD_SUBJECT_ORGANIZATION, view_of(organizations[i]));
	for (size_t i = 0; i < ARRAY_LEN(units); i++)
		facts_add_field(facts.cert, FIELD_SUBJECT_ORGANIZATIONAL_UNIT, view_of(units[i]));
	facts_add_field(facts.cert, FIELD_SUBJECT_TITLE, view_of(title));
	facts_add_field(facts.cert, FIELD_SERIAL_NUMBER, VIEW_LIT("4f"));
	return facts;
}

static void facts_free(struct facts *facts)
{
	g_byte_array_unref(facts->thing);
	g_byte_array_unref(facts->cert);
}

static struct view view_of_bytes(const GByteArray *bytes)
{
	return (struct view){(const char *)bytes->data, bytes->len};
}

static struct policy_request request_of(const struct facts *facts)
{
	return (struct policy_request){
		.action = POLICY_CONNECT,
		.partition = VIEW_LIT("aws"),
		.region = VIEW_LIT("us-east-1"),
		.account = VIEW_LIT("123456789012"),
		.type = VIEW_LIT("client"),
		.name = VIEW_LIT("pump-1"),
		.client_id = VIEW_LIT("pump-1"),
		.thing_name = VIEW_LIT("pump-1"),
		.source_ip = VIEW_LIT("10.1.2.3"),
		.domain_name = VIEW_LIT("iot.example.com"),
		.last_will_topic = VIEW_LIT("w/1"),
		.is_thing_attached = true,
		.are_connect_attributes_known = true,
		.connect_attributes = POLICY_PERSISTENT_CONNECT,
		.thing_facts = view_of_bytes(facts->thing),
		.cert_facts = view_of_bytes(facts->cert),
	};
}

static bool allows(const char *condition, const struct policy_request *request)
{
	g_autofree char *document =
		g_strdup_printf("{\"Version\":\"2012-10-17\",\"Statement\":{\"Effect\":\"Allow\","
				"\"Action\":\"*\",\"Resource\":\"*\",\"Condition\":{%s}}}",
				condition);
	struct policy_program program;
	struct fault fault = {0};
	if (policy_compile(view_of(document), 2048, &program, &fault) != 0)
		fail_msg("%s: %s", condition, fault.message);
	assert_true(policy_program_valid(program.bytes, program.n));
	const struct view view = {(const char *)program.bytes, program.n};
	bool is_allowed = policy_decide(&view, 1, request).decision == POLICY_ALLOWED;
	policy_program_clear(&program);
	return is_allowed;
}

static void test_conditions(void **state)
{
	(void)state;
	struct facts facts = facts_new();
	struct policy_request request = request_of(&facts);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (allows(rows[i].condition, &request) != rows[i].expected)
			fail_msg("%s: not %s", rows[i].condition,
				 rows[i].expected ? "true" : "false");
	facts_free(&facts);
}

/* A request that knows nothing of connect attributes has no such key; one that knows there are none
 * has an empty list. */
static void test_empty_list_is_not_missing(void **state)
{
	(void)state;
	static const struct {
		const char *condition;
		bool if_unknown, if_empty;
	} cases[] = {
		{"\"Null\":{\"iot:ConnectAttributes\":\"true\"}",                          true,  false},
		{"\"ForAllValues:StringEquals\":{\"iot:ConnectAttributes\":\"LastWill\"}", true,
		 true										  },
		{"\"ForAnyValue:StringLike\":{\"iot:ConnectAttributes\":\"*\"}",           false, false},
		{"\"StringLikeIfExists\":{\"iot:ConnectAttributes\":\"*\"}",               true,  false},
		{"\"StringNotLike\":{\"iot:ConnectAttributes\":\"*\"}",                    true,  true },
	};
	struct facts facts = facts_new();
	struct policy_request request = request_of(&facts);
	request.connect_attributes = 0;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		for (int known = 0; known < 2; known++) {
			request.are_connect_attributes_known = known;
			if (allows(cases[i].condition, &request) !=
			    (known ? cases[i].if_empty : cases[i].if_unknown))
				fail_msg("%s, known: %d", cases[i].condition, known);
		}
	facts_free(&facts);
}

/* Facts of a connection that has none: nothing is known, and nothing breaks. */
static void test_damaged_facts_end_early(void **state)
{
	(void)state;
	struct facts facts = facts_new();
	struct policy_request request = request_of(&facts);
	const struct view whole = request.cert_facts;
	const char *serial = "\"StringEquals\":{\"iot:Certificate.SerialNumber\":\"4f\"}";
	for (size_t n = 0; n < whole.n; n++) {
		g_autofree char *cut = g_memdup2(whole.p, n);
		request.cert_facts = (struct view){cut, n};
		struct fact fact;
		assert_false(facts_find(request.cert_facts, FACT_FIELD + FIELD_SERIAL_NUMBER,
					VIEW_LIT(""), 0, &fact));
	}
	request.cert_facts = (struct view){whole.p, whole.n / 2};
	assert_false(allows(serial, &request));
	request.cert_facts = whole;
	assert_true(allows(serial, &request));
	facts_free(&facts);
}

static void test_field_names(void **state)
{
	(void)state;
	enum policy_field field;
	assert_true(facts_field_of("issuer.alternativename.dnsname", &field));
	assert_int_equal(field, FIELD_ISSUER_DNS_NAME);
	assert_false(facts_field_of("Subject", &field));
}

/* What no policy can name is left out: a nameless type, a name too long for the registry. */
static void test_left_out_facts(void **state)
{
	(void)state;
	g_autoptr(GByteArray) facts = g_byte_array_new();
	g_autofree char *name = g_strnfill(256, 'n');
	facts_add_thing_type(facts, VIEW_LIT(""));
	facts_add_attribute(facts, view_of(name), VIEW_LIT("v"));
	assert_int_equal(facts->len, 0);
}

static void test_long_values_are_cut(void **state)
{
	(void)state;
	g_autoptr(GByteArray) facts = g_byte_array_new();
	g_autofree char *text = g_strnfill(3000, ',');
	struct fact fact;
	facts_add_field(facts, FIELD_SUBJECT_TITLE, view_of(text));
	assert_true(facts_find(view_of_bytes(facts), FACT_FIELD + FIELD_SUBJECT_TITLE, VIEW_LIT(""),
			       0, &fact));
	assert_true(fact.is_raw);
	assert_int_equal(fact.value.n, FACT_BYTES_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_conditions),
		cmocka_unit_test(test_empty_list_is_not_missing),
		cmocka_unit_test(test_damaged_facts_end_early),
		cmocka_unit_test(test_field_names),
		cmocka_unit_test(test_left_out_facts),
		cmocka_unit_test(test_long_values_are_cut),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

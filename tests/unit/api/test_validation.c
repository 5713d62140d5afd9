/* From the wire to a handler's input: members, types and constraints, in AWS's words (spec/api.md
 * section 1). */
#include "api/interpret.h"
#include "api/route.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static struct model *model;

static int load(void **state)
{
	struct fault fault;
	(void)state;
	model = model_load(&fault);
	if (!model)
		fail_msg("%s", fault.message);
	return 0;
}

static int unload(void **state)
{
	(void)state;
	model_free(model);
	return 0;
}

static const struct api_header principal = {"X-Amzn-Principal",
					    "  arn:aws:iot:us-east-1:1:cert/a  "};

/* What a handler would get; or the message, behind the exception's name. Compact JSON; freed with
 * g_free. */
static char *gathered(const char *method, const char *target, const char *body)
{
	const char *mark = strchr(target, '?');
	const struct api_request request = {
		.method = method,
		.path = {target, mark ? (size_t)(mark - target) : strlen(target)},
		.query = view_of(mark ? mark + 1 : ""),
		.headers = &principal,
		.n_headers = 1,
		.body = view_of(body),
	};
	struct refusal refusal = {0};
	json_t *in;
	struct route route = route_find(model, method, request.path);
	assert_non_null(route.operation);
	if (api_gather(&route, &request, &in, &refusal) < 0) {
		char *text = g_strdup_printf("%s: %s", refusal.exception, refusal.message);
		refusal_clear(&refusal);
		return text;
	}
	char *dumped = json_dumps(in, JSON_COMPACT | JSON_SORT_KEYS);
	char *text = g_strdup(dumped);
	free(dumped);
	json_decref(in);
	return text;
}

struct row {
	const char *method, *target, *body, *expected;
};

static void check_rows(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		g_autofree char *got = gathered(rows[i].method, rows[i].target, rows[i].body);
		if (strcmp(got, rows[i].expected) != 0)
			fail_msg("%s %s %s:\n  %s\ninstead of\n  %s", rows[i].method,
				 rows[i].target, rows[i].body ? rows[i].body : "", got,
				 rows[i].expected);
	}
}

#define INVALID(n, text) "InvalidRequestException: " n " detected: " text
#define ONE(text)        INVALID("1 validation error", text)
#define AT(value, path)  "Value '" value "' at '" path "' failed to satisfy constraint: "
#define NONE_AT(path)                                                                              \
	"Value null at '" path "' failed to satisfy constraint: Member must not be null"
#define NAME "Member must satisfy regular expression pattern: [a-zA-Z0-9:_-]+"

/* Tables read better by hand. */
/* clang-format off */
static void test_members(void **state)
{
	static const struct row rows[] = {
		{"POST", "/things/a%3Ab", NULL, "{\"thingName\":\"a:b\"}"},
		{"POST", "/things/a%3Ab", "", "{\"thingName\":\"a:b\"}"},
		/* Body members named like URI members, unknown ones and nulls are ignored; duplicates: the last. */
		{"POST", "/things/a", "{\"thingName\":\"b\",\"new\":1,\"thingTypeName\":null}", "{\"thingName\":\"a\"}"},
		{"POST", "/things/a", "{\"thingTypeName\":\"x\",\"thingTypeName\":\"y\"}",
		 "{\"thingName\":\"a\",\"thingTypeName\":\"y\"}"},
		/* Operations without body members do not look at it. */
		{"GET", "/things/a", "not json", "{\"thingName\":\"a\"}"},
		{"GET", "/things?maxResults=5&thingTypeName=a%3Ab&usePrefixAttributeValue=TRUE", NULL,
		 "{\"maxResults\":5,\"thingTypeName\":\"a:b\",\"usePrefixAttributeValue\":true}"},
		/* A plus is a plus. */
		{"GET", "/tags?resourceArn=a+b%20c", NULL, "{\"resourceArn\":\"a+b c\"}"},
		{"GET", "/policies?isAscendingOrder=false", NULL, "{\"ascendingOrder\":false}"},
		{"DELETE", "/things/a?expectedVersion=9223372036854775807", NULL,
		 "{\"expectedVersion\":9223372036854775807,\"thingName\":\"a\"}"},
		{"POST", "/untag", "{\"resourceArn\":\"x\",\"tagKeys\":[\"a\",\"b\"]}",
		 "{\"resourceArn\":\"x\",\"tagKeys\":[\"a\",\"b\"]}"},
		{"GET", "/principals/things", NULL, "{\"principal\":\"arn:aws:iot:us-east-1:1:cert/a\"}"},
		{"POST", "/loggingOptions", "{\"roleArn\":\"r\",\"logLevel\":\"INFO\"}",
		 "{\"loggingOptionsPayload\":{\"logLevel\":\"INFO\",\"roleArn\":\"r\"}}"},
		{"POST", "/loggingOptions", NULL, ONE(NONE_AT("loggingOptionsPayload"))},
		{"PATCH", "/audit/configuration",
		 "{\"auditCheckConfigurations\":{\"A\":{\"enabled\":true},\"B\":null}}",
		 "{\"auditCheckConfigurations\":{\"A\":{\"enabled\":true}}}"},
	};
	(void)state;
	check_rows(rows, ARRAY_LEN(rows));
}

static void test_timestamps(void **state)
{
	static const struct row rows[] = {
		{"GET", "/audit/tasks?startTime=2026-01-01T00%3A00%3A00.500000Z&endTime=2026-11-22T12:59:46.090Z", NULL,
		 "{\"endTime\":1795352386090,\"startTime\":1767225600500}"},
		{"GET", "/audit/tasks?startTime=2026-01-01T01:00:00%2B01:00&endTime=2026-01-01T00:00:00Z", NULL,
		 "{\"endTime\":1767225600000,\"startTime\":1767225600000}"},
		{"GET", "/audit/tasks?startTime=1767225600&endTime=1000000000.5", NULL,
		 "{\"endTime\":1000000000500,\"startTime\":1767225600000}"},
		{"POST", "/audit/findings", "{\"startTime\":1.7672256E9,\"endTime\":1000000000.5}",
		 "{\"endTime\":1000000000500,\"startTime\":1767225600000}"},
		{"POST", "/audit/findings", "{\"startTime\":\"2026-01-01T00:00:00.123456789Z\"}",
		 "{\"startTime\":1767225600123}"},
		{"POST", "/audit/findings", "{\"startTime\":1e300}",
		 "SerializationException: 'startTime' must be a time: seconds since the epoch, or ISO 8601 text"},
		{"POST", "/audit/findings", "{\"startTime\":\"yesterday\"}",
		 "SerializationException: 'startTime' must be a time: seconds since the epoch, or ISO 8601 text"},
		{"GET", "/audit/tasks?startTime=nan&endTime=0", NULL,
		 ONE(AT("nan", "startTime") "Member must be a valid value of its type")},
	};
	(void)state;
	check_rows(rows, ARRAY_LEN(rows));
}

static void test_serialization(void **state)
{
	static const struct row rows[] = {
		{"POST", "/things/a", "[]", "SerializationException: the body must be a JSON object"},
		{"POST", "/things/a", "{\"thingTypeName\":1}", "SerializationException: 'thingTypeName' must be a string"},
		{"POST", "/things/a", "{\"attributePayload\":[]}",
		 "SerializationException: 'attributePayload' must be an object"},
		{"POST", "/things/a", "{\"attributePayload\":{\"attributes\":{\"a\":1}}}",
		 "SerializationException: 'attributes' must be a string"},
		{"POST", "/things/a", "{\"attributePayload\":{\"merge\":\"true\"}}",
		 "SerializationException: 'merge' must be true or false"},
		{"POST", "/audit/findings", "{\"maxResults\":2147483648}",
		 "SerializationException: 'maxResults' must be a 32-bit integer"},
		{"POST", "/audit/findings", "{\"maxResults\":1.5}",
		 "SerializationException: 'maxResults' must be a 32-bit integer"},
		{"POST", "/audit/findings", "{\"maxResults\":1e1}", "{\"maxResults\":10}"},
		{"POST", "/audit/tasks", "{\"targetCheckNames\":{}}",
		 "SerializationException: 'targetCheckNames' must be a list"},
		{"POST", "/things/%FF", NULL, "SerializationException: 'thingName' is not percent-encoded UTF-8 text"},
		{"POST", "/things/a%00", NULL, "SerializationException: 'thingName' is not percent-encoded UTF-8 text"},
		{"POST", "/things/a%2", NULL, "SerializationException: 'thingName' is not percent-encoded UTF-8 text"},
	};
	(void)state;
	check_rows(rows, ARRAY_LEN(rows));
	g_autofree char *broken = gathered("POST", "/things/a", "{\"a\":");
	assert_true(g_str_has_prefix(broken, "SerializationException: the body is not JSON: "));
	g_autofree char *no_utf8 = gathered("POST", "/things/a", "{\"a\":\"\xff\"}");
	assert_true(g_str_has_prefix(no_utf8, "SerializationException: the body is not JSON: "));
}

static void test_constraints(void **state)
{
	static const struct row rows[] = {
		{"POST", "/things/x%20y", NULL, ONE(AT("x y", "thingName") NAME)},
		{"POST", "/things/x%0A", NULL, ONE(AT("x\n", "thingName") NAME)},
		{"GET", "/things?maxResults=251", NULL,
		 ONE(AT("251", "maxResults") "Member must have value less than or equal to 250")},
		{"GET", "/things?maxResults=0", NULL,
		 ONE(AT("0", "maxResults") "Member must have value greater than or equal to 1")},
		{"GET", "/things?maxResults=many", NULL,
		 ONE(AT("many", "maxResults") "Member must be a valid value of its type")},
		{"GET", "/things?usePrefixAttributeValue=yes", NULL,
		 ONE(AT("yes", "usePrefixAttributeValue") "Member must be a valid value of its type")},
		{"GET", "/audit/tasks?startTime=0&endTime=1&taskStatus=DONE", NULL,
		 ONE(AT("DONE", "taskStatus") "Member must satisfy enum value set: [IN_PROGRESS, COMPLETED, FAILED, CANCELED]")},
		{"POST", "/security-profiles/p", "{\"behaviors\":[{\"metric\":\"aws:num-disconnects\"}]}",
		 ONE(NONE_AT("behaviors.1.member.name"))},
		{"POST", "/security-profiles/p", "{\"behaviors\":[{\"name\":\"b\"},null]}",
		 ONE(NONE_AT("behaviors.2.member"))},
		{"GET", "/audit/tasks", NULL,
		 INVALID("2 validation errors", NONE_AT("startTime") "; " NONE_AT("endTime"))},
		{"POST", "/policies/p", "{}", ONE(NONE_AT("policyDocument"))},
		{"POST", "/audit/suppressions/create",
		 "{\"checkName\":\"C\",\"resourceIdentifier\":{\"account\":\"12x\"},\"clientRequestToken\":\"t\"}",
		 INVALID("2 validation errors",
			 AT("12x", "resourceIdentifier.account") "Member must have length greater than or equal to 12; " AT(
				 "12x", "resourceIdentifier.account") "Member must satisfy regular expression pattern: [0-9]+")},
		{"PUT", "/detect/mitigationactions/tasks/t",
		 "{\"target\":{},\"actions\":[],\"clientRequestToken\":\"t\"}",
		 ONE(AT("[]", "actions") "Member must have length greater than or equal to 1")},
		{"POST", "/audit/mitigationactions/tasks/t",
		 "{\"target\":{},\"auditCheckToActionsMapping\":{\"CHECK\":[\"a b\"]},\"clientRequestToken\":\"t\"}",
		 ONE(AT("a b", "auditCheckToActionsMapping.CHECK.member.1.member") "Member must satisfy regular "
		     "expression pattern: [a-zA-Z0-9_-]+")},
		{"PATCH", "/audit/configuration", "{\"auditNotificationTargetConfigurations\":{\"MAIL\":{}}}",
		 ONE(AT("{MAIL={}}", "auditNotificationTargetConfigurations") "Map keys must satisfy constraint: "
		     "[Member must satisfy enum value set: [SNS]]")},
		/* Patterns are Java's: code points are counted, classes are Unicode's or ASCII as there. */
		{"POST", "/tags", "{\"resourceArn\":\"r\",\"tags\":[{\"Key\":\"Gr\u00f6\u00dfe 1\"}]}",
		 "{\"resourceArn\":\"r\",\"tags\":[{\"Key\":\"Gr\u00f6\u00dfe 1\"}]}"},
		{"POST", "/tags", "{\"resourceArn\":\"r\",\"tags\":[{\"Key\":\"a!\"}]}",
		 ONE(AT("a!", "tags.1.member.Key") "Member must satisfy regular expression pattern: "
		     "^([\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*)$")},
		{"POST", "/policies/gr\u00f6n", "{\"policyDocument\":\"\"}",
		 ONE(AT("gr\u00f6n", "policyName") "Member must satisfy regular expression pattern: [\\w+=,.@-]+")},
		{"POST", "/security-profiles/p", "{\"securityProfileDescription\":\"a\\tb\"}",
		 ONE(AT("a\tb", "securityProfileDescription") "Member must satisfy regular expression pattern: "
		     "[\\p{Graph}\\x20]*")},
		{"POST", "/audit/scheduledaudits/s",
		 "{\"frequency\":\"MONTHLY\",\"dayOfMonth\":\"32\",\"targetCheckNames\":[]}",
		 ONE(AT("32", "dayOfMonth") "Member must satisfy regular expression pattern: "
		     "^([1-9]|[12][0-9]|3[01])$|^LAST$")},
	};
	(void)state;
	check_rows(rows, ARRAY_LEN(rows));
}
/* clang-format on */

static void test_lengths_in_code_points(void **state)
{
	GString *key = g_string_new(NULL);
	(void)state;
	for (int i = 0; i < 128; i++)
		g_string_append(key, "\u00f6");
	g_autofree char *fits =
		g_strdup_printf("{\"resourceArn\":\"r\",\"tags\":[{\"Key\":\"%s\"}]}", key->str);
	g_autofree char *body =
		g_strdup_printf("{\"resourceArn\":\"r\",\"tags\":[{\"Key\":\"%sx\"}]}", key->str);
	g_autofree char *good = gathered("POST", "/tags", fits);
	g_autofree char *bad = gathered("POST", "/tags", body);
	assert_string_equal(good, fits);
	assert_true(g_str_has_suffix(bad, "Member must have length less than or equal to 128"));
	g_string_free(key, TRUE);
}

/* A megabyte of faults gives one message of bounded size, with all of them counted. */
static void test_many_faults(void **state)
{
	GString *body = g_string_new("{\"targetCheckNames\":[null");
	(void)state;
	for (int i = 1; i < 10000; i++)
		g_string_append(body, ",null");
	g_string_append(body, "]}");
	g_autofree char *text = gathered("POST", "/audit/tasks", body->str);
	assert_true(g_str_has_prefix(
		text, "InvalidRequestException: 10000 validation errors detected: "));
	assert_in_range(strlen(text), 8000, 10000);
	g_string_free(body, TRUE);
}

static void test_long_value_is_cut(void **state)
{
	g_autofree char *name = g_strnfill(3000, 'x');
	g_autofree char *target = g_strconcat("/things/", name, NULL);
	(void)state;
	g_autofree char *text = gathered("POST", target, NULL);
	assert_true(g_str_has_suffix(
		text, "...' at 'thingName' failed to satisfy constraint: Member must have length "
		      "less than or equal to 128"));
	assert_in_range(strlen(text), 1024, 1400);
}

static void test_routes(void **state)
{
	static const struct {
		const char *method, *path, *operation;
		bool is_path_known;
	} rows[] = {
		{"PUT",     "/thing-groups/addThingToThingGroup",                   "AddThingToThingGroup", true },
		{"PATCH",   "/thing-groups/addThingToThingGroup",                   "UpdateThingGroup",     true },
		{"GET",     "/things/arn%3Aaws%3Aiot%3Aeu%3A1%3Athinggroup%2Fname", "DescribeThing",
		 true											    },
		{"GET",     "/things/",					     "ListThings",           true },
		{"GET",     "/things//",					    NULL,                   false},
		{"GET",     "//things",					     NULL,                   false},
		{"GET",     "/",						    NULL,                   false},
		{"GET",     "",						     NULL,                   false},
		{"GET",     "things",					       NULL,                   false},
		{"DELETE",  "/things",					      NULL,                   true },
		{"OPTIONS", "/things",					      NULL,                   true },
		{"GET",     "/things/a/b/c/d/e/f/g/h/i",                            NULL,                   false},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct route route = route_find(model, rows[i].method, view_of(rows[i].path));
		const char *name = route.operation ? route.operation->name : NULL;
		if (g_strcmp0(name, rows[i].operation) != 0 ||
		    route.is_path_known != rows[i].is_path_known)
			fail_msg("%s %s: %s", rows[i].method, rows[i].path, name ? name : "none");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_members),
		cmocka_unit_test(test_timestamps),
		cmocka_unit_test(test_serialization),
		cmocka_unit_test(test_constraints),
		cmocka_unit_test(test_lengths_in_code_points),
		cmocka_unit_test(test_many_faults),
		cmocka_unit_test(test_long_value_is_cut),
		cmocka_unit_test(test_routes),
	};
	return cmocka_run_group_tests(tests, load, unload);
}

/* Security profiles through the API (spec/detect.md sections 1 and 2, api.md). */
#include "api_env.h"

#include "base/compiler.h"
#include "detect/config.h"
#include "registry/profile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <glib.h>

#define ARN_ALL "arn:aws:iot:us-east-1:123456789012:all/things"
#define ALL_QUERY                                                                                  \
	"?securityProfileTargetArn=arn%3Aaws%3Aiot%3Aus-east-1%3A123456789012%3Aall%2Fthings"
#define GROUP_QUERY(name)                                                                          \
	"?securityProfileTargetArn=arn%3Aaws%3Aiot%3Aus-east-1%3A123456789012%3Athinggroup%"       \
	"2F" name

#define PORTS_RULE                                                                                 \
	"{\"name\":\"ports\",\"metric\":\"aws:listening-tcp-ports\",\"criteria\":"                 \
	"{\"comparisonOperator\":\"in-port-set\",\"value\":{\"ports\":[22,443]}}}"
#define BYTES_RULE                                                                                 \
	"{\"name\":\"bytes\",\"metric\":\"aws:all-bytes-out\",\"criteria\":{"                      \
	"\"comparisonOperator\":"                                                                  \
	"\"less-than\",\"value\":{\"count\":1000},\"durationSeconds\":300}}"

static void create(struct api_test *t, const char *name, const char *body)
{
	char path[200];
	(void)snprintf(path, sizeof(path), "/security-profiles/%s", name);
	(void)api_ok(t, "POST", path, body);
}

/* ---- Validation: the detail after "Behavior b is malformed. " ---- */

struct rule_case {
	const char *behavior; /* the members beside the name */
	const char *detail;   /* NULL: valid */
};

#define LISTEN  "\"metric\":\"aws:num-listening-tcp-ports\""
#define COUNT5  "\"comparisonOperator\":\"less-than\",\"value\":{\"count\":5}"
#define NOT_YET "not available in this version"
#define NUMERIC "less-than, less-than-equals, greater-than, greater-than-equals"

static const struct rule_case rule_cases[] = {
	{LISTEN ",\"criteria\":{" COUNT5 "}",						       NULL									     },
	{LISTEN ",\"criteria\":{" COUNT5 ",\"durationSeconds\":600}",                               NULL									     },
	{LISTEN ",\"criteria\":{" COUNT5 ",\"consecutiveDatapointsToAlarm\":10}",                   NULL                                                                             },
	{LISTEN ",\"criteria\":{" COUNT5 "},\"suppressAlerts\":true",                               NULL									     },
	{"\"metric\":\"aws:destination-ip-addresses\",\"criteria\":{\"comparisonOperator\":\"in-"
	 "cidr-set\","
	 "\"value\":{\"cidrs\":[\"10.0.0.0/8\",\"::1\",\"192.0.2.1\"]}}",		  NULL									     },
	{"\"criteria\":{" COUNT5 "}",							       "metric is missing"							      },
	{"\"metric\":\"aws:nothing\",\"criteria\":{" COUNT5 "}",                                    "metric aws:nothing is unknown"                                                  },
	{"\"metric\":\"cpu\",\"criteria\":{" COUNT5 "}",
	 "metric cpu is not a defined custom metric; custom metrics are " NOT_YET												    },
	{"\"metric\":\"aws:num-disconnects\",\"criteria\":{" COUNT5 ",\"durationSeconds\":300}",
	 "metric aws:num-disconnects: cloud-side metrics are " NOT_YET													       },
	{LISTEN ",\"metricDimension\":{\"dimensionName\":\"d\"},\"criteria\":{" COUNT5 "}",
	 "metricDimension cannot be used with metric aws:num-listening-tcp-ports"												    },
	{LISTEN,										    "criteria is missing"							    },
	{LISTEN ",\"criteria\":{\"comparisonOperator\":\"less-than\"}",
	 "criteria must have exactly one of value, statisticalThreshold and mlDetectionConfig"                                                                                       },
	{LISTEN ",\"criteria\":{" COUNT5 ",\"mlDetectionConfig\":{\"confidenceLevel\":\"LOW\"}}",
	 "criteria must have exactly one of value, statisticalThreshold and mlDetectionConfig"                                                                                       },
	{LISTEN ",\"criteria\":{\"comparisonOperator\":\"less-than\",\"statisticalThreshold\":{"
		"\"statistic\":\"p90\"}}",						 "statisticalThreshold is " NOT_YET					       },
	{LISTEN ",\"criteria\":{\"mlDetectionConfig\":{\"confidenceLevel\":\"LOW\"}}",
	 "mlDetectionConfig is " NOT_YET																	     },
	{"\"metric\":\"aws:listening-tcp-ports\",\"criteria\":{\"mlDetectionConfig\":{"
	 "\"confidenceLevel\":\"LOW\"}}",						  "mlDetectionConfig cannot be used with metric aws:listening-tcp-ports"           },
	{"\"metric\":\"aws:listening-tcp-ports\",\"criteria\":{\"comparisonOperator\":\"in-port-"
	 "set\","
	 "\"statisticalThreshold\":{\"statistic\":\"p90\"}}",			      "statisticalThreshold cannot be used with metric aws:listening-tcp-ports"        },
	{LISTEN ",\"criteria\":{\"value\":{\"count\":5}}",
	 "comparisonOperator is missing; metric aws:num-listening-tcp-ports takes one of " NUMERIC                                                                                   },
	{LISTEN ",\"criteria\":{\"comparisonOperator\":\"in-port-set\",\"value\":{\"ports\":[1]}}",
	 "comparisonOperator in-port-set does not fit metric aws:num-listening-tcp-ports; use one "
	 "of " NUMERIC																			       },
	{LISTEN ",\"criteria\":{\"comparisonOperator\":\"less-than\",\"value\":{\"number\":5}}",
	 "value must have exactly the member count for metric aws:num-listening-tcp-ports"											   },
	{LISTEN ",\"criteria\":{\"comparisonOperator\":\"less-than\",\"value\":{\"count\":5,"
		"\"ports\":[1]}}",							 "value must have exactly the member count for metric aws:num-listening-tcp-ports"},
	{"\"metric\":\"aws:listening-udp-ports\",\"criteria\":{\"comparisonOperator\":\"in-port-"
	 "set\",\"value\":{\"ports\":[]}}",						"value.ports must not be empty"						  },
	{"\"metric\":\"aws:listening-udp-ports\",\"criteria\":{\"comparisonOperator\":\"in-port-"
	 "set\",\"value\":{\"ports\":[1]},"
	 "\"durationSeconds\":300}",						       "durationSeconds cannot be used with metric aws:listening-udp-ports"             },
	{"\"metric\":\"aws:destination-ip-addresses\",\"criteria\":{\"comparisonOperator\":\"in-"
	 "cidr-set\","
	 "\"value\":{\"cidrs\":[\"10.0.0.0/33\"]}}",				       "value.cidrs: '10.0.0.0/33' is no IPv4 or IPv6 address or network"               },
	{"\"metric\":\"aws:all-bytes-in\",\"criteria\":{" COUNT5 "}",
	 "durationSeconds is missing; metric aws:all-bytes-in needs one of 300, 600, 900, 1800, "
	 "3600"																				      },
	{"\"metric\":\"aws:all-bytes-in\",\"criteria\":{" COUNT5 ",\"durationSeconds\":301}",
	 "durationSeconds 301 should be one of 300, 600, 900, 1800, 3600"													    },
	{LISTEN ",\"criteria\":{" COUNT5 ",\"consecutiveDatapointsToAlarm\":100000}",
	 "consecutiveDatapointsToAlarm 100000 should be in range[1,10]"													      },
	{LISTEN ",\"criteria\":{" COUNT5 ",\"consecutiveDatapointsToClear\":0}",
	 "consecutiveDatapointsToClear 0 should be in range[1,10]"														   },
};

static void test_rules(void **state)
{
	struct api_test *t = *state;
	for (size_t i = 0; i < ARRAY_LEN(rule_cases); i++) {
		char body[1000], expected[500];
		(void)snprintf(body, sizeof(body), "{\"behaviors\":[{\"name\":\"b\",%s}]}",
			       rule_cases[i].behavior);
		json_t *out = api_ok(t, "POST", "/security-profile-behaviors/validate", body);
		const json_t *errors = json_object_get(out, "validationErrors");
		const char *detail = rule_cases[i].detail;
		assert_int_equal(json_is_true(json_object_get(out, "valid")), detail == NULL);
		assert_int_equal(json_array_size(errors), detail != NULL);
		if (!detail)
			continue;
		(void)snprintf(expected, sizeof(expected), "Behavior b is malformed. %s", detail);
		assert_string_equal(json_str(json_array_get(errors, 0), "errorMessage"), expected);
		assert_string_equal(api_fails(t, "POST", "/security-profiles/p", body, 400,
					      "InvalidRequestException"),
				    expected);
	}
}

/* Faults of the input itself: refused elsewhere, told here (spec/api.md: always 200). */
static const struct input_case {
	const char *body, *words;
} input_cases[] = {
  /* clang-format off */
	{"{}", "'behaviors' failed to satisfy constraint: Member must not be null"},
	{"{\"behaviors\":[{\"name\":\"b\",\"criteria\":{\"comparisonOperator\":\"about\"}}]}",
	 "Member must satisfy enum value set"},
	{"{\"behaviors\":[{\"name\":\"b\",\"criteria\":{\"value\":{\"cidrs\":[\"x\"]}}}]}",
	 "regular expression pattern: [a-fA-F0-9:"},
	{"{\"behaviors\":[{\"name\":\"b\",\"criteria\":{\"value\":{\"ports\":[65536]}}}]}",
	 "65535"},
  /* clang-format on */
};

static void test_faults_of_the_input_are_told(void **state)
{
	struct api_test *t = *state;
	for (size_t i = 0; i < ARRAY_LEN(input_cases); i++) {
		json_t *out = api_ok(t, "POST", "/security-profile-behaviors/validate",
				     input_cases[i].body);
		const json_t *errors = json_object_get(out, "validationErrors");
		assert_true(json_is_false(json_object_get(out, "valid")));
		assert_int_equal(json_array_size(errors), 1);
		const char *message = json_str(json_array_get(errors, 0), "errorMessage");
		if (!strstr(message, input_cases[i].words))
			fail_msg("'%s' does not say '%s'", message, input_cases[i].words);
	}
	api_fails(t, "POST", "/security-profile-behaviors/validate", "{\"behaviors\":1}", 400,
		  "SerializationException");
}

static void test_faults_of_many_behaviors_are_cut(void **state)
{
	struct api_test *t = *state;
	g_autoptr(GString) body = g_string_new("{\"behaviors\":[{\"name\":\"\\u00e4\"}");
	for (int i = 0; i < 100; i++)
		g_string_append(body, ",{\"name\":\"\\u00e4\"}");
	g_string_append(body, "]}");
	json_t *out = api_ok(t, "POST", "/security-profile-behaviors/validate", body->str);
	const json_t *error = json_array_get(json_object_get(out, "validationErrors"), 0);
	assert_int_equal(g_utf8_strlen(json_str(error, "errorMessage"), -1), 2048);
}

static void test_rules_over_several_behaviors(void **state)
{
	struct api_test *t = *state;
	json_t *out = api_ok(t, "POST", "/security-profile-behaviors/validate",
			     "{\"behaviors\":[" PORTS_RULE "," PORTS_RULE ",{\"name\":\"x\"}]}");
	const json_t *errors = json_object_get(out, "validationErrors");
	assert_int_equal(json_array_size(errors), 2);
	assert_string_equal(json_str(json_array_get(errors, 0), "errorMessage"),
			    "Behavior ports is malformed. Another behavior of the profile has the "
			    "same name");
	assert_string_equal(json_str(json_array_get(errors, 1), "errorMessage"),
			    "Behavior x is malformed. metric is missing");
	t->settings.quota_behavior_values_per_profile = 2;
	out = api_ok(t, "POST", "/security-profile-behaviors/validate",
		     "{\"behaviors\":[" PORTS_RULE "," BYTES_RULE "]}");
	errors = json_object_get(out, "validationErrors");
	assert_string_equal(json_str(json_array_get(errors, 0), "errorMessage"),
			    "Behavior bytes is malformed. With it the profile has 3 value "
			    "elements; at most 2");
}

/* ---- Create, describe, update, delete ---- */

static void test_describe_echoes(void **state)
{
	struct api_test *t = *state;
	const char *given =
		"{\"securityProfileDescription\":\"what a lamp does\",\"behaviors\":[" PORTS_RULE
		"," BYTES_RULE
		"],\"additionalMetricsToRetainV2\":[{\"metric\":\"aws:all-bytes-in\"}],"
		"\"alertTargets\":{\"SNS\":{\"alertTargetArn\":\"arn:aws:sns:us-east-1:1:t\","
		"\"roleArn\":\"arn:aws:iam::123456789012:role/r\"}}}";
	create(t, "lamps", given);
	json_t *out = api_ok(t, "GET", "/security-profiles/lamps", NULL);
	json_t *expected = json_loads(given, 0, NULL);
	const char *member;
	json_t *value;
	json_object_foreach(expected, member, value)
		assert_true(json_equal(json_object_get(out, member), value));
	json_decref(expected);
	assert_int_equal(json_object_size(out), 4 + 5);
	assert_int_equal(json_num(out, "version"), 1);
	assert_string_equal(json_str(out, "securityProfileArn"),
			    "arn:aws:iot:us-east-1:123456789012:securityprofile/lamps");
	(void)api_fails(t, "POST", "/security-profiles/lamps", given, 409,
			"ResourceAlreadyExistsException");
	(void)api_fails(t, "GET", "/security-profiles/none", NULL, 404,
			"ResourceNotFoundException");
}

static void test_update(void **state)
{
	struct api_test *t = *state;
	create(t, "p", "{\"securityProfileDescription\":\"d\",\"behaviors\":[" PORTS_RULE "]}");
	json_t *out = api_ok(t, "PATCH", "/security-profiles/p?expectedVersion=1",
			     "{\"behaviors\":[" BYTES_RULE "]}");
	assert_int_equal(json_num(out, "version"), 2);
	assert_string_equal(json_str(out, "securityProfileDescription"), "d");
	assert_string_equal(json_str(json_array_get(json_object_get(out, "behaviors"), 0), "name"),
			    "bytes");
	(void)api_fails(t, "PATCH", "/security-profiles/p?expectedVersion=1", "{}", 409,
			"VersionConflictException");
	(void)api_fails(t, "PATCH", "/security-profiles/p",
			"{\"deleteBehaviors\":true,\"behaviors\":[" BYTES_RULE "]}", 400,
			"InvalidRequestException");
	(void)api_fails(t, "PATCH", "/security-profiles/p", "{\"behaviors\":[{\"name\":\"x\"}]}",
			400, "InvalidRequestException");
	out = api_ok(t, "PATCH", "/security-profiles/p", "{\"deleteBehaviors\":true}");
	assert_null(json_object_get(out, "behaviors"));
	assert_int_equal(json_num(out, "version"), 3);
	(void)api_fails(t, "PATCH", "/security-profiles/none", "{}", 404,
			"ResourceNotFoundException");
}

#define EXPORTING "{\"name\":\"b\",\"exportMetric\":true," LISTEN ",\"criteria\":{" COUNT5 "}}"

static void test_export_and_retained(void **state)
{
	struct api_test *t = *state;
	const char *refused = "{\"behaviors\":[" EXPORTING "]}";
	const char *taken =
		"{\"behaviors\":[" EXPORTING "],\"metricsExportConfig\":{\"mqttTopic\":\"t\","
		"\"roleArn\":\"arn:aws:iam::123456789012:role/r\"}}";
	assert_string_equal(api_fails(t, "POST", "/security-profiles/p", refused, 400,
				      "InvalidRequestException"),
			    "Behavior b is malformed. exportMetric needs the profile's "
			    "metricsExportConfig");
	create(t, "p", taken);
	(void)api_fails(t, "PATCH", "/security-profiles/p", "{\"deleteMetricsExportConfig\":true}",
			400, "InvalidRequestException");
	assert_string_equal(api_fails(t, "POST", "/security-profiles/q",
				      "{\"additionalMetricsToRetain\":[\"aws:nothing\"]}", 400,
				      "InvalidRequestException"),
			    "additionalMetricsToRetain: metric aws:nothing is unknown.");
}

static void test_delete(void **state)
{
	struct api_test *t = *state;
	create(t, "p", "{}");
	(void)api_ok(t, "PUT", "/security-profiles/p/targets" ALL_QUERY, NULL);
	(void)api_fails(t, "DELETE", "/security-profiles/p?expectedVersion=7", NULL, 409,
			"VersionConflictException");
	(void)api_ok(t, "DELETE", "/security-profiles/p?expectedVersion=1", NULL);
	(void)api_ok(t, "DELETE", "/security-profiles/p", NULL);
	json_t *out = api_ok(t, "GET", "/security-profiles-for-target" ALL_QUERY, NULL);
	assert_int_equal(json_array_size(json_object_get(out, "securityProfileTargetMappings")), 0);
	create(t, "p", "{}");
	out = api_ok(t, "GET", "/security-profiles/p/targets", NULL);
	assert_int_equal(json_array_size(json_object_get(out, "securityProfileTargets")), 0);
}

static void test_list(void **state)
{
	struct api_test *t = *state;
	create(t, "b", "{\"behaviors\":[" PORTS_RULE "]}");
	create(t, "a", "{\"behaviors\":[" BYTES_RULE "]}");
	create(t, "c", "{\"additionalMetricsToRetain\":[\"aws:all-bytes-out\"]}");
	json_t *out = api_ok(t, "GET", "/security-profiles?maxResults=2", NULL);
	json_t *items = json_object_get(out, "securityProfileIdentifiers");
	assert_int_equal(json_array_size(items), 2);
	assert_string_equal(json_str(json_array_get(items, 0), "name"), "a");
	char next[1200];
	(void)snprintf(next, sizeof(next), "/security-profiles?maxResults=2&nextToken=%s",
		       json_str(out, "nextToken"));
	out = api_ok(t, "GET", next, NULL);
	items = json_object_get(out, "securityProfileIdentifiers");
	assert_int_equal(json_array_size(items), 1);
	assert_null(json_object_get(out, "nextToken"));
	out = api_ok(t, "GET", "/security-profiles?metricName=aws%3Aall-bytes-out", NULL);
	items = json_object_get(out, "securityProfileIdentifiers");
	assert_int_equal(json_array_size(items), 2);
	assert_string_equal(json_str(json_array_get(items, 1), "name"), "c");
	(void)api_fails(t, "GET", "/security-profiles?metricName=a&dimensionName=b", NULL, 400,
			"InvalidRequestException");
	(void)api_fails(t, "GET", "/security-profiles?dimensionName=b", NULL, 404,
			"ResourceNotFoundException");
}

/* ---- Targets ---- */

static void test_attach(void **state)
{
	struct api_test *t = *state;
	create(t, "p", "{}");
	(void)api_ok(t, "POST", "/thing-groups/lamps", "{}");
	int before = t->published;
	(void)api_ok(t, "PUT", "/security-profiles/p/targets" ALL_QUERY, NULL);
	assert_int_equal(t->published, before + 1);
	(void)api_ok(t, "PUT", "/security-profiles/p/targets" ALL_QUERY, NULL);
	assert_int_equal(t->published, before + 1); /* nothing changed */
	(void)api_ok(t, "PUT", "/security-profiles/p/targets" GROUP_QUERY("lamps"), NULL);
	json_t *out = api_ok(t, "GET", "/security-profiles/p/targets?maxResults=1", NULL);
	json_t *items = json_object_get(out, "securityProfileTargets");
	assert_string_equal(json_str(json_array_get(items, 0), "arn"), ARN_ALL);
	char next[1200];
	(void)snprintf(next, sizeof(next), "/security-profiles/p/targets?maxResults=1&nextToken=%s",
		       json_str(out, "nextToken"));
	out = api_ok(t, "GET", next, NULL);
	items = json_object_get(out, "securityProfileTargets");
	assert_string_equal(json_str(json_array_get(items, 0), "arn"),
			    "arn:aws:iot:us-east-1:123456789012:thinggroup/lamps");
	assert_null(json_object_get(out, "nextToken"));
	(void)api_ok(t, "DELETE", "/security-profiles/p/targets" ALL_QUERY, NULL);
	(void)api_ok(t, "DELETE", "/security-profiles/p/targets" ALL_QUERY, NULL);
	out = api_ok(t, "GET", "/security-profiles/p/targets", NULL);
	assert_int_equal(json_array_size(json_object_get(out, "securityProfileTargets")), 1);
}

static void test_attach_refused(void **state)
{
	struct api_test *t = *state;
	create(t, "p", "{}");
	const char *path = "/security-profiles/p/targets";
	char target[300];
	(void)snprintf(target, sizeof(target), "%s%s", path, GROUP_QUERY("none"));
	(void)api_fails(t, "PUT", target, NULL, 404, "ResourceNotFoundException");
	(void)snprintf(target, sizeof(target), "%s?securityProfileTargetArn=nonsense", path);
	(void)api_fails(t, "PUT", target, NULL, 400, "InvalidRequestException");
	(void)api_fails(t, "PUT", "/security-profiles/none/targets" ALL_QUERY, NULL, 404,
			"ResourceNotFoundException");
	(void)api_fails(t, "DELETE", "/security-profiles/none/targets" ALL_QUERY, NULL, 404,
			"ResourceNotFoundException");
}

static void test_quota_of_a_target(void **state)
{
	struct api_test *t = *state;
	static const char *const names[] = {"a", "b", "c", "d", "e", "f"};
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		g_autofree char *path =
			g_strconcat("/security-profiles/", names[i], "/targets" ALL_QUERY, NULL);
		create(t, names[i], "{}");
		if (i < 5)
			(void)api_ok(t, "PUT", path, NULL);
		else
			(void)api_fails(t, "PUT", path, NULL, 410, "LimitExceededException");
	}
	json_t *out = api_ok(t, "GET", "/security-profiles-for-target" ALL_QUERY, NULL);
	assert_int_equal(json_array_size(json_object_get(out, "securityProfileTargetMappings")), 5);
}

static void test_for_target(void **state)
{
	struct api_test *t = *state;
	create(t, "p", "{}");
	create(t, "q", "{}");
	(void)api_ok(t, "POST", "/thing-groups/house", "{}");
	(void)api_ok(t, "POST", "/thing-groups/room", "{\"parentGroupName\":\"house\"}");
	(void)api_ok(t, "PUT", "/security-profiles/p/targets" GROUP_QUERY("house"), NULL);
	(void)api_ok(t, "PUT", "/security-profiles/p/targets" GROUP_QUERY("room"), NULL);
	(void)api_ok(t, "PUT", "/security-profiles/q/targets" GROUP_QUERY("house"), NULL);
	json_t *out = api_ok(t, "GET", "/security-profiles-for-target" GROUP_QUERY("room"), NULL);
	assert_int_equal(json_array_size(json_object_get(out, "securityProfileTargetMappings")), 1);
	char seen[64] = "", *next = g_strdup("");
	do {
		g_autofree char *path =
			g_strconcat("/security-profiles-for-target" GROUP_QUERY("room"),
				    "&recursive=true&maxResults=1", next, NULL);
		out = api_ok(t, "GET", path, NULL);
		json_t *item =
			json_array_get(json_object_get(out, "securityProfileTargetMappings"), 0);
		strcat(seen, json_str(json_object_get(item, "securityProfileIdentifier"), "name"));
		strcat(seen, strrchr(json_str(json_object_get(item, "target"), "arn"), '/'));
		strcat(seen, " ");
		g_free(next);
		next = g_strconcat("&nextToken=", json_str(out, "nextToken"), NULL);
	} while (json_object_get(out, "nextToken"));
	g_free(next);
	assert_string_equal(seen, "p/house p/room q/house ");
	(void)api_fails(t, "GET", "/security-profiles-for-target" GROUP_QUERY("none"), NULL, 404,
			"ResourceNotFoundException");
}

/* ---- The evaluator's configuration ---- */

static struct config *built(struct api_test *t)
{
	GByteArray *body = g_byte_array_new();
	struct config *config = NULL;
	assert_int_equal(store_read_begin(t->reader), 0);
	assert_int_equal(profile_config_build(t->reader, body, NULL), 0);
	store_read_end(t->reader);
	assert_int_equal(config_open((struct view){(char *)body->data, body->len}, &config), 0);
	(void)g_byte_array_free(body, TRUE);
	return config;
}

static void test_configuration(void **state)
{
	struct api_test *t = *state;
	create(t, "q", "{\"behaviors\":[" PORTS_RULE "," BYTES_RULE "]}");
	create(t, "p",
	       "{\"behaviors\":[{\"name\":\"to\",\"metric\":\"aws:destination-ip-addresses\","
	       "\"criteria\":{\"comparisonOperator\":\"not-in-cidr-set\",\"value\":{\"cidrs\":"
	       "[\"10.0.0.0/8\",\"::/0\"]},\"consecutiveDatapointsToClear\":3},"
	       "\"suppressAlerts\":true}]}");
	create(t, "unattached", "{\"behaviors\":[" PORTS_RULE "]}");
	(void)api_ok(t, "POST", "/thing-groups/lamps", "{}");
	(void)api_ok(t, "PUT", "/security-profiles/q/targets" GROUP_QUERY("lamps"), NULL);
	(void)api_ok(t, "PUT", "/security-profiles/q/targets" ALL_QUERY, NULL);
	(void)api_ok(t, "PUT", "/security-profiles/p/targets" ALL_QUERY, NULL);
	struct config *config = built(t);
	assert_int_equal(config->n_profiles, 2);
	assert_int_equal(config->n_behaviors, 3);
	const struct profile *q = &config->profiles[1];
	assert_true(view_is(q->name, "q"));
	assert_int_equal(q->n_groups, 1);
	assert_int_equal(q->targets, TARGET_ALL_THINGS);
	const struct behavior *to = &config->behaviors[0], *ports = &config->behaviors[q->first];
	assert_int_equal(to->to_alarm, 1);
	assert_int_equal(to->to_clear, 3);
	assert_true(to->is_suppressed);
	assert_int_equal(to->n, 2);
	assert_true(view_is(ports->json, PORTS_RULE));
	assert_int_equal(ports[1].duration_s, 300);
	assert_int_equal(config->counter_duration_s[REPORT_BYTES_OUT], 300);
	config_free(config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_rules, api_test_setup, api_test_teardown),
		cmocka_unit_test_setup_teardown(test_faults_of_the_input_are_told, api_test_setup,
						api_test_teardown),
		cmocka_unit_test_setup_teardown(test_faults_of_many_behaviors_are_cut,
						api_test_setup, api_test_teardown),
		cmocka_unit_test_setup_teardown(test_rules_over_several_behaviors, api_test_setup,
						api_test_teardown),
		cmocka_unit_test_setup_teardown(test_describe_echoes, api_test_setup,
						api_test_teardown),
		cmocka_unit_test_setup_teardown(test_update, api_test_setup, api_test_teardown),
		cmocka_unit_test_setup_teardown(test_export_and_retained, api_test_setup,
						api_test_teardown),
		cmocka_unit_test_setup_teardown(test_delete, api_test_setup, api_test_teardown),
		cmocka_unit_test_setup_teardown(test_list, api_test_setup, api_test_teardown),
		cmocka_unit_test_setup_teardown(test_attach, api_test_setup, api_test_teardown),
		cmocka_unit_test_setup_teardown(test_attach_refused, api_test_setup,
						api_test_teardown),
		cmocka_unit_test_setup_teardown(test_quota_of_a_target, api_test_setup,
						api_test_teardown),
		cmocka_unit_test_setup_teardown(test_for_target, api_test_setup, api_test_teardown),
		cmocka_unit_test_setup_teardown(test_configuration, api_test_setup,
						api_test_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

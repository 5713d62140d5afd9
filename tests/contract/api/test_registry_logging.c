/* Logging options, V2. */
#include "registry_kit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>
#include <glib.h>

#define ROLE "arn:aws:iam::123456789012:role/logs"

static void needs_role_and_level_first(void **state)
{
	struct kit *k = *state;
	fails(k, 404, "NotConfiguredException", NULL, "GET /v2LoggingOptions");
	fails(k, 400, "InvalidRequestException", "{}", "POST /v2LoggingOptions");
	fails(k, 400, "InvalidRequestException", "{\"roleArn\":\"" ROLE "\"}",
	      "POST /v2LoggingOptions");
	fails(k, 400, "InvalidRequestException", "{\"defaultLogLevel\":\"WARN\"}",
	      "POST /v2LoggingOptions");
	fails(k, 404, "NotConfiguredException", NULL, "GET /v2LoggingOptions");
	fails(k, 404, "NotConfiguredException", NULL, "GET /v2LoggingLevel");
	fails(k, 404, "NotConfiguredException",
	      "{\"logTarget\":{\"targetType\":\"DEFAULT\"},\"logLevel\":\"WARN\"}",
	      "POST /v2LoggingLevel");
}

static void keeps_options(void **state)
{
	struct kit *k = *state;
	ok(k, "{\"roleArn\":\"" ROLE "\",\"defaultLogLevel\":\"WARN\"}", "POST /v2LoggingOptions");
	json_t *out = ok(k, NULL, "GET /v2LoggingOptions");
	assert_string_equal(json_str(out, "roleArn"), ROLE);
	assert_string_equal(json_str(out, "defaultLogLevel"), "WARN");
	assert_true(json_is_false(json_object_get(out, "disableAllLogs")));

	ok(k,
	   "{\"disableAllLogs\":true,\"eventConfigurations\":[{\"eventType\":\"Connect\","
	   "\"logLevel\":\"DEBUG\"}]}",
	   "POST /v2LoggingOptions");
	out = ok(k, NULL, "GET /v2LoggingOptions");
	assert_string_equal(json_str(out, "defaultLogLevel"), "WARN");
	assert_true(json_is_true(json_object_get(out, "disableAllLogs")));
	assert_items(json_object_get(out, "eventConfigurations"), "eventType", "Connect", NULL);
	ok(k, "{\"defaultLogLevel\":\"DISABLED\"}", "POST /v2LoggingOptions");
	out = ok(k, NULL, "GET /v2LoggingOptions");
	assert_true(json_is_false(json_object_get(out, "disableAllLogs")));
	assert_items(json_object_get(out, "eventConfigurations"), "eventType", "Connect", NULL);
}

static void keeps_levels(void **state)
{
	struct kit *k = *state;
	ok(k, "{\"roleArn\":\"" ROLE "\",\"defaultLogLevel\":\"WARN\"}", "POST /v2LoggingOptions");
	ok(k, "{\"logTarget\":{\"targetType\":\"DEFAULT\"},\"logLevel\":\"WARN\"}",
	   "POST /v2LoggingLevel");
	ok(k,
	   "{\"logTarget\":{\"targetType\":\"THING_GROUP\",\"targetName\":\"hall\"},\"logLevel\":"
	   "\"INFO\"}",
	   "POST /v2LoggingLevel");
	ok(k,
	   "{\"logTarget\":{\"targetType\":\"THING_GROUP\",\"targetName\":\"hall\"},\"logLevel\":"
	   "\"DEBUG\"}",
	   "POST /v2LoggingLevel");
	fails(k, 400, "InvalidRequestException",
	      "{\"logTarget\":{\"targetType\":\"CLIENT_ID\"},\"logLevel\":\"INFO\"}",
	      "POST /v2LoggingLevel");
	fails(k, 400, "InvalidRequestException",
	      "{\"logTarget\":{\"targetType\":\"DEFAULT\",\"targetName\":\"a\"},\"logLevel\":"
	      "\"INFO\"}",
	      "POST /v2LoggingLevel");
	json_t *out = ok(k, NULL, "GET /v2LoggingLevel");
	assert_items(json_object_get(out, "logTargetConfigurations"), "logLevel", "WARN", "DEBUG",
		     NULL);
	out = ok(k, NULL, "GET /v2LoggingLevel?targetType=THING_GROUP");
	assert_items(json_object_get(out, "logTargetConfigurations"), "logLevel", "DEBUG", NULL);
	out = ok(k, NULL, "GET /v2LoggingLevel?maxResults=1");
	g_autofree char *token = g_uri_escape_string(json_str(out, "nextToken"), NULL, FALSE);
	out = ok(k, NULL, "GET /v2LoggingLevel?maxResults=1&nextToken=%s", token);
	assert_items(json_object_get(out, "logTargetConfigurations"), "logLevel", "DEBUG", NULL);
	for (int i = 0; i < 2; i++)
		ok(k, NULL, "DELETE /v2LoggingLevel?targetType=THING_GROUP&targetName=hall");
	out = ok(k, NULL, "GET /v2LoggingLevel");
	assert_items(json_object_get(out, "logTargetConfigurations"), "logLevel", "WARN", NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_BOTH(needs_role_and_level_first),
		ON_BOTH(keeps_options),
		ON_BOTH(keeps_levels),
	};
	return cmocka_run_group_tests(tests, kit_group_start, kit_group_stop);
}

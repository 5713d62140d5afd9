/* Things: CreateThing, DescribeThing, UpdateThing, DeleteThing, ListThings, DescribeEndpoint. */
#include "registry_kit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>
#include <glib.h>

static void creates_once(void **state)
{
	struct kit *k = *state;
	json_t *out =
		ok(k,
		   "{\"attributePayload\":{\"attributes\":{\"site\":\"berlin\",\"none\":\"\"}},"
		   "\"billingGroupName\":\"north\"}",
		   "POST /things/lamp");
	assert_string_equal(json_str(out, "thingName"), "lamp");
	assert_string_equal(json_str(out, "thingArn"), kit_arn(k, "thing", "lamp"));
	g_autofree char *id = g_strdup(json_str(out, "thingId"));
	assert_int_equal(strlen(id), 36);
	assert_string_equal(kit_changes(k), "thing:lamp ");

	/* The same again: the same thing, and nothing changed. */
	out = ok(k,
		 "{\"attributePayload\":{\"attributes\":{\"site\":\"berlin\"}},"
		 "\"billingGroupName\":\"north\"}",
		 "POST /things/lamp");
	assert_string_equal(json_str(out, "thingId"), id);
	assert_string_equal(kit_changes(k), "");

	fails(k, 409, "ResourceAlreadyExistsException", "{\"billingGroupName\":\"north\"}",
	      "POST /things/lamp");
	assert_string_equal(json_str(k->api.out, "resourceId"), "lamp");
	assert_string_equal(json_str(k->api.out, "resourceArn"), kit_arn(k, "thing", "lamp"));
	fails(k, 409, "ResourceAlreadyExistsException",
	      "{\"attributePayload\":{\"attributes\":{\"site\":\"berlin\"}}}", "POST /things/lamp");

	out = ok(k, NULL, "GET /things/lamp");
	assert_string_equal(json_str(out, "thingId"), id);
	assert_string_equal(json_str(out, "defaultClientId"), "lamp");
	assert_string_equal(json_str(out, "billingGroupName"), "north");
	assert_int_equal(json_num(out, "version"), 1);
	assert_string_equal(json_str(json_object_get(out, "attributes"), "site"), "berlin");
	assert_int_equal(json_object_size(json_object_get(out, "attributes")), 1);
}

static void refuses_types_and_too_many_attributes(void **state)
{
	struct kit *k = *state;
	fails(k, 404, "ResourceNotFoundException", "{\"thingTypeName\":\"bulb\"}",
	      "POST /things/lamp");
	ok(k, "{\"attributePayload\":{\"attributes\":{\"a\":\"1\",\"b\":\"2\",\"c\":\"3\"}}}",
	   "POST /things/three");
	fails(k, 400, "InvalidRequestException",
	      "{\"attributePayload\":{\"attributes\":{\"a\":\"1\",\"b\":\"2\",\"c\":\"3\",\"d\":"
	      "\"4\"}}}",
	      "POST /things/four");
	fails(k, 400, "InvalidRequestException",
	      "{\"attributePayload\":{\"merge\":true,\"attributes\":{\"d\":\"4\"}}}",
	      "PATCH /things/three");
	fails(k, 404, "ResourceNotFoundException", NULL, "GET /things/four");
	assert_string_equal(kit_changes(k), "thing:three ");
}

static const json_t *attributes(struct kit *k, const char *thing)
{
	return json_object_get(ok(k, NULL, "GET /things/%s", thing), "attributes");
}

static void updates(void **state)
{
	struct kit *k = *state;
	ok(k, "{\"attributePayload\":{\"attributes\":{\"a\":\"1\",\"b\":\"2\"}}}",
	   "POST /things/lamp");
	ok(k,
	   "{\"attributePayload\":{\"merge\":true,\"attributes\":{\"a\":\"\",\"c\":\"3\"}},"
	   "\"expectedVersion\":1}",
	   "PATCH /things/lamp");
	assert_string_equal(json_str(attributes(k, "lamp"), "a"), "");
	assert_string_equal(json_str(attributes(k, "lamp"), "b"), "2");
	assert_string_equal(json_str(attributes(k, "lamp"), "c"), "3");
	assert_int_equal(json_num(ok(k, NULL, "GET /things/lamp"), "version"), 2);

	(void)kit_changes(k);
	ok(k, "{\"attributePayload\":{\"attributes\":{\"d\":\"4\"}}}", "PATCH /things/lamp");
	assert_int_equal(json_object_size(attributes(k, "lamp")), 1);
	assert_string_equal(kit_changes(k), "thing:lamp ");
	ok(k, "{\"removeThingType\":true}", "PATCH /things/lamp");
	assert_string_equal(kit_changes(k), "");
	assert_string_equal(json_str(attributes(k, "lamp"), "d"), "4");

	fails(k, 409, "VersionConflictException", "{\"expectedVersion\":1}", "PATCH /things/lamp");
	fails(k, 404, "ResourceNotFoundException", "{}", "PATCH /things/none");
	fails(k, 404, "ResourceNotFoundException", "{\"thingTypeName\":\"bulb\"}",
	      "PATCH /things/lamp");
	fails(k, 400, "InvalidRequestException",
	      "{\"thingTypeName\":\"bulb\",\"removeThingType\":true}", "PATCH /things/lamp");
}

static void deletes(void **state)
{
	struct kit *k = *state;
	char id[X509_ID_SIZE];
	kit_thing(k, "lamp");
	kit_certificate(k, "ACTIVE", id);
	kit_attach(k, "lamp", id);
	const char *message = fails(k, 400, "InvalidRequestException", NULL, "DELETE /things/lamp");
	assert_string_equal(
		message, "Cannot delete. Thing lamp is still attached to one or more principals");
	kit_header(k, "x-amzn-principal", kit_arn(k, "cert", id));
	ok(k, NULL, "DELETE /things/lamp/principals");
	kit_header(k, NULL, NULL);
	fails(k, 409, "VersionConflictException", NULL, "DELETE /things/lamp?expectedVersion=7");
	(void)kit_changes(k);
	ok(k, NULL, "DELETE /things/lamp?expectedVersion=1");
	assert_string_equal(kit_changes(k), "thing:lamp ");
	ok(k, NULL, "DELETE /things/lamp");
	assert_string_equal(kit_changes(k), "");
	fails(k, 404, "ResourceNotFoundException", NULL, "GET /things/lamp");
}

static void leaves_groups_when_deleted(void **state)
{
	struct kit *k = *state;
	kit_thing(k, "lamp");
	kit_group(k, "hall", NULL);
	ok(k, "{\"thingName\":\"lamp\",\"thingGroupName\":\"hall\"}",
	   "PUT /thing-groups/addThingToThingGroup");
	ok(k, NULL, "DELETE /things/lamp");
	kit_thing(k, "lamp");
	assert_items(json_object_get(ok(k, NULL, "GET /thing-groups/hall/things"), "things"), NULL,
		     NULL);
}

static char *next_token(const json_t *out)
{
	g_autofree char *token = g_strdup(json_str(out, "nextToken"));
	return token[0] ? g_uri_escape_string(token, NULL, FALSE) : NULL;
}

/* What is added and removed between two pages is neither repeated nor makes others vanish. */
static void pages_through_changes(void **state)
{
	struct kit *k = *state;
	for (const char *name = "bdfhj"; *name; name++)
		ok(k, "{}", "POST /things/%c", *name);
	json_t *out = ok(k, NULL, "GET /things?maxResults=2");
	assert_items(json_object_get(out, "things"), "thingName", "b", "d", NULL);
	g_autofree char *second = next_token(out);
	ok(k, NULL, "DELETE /things/d");
	kit_thing(k, "a");
	kit_thing(k, "g");
	out = ok(k, NULL, "GET /things?maxResults=2&nextToken=%s", second);
	assert_items(json_object_get(out, "things"), "thingName", "f", "g", NULL);
	g_autofree char *third = next_token(out);
	out = ok(k, NULL, "GET /things?maxResults=2&nextToken=%s", third);
	assert_items(json_object_get(out, "things"), "thingName", "h", "j", NULL);
	assert_null(json_object_get(out, "nextToken"));
	fails(k, 400, "InvalidRequestException", NULL, "GET /things?nextToken=bm9uZQ");
}

static void filters(void **state)
{
	struct kit *k = *state;
	ok(k, "{\"attributePayload\":{\"attributes\":{\"site\":\"berlin\"}}}", "POST /things/a");
	ok(k, "{\"attributePayload\":{\"attributes\":{\"site\":\"bern\"}}}", "POST /things/b");
	kit_thing(k, "c");
	json_t *out = ok(k, NULL, "GET /things?attributeName=site&attributeValue=bern");
	assert_items(json_object_get(out, "things"), "thingName", "b", NULL);
	out = ok(k, NULL,
		 "GET /things?attributeName=site&attributeValue=ber&usePrefixAttributeValue=true");
	assert_items(json_object_get(out, "things"), "thingName", "a", "b", NULL);
	out = ok(k, NULL, "GET /things?attributeName=site&maxResults=1");
	assert_items(json_object_get(out, "things"), "thingName", "a", NULL);
	assert_non_null(json_object_get(out, "nextToken"));
	out = ok(k, NULL, "GET /things?thingTypeName=bulb");
	assert_items(json_object_get(out, "things"), "thingName", NULL);
	fails(k, 400, "InvalidRequestException", NULL, "GET /things?attributeValue=bern");
}

/* A filter that finds nothing among many things gives an empty page and goes on behind it. */
static void filters_in_bounded_pages(void **state)
{
	struct kit *k = *state;
	for (int i = 0; i < 2001; i++)
		ok(k, "{}", "POST /things/t%04d", i);
	ok(k, "{\"attributePayload\":{\"attributes\":{\"site\":\"bern\"}}}", "POST /things/z");
	json_t *out = ok(k, NULL, "GET /things?attributeName=site");
	assert_int_equal(json_array_size(json_object_get(out, "things")), 0);
	g_autofree char *token = next_token(out);
	assert_non_null(token);
	out = ok(k, NULL, "GET /things?attributeName=site&nextToken=%s", token);
	assert_items(json_object_get(out, "things"), "thingName", "z", NULL);
	assert_null(json_object_get(out, "nextToken"));
}

static void tells_the_endpoint(void **state)
{
	struct kit *k = *state;
	static const char *const queries[] = {
		"", "?endpointType=iot%3AData", "?endpointType=iot%3AData-ATS",
		"?endpointType=iot%3ACredentialProvider", "?endpointType=iot%3AJobs"};
	for (size_t i = 0; i < ARRAY_LEN(queries); i++)
		assert_string_equal(
			json_str(ok(k, NULL, "GET /endpoint%s", queries[i]), "endpointAddress"),
			k->api.settings.endpoint);
	fails(k, 400, "InvalidRequestException", NULL, "GET /endpoint?endpointType=iot%%3AMail");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_BOTH(creates_once),
		ON_BOTH(refuses_types_and_too_many_attributes),
		ON_BOTH(updates),
		ON_BOTH(deletes),
		ON_BOTH(leaves_groups_when_deleted),
		ON_BOTH(pages_through_changes),
		ON_BOTH(filters),
		cmocka_unit_test_setup_teardown(filters_in_bounded_pages, kit_start_sqlite,
						kit_stop),
		cmocka_unit_test_setup_teardown(tells_the_endpoint, kit_start_sqlite, kit_stop),
	};
	return cmocka_run_group_tests(tests, kit_group_start, kit_group_stop);
}

/* Thing groups and the things in them. */
#include "registry_kit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>
#include <glib.h>

static void join(struct kit *k, const char *thing, const char *group)
{
	g_autofree char *body =
		g_strdup_printf("{\"thingName\":\"%s\",\"thingGroupName\":\"%s\"}", thing, group);
	ok(k, body, "PUT /thing-groups/addThingToThingGroup");
}

static const char *refuses_join(struct kit *k, const char *thing, const char *group, int status,
				const char *exception)
{
	g_autofree char *body =
		g_strdup_printf("{\"thingName\":\"%s\",\"thingGroupName\":\"%s\"}", thing, group);
	return fails(k, status, exception, body, "PUT /thing-groups/addThingToThingGroup");
}

static void creates_once(void **state)
{
	struct kit *k = *state;
	static const char body[] =
		"{\"thingGroupProperties\":{\"thingGroupDescription\":\"ground floor\","
		"\"attributePayload\":{\"attributes\":{\"a\":\"1\"}}},\"parentGroupName\":"
		"\"house\"}";
	fails(k, 404, "ResourceNotFoundException", body, "POST /thing-groups/hall");
	kit_group(k, "house", NULL);
	json_t *out = ok(k, body, "POST /thing-groups/hall");
	assert_string_equal(json_str(out, "thingGroupArn"), kit_arn(k, "thinggroup", "hall"));
	g_autofree char *id = g_strdup(json_str(out, "thingGroupId"));
	assert_string_equal(kit_changes(k), "group:house group:hall ");
	assert_string_equal(json_str(ok(k, body, "POST /thing-groups/hall"), "thingGroupId"), id);
	assert_string_equal(kit_changes(k), "");
	fails(k, 409, "ResourceAlreadyExistsException", "{\"parentGroupName\":\"house\"}",
	      "POST /thing-groups/hall");
	assert_string_equal(json_str(k->api.out, "resourceArn"), kit_arn(k, "thinggroup", "hall"));
	fails(k, 409, "ResourceAlreadyExistsException", "{\"parentGroupName\":\"hall\"}",
	      "POST /thing-groups/house");
	fails(k, 400, "InvalidRequestException", "{\"tags\":[{\"Key\":\"a\",\"Value\":\"b\"}]}",
	      "POST /thing-groups/x");
}

static void describes(void **state)
{
	struct kit *k = *state;
	kit_group(k, "house", NULL);
	kit_group(k, "hall", "house");
	ok(k,
	   "{\"parentGroupName\":\"hall\",\"thingGroupProperties\":{\"thingGroupDescription\":\"by "
	   "the door\"}}",
	   "POST /thing-groups/corner");
	json_t *out = ok(k, NULL, "GET /thing-groups/corner");
	const json_t *metadata = json_object_get(out, "thingGroupMetadata");
	assert_int_equal(json_num(out, "version"), 1);
	assert_string_equal(
		json_str(json_object_get(out, "thingGroupProperties"), "thingGroupDescription"),
		"by the door");
	assert_string_equal(json_str(metadata, "parentGroupName"), "hall");
	assert_items(json_object_get(metadata, "rootToParentThingGroups"), "groupName", "house",
		     "hall", NULL);
	assert_int_equal(json_num(metadata, "creationDate"), API_TEST_START_MS / 1000);
	out = ok(k, NULL, "GET /thing-groups/house");
	metadata = json_object_get(out, "thingGroupMetadata");
	assert_null(json_object_get(metadata, "parentGroupName"));
	assert_null(json_object_get(metadata, "rootToParentThingGroups"));
	fails(k, 404, "ResourceNotFoundException", NULL, "GET /thing-groups/none");
}

static void updates(void **state)
{
	struct kit *k = *state;
	ok(k,
	   "{\"thingGroupProperties\":{\"thingGroupDescription\":\"one\",\"attributePayload\":{"
	   "\"attributes\":{\"a\":\"1\"}}}}",
	   "POST /thing-groups/hall");
	json_t *out = ok(k,
			 "{\"thingGroupProperties\":{\"attributePayload\":{\"merge\":true,"
			 "\"attributes\":{\"b\":\"2\"}}},"
			 "\"expectedVersion\":1}",
			 "PATCH /thing-groups/hall");
	assert_int_equal(json_num(out, "version"), 2);
	out = json_object_get(ok(k, NULL, "GET /thing-groups/hall"), "thingGroupProperties");
	assert_string_equal(json_str(out, "thingGroupDescription"), "one");
	assert_int_equal(json_object_size(json_object_get(json_object_get(out, "attributePayload"),
							  "attributes")),
			 2);
	fails(k, 409, "VersionConflictException",
	      "{\"thingGroupProperties\":{},\"expectedVersion\":1}", "PATCH /thing-groups/hall");
	fails(k, 404, "ResourceNotFoundException", "{\"thingGroupProperties\":{}}",
	      "PATCH /thing-groups/none");

	GString *many = g_string_new(
		"{\"thingGroupProperties\":{\"attributePayload\":{\"attributes\":{\"a0\":\"1\"");
	for (int i = 1; i < 51; i++)
		g_string_append_printf(many, ",\"a%d\":\"1\"", i);
	g_string_append(many, "}}}}");
	fails(k, 400, "InvalidRequestException", many->str, "PATCH /thing-groups/hall");
	g_string_free(many, TRUE);
}

static void deletes(void **state)
{
	struct kit *k = *state;
	kit_group(k, "house", NULL);
	kit_group(k, "hall", "house");
	kit_thing(k, "a");
	kit_thing(k, "b");
	join(k, "a", "hall");
	join(k, "b", "hall");
	const char *message =
		fails(k, 400, "InvalidRequestException", NULL, "DELETE /thing-groups/house");
	assert_string_equal(message, "Cannot delete thing group : house when there are still child "
				     "groups attached to it.");
	fails(k, 409, "VersionConflictException", NULL,
	      "DELETE /thing-groups/hall?expectedVersion=2");
	(void)kit_changes(k);
	ok(k, NULL, "DELETE /thing-groups/hall?expectedVersion=1");
	assert_string_equal(kit_changes(k), "thing:a thing:b group:hall ");
	assert_items(json_object_get(ok(k, NULL, "GET /things/a/thing-groups"), "thingGroups"),
		     NULL, NULL);
	ok(k, NULL, "DELETE /thing-groups/hall");
	ok(k, NULL, "DELETE /thing-groups/house");
	assert_string_equal(kit_changes(k), "group:house ");
}

/* One that is made anew under an old name takes over nothing from it. */
static void is_new_under_an_old_name(void **state)
{
	struct kit *k = *state;
	kit_group(k, "hall", NULL);
	kit_thing(k, "a");
	join(k, "a", "hall");
	kit_policy(k, "p");
	g_autofree char *body =
		g_strdup_printf("{\"target\":\"%s\"}", kit_arn(k, "thinggroup", "hall"));
	ok(k, body, "PUT /target-policies/p");
	ok(k, NULL, "DELETE /thing-groups/hall");
	kit_group(k, "hall", NULL);
	assert_items(json_object_get(ok(k, NULL, "GET /thing-groups/hall/things"), "things"), NULL,
		     NULL);
	json_t *out =
		ok(k, NULL, "POST /attached-policies/%s", kit_arn_encoded(k, "thinggroup", "hall"));
	assert_items(json_object_get(out, "policies"), NULL, NULL);
}

static void limits_depth_and_children(void **state)
{
	struct kit *k = *state;
	kit_group(k, "level1", NULL);
	for (int i = 2; i <= 7; i++) {
		g_autofree char *body = g_strdup_printf("{\"parentGroupName\":\"level%d\"}", i - 1);
		ok(k, body, "POST /thing-groups/level%d", i);
	}
	fails(k, 400, "InvalidRequestException", "{\"parentGroupName\":\"level7\"}",
	      "POST /thing-groups/level8");
	k->api.settings.quota_group_children = 3;
	for (int i = 0; i < 2; i++)
		ok(k, "{\"parentGroupName\":\"level1\"}", "POST /thing-groups/child%d", i);
	fails(k, 400, "InvalidRequestException", "{\"parentGroupName\":\"level1\"}",
	      "POST /thing-groups/child2");
	ok(k, "{\"parentGroupName\":\"level1\"}", "POST /thing-groups/child1");
}

static void lists_by_parent_and_prefix(void **state)
{
	struct kit *k = *state;
	kit_group(k, "a", NULL);
	kit_group(k, "ab", "a");
	kit_group(k, "abc", "ab");
	kit_group(k, "b", NULL);
	static const struct {
		const char *query;
		const char *names[6];
	} rows[] = {
		{"",				    {"a", "ab", "abc", "b"}},
		{"?recursive=false",                    {"a", "b"}             },
		{"?parentGroup=a",                      {"ab", "abc"}          },
		{"?parentGroup=a&recursive=false",      {"ab"}                 },
		{"?parentGroup=b",                      {NULL}                 },
		{"?namePrefixFilter=ab",                {"ab", "abc"}          },
		{"?namePrefixFilter=abc&parentGroup=a", {"abc"}                },
		{"?namePrefixFilter=c",                 {NULL}                 },
		{"?maxResults=3",                       {"a", "ab", "abc"}     },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		json_t *list = json_object_get(ok(k, NULL, "GET /thing-groups%s", rows[i].query),
					       "thingGroups");
		const char *const *n = rows[i].names;
		assert_items(list, "groupName", n[0], n[1], n[2], n[3], NULL);
	}
	fails(k, 404, "ResourceNotFoundException", NULL, "GET /thing-groups?parentGroup=none");
}

static void adds_and_removes_things(void **state)
{
	struct kit *k = *state;
	kit_thing(k, "lamp");
	kit_group(k, "hall", NULL);
	(void)kit_changes(k);
	join(k, "lamp", "hall");
	assert_string_equal(kit_changes(k), "thing:lamp ");
	join(k, "lamp", "hall");
	assert_string_equal(kit_changes(k), "");

	g_autofree char *by_arn =
		g_strdup_printf("{\"thingArn\":\"arn:aws:iot:us-east-1:123456789012:thing/lamp\","
				"\"thingGroupArn\":\"%s\",\"thingGroupName\":\"hall\"}",
				kit_arn(k, "thinggroup", "hall"));
	ok(k, by_arn, "PUT /thing-groups/removeThingFromThingGroup");
	assert_string_equal(kit_changes(k), "thing:lamp ");
	ok(k, by_arn, "PUT /thing-groups/removeThingFromThingGroup");
	assert_string_equal(kit_changes(k), "");

	refuses_join(k, "none", "hall", 404, "ResourceNotFoundException");
	refuses_join(k, "lamp", "none", 404, "ResourceNotFoundException");
	fails(k, 400, "InvalidRequestException", "{\"thingName\":\"lamp\"}",
	      "PUT /thing-groups/addThingToThingGroup");
	fails(k, 400, "InvalidRequestException", "{\"thingGroupName\":\"hall\"}",
	      "PUT /thing-groups/addThingToThingGroup");
	fails(k, 400, "InvalidRequestException",
	      "{\"thingName\":\"lamp\",\"thingGroupArn\":\"arn:aws:iot:x:1:thing/hall\"}",
	      "PUT /thing-groups/addThingToThingGroup");
	fails(k, 400, "InvalidRequestException",
	      "{\"thingName\":\"lamp\",\"thingGroupName\":\"yard\","
	      "\"thingGroupArn\":\"arn:aws:iot:us-east-1:123456789012:thinggroup/hall\"}",
	      "PUT /thing-groups/addThingToThingGroup");
}

static void keeps_to_one_group_of_a_hierarchy(void **state)
{
	struct kit *k = *state;
	kit_thing(k, "lamp");
	kit_group(k, "house", NULL);
	kit_group(k, "hall", "house");
	kit_group(k, "yard", "house");
	kit_group(k, "other", NULL);
	join(k, "lamp", "hall");
	join(k, "lamp", "other");
	refuses_join(k, "lamp", "yard", 400, "InvalidRequestException");
	assert_non_null(
		strstr(refuses_join(k, "lamp", "house", 400, "InvalidRequestException"), "hall"));
	json_t *out = ok(k, NULL, "GET /things/lamp/thing-groups");
	assert_items(json_object_get(out, "thingGroups"), "groupName", "hall", "other", NULL);

	ok(k,
	   "{\"thingName\":\"lamp\",\"thingGroupsToAdd\":[\"yard\"],\"thingGroupsToRemove\":["
	   "\"hall\"]}",
	   "PUT /thing-groups/updateThingGroupsForThing");
	out = ok(k, NULL, "GET /things/lamp/thing-groups");
	assert_items(json_object_get(out, "thingGroups"), "groupName", "other", "yard", NULL);
	fails(k, 400, "InvalidRequestException", "{\"thingGroupsToAdd\":[\"yard\"]}",
	      "PUT /thing-groups/updateThingGroupsForThing");
	fails(k, 404, "ResourceNotFoundException",
	      "{\"thingName\":\"lamp\",\"thingGroupsToRemove\":[\"none\"]}",
	      "PUT /thing-groups/updateThingGroupsForThing");
}

/* An update of which a part is refused changes nothing. */
static void moves_whole_or_not(void **state)
{
	struct kit *k = *state;
	kit_thing(k, "lamp");
	kit_group(k, "hall", NULL);
	join(k, "lamp", "hall");
	(void)kit_changes(k);
	fails(k, 404, "ResourceNotFoundException",
	      "{\"thingName\":\"lamp\",\"thingGroupsToAdd\":[\"none\"],\"thingGroupsToRemove\":["
	      "\"hall\"]}",
	      "PUT /thing-groups/updateThingGroupsForThing");
	assert_string_equal(kit_changes(k), "");
	assert_items(json_object_get(ok(k, NULL, "GET /things/lamp/thing-groups"), "thingGroups"),
		     "groupName", "hall", NULL);
}

static void limits_groups_of_a_thing(void **state)
{
	struct kit *k = *state;
	kit_thing(k, "lamp");
	for (int i = 0; i < 11; i++)
		ok(k, NULL, "POST /thing-groups/g%d", i);
	for (int i = 0; i < 10; i++) {
		g_autofree char *name = g_strdup_printf("g%d", i);
		join(k, "lamp", name);
	}
	refuses_join(k, "lamp", "g10", 400, "InvalidRequestException");
	join(k, "lamp", "g9");
}

static void lists_things(void **state)
{
	struct kit *k = *state;
	kit_group(k, "house", NULL);
	kit_group(k, "hall", "house");
	kit_group(k, "yard", "house");
	static const char *const places[][2] = {
		{"a", "hall" },
                {"b", "house"},
                {"c", "yard" },
                {"d", "hall" }
        };
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		kit_thing(k, places[i][0]);
		join(k, places[i][0], places[i][1]);
	}
	json_t *out = ok(k, NULL, "GET /thing-groups/house/things");
	assert_items(json_object_get(out, "things"), NULL, "b", NULL);
	out = ok(k, NULL, "GET /thing-groups/house/things?recursive=true&maxResults=3");
	assert_items(json_object_get(out, "things"), NULL, "a", "b", "c", NULL);
	g_autofree char *token = g_uri_escape_string(json_str(out, "nextToken"), NULL, FALSE);
	out = ok(k, NULL, "GET /thing-groups/house/things?recursive=true&maxResults=3&nextToken=%s",
		 token);
	assert_items(json_object_get(out, "things"), NULL, "d", NULL);
	fails(k, 404, "ResourceNotFoundException", NULL, "GET /thing-groups/none/things");
	fails(k, 404, "ResourceNotFoundException", NULL, "GET /things/none/thing-groups");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_BOTH(creates_once),
		ON_BOTH(describes),
		ON_BOTH(updates),
		ON_BOTH(deletes),
		ON_BOTH(is_new_under_an_old_name),
		ON_BOTH(limits_depth_and_children),
		ON_BOTH(lists_by_parent_and_prefix),
		ON_BOTH(adds_and_removes_things),
		ON_BOTH(keeps_to_one_group_of_a_hierarchy),
		ON_BOTH(moves_whole_or_not),
		ON_BOTH(limits_groups_of_a_thing),
		ON_BOTH(lists_things),
	};
	return cmocka_run_group_tests(tests, kit_group_start, kit_group_stop);
}

/* registry/walk.h: what the publisher and the audits see. */
#include "registry_kit.h"

#include "policy/decide.h"
#include "registry/walk.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>
#include <glib.h>

/* Each walk is written down as one text. */
static int tell_policy(const struct walk_policy *p, void *text)
{
	assert_true(policy_program_valid((const uint8_t *)p->program.p, p->program.n));
	assert_true(p->document.n > 0);
	g_string_append_printf(text, "%s@%d ", p->name, (int)p->version);
	return 0;
}

static int tell_group(const struct walk_group *g, void *text)
{
	g_string_append_printf(text, "%s[", g->name);
	for (size_t i = 0; i < g->n_ancestors; i++) {
		assert_true(g->ancestors[i] < g->num);
		g_string_append_printf(text, "%d,", (int)g->ancestors[i]);
	}
	g_string_append(text, "|");
	for (size_t i = 0; i < g->n_policies; i++)
		g_string_append_printf(text, "%s,", g->policies[i]);
	g_string_append(text, "] ");
	return 0;
}

static int tell_thing(const struct walk_thing *t, void *text)
{
	g_string_append_printf(text, "%s[", t->name);
	for (size_t i = 0; i < t->n_direct; i++)
		g_string_append_printf(text, "%d,", (int)t->direct[i]);
	g_string_append(text, "|");
	for (size_t i = 0; i < t->n_groups; i++)
		g_string_append_printf(text, "%d,", (int)t->groups[i]);
	g_string_append(text, "] ");
	return 0;
}

static int tell_certificate(const struct walk_certificate *c, void *text)
{
	assert_true(c->not_before < c->not_after);
	g_string_append_printf(text, "%.4s:%s%s[", c->id, c->status, c->is_exclusive ? "!" : "");
	for (size_t i = 0; i < c->n_things; i++)
		g_string_append_printf(text, "%s,", c->things[i]);
	g_string_append(text, "|");
	for (size_t i = 0; i < c->n_policies; i++)
		g_string_append_printf(text, "%s,", c->policies[i]);
	g_string_append(text, "] ");
	return 0;
}

#define WALK(k, walk, tell)                                                                        \
	(g_string_truncate((k)->text, 0),                                                          \
	 assert_int_equal(walk((k)->api.reader, tell, (k)->text), 0), (k)->text->str)

static void walks_nothing(void **state)
{
	struct kit *k = *state;
	assert_string_equal(WALK(k, registry_each_policy, tell_policy), "");
	assert_string_equal(WALK(k, registry_each_group, tell_group), "");
	assert_string_equal(WALK(k, registry_each_thing, tell_thing), "");
	assert_string_equal(WALK(k, registry_each_certificate, tell_certificate), "");
}

static void attach(struct kit *k, const char *policy, const char *type, const char *name)
{
	g_autofree char *body = g_strdup_printf("{\"target\":\"%s\"}", kit_arn(k, type, name));
	ok(k, body, "PUT /target-policies/%s", policy);
}

static void walks_policies(void **state)
{
	struct kit *k = *state;
	kit_policy(k, "b");
	kit_policy(k, "a");
	ok(k, kit_policy_body, "POST /policies/b/version?setAsDefault=true");
	ok(k, kit_policy_body, "POST /policies/b/version");
	assert_string_equal(WALK(k, registry_each_policy, tell_policy), "a@1 b@2 ");
}

static const uint8_t old_program[] = {'T', 'W', 'P', '0'};

/* Puts a program of another version in the place of version 1's. */
static int store_old(struct sql_conn *txn, void *document)
{
	int err = sql_exec(txn, SQL_policy_version_delete, SQL_ARGS(sql_text("old"), sql_int(1)),
			   NULL);
	return err ? err
		   : sql_exec(txn, SQL_policy_version_add,
			      SQL_ARGS(sql_text("old"), sql_int(1), sql_text(document),
				       sql_blob(old_program, sizeof(old_program)), sql_int(0)),
			      NULL);
}

static void compiles_policies_of_another_version(void **state)
{
	struct kit *k = *state;
	char document[] = "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Deny\","
			  "\"Action\":\"iot:*\",\"Resource\":\"*\"}]}";
	char unknown[] = "{\"Version\":\"1999-01-01\",\"Statement\":[]}";
	kit_policy(k, "old");
	assert_int_equal(store_write(k->api.env.store, store_old, document), 0);
	assert_string_equal(WALK(k, registry_each_policy, tell_policy), "old@1 ");
	assert_int_equal(store_write(k->api.env.store, store_old, unknown), 0);
	assert_int_equal(registry_each_policy(k->api.reader, tell_policy, k->text), -EBADMSG);
}

static void walks_groups_and_things(void **state)
{
	struct kit *k = *state;
	static const char *const joins[][2] = {
		{"d", "attic"},
                {"b", "hall" },
                {"b", "north"}
        };
	kit_group(k, "house", NULL);
	kit_group(k, "hall", "house");
	kit_group(k, "gone", NULL);
	kit_group(k, "attic", "hall");
	kit_group(k, "north", NULL);
	ok(k, NULL, "DELETE /thing-groups/gone");
	kit_policy(k, "p");
	kit_policy(k, "o");
	attach(k, "p", "thinggroup", "house");
	attach(k, "p", "thinggroup", "attic");
	attach(k, "o", "thinggroup", "attic");
	assert_string_equal(WALK(k, registry_each_group, tell_group),
			    "house[|p,] hall[1,|] attic[1,2,|o,p,] north[|] ");

	for (const char *name = "dcba"; *name; name++)
		ok(k, "{}", "POST /things/%c", *name);
	for (size_t i = 0; i < ARRAY_LEN(joins); i++) {
		g_autofree char *body =
			g_strdup_printf("{\"thingName\":\"%s\",\"thingGroupName\":\"%s\"}",
					joins[i][0], joins[i][1]);
		ok(k, body, "PUT /thing-groups/addThingToThingGroup");
	}
	assert_string_equal(WALK(k, registry_each_thing, tell_thing),
			    "a[|] b[2,5,|1,2,5,] c[|] d[4,|1,2,4,] ");
}

static void walks_certificates(void **state)
{
	struct kit *k = *state;
	char ids[3][X509_ID_SIZE];
	kit_thing(k, "a");
	kit_thing(k, "b");
	kit_policy(k, "p");
	for (size_t i = 0; i < ARRAY_LEN(ids); i++)
		kit_certificate(k, i == 1 ? "INACTIVE" : "ACTIVE", ids[i]);
	kit_attach(k, "b", ids[0]);
	kit_attach(k, "a", ids[0]);
	attach(k, "p", "cert", ids[0]);
	kit_header(k, "x-amzn-principal", kit_arn(k, "cert", ids[2]));
	ok(k, NULL, "PUT /things/b/principals?thingPrincipalType=EXCLUSIVE_THING");
	const char *text = WALK(k, registry_each_certificate, tell_certificate);
	g_autofree char *first = g_strdup_printf("%.4s:ACTIVE[a,b,|p,] ", ids[0]);
	g_autofree char *second = g_strdup_printf("%.4s:INACTIVE[|] ", ids[1]);
	g_autofree char *third = g_strdup_printf("%.4s:ACTIVE![b,|] ", ids[2]);
	assert_non_null(strstr(text, first));
	assert_non_null(strstr(text, second));
	assert_non_null(strstr(text, third));
	assert_int_equal(strlen(text), strlen(first) + strlen(second) + strlen(third));
}

static int stop_at_once(const struct walk_thing *thing, void *seen)
{
	(void)thing;
	(*(int *)seen)++;
	return 7;
}

static void stops_when_told(void **state)
{
	struct kit *k = *state;
	int seen = 0;
	kit_thing(k, "a");
	kit_thing(k, "b");
	assert_int_equal(registry_each_thing(k->api.reader, stop_at_once, &seen), 7);
	assert_int_equal(seen, 1);
}

static void tells_groups_of_one_thing(void **state)
{
	struct kit *k = *state;
	uint64_t *nums = NULL;
	size_t n = 9;
	bool is_registered = true;
	assert_int_equal(registry_thing_groups(k->api.reader, "lamp", &nums, &n, &is_registered),
			 0);
	assert_false(is_registered);
	assert_int_equal(n, 0);
	assert_null(nums);

	kit_group(k, "house", NULL);
	kit_group(k, "hall", "house");
	kit_thing(k, "lamp");
	ok(k, "{\"thingName\":\"lamp\",\"thingGroupName\":\"hall\"}",
	   "PUT /thing-groups/addThingToThingGroup");
	assert_int_equal(registry_thing_groups(k->api.reader, "lamp", &nums, &n, &is_registered),
			 0);
	assert_true(is_registered);
	assert_int_equal(n, 2);
	assert_int_equal(nums[0], 1);
	assert_int_equal(nums[1], 2);
	g_free(nums);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_BOTH(walks_nothing),
		ON_BOTH(walks_policies),
		ON_BOTH(walks_groups_and_things),
		ON_BOTH(walks_certificates),
		ON_BOTH(compiles_policies_of_another_version),
		ON_BOTH(stops_when_told),
		ON_BOTH(tells_groups_of_one_thing),
	};
	return cmocka_run_group_tests(tests, kit_group_start, kit_group_stop);
}

/* registry/walk.h: what the publisher sees. */
#include "registry_kit.h"

#include "policy/decide.h"
#include "policy/facts.h"
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
	g_string_append_printf(text, "%s@%d ", p->name, (int)p->version);
	return 0;
}

static int tell_group(const struct walk_group *g, void *text)
{
	g_string_append_printf(text, "%s%s[", g->name, g->is_quarantine ? "!" : "");
	for (size_t i = 0; i < g->n_policies; i++)
		g_string_append_printf(text, "%s,", g->policies[i]);
	g_string_append(text, "] ");
	return 0;
}

static int tell_thing(const struct walk_thing *t, void *text)
{
	struct view facts = t->facts;
	struct fact fact;
	g_string_append_printf(text, "%s[", t->name);
	for (size_t i = 0; i < t->n_groups; i++)
		g_string_append_printf(text, "%d:%s,", (int)t->groups[i], t->group_names[i]);
	while (facts_next(&facts, &fact))
		g_string_append_printf(text, "%.*s=%.*s,", (int)fact.name.n, fact.name.p,
				       (int)fact.value.n, fact.value.p);
	g_string_append(text, "] ");
	return 0;
}

static int tell_certificate(const struct walk_certificate *c, void *text)
{
	struct fact common_name;
	assert_true(c->not_before < c->not_after);
	assert_true(facts_find(c->facts, FACT_FIELD + FIELD_SUBJECT_COMMON_NAME, VIEW_LIT(""), 0,
			       &common_name));
	assert_true(view_is(common_name.value, "lamp"));
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
	 assert_int_equal(walk((k)->api.reader, WALK_ALL, tell, (k)->text), 0), (k)->text->str)
#define WALK_KEY(k, walk, key, tell)                                                               \
	(g_string_truncate((k)->text, 0),                                                          \
	 assert_int_equal(walk((k)->api.reader, WALK_ONE(key), tell, (k)->text), 0),               \
	 (k)->text->str)

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
	assert_string_equal(WALK_KEY(k, registry_each_policy, "b", tell_policy), "b@2 ");
	assert_string_equal(WALK_KEY(k, registry_each_policy, "c", tell_policy), "");
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
	assert_int_equal(registry_each_policy(k->api.reader, WALK_ALL, tell_policy, k->text),
			 -EBADMSG);
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
			    "attic[o,p,] hall[] house[p,] north[] ");
	ok(k,
	   "{\"thingGroupProperties\":{\"attributePayload\":{\"attributes\":"
	   "{\"thingward:quarantine\":\"true\"}}}}",
	   "PATCH /thing-groups/hall");
	assert_string_equal(WALK_KEY(k, registry_each_group, "hall", tell_group), "hall![] ");
	assert_string_equal(WALK_KEY(k, registry_each_group, "gone", tell_group), "");

	for (const char *name = "dcba"; *name; name++)
		ok(k, "{}", "POST /things/%c", *name);
	for (size_t i = 0; i < ARRAY_LEN(joins); i++) {
		g_autofree char *body =
			g_strdup_printf("{\"thingName\":\"%s\",\"thingGroupName\":\"%s\"}",
					joins[i][0], joins[i][1]);
		ok(k, body, "PUT /thing-groups/addThingToThingGroup");
	}
	assert_string_equal(WALK(k, registry_each_thing, tell_thing),
			    "a[] b[1:house,2:hall,5:north,] c[] d[1:house,2:hall,4:attic,] ");
	ok(k, "{\"attributePayload\":{\"attributes\":{\"site\":\"x\",\"floor\":\"2\"}}}",
	   "PATCH /things/a");
	assert_string_equal(WALK_KEY(k, registry_each_thing, "a", tell_thing),
			    "a[floor=2,site=x,] ");
	assert_string_equal(WALK_KEY(k, registry_each_thing, "e", tell_thing), "");
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
	assert_string_equal(WALK_KEY(k, registry_each_certificate, ids[2], tell_certificate),
			    third);
}

static int tell_id(const char *certificate, void *text)
{
	g_string_append_printf(text, "%s ", certificate);
	return 0;
}

static void tells_certificates_of_a_thing(void **state)
{
	struct kit *k = *state;
	char ids[2][X509_ID_SIZE];
	kit_thing(k, "a");
	for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
		kit_certificate(k, "ACTIVE", ids[i]);
		kit_attach(k, "a", ids[i]);
	}
	bool is_first = strcmp(ids[0], ids[1]) < 0;
	g_autofree char *both = g_strdup_printf("%s %s ", ids[!is_first], ids[is_first]);
	g_string_truncate(k->text, 0);
	assert_int_equal(registry_each_principal(k->api.reader, "a", tell_id, k->text), 0);
	assert_string_equal(k->text->str, both);
	assert_int_equal(registry_each_principal(k->api.reader, "b", tell_id, k->text), 0);
	assert_string_equal(k->text->str, both);
}

static void pages_have_every_key_once(void **state)
{
	struct kit *k = *state;
	static const char *const expected[] = {"a c", "e g", "i i"};
	g_autofree char *after = g_strdup("");
	char *first, *last;
	for (const char *name = "gcaei"; *name; name++)
		ok(k, "{}", "POST /things/%c", *name);
	for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
		assert_int_equal(
			registry_next_page(k->api.reader, WALK_THINGS, after, 2, &first, &last), 1);
		g_string_printf(k->text, "%s %s", first, last);
		assert_string_equal(k->text->str, expected[i]);
		g_free(first);
		g_free(after);
		after = last;
	}
	for (unsigned kind = 0; kind < WALK_KINDS; kind++)
		assert_int_equal(registry_next_page(k->api.reader, (enum walk_kind)kind, after, 2,
						    &first, &last),
				 0);
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
	assert_int_equal(registry_each_thing(k->api.reader, WALK_ALL, stop_at_once, &seen), 7);
	assert_int_equal(seen, 1);
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
		ON_BOTH(tells_certificates_of_a_thing),
		ON_BOTH(pages_have_every_key_once),
	};
	return cmocka_run_group_tests(tests, kit_group_start, kit_group_stop);
}

/* The statements of profiles and violations give the same answers on both databases. */
#include "backend.h"

#include "base/compiler.h"
#include "detect/config.h"
#include "registry/group.h"
#include "registry/profile.h"
#include "registry/violation.h"
#include "store/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct registry_settings settings = {.partition = "aws",
						  .region = "us-east-1",
						  .account_id = "123456789012",
						  .quota_group_children = 100,
						  .quota_group_depth = 7,
						  .quota_profiles_per_target = 5,
						  .quota_behaviors_per_profile = 100,
						  .quota_behavior_values_per_profile = 1000};

#define BEHAVIORS                                                                                  \
	"{\"behaviors\":[{\"name\":\"few\",\"metric\":\"aws:num-listening-tcp-ports\","            \
	"\"criteria\":{\"comparisonOperator\":\"less-than\",\"value\":{\"count\":5}}}]}"

/* What a script writes down, to be compared between the databases. */
struct script {
	GString *text;
	struct registry r;
	uint64_t seed;
};

static void note(struct script *s, const char *fmt, ...) PRINTF_LIKE(2, 3);

static void note(struct script *s, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	g_string_append_vprintf(s->text, fmt, args);
	va_end(args);
}

/* ---- Profiles ---- */

static int note_mapping(const struct profile_mapping *m, void *ctx)
{
	note(ctx, "%s on %s/%s\n", m->profile, m->arn_type, m->arn_name);
	return 0;
}

static int note_name(const char *name, void *ctx)
{
	note(ctx, "profile %s\n", name);
	return 0;
}

static int make_profile(struct registry *r, const char *name)
{
	json_t *members = json_loads(BEHAVIORS, 0, NULL);
	int rc = profile_create(r, name, members);
	json_decref(members);
	return rc;
}

static const char *const targets[] = {
	"arn:aws:iot:us-east-1:123456789012:thinggroup/room",
	"arn:aws:iot:us-east-1:123456789012:thinggroup/house",
	"arn:aws:iot:us-east-1:123456789012:all/unregistered-things",
	"arn:aws:iot:us-east-1:123456789012:all/things",
};

static int attach_all(struct registry *r, const char *name)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < ARRAY_LEN(targets); i++) {
		struct profile_target target;
		rc = profile_target_parse(r, targets[i], &target);
		if (rc == 0)
			rc = profile_attach(r, name, &target);
	}
	return rc;
}

static int make_groups(struct registry *r)
{
	struct group group;
	int rc = group_create(r, "house", NULL, NULL, NULL, &group);
	if (rc != 0)
		return rc;
	group_clear(&group);
	rc = group_create(r, "room", "house", NULL, NULL, &group);
	if (rc == 0)
		group_clear(&group);
	return rc;
}

static int list_profiles(struct script *s)
{
	const struct profile_target start = {0, 0};
	struct profile_target room;
	int rc = profile_list(&s->r, NULL, "", 10, note_name, s);
	if (rc == 0)
		rc = profile_list(&s->r, "aws:num-listening-tcp-ports", "B", 10, note_name, s);
	if (rc == 0)
		rc = profile_each_target(&s->r, "p", &start, 10, note_mapping, s);
	if (rc == 0)
		rc = profile_target_parse(&s->r, targets[0], &room);
	if (rc == 0)
		rc = profile_each_for_target(&s->r, &room, false, "", 0, 10, note_mapping, s);
	return rc ? rc : profile_each_for_target(&s->r, &room, true, "", 0, 10, note_mapping, s);
}

static int profile_script(struct script *s)
{
	struct registry *r = &s->r;
	struct profile_row row;
	static const char *const nothing[] = {NULL};
	int rc = make_groups(r);
	for (const char *name = "pBa"; rc == 0 && *name; name++)
		rc = make_profile(r, (char[]){*name, '\0'});
	if (rc == 0)
		rc = attach_all(r, "p");
	json_t *changes = json_object();
	if (rc == 0)
		rc = profile_update(r, "a", changes, nothing, 1, &row);
	json_decref(changes);
	if (rc == 0) {
		note(s, "a has version %d\n", (int)row.version);
		profile_row_clear(&row);
		rc = list_profiles(s);
	}
	GByteArray *body = g_byte_array_new();
	if (rc == 0)
		rc = profile_config_build(r->db, body, r->fault);
	note(s, "configuration of %u bytes\n", body->len);
	(void)g_byte_array_free(body, TRUE);
	return rc ? rc : profile_delete(r, "p", 1);
}

/* ---- Violations ---- */

static int note_item(const struct violation_item *v, void *ctx)
{
	note(ctx, "%.2s %s %s %s %s %s %d\n", v->id, v->thing, v->profile, v->value_json,
	     v->type ? v->type : "-", v->state, (int)(v->at_ms + v->last_ms));
	return 0;
}

static int apply(struct script *s, enum effect_kind kind, char id, uint64_t seq, uint32_t index)
{
	struct effect effect = {
		.kind = kind,
		.seq = seq,
		.index = index,
		.thing = id == 'b' ? VIEW_LIT("door") : VIEW_LIT("lamp"),
		.profile = VIEW_LIT("p"),
		.behavior = VIEW_LIT("few"),
		.behavior_json = VIEW_LIT("{}"),
		.value = {.kind = VALUE_COUNT, .count = seq},
		.at_ms = (int64_t)seq,
		.start_ms = (int64_t)seq,
		.is_suppressed = id == 'c'
        };
	memset(effect.violation_id, id, VIOLATION_ID_SIZE - 1);
	return violation_apply(s->r.db, 0, &effect);
}

static int list_violations(struct script *s)
{
	static const struct violation_filter any = {
		.criteria = -1, .is_suppressed = -1, .from_ms = 0, .to_ms = 1000};
	const struct violation_place top = {.id = NULL};
	const struct violation_place middle = {.at_ms = 10, .id = "c", .seq = 10, .idx = 1};
	const struct violation_filter filters[] = {
		any,
		{.thing = "lamp", .criteria = -1,      .is_suppressed = -1,       .to_ms = 1000},
		{.profile = "p",  .criteria = 0,       .is_suppressed = 0,        .to_ms = 1000},
		{.criteria = -1,  .is_suppressed = -1, .verification = "UNKNOWN", .to_ms = 20  },
	};
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < ARRAY_LEN(filters); i++) {
		note(s, "filter %d\n", (int)i);
		rc = violation_list(&s->r, &filters[i], &top, 10, note_item, s);
		if (rc == 0)
			rc = violation_list_events(&s->r, &filters[i], &top, 10, note_item, s);
		if (rc == 0)
			rc = violation_list_events(&s->r, &filters[i], &middle, 10, note_item, s);
	}
	return rc;
}

static int violation_script(struct script *s)
{
	bool more;
	int rc = 0;
	for (uint32_t i = 0; rc == 0 && i < 4; i++)
		rc = apply(s, EFFECT_IN_ALARM, (char)('a' + i), 10, i);
	if (rc == 0)
		rc = apply(s, EFFECT_STILL, 'a', 20, 0);
	if (rc == 0)
		rc = apply(s, EFFECT_CLEARED, 'd', 20, 1);
	if (rc == 0)
		rc = apply(s, EFFECT_CLEARED, 'd', 20, 1);
	if (rc == 0)
		rc = violation_verify(&s->r, "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", "TRUE_POSITIVE",
				      NULL);
	if (rc == 0)
		rc = list_violations(s);
	if (rc == 0)
		rc = violation_forget(s->r.db, 15, &more);
	note(s, "forgotten\n");
	return rc ? rc : list_violations(s);
}

/* ---- Both ---- */

static int run_scripts(struct sql_conn *txn, void *ctx)
{
	struct script *s = ctx;
	g_string_truncate(s->text, 0);
	s->r.db = txn;
	int rc = profile_script(s);
	return rc ? rc : violation_script(s);
}

static char *answers_of(struct backend *backend, enum backend_kind kind)
{
	struct fault fault = {0};
	struct store *store = NULL;
	char *url = backend_url(backend, kind);
	struct store_options options = {.url = url, .partitions = 1};
	struct script s = {.text = g_string_new(NULL), .seed = 1};
	s.r = (struct registry){.settings = &settings, .now_ms = 1000, .fault = &fault};
	s.r.chance = chance_seeded(&s.seed);
	assert_int_equal(store_open(&options, &store, &fault), 0);
	int rc = store_write(store, run_scripts, &s);
	if (rc != 0)
		fail_msg("%d: %s", rc, fault.message);
	store_close(store);
	g_free(url);
	return g_string_free(s.text, FALSE);
}

static void test_same_answers(void **state)
{
	(void)state;
	struct backend *backend = backend_start();
	char *sqlite = answers_of(backend, BACKEND_SQLITE), *pg = answers_of(backend, BACKEND_PG);
	assert_string_equal(sqlite, pg);
	assert_non_null(strstr(sqlite, "profile B\nprofile a\nprofile p\n"));
	assert_non_null(strstr(sqlite, "p on thinggroup/house\np on thinggroup/room\n"));
	assert_non_null(strstr(sqlite, "dd lamp p {\"count\":20} alarm-cleared"));
	g_free(sqlite);
	g_free(pg);
	backend_stop(backend);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_same_answers)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

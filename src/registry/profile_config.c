/* The evaluator's configuration, made from the tables of profiles. */
#include "detect/config.h"
#include "registry/behavior.h"
#include "registry/profile.h"

#include <errno.h>

struct build {
	GByteArray *body;
	struct sql_rows *targets; /* ordered as the profiles are: the two are merged */
	int has_target;           /* the present row of targets: 1, 0 at the end, or an errno */
	GArray *groups;           /* uint64_t, of the present profile */
	uint8_t mask;
	uint32_t n_profiles;
	struct fault *fault;
};

static void take_target(struct build *b)
{
	int64_t kind = sql_col_int(b->targets, 1);
	uint64_t num = (uint64_t)sql_col_int(b->targets, 2);
	if (kind == TARGET_GROUP_KIND)
		g_array_append_val(b->groups, num);
	else
		b->mask |= (uint8_t)kind;
}

/* The targets of one profile; rows before it belong to none that is still there. */
static int take_targets(struct build *b, const char *profile)
{
	b->mask = 0;
	g_array_set_size(b->groups, 0);
	while (b->has_target == 1) {
		int order = strcmp(sql_col_text(b->targets, 0), profile);
		if (order > 0)
			break;
		if (order == 0)
			take_target(b);
		b->has_target = sql_next(b->targets);
	}
	return b->has_target < 0 ? b->has_target : 0;
}

static void append_head(struct build *b, const char *name, size_t n_behaviors)
{
	size_t room = 64 + strlen(name) + b->groups->len * sizeof(uint64_t);
	guint at = b->body->len;
	g_byte_array_set_size(b->body, (guint)(at + room));
	struct writer w = writer_of(b->body->data + at, room);
	config_write_profile(&w, view_of(name), b->mask, (const uint64_t *)(void *)b->groups->data,
			     b->groups->len, (uint16_t)n_behaviors);
	g_byte_array_set_size(b->body, (guint)(at + w.len));
}

static int append_profile(struct build *b, const char *name, const char *text)
{
	json_t *members = json_loads(text, 0, NULL);
	const json_t *behaviors = json_object_get(members, "behaviors");
	append_head(b, name, json_array_size(behaviors));
	int rc = members ? 0 : -EBADMSG;
	for (size_t i = 0; rc == 0 && i < json_array_size(behaviors); i++)
		rc = behavior_encode(json_array_get(behaviors, i), b->body);
	json_decref(members);
	b->n_profiles++;
	if (rc == -EBADMSG)
		(void)fault_set(b->fault, FAULT_INTERNAL_FAILURE,
				"The stored security profile %s cannot be read.", name);
	return rc;
}

static int append_profiles(struct build *b, struct sql_rows *profiles)
{
	int more, rc = 0;
	while (rc == 0 && (more = sql_next(profiles)) != 0) {
		rc = more < 0 ? more : take_targets(b, sql_col_text(profiles, 0));
		if (rc == 0)
			rc = append_profile(b, sql_col_text(profiles, 0),
					    sql_col_text(profiles, 1));
	}
	return rc;
}

static void write_begin(GByteArray *body, guint at, guint room, uint32_t n_profiles)
{
	struct writer w = writer_of(body->data + at, room);
	config_write_begin(&w, n_profiles);
}

#define BEGIN_SIZE 6U /* what config_write_begin writes */

int profile_config_build(struct sql_conn *conn, GByteArray *body, struct fault *ret_fault)
{
	struct build b = {.body = body, .fault = ret_fault};
	struct sql_rows *profiles;
	guint at = body->len;
	int rc = sql_query(conn, SQL_profile_config, SQL_NO_ARGS, &profiles);
	if (rc != 0)
		return rc;
	rc = sql_query(conn, SQL_profile_config_targets, SQL_NO_ARGS, &b.targets);
	if (rc != 0) {
		sql_rows_free(profiles);
		return rc;
	}
	b.groups = g_array_new(FALSE, FALSE, sizeof(uint64_t));
	b.has_target = sql_next(b.targets);
	g_byte_array_set_size(body, at + BEGIN_SIZE);
	rc = append_profiles(&b, profiles);
	write_begin(body, at, BEGIN_SIZE, b.n_profiles);
	(void)g_array_free(b.groups, TRUE);
	sql_rows_free(b.targets);
	sql_rows_free(profiles);
	return rc;
}

/* How far does a policy reach? (spec/audit.md section 4.2)
 *
 * Two names that have nothing in common stand for any two devices. If the engine lets both do the
 * same thing, the policy does not tell devices apart, whatever its wildcards look like. */
#include "policy/compile.h"
#include "policy/decide.h"
#include "policy/policy.h"
#include "policy/rewrite.h"

#include <glib.h>

#define THINGS "$aws/things/"

static const char *const probes[] = {"qX7vRk2mWc9TfLhB", "4ndGyJ8pUe5sAoZ1iKt6x"};

/* What stands behind the device's name in the names of what it may touch. */
static const char *const nothing[] = {""};

static const char *const published[] = {
	"/shadow/update",
	"/shadow/get",
	"/shadow/delete",
	"/shadow/name/Z1/update",
	"/shadow/name/Z1/get",
	"/shadow/name/Z1/delete",
	"/jobs/get",
	"/jobs/start-next",
	"/jobs/Z1/get",
	"/jobs/Z1/update",
	"/defender/metrics/json",
};

static const char *const subscribed[] = {
	"/shadow/update",
	"/shadow/update/accepted",
	"/shadow/update/rejected",
	"/shadow/update/delta",
	"/shadow/update/documents",
	"/shadow/get/accepted",
	"/shadow/get/rejected",
	"/shadow/delete/accepted",
	"/shadow/delete/rejected",
	"/shadow/name/Z1/update",
	"/shadow/name/Z1/update/accepted",
	"/shadow/name/Z1/update/rejected",
	"/shadow/name/Z1/update/delta",
	"/shadow/name/Z1/update/documents",
	"/shadow/name/Z1/get/accepted",
	"/shadow/name/Z1/get/rejected",
	"/shadow/name/Z1/delete/accepted",
	"/shadow/name/Z1/delete/rejected",
	"/jobs/notify",
	"/jobs/notify-next",
	"/jobs/get/accepted",
	"/jobs/start-next/accepted",
	"/jobs/Z1/update/accepted",
	"/jobs/Z1/get/accepted",
};

#define BEHIND(list) list, G_N_ELEMENTS(list)

static const struct reach_row {
	enum policy_action action;
	const char *type, *before;
	const char *const *behind;
	size_t n_behind;
} rows[] = {
	{POLICY_CONNECT,          "client",      "",     BEHIND(nothing)   },
	{POLICY_PUBLISH,          "topic",       THINGS, BEHIND(published) },
	{POLICY_SUBSCRIBE,        "topicfilter", THINGS, BEHIND(subscribed)},
	{POLICY_GET_SHADOW,       "thing",       "",     BEHIND(nothing)   },
	{POLICY_UPDATE_SHADOW,    "thing",       "",     BEHIND(nothing)   },
	{POLICY_DELETE_SHADOW,    "thing",       "",     BEHIND(nothing)   },
	{POLICY_DESCRIBE_JOB,     "thing",       "",     BEHIND(nothing)   },
	{POLICY_GET_PENDING_JOBS, "thing",       "",     BEHIND(nothing)   },
	{POLICY_START_NEXT_JOB,   "thing",       "",     BEHIND(nothing)   },
	{POLICY_UPDATE_JOB,       "thing",       "",     BEHIND(nothing)   },
};

/* A rewritten document, compiled, and whose devices are asked about. */
struct reach {
	const struct policy_home *home;
	json_t *document;
	struct policy_program program;
};

static int reach_open(struct reach *r, json_t *document, bool for_connect,
		      const struct policy_home *home, struct fault *fault)
{
	*r = (struct reach){.home = home, .document = rewrite_for_audit(document, for_connect)};
	if (document_compile(r->document, &r->program, fault) == 0)
		return 0;
	json_decref(r->document);
	return -1;
}

static void reach_close(struct reach *r)
{
	policy_program_clear(&r->program);
	json_decref(r->document);
}

static bool is_allowed(const struct reach *r, enum policy_action action, const char *type,
		       const char *name)
{
	const struct policy_request request = {
		.action = action,
		.partition = r->home->partition,
		.region = r->home->region,
		.account = r->home->account,
		.type = view_of(type),
		.name = view_of(name),
	};
	const struct view program = {(const char *)r->program.bytes, r->program.n};
	return policy_decide(&program, 1, &request).decision == POLICY_ALLOWED;
}

static bool both_allowed(const struct reach *r, const struct reach_row *row, const char *behind)
{
	for (size_t i = 0; i < G_N_ELEMENTS(probes); i++) {
		g_autofree char *name = g_strconcat(row->before, probes[i], behind, NULL);
		if (!is_allowed(r, row->action, row->type, name))
			return false;
	}
	return true;
}

static bool is_broad(const struct reach *r, const struct reach_row *row)
{
	for (size_t i = 0; i < row->n_behind; i++)
		if (both_allowed(r, row, row->behind[i]))
			return true;
	return false;
}

/* ---- Filters written into a policy: whoever subscribes to exactly this text hears all devices
 * ---- */

/* Do the levels of the filter match those of the topic? `+` one level, `#` what is below. */
static bool levels_match(char **filter, char **topic)
{
	for (; *filter && *topic; filter++, topic++) {
		if (strcmp(*filter, "#") == 0)
			return true;
		if (strcmp(*filter, "+") != 0 && strcmp(*filter, *topic) != 0)
			return false;
	}
	return !*filter && !*topic;
}

static bool hears(char **filter, const char *probe, const char *behind)
{
	g_autofree char *topic = g_strconcat(THINGS, probe, behind, NULL);
	g_auto(GStrv) levels = g_strsplit(topic, "/", -1);
	return levels_match(filter, levels);
}

/* A filter that starts with a wildcard does not hear topics that start with '$'; `#` alone counts
 * all the same. */
static bool hears_all_devices(const char *filter)
{
	if (strcmp(filter, "#") == 0)
		return true;
	if (filter[0] != '$')
		return false;
	g_auto(GStrv) levels = g_strsplit(filter, "/", -1);
	for (size_t i = 0; i < G_N_ELEMENTS(subscribed); i++)
		if (hears(levels, probes[0], subscribed[i]) &&
		    hears(levels, probes[1], subscribed[i]))
			return true;
	return false;
}

static bool is_broad_filter(struct view resource, void *ctx)
{
	static const char type[] = "topicfilter/";
	g_autofree char *text = g_strndup(resource.p, resource.n);
	if (!g_str_has_prefix(text, type))
		return false;
	const char *filter = g_strdelimit(text, "*?", 'z') + strlen(type);
	return hears_all_devices(filter) &&
	       is_allowed(ctx, POLICY_SUBSCRIBE, "topicfilter", filter);
}

/* ---- The whole ---- */

static uint32_t broad_actions(struct reach *r, uint32_t among)
{
	uint32_t broad = 0;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
		uint32_t bit = UINT32_C(1) << rows[i].action;
		if ((among & bit) != 0 && is_broad(r, &rows[i]))
			broad |= bit;
	}
	const uint32_t subscribe = UINT32_C(1) << POLICY_SUBSCRIBE;
	if ((among & ~broad & subscribe) != 0 &&
	    rewrite_any_allowed(r->document, is_broad_filter, r))
		broad |= subscribe;
	return broad;
}

int policy_broad(struct view document, const struct policy_home *home, uint32_t *ret_actions,
		 struct fault *fault)
{
	json_t *json = document_read(document, fault);
	if (!json)
		return -1;
	const uint32_t connect = UINT32_C(1) << POLICY_CONNECT;
	uint32_t actions = 0;
	int result = 0;
	for (int for_connect = 0; for_connect < 2 && result == 0; for_connect++) {
		struct reach r;
		result = reach_open(&r, json, for_connect, home, fault);
		if (result == 0) {
			actions |= broad_actions(&r, for_connect ? connect : ~connect);
			reach_close(&r);
		}
	}
	json_decref(json);
	if (result == 0)
		*ret_actions = actions;
	return result;
}

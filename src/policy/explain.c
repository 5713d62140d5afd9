#include "policy/explain.h"

#include <glib.h>
#include <inttypes.h>
#include <jansson.h>

static void tell_request(GString *text, const struct policy_request *request)
{
	g_string_append_printf(text, "%s on ", policy_action_name(request->action));
	if (request->type.n == 0)
		g_string_append_c(text, '*');
	else
		g_string_append_printf(text, "%.*s/%.*s", (int)request->type.n, request->type.p,
				       (int)request->name.n, request->name.p);
}

char *policy_sid(struct view document, int statement)
{
	if (statement < 0)
		return NULL;
	json_t *json = json_loadb(document.p, document.n, 0, NULL);
	json_t *statements = json_object_get(json, "Statement");
	json_t *one = json_is_array(statements) ? json_array_get(statements, (size_t)statement)
						: statements;
	char *sid = g_strdup(json_string_value(json_object_get(one, "Sid")));
	json_decref(json);
	return sid;
}

static void tell_statement(GString *text, const struct policy_source *source, int statement)
{
	g_string_append_printf(text, "policy %s version %" PRId64 ", statement %d", source->name,
			       source->version, statement + 1);
	g_autofree char *sid = policy_sid(source->document, statement);
	if (sid)
		g_string_append_printf(text, " (%s)", sid);
}

static void tell_nearest(GString *text, const struct policy_source *sources,
			 const struct policy_verdict *verdict)
{
	if (verdict->nearest_program < 0)
		return;
	g_string_append(text, "; nearest: ");
	tell_statement(text, &sources[verdict->nearest_program], verdict->nearest_statement);
	if (verdict->missing.n > 0)
		g_string_append_printf(text, " needs %.*s, which is not known",
				       (int)verdict->missing.n, verdict->missing.p);
	else
		g_string_append(text, ", whose condition does not hold");
}

char *policy_explain(const struct policy_source *sources, const struct policy_request *request,
		     const struct policy_verdict *verdict)
{
	GString *text = g_string_new(NULL);
	if (verdict->decision == POLICY_IMPLICIT_DENY) {
		g_string_append(text, "no statement allows ");
		tell_request(text, request);
		tell_nearest(text, sources, verdict);
	} else {
		tell_statement(text, &sources[verdict->program], verdict->statement);
		g_string_append(text, verdict->decision == POLICY_ALLOWED ? ", Allow " : ", Deny ");
		tell_request(text, request);
	}
	return g_string_free(text, FALSE);
}

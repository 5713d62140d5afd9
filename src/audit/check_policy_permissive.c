/* A policy whose default version lets a broad set of devices in (spec/audit.md section 4). */
#include "audit/check.h"

#include "policy/decide.h"
#include "policy/policy.h"

#include <inttypes.h>

static char *reason_of(uint32_t actions)
{
	GString *text = g_string_new("Policy allows broad access to IoT data plane actions: [");
	const char *separator = "";
	for (unsigned i = 0; i < POLICY_ACTIONS; i++) {
		if ((actions >> i & 1) == 0)
			continue;
		g_string_append_printf(text, "%s%s", separator,
				       policy_action_name((enum policy_action)i));
		separator = ", ";
	}
	g_string_append(text, "].");
	return g_string_free(text, FALSE);
}

int check_policy_permissive(const struct audit_terms *terms, const struct audit_resource *resource,
			    GPtrArray *findings, struct fault *fault)
{
	const struct audit_policy *p = &resource->policy;
	const struct policy_home home = {view_of(terms->settings->partition),
					 view_of(terms->settings->region),
					 view_of(terms->settings->account_id)};
	struct fault why;
	uint32_t actions;
	if (policy_broad(view_of(p->document), &home, &actions, &why) != 0)
		return fault_set(fault, why.kind, "policy %s, version %" PRId64 ": %s", p->name,
				 p->version, why.message);
	if (actions == 0)
		return 0;
	g_autofree char *version = g_strdup_printf("%" PRId64, p->version);
	findings_add(findings, "ALLOWS_BROAD_ACCESS_TO_IOT_DATA_PLANE_ACTIONS", reason_of(actions),
		     json_pack("{s:s, s:s}", "policyName", p->name, "policyVersionId", version),
		     NULL);
	return 0;
}

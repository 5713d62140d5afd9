/* An account that logs nothing (spec/audit.md section 1.2). */
#include "audit/check.h"

static bool logs(const struct audit_logging *logging)
{
	if (!logging->is_set || logging->is_disabled)
		return false;
	return strcmp(logging->default_level, "DISABLED") != 0 || logging->targets_on > 0;
}

int check_logging_disabled(const struct audit_terms *terms, const struct audit_resource *resource,
			   GPtrArray *findings, struct fault *fault)
{
	(void)fault;
	if (!logs(&resource->logging))
		findings_add(findings, "LOGGING_DISABLED", g_strdup("IoT logging is disabled."),
			     json_string(terms->settings->account_id), NULL);
	return 0;
}

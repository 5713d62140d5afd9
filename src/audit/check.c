#include "audit/check.h"

const struct audit_check audit_checks[] = {
#define AUDIT_CHECK(name, severity, resource_type, identifier, parameter, min, max, absent,        \
		    source, judge)                                                                 \
	{name, severity, resource_type, identifier, parameter, min, max, absent, source, judge},
#include "model/checks.tbl.h"
#undef AUDIT_CHECK
};

const size_t audit_checks_count = G_N_ELEMENTS(audit_checks);

const struct audit_check *audit_check_find(const char *name)
{
	for (size_t i = 0; i < audit_checks_count; i++)
		if (strcmp(audit_checks[i].name, name) == 0)
			return &audit_checks[i];
	return NULL;
}

static void finding_free(void *item)
{
	struct finding *finding = item;
	g_free(finding->reason);
	json_decref(finding->identifier);
	json_decref(finding->additional_info);
	g_free(finding);
}

GPtrArray *findings_new(void)
{
	return g_ptr_array_new_with_free_func(finding_free);
}

void findings_add(GPtrArray *findings, const char *code, char *reason, json_t *identifier,
		  json_t *additional_info)
{
	struct finding *finding = g_new(struct finding, 1);
	*finding = (struct finding){code, reason, identifier, additional_info};
	g_ptr_array_add(findings, finding);
}

/* What a check is: values in, findings out.
 *
 * A check is a row of model/checks.tbl.h and a file check_NAME.c with its judge, which looks at one
 * resource and tells what is wrong with it. It reads nothing and writes nothing. Where resources
 * come from is the job of a source (audit/source.c), shared by the checks that look at the same
 * kind. */
#ifndef AUDIT_CHECK_H
#define AUDIT_CHECK_H

#include "base/fault.h"
#include "registry/settings.h"
#include "store/sql.h"

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

struct audit_certificate {
	const char *id;
	int64_t not_after; /* seconds since the epoch */
};

struct audit_policy {
	const char *name;
	int64_t version;
	const char *document;
};

/* The account's logging options, version 2; version 1 has no tables. */
struct audit_logging {
	bool is_set, is_disabled;
	const char *default_level;
	int64_t targets_on; /* targets with a level other than DISABLED */
};

/* One resource; which of the facts stands there is the source's. */
struct audit_resource {
	const char *key; /* in the source's order */
	union {
		struct audit_certificate certificate;
		struct audit_policy policy;
		struct audit_logging logging;
	};
};

/* What a judgement depends on besides the resource. */
struct audit_terms {
	int64_t now_ms;
	int64_t parameter; /* the check's one setting, in force */
	const struct registry_settings *settings;
};

struct finding {
	const char *code;        /* reasonForNonComplianceCode, static */
	char *reason;            /* reasonForNonCompliance */
	json_t *identifier;      /* the value of the check's identifier member */
	json_t *additional_info; /* NULL for none */
};

/* Adds a finding to a list of them; takes reason and both values. */
void findings_add(GPtrArray *findings, const char *code, char *reason, json_t *identifier,
		  json_t *additional_info);
GPtrArray *findings_new(void); /* g_ptr_array_unref */

/* Adds a finding for each thing that is wrong. 0, or -1 with the fault filled when the resource
 * cannot be judged. */
typedef int audit_judge_fn(const struct audit_terms *terms, const struct audit_resource *resource,
			   GPtrArray *findings, struct fault *fault);

/* Hands over the resources behind `after` ("" at the start) in key order, at most limit, until fn
 * returns non-zero (returned). A resource lives during the call. 0 or a negative errno. */
typedef int audit_resource_fn(const struct audit_resource *resource, void *ctx);
typedef int audit_source_fn(struct sql_conn *reader, const char *after, int64_t limit,
			    audit_resource_fn *fn, void *ctx);

struct audit_check {
	const char *name, *severity, *resource_type, *identifier;
	const char *parameter; /* NULL for none */
	int64_t min, max, absent;
	audit_source_fn *source;
	audit_judge_fn *judge; /* NULL: not available in this version */
};

extern const struct audit_check audit_checks[];
extern const size_t audit_checks_count;

/* NULL when there is none of that name. */
const struct audit_check *audit_check_find(const char *name);

audit_source_fn source_certificates, source_policies, source_logging;
audit_judge_fn check_certificate_expiring, check_policy_permissive, check_logging_disabled;

#endif

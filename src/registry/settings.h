/* What the registry's rules depend on and an operator sets: names in ARNs, endpoint, CA files,
 * quotas (spec/quotas.md; every limit is a setting with AWS's value as its default). Filled by
 * daemon/settings.c. */
#ifndef REGISTRY_SETTINGS_H
#define REGISTRY_SETTINGS_H

#include <stdint.h>

struct registry_settings {
	const char *partition;                                /* "aws" */
	const char *region;                                   /* "us-east-1" */
	const char *account_id;                               /* 12 digits */
	const char *endpoint;                                 /* what DescribeEndpoint answers */
	const char *device_ca_cert_file, *device_ca_key_file; /* PEM; NULL: issuing is off (S27) */
	const char *registration_code;                        /* NULL: made at first call */
	int64_t quota_thing_attributes_with_type, quota_thing_attributes; /* 50, 3 */
	int64_t quota_groups_per_thing;                                   /* 10 */
	int64_t quota_group_children, quota_group_depth;                  /* 100, 7 */
	int64_t quota_policies_per_certificate, quota_policies_per_group; /* 10, 2 */
	int64_t quota_policy_versions, quota_policy_chars;                /* 5, 2048 */
	int64_t quota_profiles_per_target, quota_behaviors_per_profile;   /* 5, 100 */
	int64_t quota_behavior_values_per_profile;                        /* 1000 */
	int64_t quota_on_demand_audits;                                   /* 10 */
	int64_t quota_dimensions, quota_custom_metrics;                   /* 10, 100 */
	int64_t audit_retention_days;                                     /* 90 */
};

#endif

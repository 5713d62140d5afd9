#include "registry/rules.h"

#include "registry/arn.h"

#include <inttypes.h>
#include <stdio.h>

const struct noun noun_thing = {"Thing", "thing"};
const struct noun noun_group = {"Thing group", "thinggroup"};
const struct noun noun_certificate = {"Certificate", "cert"};
const struct noun noun_policy = {"Policy", "policy"};

int refuse_unknown(struct registry *r, const struct noun *noun, const char *name)
{
	return fault_set(r->fault, FAULT_RESOURCE_NOT_FOUND, "%s %s cannot be found.", noun->word,
			 name);
}

int refuse_exists(struct registry *r, const struct noun *noun, const char *name, const char *why)
{
	char arn[ARN_SIZE];
	(void)fault_set(r->fault, FAULT_RESOURCE_ALREADY_EXISTS, "%s %s already exists%s.",
			noun->word, name, why);
	(void)snprintf(r->fault->resource_id, sizeof(r->fault->resource_id), "%s", name);
	(void)snprintf(r->fault->resource_arn, sizeof(r->fault->resource_arn), "%s",
		       arn_write(r->settings, noun->arn_type, name, arn));
	return -1;
}

int check_version(struct registry *r, const struct noun *noun, const char *name, int64_t version,
		  int64_t expected)
{
	if (expected == REGISTRY_NO_VERSION || expected == version)
		return 0;
	return fault_set(r->fault, FAULT_VERSION_CONFLICT,
			 "%s %s has version %" PRId64 ", but expectedVersion is %" PRId64
			 "; read it again and retry.",
			 noun->word, name, version, expected);
}

int check_quota(struct registry *r, enum fault_kind kind, const char *name, const char *what,
		int64_t count, int64_t limit)
{
	if (count < limit)
		return 0;
	return fault_set(r->fault, kind, "%s: %s: at most %" PRId64 " are allowed.", name, what,
			 limit);
}

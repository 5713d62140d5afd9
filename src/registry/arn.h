/* Amazon Resource Names: arn:PARTITION:iot:REGION:ACCOUNT:TYPE/NAME (spec/registry-and-policies.md
 * section 1). */
#ifndef REGISTRY_ARN_H
#define REGISTRY_ARN_H

#include "base/compiler.h"
#include "registry/settings.h"

#define ARN_SIZE 320

/* The ARN of a resource of this account: type "thing", "thinggroup", "cert", "policy", ... Returns
 * out. */
const char *arn_write(const struct registry_settings *settings, const char *type, const char *name,
		      char out[ARN_SIZE]);

/* The name in an ARN of this account and of the given type, pointing into arn; NULL when it is
 * none. */
const char *arn_name(const struct registry_settings *settings, const char *type, const char *arn);

#endif

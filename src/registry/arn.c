#include "registry/arn.h"

#include <stdio.h>
#include <string.h>

const char *arn_write(const struct registry_settings *settings, const char *type, const char *name,
		      char out[ARN_SIZE])
{
	(void)snprintf(out, ARN_SIZE, "arn:%s:iot:%s:%s:%s/%s", settings->partition,
		       settings->region, settings->account_id, type, name);
	return out;
}

const char *arn_name(const struct registry_settings *settings, const char *type, const char *arn)
{
	char prefix[ARN_SIZE];
	size_t n = strlen(arn_write(settings, type, "", prefix));
	return strncmp(arn, prefix, n) == 0 && arn[n] != '\0' ? arn + n : NULL;
}

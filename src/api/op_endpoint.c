/* DescribeEndpoint: where devices and agents connect. One server answers for every kind. */
#include "api/call.h"

#include <string.h>

static const char *const types[] = {"iot:Data", "iot:Data-ATS", "iot:CredentialProvider",
				    "iot:Jobs"};

int op_DescribeEndpoint(struct api_call *call)
{
	const char *type = in_text(call, "endpointType");
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		if (!type || strcmp(type, types[i]) == 0) {
			out_text(call, "endpointAddress", call->env->settings->endpoint);
			return 0;
		}
	}
	return fault_set(&call->fault, FAULT_INVALID_REQUEST,
			 "endpointType: '%s' is unknown; use iot:Data, iot:Data-ATS, "
			 "iot:CredentialProvider or iot:Jobs.",
			 type);
}

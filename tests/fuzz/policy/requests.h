/* The requests that both fuzz targets of the policy engine ask about. */
#ifndef FUZZ_POLICY_REQUESTS_H
#define FUZZ_POLICY_REQUESTS_H

#include "policy/decide.h"

#include <stdlib.h>

static inline void decide_all(const uint8_t *program, size_t n)
{
	static const char *const types[] = {"client", "topic", "topicfilter", "thing", ""};
	static const char *const names[] = {"sensor1", "$aws/things/sensor1/shadow/update", "a/#",
					    ""};
	const struct view programs[] = {
		{(const char *)program, n},
                {(const char *)program, n}
        };
	for (unsigned i = 0; i < POLICY_ACTIONS * 20; i++) {
		struct policy_request request = {
			.action = (enum policy_action)(i % POLICY_ACTIONS),
			.partition = VIEW_LIT("aws"),
			.region = VIEW_LIT("us-east-1"),
			.account = VIEW_LIT("123456789012"),
			.type = view_of(types[i % 5]),
			.name = view_of(names[i / 5 % 4]),
			.client_id = VIEW_LIT("sensor1"),
			.is_thing_attached = i % 2 == 0,
		};
		if (i % 3 == 0) {
			request.thing_name = VIEW_LIT("sensor1");
			request.source_ip = VIEW_LIT("10.1.2.3");
			request.certificate_id = VIEW_LIT("");
		}
		struct policy_verdict verdict = policy_decide(programs, 2, &request);
		if ((verdict.program < 0) != (verdict.decision == POLICY_IMPLICIT_DENY))
			abort();
	}
}

#endif

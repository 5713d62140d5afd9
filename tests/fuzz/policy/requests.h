/* The requests that both fuzz targets of the policy engine ask about. */
#ifndef FUZZ_POLICY_REQUESTS_H
#define FUZZ_POLICY_REQUESTS_H

#include "policy/decide.h"

#include <stdlib.h>

/* A thing of type "pump" with an attribute that looks like an ARN; a certificate with two
 * organizations, the second of which no variable takes, and a serial number: as policy/facts.h lays
 * them out. */
#define FUZZ_THING_FACTS                                                                           \
	"\x01\x00\x04\x00\x00\x00"                                                                 \
	"pump"                                                                                     \
	"\x02\x04\x0b\x00\x00\x00"                                                                 \
	"sitea:b:c:d:e:f"
#define FUZZ_CERT_FACTS                                                                            \
	"\x12\x00\x01\x00\x00\x00"                                                                 \
	"A"                                                                                        \
	"\x92\x00\x02\x00\x00\x00"                                                                 \
	"B*"                                                                                       \
	"\x34\x00\x02\x00\x00\x00"                                                                 \
	"4f"

static inline void know_more(struct policy_request *request)
{
	request->thing_name = VIEW_LIT("sensor1");
	request->source_ip = VIEW_LIT("10.1.2.3");
	request->certificate_id = VIEW_LIT("-12.5"); /* for the numbers */
	request->domain_name = VIEW_LIT("2026-03-01");
	request->last_will_topic = VIEW_LIT("a/b");
	request->are_connect_attributes_known = true;
	request->connect_attributes = POLICY_LAST_WILL | POLICY_PERSISTENT_CONNECT;
	request->thing_facts = VIEW_LIT(FUZZ_THING_FACTS);
	request->cert_facts = VIEW_LIT(FUZZ_CERT_FACTS);
}

static inline void pass_name(struct view name, void *n)
{
	*(size_t *)n += name.n;
}

/* Every action on every resource, with all values known, with some, and with facts that are the
 * program's own bytes. */
static inline void decide_all(const uint8_t *program, size_t n)
{
	static const char *const types[] = {"client", "topic", "topicfilter", "thing", ""};
	static const char *const names[] = {"sensor1", "$aws/things/sensor1/shadow/update", "a/#",
					    ""};
	const struct view bytes = {(const char *)program, n};
	const struct view programs[] = {bytes, bytes};
	size_t missing = 0;
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
		if (i % 3 == 0)
			know_more(&request);
		if (i % 7 == 0)
			request.thing_facts = request.cert_facts = bytes;
		struct policy_verdict verdict = policy_decide(programs, 2, &request);
		if ((verdict.program < 0) != (verdict.decision == POLICY_IMPLICIT_DENY) ||
		    (verdict.nearest_program < 0) != (verdict.nearest_statement < 0))
			abort();
		int allow = policy_first_match(bytes, POLICY_EFFECT_ALLOW, &request);
		int deny = policy_first_match(bytes, POLICY_EFFECT_DENY, &request);
		if ((deny >= 0) != (verdict.decision == POLICY_EXPLICIT_DENY) ||
		    (deny < 0 && allow != verdict.statement))
			abort();
		policy_each_missing(bytes, &request, pass_name, &missing);
	}
}

#endif

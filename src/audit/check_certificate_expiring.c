/* A certificate that has run out, or will within the account's number of days (spec/audit.md
 * section 1.2). */
#include "audit/check.h"

#include <inttypes.h>

#define SECONDS_A_DAY 86400

struct verdict {
	const char *code, *reason;
};

static const struct verdict *judge(int64_t not_after, int64_t now, int64_t days)
{
	static const struct verdict past = {"CERTIFICATE_PAST_EXPIRATION",
					    "Certificate is past its expiration."};
	static const struct verdict approaching = {"CERTIFICATE_APPROACHING_EXPIRATION",
						   "Certificate is approaching its expiration."};
	if (not_after <= now)
		return &past;
	return not_after - now <= days * SECONDS_A_DAY ? &approaching : NULL;
}

/* A certificate's times are whole seconds, so the fraction of now decides nothing. */
int check_certificate_expiring(const struct audit_terms *terms,
			       const struct audit_resource *resource, GPtrArray *findings,
			       struct fault *fault)
{
	(void)fault;
	const struct audit_certificate *c = &resource->certificate;
	const struct verdict *verdict = judge(c->not_after, terms->now_ms / 1000, terms->parameter);
	if (!verdict)
		return 0;
	g_autofree char *expiration = g_strdup_printf("%" PRId64 "000", c->not_after);
	findings_add(findings, verdict->code, g_strdup(verdict->reason), json_string(c->id),
		     json_pack("{s:s}", "EXPIRATION_TIME", expiration));
	return 0;
}

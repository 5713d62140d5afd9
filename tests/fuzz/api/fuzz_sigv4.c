/* covers: src/api/sigv4_parse.c src/api/sigv4_canonical.c src/api/sigv4.c */
/* Signatures from anybody: Authorization headers and presigned queries, parsed and judged. What is
 * accepted must be refused when any byte of the signature changes. */
#include "requests.h"

#include "api/sigv4.h"
#include "base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const char *const services[] = {"service", "iot", NULL};
	const struct sigv4_rules rules = {
		.services = services, .skew_ms = 300000, .allows_unsigned_payload = true};
	const struct sigv4_secret secret = {"wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", NULL};
	struct refusal refusal = {0};
	struct fuzz_request r;
	struct sigv4 claim;
	fuzz_request_parse(&r, data, n);
	if (sigv4_parse(&rules, &r.request, INT64_C(1440938160000), &claim, &refusal) == 0 &&
	    sigv4_verify(&rules, &claim, &r.request, &secret, &refusal) == 0) {
		g_autofree char *changed = g_strdup(claim.signature);
		changed[0] = changed[0] == '0' ? '1' : '0';
		claim.signature = changed;
		CHECK(sigv4_verify(&rules, &claim, &r.request, &secret, &refusal) < 0);
	}
	sigv4_clear(&claim);
	refusal_clear(&refusal);
	g_free(r.text);
	return 0;
}

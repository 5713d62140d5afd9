/* Whatever bytes come as a certificate: refused with words, or read. */
/* covers: src/x509/read.c src/x509/key.c */
#include "x509/x509.h"

#include "base/check.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* What was read once reads the same again from its own PEM. */
static void check_facts(const struct x509_facts *facts)
{
	struct x509_facts again = {0};
	CHECK(x509_read(view_of(facts->pem), &again, NULL) == 0);
	CHECK(strcmp(facts->id, again.id) == 0);
	CHECK(facts->not_before <= facts->not_after);
	CHECK(x509_key_strong(facts, NULL) == x509_key_strong(&again, NULL));
	x509_facts_clear(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct view input = {(const char *)data, n};
	struct x509_facts facts = {0};
	struct fault fault = {0};
	if (x509_read(input, &facts, &fault) == 0)
		check_facts(&facts);
	else
		CHECK(fault.kind == FAULT_CERTIFICATE_VALIDATION && fault.message[0] != '\0');
	x509_facts_clear(&facts);
	return 0;
}

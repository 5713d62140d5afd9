/* What policies can know of a thing and of a certificate (policy/facts.h), from the registry's
 * rows.
 */
#ifndef REGISTRY_FACTS_H
#define REGISTRY_FACTS_H

#include "x509/x509.h"

#include <glib.h>

/* Appends those of a thing; `attributes`: as the store has them. */
void facts_of_thing(const char *attributes, GByteArray *out);

/* Appends those of a certificate. */
void facts_of_certificate(const struct x509_facts *certificate, GByteArray *out);

#endif

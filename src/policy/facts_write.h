/* Writing the facts of a thing and of a certificate (policy/facts.h). Daemon side. */
#ifndef POLICY_FACTS_WRITE_H
#define POLICY_FACTS_WRITE_H

#include "policy/facts.h"

#include <glib.h>

/* Of a thing. Names and values are those of the registry, which has checked them; an empty type is
 * none, an attribute name is at most 255 bytes long. */
void facts_add_thing_type(GByteArray *facts, struct view name);
void facts_add_attribute(GByteArray *facts, struct view name, struct view value);

/* Of a certificate: escapes what policies see escaped, and adds at most FACT_VALUES_MAX values of
 * a field; further ones are passed over. What is longer than FACT_BYTES_MAX is cut: deciding takes
 * time by the length of what is compared. */
void facts_add_field(GByteArray *facts, enum policy_field field, struct view value);

/* The field called "Subject.CommonName", in any case; false when policies know none of that name.
 */
bool facts_field_of(const char *name, enum policy_field *ret);

#endif

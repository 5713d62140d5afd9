/* What is known of a thing and of a certificate, beyond their names: a blob that the registry
 * writes (policy/facts_write.h), that store and snapshot carry unseen, and that the decision reads
 * in place (spec section 10.1).
 *
 *   facts   fact* to the end
 *   fact    u8 kind, u8 n, u32 n, name (attributes only), value
 *   kind    FACT_THING_TYPE, FACT_ATTRIBUTE, or FACT_FIELD + enum policy_field, with FACT_RAW
 *
 * A certificate's values stand as policies see them, with their special characters escaped; what
 * comes several times in a certificate comes several times here, in the same order, at most
 * FACT_VALUES_MAX times. A damaged blob ends where it does not make sense any more.
 *
 * Plain C11, no allocation. */
#ifndef POLICY_FACTS_H
#define POLICY_FACTS_H

#include "base/view.h"

#include <stdint.h>

#define FACT_THING_TYPE 1  /* thing: the name of its type */
#define FACT_ATTRIBUTE  2  /* thing: an attribute */
#define FACT_FIELD      16 /* certificate: the first field */
/* A bit: the value is never put into a pattern; it is too long, or holds * $ + ? # */
#define FACT_RAW 0x80

#define FACT_VALUES_MAX 5    /* of one field that a policy can see */
#define FACT_CHARS_MAX  1024 /* of a certificate's value that is put into a pattern */
#define FACT_BYTES_MAX  4096 /* of one that conditions see: more than a policy can write out */

/* The rows of field.tbl.h. */
enum policy_field {
#define FIELD(id, name) FIELD_##id,
#include "policy/field.tbl.h"
#undef FIELD
	POLICY_FIELDS
};

struct fact {
	uint8_t kind; /* without FACT_RAW */
	bool is_raw;
	struct view name, value;
};

/* Takes the first fact off *facts; false at the end. */
bool facts_next(struct view *facts, struct fact *ret);

/* The value number `index` (from 0) of this kind and, for attributes, this name. False when there
 * is none; *ret is then untouched. */
bool facts_find(struct view facts, uint8_t kind, struct view name, unsigned index,
		struct fact *ret);

#endif

/* One value as the JSON reader (base/json_reader) and the CBOR reader (report/cbor) hand it out:
 * a scalar whole, a container by its opening. */
#ifndef BASE_VALUE_H
#define BASE_VALUE_H

#include "base/view.h"

#include <stdint.h>

enum value_kind {
	VALUE_NULL,
	VALUE_BOOL,
	VALUE_UINT,     /* u: a number that is whole, not negative and below 2^64, exactly */
	VALUE_NEGATIVE, /* i: a number that is whole, negative and not below -2^63, exactly */
	VALUE_DOUBLE,   /* d: any other number; finite when it comes from JSON */
	VALUE_STRING,   /* s: UTF-8; in the input, or in the reader's scratch when it had to be put
			   together */
	VALUE_ARRAY,
	VALUE_OBJECT,
	VALUE_OTHER, /* CBOR only: a byte string or a simple value without a JSON counterpart */
};

struct value {
	enum value_kind kind;
	bool is_single; /* with VALUE_DOUBLE: came as a half or single precision float */
	union {
		bool b;
		uint64_t u;
		int64_t i;
		double d;
		struct view s;
	};
};

#endif

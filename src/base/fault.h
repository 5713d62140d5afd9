/* What went wrong, in the words that reach the caller.
 *
 * A function that can fail for a reason worth telling takes a `struct fault *` and returns 0, or -1
 * with the fault filled. It never logs as well: the edge (API interpreter, command line) does,
 * once. The kinds are the exceptions of AWS's model (spec/api.md section 1). */
#ifndef BASE_FAULT_H
#define BASE_FAULT_H

#include "base/compiler.h"

enum fault_kind {
	FAULT_NONE,
#define FAULT(id, name) FAULT_##id,
#include "base/fault.tbl.h"
#undef FAULT
};

struct fault {
	enum fault_kind kind;
	char message[1024];
	/* Only with FAULT_RESOURCE_ALREADY_EXISTS: what exists already; else empty. */
	char resource_id[160];
	char resource_arn[320];
};

/* Fills f (NULL is allowed: the caller does not want to know) and returns -1. A message that is too
 * long is cut. The arguments may be what f holds already. */
int fault_set(struct fault *f, enum fault_kind kind, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* The exception's name as it goes over the wire, "InvalidRequestException"; "" for FAULT_NONE. */
const char *fault_name(enum fault_kind kind);

#endif

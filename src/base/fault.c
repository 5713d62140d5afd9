#include "base/fault.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const fault_names[] = {
	[FAULT_NONE] = "",
#define FAULT(id, name) [FAULT_##id] = name,
#include "base/fault.tbl.h"
#undef FAULT
};

int fault_set(struct fault *f, enum fault_kind kind, const char *fmt, ...)
{
	if (!f)
		return -1;
	/* The arguments may lie in the fault itself: one error wrapped in another. */
	char message[sizeof(f->message)] = "";
	va_list args;
	va_start(args, fmt);
	(void)vsnprintf(message, sizeof(message), fmt, args);
	va_end(args);
	*f = (struct fault){.kind = kind};
	memcpy(f->message, message, sizeof(message));
	return -1;
}

const char *fault_name(enum fault_kind kind)
{
	return (unsigned)kind < ARRAY_LEN(fault_names) ? fault_names[kind] : "";
}

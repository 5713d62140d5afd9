#include "api/refusal.h"

#include <glib.h>

int refuse(struct refusal *refusal, const char *exception, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	refusal_clear(refusal);
	refusal->exception = exception;
	refusal->message = g_strdup_vprintf(fmt, args);
	va_end(args);
	return -1;
}

void refusal_clear(struct refusal *refusal)
{
	g_clear_pointer(&refusal->message, g_free);
	refusal->exception = NULL;
}

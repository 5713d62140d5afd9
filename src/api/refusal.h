/* Why a call was refused: the exception that goes over the wire and its message. */
#ifndef API_REFUSAL_H
#define API_REFUSAL_H

#include "base/compiler.h"

struct refusal {
	const char *exception; /* a name of model/errors.json, not owned; NULL: not refused */
	char *message;         /* owned; refusal_clear frees it */
};

/* Fills `refusal`, replacing what it held, and returns -1. */
int refuse(struct refusal *refusal, const char *exception, const char *fmt, ...) PRINTF_LIKE(3, 4);
void refusal_clear(struct refusal *refusal);

#endif

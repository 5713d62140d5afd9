/* Causes of refusals, as numbers and in words, and ends of sessions (cause.tbl.h, end.tbl.h).
 *
 * Plain C11: plugin, evaluator and daemon share it. */
#ifndef EVENT_CAUSE_H
#define EVENT_CAUSE_H

enum cause {
#define CAUSE(id, word, text) CAUSE_##id,
#include "event/cause.tbl.h"
#undef CAUSE
	CAUSES
};

enum end {
#define END(id) END_##id,
#include "event/end.tbl.h"
#undef END
	ENDS
};

/* Static texts: "certificate-unknown", "the certificate is not registered". */
const char *cause_word(enum cause cause);
const char *cause_text(enum cause cause);

#endif

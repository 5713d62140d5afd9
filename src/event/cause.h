/* Causes of refusals and ends of sessions, as numbers and in words (cause.tbl.h, end.tbl.h).
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
#define END(id, word, text) END_##id,
#include "event/end.tbl.h"
#undef END
	ENDS
};

/* Static texts: "certificate-unknown", "the certificate is not registered". */
const char *cause_word(enum cause cause);
const char *cause_text(enum cause cause);
const char *end_word(enum end end);
const char *end_text(enum end end);

#endif

#include "event/cause.h"

struct words {
	const char *word, *text;
};

static const struct words causes[CAUSES] = {
#define CAUSE(id, word, text) [CAUSE_##id] = {word, text},
#include "event/cause.tbl.h"
#undef CAUSE
};

const char *cause_word(enum cause cause)
{
	return causes[cause].word;
}

const char *cause_text(enum cause cause)
{
	return causes[cause].text;
}

#include "event/cause.h"

struct words {
	const char *word, *text;
};

static const struct words causes[CAUSES] = {
#define CAUSE(id, word, text) [CAUSE_##id] = {word, text},
#include "event/cause.tbl.h"
#undef CAUSE
};

static const struct words ends[ENDS] = {
#define END(id, word, text) [END_##id] = {word, text},
#include "event/end.tbl.h"
#undef END
};

const char *cause_word(enum cause cause)
{
	return causes[cause].word;
}

const char *cause_text(enum cause cause)
{
	return causes[cause].text;
}

const char *end_word(enum end end)
{
	return ends[end].word;
}

const char *end_text(enum end end)
{
	return ends[end].text;
}

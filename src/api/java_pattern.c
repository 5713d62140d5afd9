#include "api/java_pattern.h"

#include "base/compiler.h"

#include <string.h>

/* All of them stand inside character classes in the model; so do their translations. */
static const struct spelling {
	const char *java, *pcre;
} spellings[] = {
	{"\\p{Graph}", "\\x21-\\x7e"     },
	{"\\p{Cntrl}", "\\x00-\\x1f\\x7f"},
	{"\\w",        "a-zA-Z0-9_"      },
	{"\\d",        "0-9"             },
};

static const struct spelling *spelling_at(const char *p)
{
	for (size_t i = 0; i < ARRAY_LEN(spellings); i++) {
		if (g_str_has_prefix(p, spellings[i].java))
			return &spellings[i];
	}
	return NULL;
}

static char *translate(const char *java)
{
	GString *pcre = g_string_new("\\A(?:");
	bool in_class = false;
	for (const char *p = java; *p != '\0';) {
		const struct spelling *s = spelling_at(p);
		size_t n = s ? strlen(s->java) : *p == '\\' && p[1] != '\0' ? 2 : 1;
		if (s && !in_class)
			g_string_append_printf(pcre, "[%s]", s->pcre);
		else if (s)
			g_string_append(pcre, s->pcre);
		else
			g_string_append_len(pcre, p, (gssize)n);
		if (n == 1 && (*p == '[' || *p == ']'))
			in_class = *p == '[';
		p += n;
	}
	g_string_append(pcre, ")\\z");
	return g_string_free(pcre, FALSE);
}

GRegex *java_pattern_compile(const char *java)
{
	g_autofree char *pcre = translate(java);
	return g_regex_new(pcre, G_REGEX_OPTIMIZE | G_REGEX_DOLLAR_ENDONLY, 0, NULL);
}

bool java_pattern_matches(const GRegex *regex, const char *value)
{
	return g_regex_match(regex, value, 0, NULL);
}

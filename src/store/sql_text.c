/* One SQL text for two databases: the few words and signs in which they differ. */
#include "store/sql_priv.h"

#include <glib.h>
#include <string.h>

static bool is_word(char c)
{
	return g_ascii_isalnum(c) || c == '_';
}

/* The length of the quoted string that begins here, quotes included; 0 when none does. */
static size_t quoted(const char *s)
{
	if (*s != '\'')
		return 0;
	const char *end = strchr(s + 1, '\'');
	return end ? (size_t)(end + 1 - s) : strlen(s);
}

static size_t word_length(const char *s)
{
	size_t n = 0;
	while (is_word(s[n]))
		n++;
	return n;
}

static void append_word(GString *out, const char *s, size_t n, const struct sql_word *words,
			size_t n_words)
{
	for (size_t i = 0; i < n_words; i++) {
		if (strlen(words[i].ours) == n && memcmp(words[i].ours, s, n) == 0) {
			g_string_append(out, words[i].theirs);
			return;
		}
	}
	g_string_append_len(out, s, (gssize)n);
}

char *sql_translate(const char *text, const struct sql_word *words, size_t n_words)
{
	GString *out = g_string_new(NULL);
	for (size_t n; *text; text += n) {
		n = quoted(text);
		if (n) {
			g_string_append_len(out, text, (gssize)n);
		} else if ((n = word_length(text)) > 0) {
			append_word(out, text, n, words, n_words);
		} else {
			g_string_append_c(out, *text);
			n = 1;
		}
	}
	return g_string_free(out, FALSE);
}

char *sql_dollars(const char *text)
{
	GString *out = g_string_new(NULL);
	for (size_t n; *text; text += n) {
		n = quoted(text);
		if (n) {
			g_string_append_len(out, text, (gssize)n);
		} else {
			g_string_append_c(out, *text == '?' ? '$' : *text);
			n = 1;
		}
	}
	return g_string_free(out, FALSE);
}

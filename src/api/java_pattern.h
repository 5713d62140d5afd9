/* Patterns of the model are Java's; GLib's are PCRE in Unicode mode. The few spellings that differ
 * are translated: \p{Graph} and \p{Cntrl} are ASCII in Java, \w and \d too. */
#ifndef API_JAVA_PATTERN_H
#define API_JAVA_PATTERN_H

#include <glib.h>
#include <stdbool.h>

/* A pattern that matches whole values. NULL when it cannot be compiled. Freed by g_regex_unref. */
GRegex *java_pattern_compile(const char *java);

bool java_pattern_matches(const GRegex *regex, const char *value);

#endif

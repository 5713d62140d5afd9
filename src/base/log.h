/* Log lines: one event a line on stderr, `<N>` priority first for journald, then module and text.
 * Text from outside is made inert (S23): control characters, marks that turn the direction of
 * writing, and bytes that are no UTF-8 leave as \xHH. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/compiler.h"

#include <stdbool.h>
#include <stddef.h>

enum log_level { LOG_ERROR = 3, LOG_WARNING = 4, LOG_NOTICE = 5, LOG_INFO = 6, LOG_DEBUG = 7 };

/* Lines less urgent than `level` are not written. Default LOG_INFO. */
void log_set_level(enum log_level level);

void log_line(enum log_level level, const char *module, const char *fmt, ...) PRINTF_LIKE(3, 4);

#define log_error(module, ...)   log_line(LOG_ERROR, module, __VA_ARGS__)
#define log_warning(module, ...) log_line(LOG_WARNING, module, __VA_ARGS__)
#define log_notice(module, ...)  log_line(LOG_NOTICE, module, __VA_ARGS__)
#define log_info(module, ...)    log_line(LOG_INFO, module, __VA_ARGS__)
#define log_debug(module, ...)   log_line(LOG_DEBUG, module, __VA_ARGS__)

/* Copies text so that it can stand in a log line or on a terminal; cuts at cap. Returns out. */
char *log_inert(const char *text, size_t n, char *out, size_t cap);

#endif

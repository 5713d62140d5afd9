/* A Mosquitto configuration as the broker reads it: lines of a name and a value, in order, the
 * files of include_dir in their place. Nothing is made of them here.
 *
 * Files are an administrator's, but a mistake (a directory, a disk image, a loop) must end in
 * words: every size has a limit. */
#ifndef ADOPT_CONF_H
#define ADOPT_CONF_H

#include "base/fault.h"
#include "base/view.h"

#include <glib.h>

#define CONF_FILE_MAX  (1U << 20) /* bytes of one file */
#define CONF_FILES_MAX 256U
#define CONF_LINES_MAX 20000U
#define CONF_WORD_MAX  4096U /* bytes of a line */

struct conf_line {
	const char *file;
	unsigned number; /* from 1 */
	char *name;
	char *value; /* without blanks at its ends; "" */
};

struct conf {
	GPtrArray *files; /* names; the first is the main one's */
	GArray *lines;    /* struct conf_line */
};

void conf_init(struct conf *conf);
void conf_clear(struct conf *conf);

/* Reads a configuration with what it includes into a fresh *conf. 0, or -1 with the fault. */
int conf_read(struct conf *conf, const char *path, struct fault *fault) MUST_USE;

/* Adds the lines of one text, which came from `file`; include_dir is not followed. 0, or -1 with
 * the fault. */
int conf_add_text(struct conf *conf, const char *file, struct view text,
		  struct fault *fault) MUST_USE;

/* True for a line of the main file. */
bool conf_is_main(const struct conf *conf, const struct conf_line *line);

#endif

/* The subcommands: a row each in main.c, a file each beside it. */
#ifndef DAEMON_COMMAND_H
#define DAEMON_COMMAND_H

#include "daemon/paths.h"
#include "daemon/settings.h"

#include <glib.h>
#include <stdbool.h>

enum exit_code {
	EXIT_OK = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
	EXIT_FINDINGS = 3,
	EXIT_NOT_FOUND = 4,
	EXIT_DENIED = 5,
	EXIT_UNREACHABLE = 6,
	EXIT_TIMEOUT = 7,
	EXIT_SETTINGS = 78
};

/* What main gives to a command; argv[0] is the command's name. */
struct call_line {
	int argc;
	char **argv;
	const struct root_key *root_key; /* only init uses it */
};

struct command {
	const char *name, *args; /* "key", "create|list|delete" */
	const char *summary;     /* one line of `thingward --help` */
	const char *help;        /* what `thingward NAME --help` says below its options */
	enum exit_code (*run)(const struct command *command, const struct call_line *line);
};

/* The options that every command has, and what they lead to. */
struct common {
	char *config, *data_dir;
	char **set;
	struct settings settings;
	struct paths paths;
};

/* Parses the line: `own` options (NULL-terminated rows, or NULL), the common ones, then up to
 * max_words words into words[] (borrowed from line->argv). 0, or the exit code; it has said what is
 * wrong. --help is answered and exits. */
int command_parse(const struct command *command, const struct call_line *line,
		  const GOptionEntry *own, struct common *common, const char **words,
		  int max_words) MUST_USE;

/* Loads the settings and finds the data directory: --data-dir, else the directory of the settings
 * file. 0, or the exit code; it has said what is wrong. */
int command_settings(struct common *common) MUST_USE;
void common_clear(struct common *common);

/* "thingward: ..." on stderr. */
void complain(const char *fmt, ...) PRINTF_LIKE(1, 2);

enum exit_code cmd_adopt(const struct command *command, const struct call_line *line);
enum exit_code cmd_init(const struct command *command, const struct call_line *line);
enum exit_code cmd_serve(const struct command *command, const struct call_line *line);
enum exit_code cmd_key(const struct command *command, const struct call_line *line);
enum exit_code cmd_clock(const struct command *command, const struct call_line *line);
enum exit_code cmd_log(const struct command *command, const struct call_line *line);
enum exit_code cmd_doctor(const struct command *command, const struct call_line *line);
enum exit_code cmd_containment(const struct command *command, const struct call_line *line);
enum exit_code cmd_clones(const struct command *command, const struct call_line *line);
enum exit_code cmd_why_denied(const struct command *command, const struct call_line *line);
enum exit_code cmd_would_refuse(const struct command *command, const struct call_line *line);
enum exit_code cmd_settings(const struct command *command, const struct call_line *line);

#endif

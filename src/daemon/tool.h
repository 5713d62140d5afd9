/* A command beside the daemon, which may be running: the store's main tables and the sealing key.
 */
#ifndef DAEMON_TOOL_H
#define DAEMON_TOOL_H

#include "api/access.h"
#include "daemon/command.h"

struct tool {
	struct store *store;
	struct sql_conn *reader;
	struct seal_key seal_key;
};

/* 0, or the exit code; it has said what is wrong. */
int tool_open(struct tool *tool, const struct common *common) MUST_USE;
void tool_close(struct tool *tool);

/* A line on stdout. Clients chose some of its texts: none acts on the terminal (S23). */
void tool_print(const char *line);

/* Shows a new key: in a new file of mode 0600 when `file` is given, else on stdout, which must not
 * be the journal (S25). 0, or the exit code; it has said what is wrong. */
int tool_show_key(const struct access_key *key, const char *file) MUST_USE;

#endif

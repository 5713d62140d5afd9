/* The control socket, DIR/control.sock (0600): how commands beside the daemon ask it for something.
 *
 * One line asks, "advance 300000" or "status"; the answer is "ok ..." or "error ...", more lines,
 * and the end of the connection. Served on the main loop. */
#ifndef DAEMON_CONTROL_H
#define DAEMON_CONTROL_H

#include "base/fault.h"

#include <glib.h>

struct control;

/* What a word does: `args` is the rest of the line. Appends the answer. */
struct control_verb {
	const char *word;
	void (*run)(void *ctx, const char *args, GString *answer);
};

/* `verbs` ends with a row without a word. 0, or -1 with what could not be done to the path. */
int control_new(const char *path, const struct control_verb *verbs, void *ctx, struct control **ret,
		struct fault *fault) MUST_USE;
void control_free(struct control *c);

/* The other end: sends one line and returns the answer (g_free), or NULL with errno when no daemon
 * is there. */
char *control_ask(const char *path, const char *line);

#endif

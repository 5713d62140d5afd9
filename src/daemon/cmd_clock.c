#include "daemon/command.h"
#include "daemon/control.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define YEARS_10_S (10LL * 366 * 24 * 3600)

static int advance(const struct paths *paths, const char *seconds)
{
	gint64 s;
	if (!g_ascii_string_to_signed(seconds, 10, 0, YEARS_10_S, &s, NULL)) {
		complain("clock advance %s: must be a whole number of seconds from 0 to %lld",
			 seconds, YEARS_10_S);
		return EXIT_USAGE;
	}
	g_autofree char *line = g_strdup_printf("advance %" G_GINT64_FORMAT, s * 1000);
	g_autofree char *answer = control_ask(paths->at[PATH_CONTROL], line);
	if (!answer || !*answer) {
		complain("%s: %s; is `thingward serve` running?", paths->at[PATH_CONTROL],
			 g_strerror(errno));
		return EXIT_UNREACHABLE;
	}
	if (!g_str_has_prefix(answer, "ok ")) {
		complain("%s", g_strchomp(answer));
		return EXIT_FAILED;
	}
	(void)printf("%s", answer + strlen("ok "));
	return EXIT_OK;
}

enum exit_code cmd_clock(const struct command *command, const struct call_line *line)
{
	struct common common = {0};
	const char *words[2] = {NULL, NULL};
	int r = command_parse(command, line, NULL, &common, words, 2);
	if (r == 0 && (!words[1] || strcmp(words[0], "advance") != 0)) {
		complain("clock: say `thingward clock advance SECONDS --data-dir DIR`");
		r = EXIT_USAGE;
	}
	if (r == 0)
		r = command_settings(&common);
	if (r == 0)
		r = advance(&common.paths, words[1]);
	common_clear(&common);
	return (enum exit_code)r;
}

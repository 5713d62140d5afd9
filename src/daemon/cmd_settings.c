#include "daemon/command.h"

#include <stdio.h>
#include <string.h>

static void print_row(const char *key, const char *value, const char *absent, const char *help,
		      void *ctx)
{
	(void)ctx;
	g_autofree char *given =
		strcmp(value, absent) ? g_strdup_printf(" (default %s)", absent) : g_strdup("");
	(void)printf("%-36s %s%s\n", key, value, given);
	(void)printf("    %s\n", help);
}

enum exit_code cmd_settings(const struct command *command, const struct call_line *line)
{
	struct common common = {0};
	int r = command_parse(command, line, NULL, &common, NULL, 0);
	if (r == 0)
		r = command_settings(&common);
	if (r == 0)
		settings_each(&common.settings, print_row, NULL);
	common_clear(&common);
	return (enum exit_code)r;
}

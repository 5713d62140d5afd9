#include "api/trail.h"
#include "daemon/command.h"
#include "daemon/tool.h"

#include <stdio.h>
#include <string.h>

#define DAY_MS (24LL * 3600 * 1000)

static int print_row(const struct trail_row *row, void *ctx)
{
	(void)ctx;
	g_autoptr(GDateTime) at = g_date_time_new_from_unix_utc(row->at_ms / 1000);
	g_autofree char *when = g_date_time_format(at, "%Y-%m-%dT%H:%M:%SZ");
	g_autofree char *line =
		g_strjoin(" ", when, *row->key_id ? row->key_id : "-", row->address,
			  *row->operation ? row->operation : "-", *row->target ? row->target : "-",
			  row->result, row->detail, NULL);
	tool_print(line);
	return 0;
}

static int print_trail(const struct common *common, gint64 days)
{
	struct tool tool;
	int r = tool_open(&tool, common);
	if (r != 0)
		return r;
	int64_t since = g_get_real_time() / 1000 - days * DAY_MS;
	r = trail_each(tool.reader, since, print_row, NULL) < 0 ? EXIT_FAILED : EXIT_OK;
	if (r != EXIT_OK)
		complain("log api: %s", sql_error(tool.reader));
	tool_close(&tool);
	return r;
}

enum exit_code cmd_log(const struct command *command, const struct call_line *line)
{
	struct common common = {0};
	const char *words[1] = {NULL};
	gint64 days = 7;
	const GOptionEntry own[] = {
		{"days", 0, 0, G_OPTION_ARG_INT64, &days, "How far back (default 7)", "N"},
		{0    },
	};
	int r = command_parse(command, line, own, &common, words, 1);
	if (r == 0 && (!words[0] || strcmp(words[0], "api") != 0 || days < 0 || days > 36500)) {
		complain("log: say `thingward log api [--days N] --data-dir DIR`");
		r = EXIT_USAGE;
	}
	if (r == 0)
		r = command_settings(&common);
	if (r == 0)
		r = print_trail(&common, days);
	common_clear(&common);
	return (enum exit_code)r;
}

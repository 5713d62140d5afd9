#include "daemon/command.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#define DEFAULT_CONFIG "/etc/thingward/thingward.conf"

void complain(const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	g_autofree char *text = g_strdup_vprintf(fmt, args);
	va_end(args);
	(void)fprintf(stderr, "thingward: %s\n", text);
}

int command_parse(const struct command *command, const struct call_line *line,
		  const GOptionEntry *own, struct common *common, const char **words, int max_words)
{
	const GOptionEntry shared[] = {
		{"config",         0, 0, G_OPTION_ARG_FILENAME, &common->config, "Settings file", "FILE"},
		{"data-dir",               0, 0, G_OPTION_ARG_FILENAME, &common->data_dir, "Data directory",
		 "DIR"},
		{"set", 0, 0, G_OPTION_ARG_STRING_ARRAY, &common->set,
		 "One setting; may be repeated", "SECTION.KEY=VALUE"},
		{0         },
	};
	g_autoptr(GOptionContext) context = g_option_context_new(command->args);
	g_autoptr(GError) error = NULL;
	g_autofree char *name = g_strconcat("thingward ", command->name, NULL);
	g_set_prgname(name);
	g_option_context_set_summary(context, command->summary);
	g_option_context_set_description(context, command->help);
	if (own)
		g_option_context_add_main_entries(context, own, NULL);
	g_option_context_add_main_entries(context, shared, NULL);
	int argc = line->argc;
	char **argv = line->argv;
	if (!g_option_context_parse(context, &argc, &argv, &error)) {
		complain("%s: %s; see `%s --help`", command->name, error->message, name);
		return EXIT_USAGE;
	}
	if (argc - 1 > max_words) {
		complain("%s: one word too many: %s; see `%s --help`", command->name,
			 argv[max_words + 1], name);
		return EXIT_USAGE;
	}
	for (int i = 1; i < argc; i++)
		words[i - 1] = argv[i];
	return 0;
}

/* --config, else the data directory's, else the system's: only the first must exist. */
static char *config_file(const struct common *common)
{
	if (common->config)
		return g_strdup(common->config);
	if (common->data_dir)
		return g_build_filename(common->data_dir, "thingward.conf", NULL);
	return g_strdup(DEFAULT_CONFIG);
}

/* `init` writes the file into the data directory, and packages link to it. */
static char *directory_of(const char *file)
{
	g_autofree char *real = g_file_read_link(file, NULL);
	return g_path_get_dirname(real ? real : file);
}

int command_settings(struct common *common)
{
	g_autofree char *file = config_file(common);
	g_auto(GStrv) environment = g_get_environ();
	const struct settings_sources sources = {
		.file = file,
		.is_file_optional = !common->config,
		.environment = (const char *const *)environment,
		.set = (const char *const *)common->set,
	};
	struct fault fault = {0};
	if (settings_load(&sources, &common->settings, &fault) < 0) {
		complain("%s", fault.message);
		return EXIT_SETTINGS;
	}
	g_autofree char *beside = directory_of(file);
	paths_init(&common->paths, common->data_dir ? common->data_dir : beside);
	if (!*common->settings.store_url) {
		g_free(common->settings.store_url);
		common->settings.store_url = g_strconcat("sqlite:", common->paths.dir, NULL);
	}
	return 0;
}

void common_clear(struct common *common)
{
	g_free(common->config);
	g_free(common->data_dir);
	g_strfreev(common->set);
	settings_clear(&common->settings);
	paths_clear(&common->paths);
}

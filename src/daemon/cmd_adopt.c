#include "adopt/plan.h"
#include "daemon/command.h"
#include "daemon/mosquitto_conf.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define DEFAULT_CONF "/etc/mosquitto/mosquitto.conf"

struct adopt {
	struct common common;
	gboolean as_json;
	char *write;
	const char *file;
	struct conf conf;
	struct adopt_plan plan;
	struct adopt_lines lines;
};

static int make_lines(struct adopt *adopt)
{
	const struct paths *paths = &adopt->common.paths;
	g_autofree char *plugin = mosquitto_load_lines(paths);
	g_autofree char *doorbell = mosquitto_doorbell_lines(paths);
	if (!plugin) {
		complain("adopt: thingward_mosquitto.so is neither beside the program nor in "
			 "../lib/thingward");
		return EXIT_NOT_FOUND;
	}
	if (!g_file_test(paths->at[PATH_CONF], G_FILE_TEST_EXISTS))
		complain("adopt: %s has no settings yet: `thingward init --data-dir %s` makes them",
			 paths->dir, paths->dir);
	adopt_lines_make(&adopt->plan, plugin, doorbell, &adopt->lines);
	return 0;
}

static int write_all(const char *path, const char *text)
{
	size_t n = strlen(text);
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	ssize_t done = write(fd, text, n);
	int error = done < 0 ? errno : (size_t)done == n ? 0 : ENOSPC;
	if (close(fd) < 0 && !error)
		error = errno;
	return -error;
}

/* The main file with the lines in their places, as a new file. */
static int write_adopted(const struct adopt *adopt)
{
	g_autofree char *text = NULL;
	g_autoptr(GError) error = NULL;
	if (adopt->plan.worst == ADOPT_BLOCKS) {
		complain("adopt: --write %s: not written, as the plugin cannot work with it; see "
			 "above",
			 adopt->write);
		return EXIT_FAILED;
	}
	if (!g_file_get_contents(adopt->file, &text, NULL, &error)) {
		complain("adopt: %s", error->message);
		return EXIT_FAILED;
	}
	g_autofree char *adopted = g_strconcat("# ---- Thingward ----\n", adopt->lines.top, "\n",
					       text, g_str_has_suffix(text, "\n") ? "" : "\n",
					       "\n# ---- Thingward ----\n", adopt->lines.end, NULL);
	int failed = write_all(adopt->write, adopted);
	if (failed == 0)
		return 0;
	complain("adopt: --write %s: %s", adopt->write, g_strerror(-failed));
	return EXIT_FAILED;
}

static int report(struct adopt *adopt)
{
	struct fault fault;
	if (conf_read(&adopt->conf, adopt->file, &fault) < 0) {
		complain("adopt: %s", fault.message);
		return EXIT_FAILED;
	}
	adopt_plan_make(&adopt->conf, &adopt->plan);
	int r = make_lines(adopt);
	if (r == 0) {
		(adopt->as_json ? adopt_print_json : adopt_print_text)(&adopt->conf, &adopt->plan,
								       &adopt->lines, stdout);
		if (adopt->write)
			r = write_adopted(adopt);
	}
	if (r == 0 && adopt->plan.worst == ADOPT_BLOCKS)
		r = EXIT_FINDINGS;
	adopt_lines_clear(&adopt->lines);
	adopt_plan_clear(&adopt->plan);
	return r;
}

enum exit_code cmd_adopt(const struct command *command, const struct call_line *line)
{
	struct adopt adopt = {.file = DEFAULT_CONF};
	const GOptionEntry own[] = {
		{"json",          0, 0, G_OPTION_ARG_NONE, &adopt.as_json, "Print one JSON object", NULL},
		{"write",              0, 0, G_OPTION_ARG_FILENAME, &adopt.write,
		 "Write the configuration with the lines added to a new file", "FILE"},
		{0},
	};
	int r = command_parse(command, line, own, &adopt.common, &adopt.file, 1);
	if (r == 0)
		r = command_settings(&adopt.common);
	if (r == 0) {
		conf_init(&adopt.conf);
		r = report(&adopt);
		conf_clear(&adopt.conf);
	}
	g_free(adopt.write);
	common_clear(&adopt.common);
	return (enum exit_code)r;
}

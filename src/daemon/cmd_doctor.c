#include "broker/snapshot.h"
#include "daemon/command.h"
#include "daemon/control.h"
#include "daemon/tool.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* One examination: counts what is wrong. */
struct doctor {
	const struct common *common;
	unsigned n_wrong;
};

static void good(const char *what)
{
	(void)printf("ok     %s\n", what);
}

static void wrong(struct doctor *doctor, const char *what, const char *cure)
{
	doctor->n_wrong++;
	(void)printf("WRONG  %s\n       cure: %s\n", what, cure);
}

/* ---- Owners and modes (S26) ---- */

/* `most`: no bit beyond these may be set. */
struct path_row {
	enum path path;
	mode_t most;
};

static const struct path_row path_rows[] = {
	{PATH_CONF,          0640},
        {PATH_SECRET_KEY,    0600},
        {PATH_STATE,         0700},
	{PATH_CA,            0700},
        {PATH_DEVICE_CA_KEY, 0600},
        {PATH_SERVER_CA_KEY, 0600},
	{PATH_BROKER,        0750},
        {PATH_BELL,          0770},
        {PATH_SERVER_KEY,    0640},
	{PATH_SNAPSHOT,      0640},
};

static void check_path(struct doctor *doctor, const struct path_row *row)
{
	const char *path = doctor->common->paths.at[row->path];
	struct stat st;
	if (lstat(path, &st) < 0) {
		g_autofree char *what = g_strdup_printf("%s: %s", path, g_strerror(errno));
		wrong(doctor, what, "restore it, or run doctor as the daemon's account");
		return;
	}
	mode_t mode = st.st_mode & 07777;
	if ((mode & ~row->most) == 0 && st.st_uid == geteuid())
		return;
	g_autofree char *what = g_strdup_printf("%s: mode %04o, owner %u", path, (unsigned)mode,
						(unsigned)st.st_uid);
	g_autofree char *cure = g_strdup_printf("chmod %04o and chown to the daemon's account",
						(unsigned)(mode & row->most));
	wrong(doctor, what, cure);
}

static void check_paths(struct doctor *doctor)
{
	unsigned before = doctor->n_wrong;
	for (size_t i = 0; i < ARRAY_LEN(path_rows); i++)
		check_path(doctor, &path_rows[i]);
	if (doctor->n_wrong == before)
		good("owners and modes");
}

/* ---- Store, snapshot, daemon ---- */

static void check_store(struct doctor *doctor)
{
	struct tool tool;
	if (tool_open(&tool, doctor->common) != 0) {
		wrong(doctor, "store: see the line above", "restore main.db from a backup");
		return;
	}
	tool_close(&tool);
	good("store");
}

static void check_snapshot(struct doctor *doctor)
{
	struct snapshot *snapshot;
	char why[160];
	const char *path = doctor->common->paths.at[PATH_SNAPSHOT];
	if (snapshot_load(path, geteuid(), 0, &snapshot, why, sizeof(why)) < 0) {
		g_autofree char *what = g_strdup_printf("snapshot: %s", why);
		wrong(doctor, what, "start `thingward serve`: it writes a new one");
		return;
	}
	(void)printf("ok     snapshot, generation %llu\n",
		     (unsigned long long)snapshot_in_force(snapshot));
	snapshot_free(snapshot);
}

static void check_daemon(struct doctor *doctor)
{
	const char *socket = doctor->common->paths.at[PATH_CONTROL];
	g_autofree char *answer = control_ask(socket, "status");
	if (!answer || !g_str_has_prefix(answer, "ok\n")) {
		wrong(doctor, "daemon: does not answer", "start `thingward serve --data-dir DIR`");
		return;
	}
	good("daemon answers");
	g_auto(GStrv) lines = g_strsplit(answer + strlen("ok\n"), "\n", -1);
	for (size_t i = 0; lines[i]; i++) {
		if (g_str_has_prefix(lines[i], "note: "))
			(void)printf("note   %s\n", lines[i] + strlen("note: "));
		else if (*lines[i])
			wrong(doctor, lines[i], "see the daemon's log");
	}
}

static void (*const examinations[])(struct doctor *doctor) = {check_paths, check_store,
							      check_snapshot, check_daemon};

enum exit_code cmd_doctor(const struct command *command, const struct call_line *line)
{
	struct common common = {0};
	struct doctor doctor = {.common = &common};
	int r = command_parse(command, line, NULL, &common, NULL, 0);
	if (r == 0)
		r = command_settings(&common);
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(examinations); i++)
		examinations[i](&doctor);
	if (r == 0 && doctor.n_wrong)
		r = EXIT_FAILED;
	common_clear(&common);
	return (enum exit_code)r;
}

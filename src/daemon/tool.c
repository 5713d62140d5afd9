#include "daemon/tool.h"

#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int tool_open(struct tool *tool, const struct common *common)
{
	struct fault fault = {0};
	struct store_options options = {.url = common->settings.store_url, .is_tool = true};
	*tool = (struct tool){0};
	if (!g_file_test(common->paths.at[PATH_SECRET_KEY], G_FILE_TEST_EXISTS)) {
		complain("%s: %s; give --data-dir of an initialised directory, as the account that "
			 "runs the daemon",
			 common->paths.at[PATH_SECRET_KEY], g_strerror(errno));
		return errno == EACCES ? EXIT_DENIED : EXIT_NOT_FOUND;
	}
	if (seal_key_load(common->paths.at[PATH_SECRET_KEY], chance_system(), &tool->seal_key,
			  &fault) == 0 &&
	    store_open(&options, &tool->store, &fault) == 0)
		tool->reader = store_reader_open(tool->store, &fault);
	if (tool->reader)
		return 0;
	complain("%s", fault.message);
	tool_close(tool);
	return EXIT_FAILED;
}

void tool_close(struct tool *tool)
{
	if (tool->reader)
		store_reader_close(tool->reader);
	if (tool->store)
		store_close(tool->store);
	explicit_bzero(tool, sizeof(*tool));
}

void tool_print(const char *line)
{
	size_t n = strlen(line), cap = 4 * n + 1;
	g_autofree char *inert = g_malloc(cap);
	(void)puts(log_inert(line, n, inert, cap));
}

/* systemd names the journal's stream in JOURNAL_STREAM as "device:inode". */
static gboolean is_journal(int fd)
{
	const char *stream = g_getenv("JOURNAL_STREAM");
	struct stat st;
	if (!stream || fstat(fd, &st) < 0)
		return FALSE;
	g_autofree char *ours =
		g_strdup_printf("%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	return strcmp(ours, stream) == 0;
}

static int print_key(FILE *to, const struct access_key *key)
{
	(void)fprintf(to, "aws_access_key_id = %s\naws_secret_access_key = %s\n", key->id,
		      key->secret);
	return fflush(to) == 0 ? 0 : -1;
}

static int write_key(const struct access_key *key, const char *file)
{
	int fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	FILE *to = fd < 0 ? NULL : fdopen(fd, "w");
	if (to && print_key(to, key) == 0 && fclose(to) == 0)
		return 0;
	complain("--out %s: %s", file, g_strerror(errno));
	return EXIT_FAILED;
}

int tool_show_key(const struct access_key *key, const char *file)
{
	if (file)
		return write_key(key, file);
	if (is_journal(STDOUT_FILENO)) {
		complain("a secret is not written to the journal: use --out FILE");
		return EXIT_DENIED;
	}
	return print_key(stdout, key) == 0 ? 0 : EXIT_FAILED;
}

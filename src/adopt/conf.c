#include "adopt/conf.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static void clear_line(gpointer data)
{
	struct conf_line *line = data;
	g_free(line->name);
	g_free(line->value);
}

void conf_init(struct conf *conf)
{
	conf->files = g_ptr_array_new_with_free_func(g_free);
	conf->lines = g_array_new(FALSE, FALSE, sizeof(struct conf_line));
	g_array_set_clear_func(conf->lines, clear_line);
}

void conf_clear(struct conf *conf)
{
	if (conf->lines)
		g_array_unref(conf->lines);
	if (conf->files)
		g_ptr_array_unref(conf->files);
	*conf = (struct conf){NULL, NULL};
}

bool conf_is_main(const struct conf *conf, const struct conf_line *line)
{
	return line->file == conf->files->pdata[0];
}

/* ---- Lines ---- */

/* The broker parts a name from its value at spaces, and only there. A copy, for the caller. */
static struct conf_line parse_line(struct view text)
{
	while (text.n && (text.p[text.n - 1] == '\r' || text.p[text.n - 1] == ' '))
		text.n--;
	g_autofree char *copy = g_strndup(text.p, text.n);
	char *name = copy + strspn(copy, " ");
	size_t n = strcspn(name, " ");
	return (struct conf_line){
		.name = g_strndup(name, n),
		.value = g_strstrip(g_strdup(name + n)),
	};
}

static int add_line(struct conf *conf, const char *file, unsigned number, struct view text,
		    struct fault *fault)
{
	if (text.n == 0 || text.p[0] == '#')
		return 0;
	if (text.n > CONF_WORD_MAX || memchr(text.p, '\0', text.n))
		return fault_set(fault, FAULT_INVALID_REQUEST,
				 "%s:%u: no line of text of up to %u bytes: is this a "
				 "configuration of Mosquitto?",
				 file, number, CONF_WORD_MAX);
	if (conf->lines->len == CONF_LINES_MAX)
		return fault_set(fault, FAULT_INVALID_REQUEST,
				 "%s:%u: more than %u options: give a smaller configuration", file,
				 number, CONF_LINES_MAX);
	struct conf_line line = parse_line(text);
	line.file = file;
	line.number = number;
	if (*line.name)
		g_array_append_val(conf->lines, line);
	else
		clear_line(&line);
	return 0;
}

/* The text up to the next line's end, which is taken off the rest with it. */
static struct view next_line(struct view *rest)
{
	const char *end = memchr(rest->p, '\n', rest->n);
	struct view line = {rest->p, end ? (size_t)(end - rest->p) : rest->n};
	size_t used = line.n + (end ? 1 : 0);
	*rest = (struct view){rest->p + used, rest->n - used};
	return line;
}

static const char *add_file(struct conf *conf, const char *file)
{
	g_ptr_array_add(conf->files, g_strdup(file));
	return conf->files->pdata[conf->files->len - 1];
}

int conf_add_text(struct conf *conf, const char *file, struct view text, struct fault *fault)
{
	const char *name = add_file(conf, file);
	unsigned number = 0;
	while (text.n) {
		if (add_line(conf, name, ++number, next_line(&text), fault) < 0)
			return -1;
	}
	return 0;
}

/* ---- Files ---- */

static int read_fd(int fd, const char *path, GString *ret, struct fault *fault)
{
	struct stat st;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size > (off_t)CONF_FILE_MAX)
		return fault_set(fault, FAULT_INVALID_REQUEST,
				 "%s: no regular file of up to %u bytes", path, CONF_FILE_MAX);
	g_string_set_size(ret, (gsize)st.st_size);
	gsize have = 0;
	while (have < ret->len) {
		ssize_t n = read(fd, ret->str + have, ret->len - have);
		if (n < 0)
			return fault_set(fault, FAULT_INVALID_REQUEST, "%s: %s", path,
					 g_strerror(errno));
		if (n == 0)
			break;
		have += (gsize)n;
	}
	g_string_truncate(ret, have);
	return 0;
}

/* Not blocking: a FIFO must not hold us up before fstat tells. */
static int read_file(const char *path, GString *ret, struct fault *fault)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return fault_set(fault, FAULT_INVALID_REQUEST, "%s: %s", path, g_strerror(errno));
	int r = read_fd(fd, path, ret, fault);
	(void)close(fd);
	return r;
}

/* The broker's order: letters first without, then with their case. */
static gint compare_names(gconstpointer a, gconstpointer b)
{
	const char *const *x = a, *const *y = b;
	int order = g_ascii_strcasecmp(*x, *y);
	return order ? order : strcmp(*x, *y);
}

static int list_directory(const char *path, GPtrArray *ret, struct fault *fault)
{
	g_autoptr(GError) error = NULL;
	GDir *dir = g_dir_open(path, 0, &error);
	if (!dir)
		return fault_set(fault, FAULT_INVALID_REQUEST, "include_dir: %s", error->message);
	const char *name;
	while ((name = g_dir_read_name(dir)) && ret->len <= CONF_FILES_MAX) {
		if (strlen(name) > strlen(".conf") && g_str_has_suffix(name, ".conf"))
			g_ptr_array_add(ret, g_build_filename(path, name, NULL));
	}
	g_dir_close(dir);
	g_ptr_array_sort(ret, compare_names);
	return 0;
}

static int include_file(struct conf *conf, const char *path, struct fault *fault)
{
	g_autoptr(GString) text = g_string_new(NULL);
	if (conf->files->len > CONF_FILES_MAX)
		return fault_set(fault, FAULT_INVALID_REQUEST,
				 "include_dir: more than %u files: give a smaller configuration",
				 CONF_FILES_MAX);
	if (read_file(path, text, fault) < 0)
		return -1;
	return conf_add_text(conf, path, (struct view){text->str, text->len}, fault);
}

static int include_directory(struct conf *conf, const char *path, struct fault *fault)
{
	g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func(g_free);
	if (list_directory(path, files, fault) < 0)
		return -1;
	for (guint i = 0; i < files->len; i++) {
		if (include_file(conf, files->pdata[i], fault) < 0)
			return -1;
	}
	return 0;
}

/* Adds one line of the main file, and what it includes. */
static int read_main_line(struct conf *conf, const char *file, unsigned number, struct view text,
			  struct fault *fault)
{
	guint before = conf->lines->len;
	if (add_line(conf, file, number, text, fault) < 0)
		return -1;
	if (conf->lines->len == before)
		return 0;
	const struct conf_line *line = &g_array_index(conf->lines, struct conf_line, before);
	if (strcmp(line->name, "include_dir") != 0)
		return 0;
	g_autofree char *directory = g_strdup(line->value);
	return include_directory(conf, directory, fault);
}

int conf_read(struct conf *conf, const char *path, struct fault *fault)
{
	g_autoptr(GString) text = g_string_new(NULL);
	if (read_file(path, text, fault) < 0)
		return -1;
	const char *name = add_file(conf, path);
	struct view rest = {text->str, text->len};
	unsigned number = 0;
	while (rest.n) {
		if (read_main_line(conf, name, ++number, next_line(&rest), fault) < 0)
			return -1;
	}
	return 0;
}

#include "daemon/control.h"

#include <errno.h>
#include <glib-unix.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define LINE_MAX_BYTES 256
#define ASK_SECONDS    1 /* a client that says nothing does not hold the main loop longer */

struct control {
	int fd;
	guint source;
	char *path;
	const struct control_verb *verbs;
	void *ctx;
};

static int address_of(const char *path, struct sockaddr_un *ret)
{
	*ret = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof(ret->sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(ret->sun_path, path, strlen(path));
	return 0;
}

static void run_line(struct control *c, char *line, GString *answer)
{
	char *args = strchr(line, ' ');
	if (args)
		*args++ = '\0';
	for (const struct control_verb *v = c->verbs; v->word; v++) {
		if (strcmp(v->word, line) == 0) {
			v->run(c->ctx, args ? args : "", answer);
			return;
		}
	}
	g_string_append(answer, "error unknown request\n");
}

/* True when a whole line came. */
static gboolean read_line(int fd, char *line, size_t cap)
{
	size_t n = 0;
	while (n + 1 < cap) {
		ssize_t k = recv(fd, line + n, cap - 1 - n, 0);
		if (k <= 0)
			return FALSE;
		n += (size_t)k;
		line[n] = '\0';
		char *end = strchr(line, '\n');
		if (end) {
			*end = '\0';
			return TRUE;
		}
	}
	return FALSE;
}

static void send_all(int fd, const GString *text)
{
	for (size_t done = 0; done < text->len;) {
		ssize_t n = send(fd, text->str + done, text->len - done, MSG_NOSIGNAL);
		if (n <= 0)
			return;
		done += (size_t)n;
	}
}

static gboolean on_connection(gint listener, GIOCondition condition, gpointer ctx)
{
	struct control *c = ctx;
	char line[LINE_MAX_BYTES];
	(void)condition;
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (fd < 0)
		return G_SOURCE_CONTINUE;
	struct timeval limit = {.tv_sec = ASK_SECONDS};
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	g_autoptr(GString) answer = g_string_new(NULL);
	if (read_line(fd, line, sizeof(line))) {
		run_line(c, line, answer);
		send_all(fd, answer);
	}
	(void)close(fd);
	return G_SOURCE_CONTINUE;
}

int control_new(const char *path, const struct control_verb *verbs, void *ctx, struct control **ret,
		struct fault *fault)
{
	struct sockaddr_un at;
	if (address_of(path, &at) < 0)
		return fault_set(fault, FAULT_INTERNAL, "%s: %s", path, g_strerror(errno));
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	(void)unlink(path);
	mode_t mask = umask(0177); /* only our own account, from the first moment on */
	int r = fd < 0 ? -1 : bind(fd, (struct sockaddr *)&at, sizeof(at));
	(void)umask(mask);
	if (r < 0 || listen(fd, 8) < 0) {
		(void)fault_set(fault, FAULT_INTERNAL, "%s: %s", path, g_strerror(errno));
		if (fd >= 0)
			(void)close(fd);
		return -1;
	}
	struct control *c = g_new0(struct control, 1);
	*c = (struct control){.fd = fd, .path = g_strdup(path), .verbs = verbs, .ctx = ctx};
	c->source = g_unix_fd_add(fd, G_IO_IN, on_connection, c);
	*ret = c;
	return 0;
}

void control_free(struct control *c)
{
	if (!c)
		return;
	(void)g_source_remove(c->source);
	(void)close(c->fd);
	(void)unlink(c->path);
	g_free(c->path);
	g_free(c);
}

static char *read_answer(int fd)
{
	GString *answer = g_string_new(NULL);
	char buf[4096];
	ssize_t n;
	while ((n = recv(fd, buf, sizeof(buf), 0)) > 0)
		g_string_append_len(answer, buf, n);
	return g_string_free(answer, FALSE);
}

char *control_ask(const char *path, const char *line)
{
	struct sockaddr_un at;
	if (address_of(path, &at) < 0)
		return NULL;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char *answer = NULL;
	g_autoptr(GString) text = g_string_new(line);
	g_string_append_c(text, '\n');
	if (fd >= 0 && connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0) {
		send_all(fd, text);
		answer = read_answer(fd);
	}
	int error = errno;
	if (fd >= 0)
		(void)close(fd);
	errno = error;
	return answer;
}

#include "api/connections.h"

#include <glib.h>
#include <stdbool.h>
#include <sys/socket.h>

#define ANSWER_US (1 * G_TIME_SPAN_SECOND) /* for answers that are under way */
#define CLOSE_US  (4 * G_TIME_SPAN_SECOND)

struct connections {
	GMutex mutex;
	GCond closed;
	GHashTable *open; /* sockets, as GINT_TO_POINTER */
	bool is_ending;
};

struct connections *connections_new(void)
{
	struct connections *c = g_new0(struct connections, 1);
	g_mutex_init(&c->mutex);
	g_cond_init(&c->closed);
	c->open = g_hash_table_new(NULL, NULL);
	return c;
}

void connections_free(struct connections *c)
{
	if (!c)
		return;
	g_hash_table_destroy(c->open);
	g_cond_clear(&c->closed);
	g_mutex_clear(&c->mutex);
	g_free(c);
}

/* The library closes the socket after it has told the end, so what is in the set is open. */
void connections_notify(void *connections, struct MHD_Connection *connection, void **state,
			enum MHD_ConnectionNotificationCode what)
{
	struct connections *c = connections;
	int fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
	(void)state;
	g_mutex_lock(&c->mutex);
	if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
		g_hash_table_remove(c->open, GINT_TO_POINTER(fd));
		g_cond_signal(&c->closed);
	} else {
		g_hash_table_add(c->open, GINT_TO_POINTER(fd));
		if (c->is_ending)
			shutdown(fd, SHUT_RDWR);
	}
	g_mutex_unlock(&c->mutex);
}

static void shut_all(const struct connections *c, int how)
{
	GHashTableIter iter;
	void *fd;
	g_hash_table_iter_init(&iter, c->open);
	while (g_hash_table_iter_next(&iter, &fd, NULL))
		shutdown(GPOINTER_TO_INT(fd), how);
}

static void wait_for_all(struct connections *c, int64_t us)
{
	int64_t until = g_get_monotonic_time() + us;
	while (g_hash_table_size(c->open) > 0 && g_cond_wait_until(&c->closed, &c->mutex, until))
		;
}

void connections_end(struct connections *c)
{
	g_mutex_lock(&c->mutex);
	c->is_ending = true;
	shut_all(c, SHUT_RD);
	wait_for_all(c, ANSWER_US);
	shut_all(c, SHUT_RDWR);
	wait_for_all(c, CLOSE_US);
	g_mutex_unlock(&c->mutex);
}

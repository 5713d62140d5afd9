#include "api/connections.h"

#include "base/check.h"

#include <glib.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <time.h>

#define ANSWER_S 1 /* for answers that are under way */
#define CLOSE_S  4

struct connections {
	pthread_mutex_t mutex; /* of what follows */
	pthread_cond_t closed;
	GHashTable *open; /* sockets, as GINT_TO_POINTER */
	bool is_ending;
};

struct connections *connections_new(void)
{
	struct connections *c = g_new0(struct connections, 1);
	pthread_condattr_t attr;
	CHECK(pthread_condattr_init(&attr) == 0);
	CHECK(pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0);
	CHECK(pthread_mutex_init(&c->mutex, NULL) == 0);
	CHECK(pthread_cond_init(&c->closed, &attr) == 0);
	CHECK(pthread_condattr_destroy(&attr) == 0);
	c->open = g_hash_table_new(NULL, NULL);
	return c;
}

void connections_free(struct connections *c)
{
	if (!c)
		return;
	g_hash_table_destroy(c->open);
	(void)pthread_cond_destroy(&c->closed);
	(void)pthread_mutex_destroy(&c->mutex);
	g_free(c);
}

/* The library closes the socket after it has told the end, so what is in the set is open. */
void connections_notify(void *connections, struct MHD_Connection *connection, void **state,
			enum MHD_ConnectionNotificationCode what)
{
	struct connections *c = connections;
	int fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
	(void)state;
	CHECK(pthread_mutex_lock(&c->mutex) == 0);
	if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
		g_hash_table_remove(c->open, GINT_TO_POINTER(fd));
		CHECK(pthread_cond_signal(&c->closed) == 0);
	} else {
		g_hash_table_add(c->open, GINT_TO_POINTER(fd));
		if (c->is_ending)
			shutdown(fd, SHUT_RDWR);
	}
	CHECK(pthread_mutex_unlock(&c->mutex) == 0);
}

static void shut_all(const struct connections *c, int how)
{
	GHashTableIter iter;
	void *fd;
	g_hash_table_iter_init(&iter, c->open);
	while (g_hash_table_iter_next(&iter, &fd, NULL))
		shutdown(GPOINTER_TO_INT(fd), how);
}

static void wait_for_all(struct connections *c, time_t seconds)
{
	struct timespec until;
	int r = 0;
	CHECK(clock_gettime(CLOCK_MONOTONIC, &until) == 0);
	until.tv_sec += seconds;
	while (g_hash_table_size(c->open) > 0 && r == 0)
		r = pthread_cond_timedwait(&c->closed, &c->mutex, &until);
}

void connections_end(struct connections *c)
{
	CHECK(pthread_mutex_lock(&c->mutex) == 0);
	c->is_ending = true;
	shut_all(c, SHUT_RD);
	wait_for_all(c, ANSWER_S);
	shut_all(c, SHUT_RDWR);
	wait_for_all(c, CLOSE_S);
	CHECK(pthread_mutex_unlock(&c->mutex) == 0);
}

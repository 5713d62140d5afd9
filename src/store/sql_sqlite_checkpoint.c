#include "store/sql_sqlite_priv.h"

#include "base/check.h"

#include <errno.h>
#include <glib.h>
#include <pthread.h>
#include <stdbool.h>

#define REST_SHARE 8 /* the writer moves the rest when it is at most one in so many pages ... */
#define PAGES_MOST 4 /* ... or when the thread cannot keep up: at so many times the length */

enum state { IDLE, ASKED, DONE, FAILED };

struct checkpointer {
	char *path;
	int pages;
	pthread_t thread;
	pthread_mutex_t mutex; /* of what follows */
	pthread_cond_t asked;
	bool is_ending;
	enum state state;
	int moved; /* when DONE */
	int rc;    /* when FAILED */
};

/* SQLite's own hook says nothing of a checkpoint that failed. But an fsync that failed once tells
 * nothing when it succeeds later. */
int checkpoint_run(sqlite3 *db, const char *name, int *ret_moved)
{
	int pages = 0, moved = 0;
	int rc = sqlite3_wal_checkpoint_v2(db, name, SQLITE_CHECKPOINT_PASSIVE, &pages, &moved);
	*ret_moved = rc == SQLITE_OK ? moved : 0;
	return sqlite_error_of(rc) == -EIO ? rc : SQLITE_OK;
}

/* ---- The thread ---- */

/* A connection knows that there is a write-ahead log when it has read. NULL when there is none to
 * be had now. */
static sqlite3 *open_db(const struct checkpointer *c)
{
	static const char setup[] = "pragma synchronous=full; select count(*) from sqlite_schema";
	sqlite3 *db = NULL;
	int rc = sqlite3_open_v2(c->path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
	if (rc == SQLITE_OK && sqlite3_exec(db, setup, NULL, NULL, NULL) == SQLITE_OK)
		return db;
	(void)sqlite3_close_v2(db);
	return NULL;
}

/* Without a connection nothing is moved: it is tried again, and the writer does it in the end. */
static void move(struct checkpointer *c, sqlite3 **db)
{
	int moved = 0, rc = SQLITE_OK;
	CHECK(pthread_mutex_unlock(&c->mutex) == 0);
	if (!*db)
		*db = open_db(c);
	if (*db)
		rc = checkpoint_run(*db, "main", &moved);
	CHECK(pthread_mutex_lock(&c->mutex) == 0);
	c->moved = moved;
	c->rc = rc;
	c->state = rc == SQLITE_OK ? DONE : FAILED;
}

static void *run(void *ctx)
{
	struct checkpointer *c = ctx;
	sqlite3 *db = NULL;
	CHECK(pthread_mutex_lock(&c->mutex) == 0);
	while (!c->is_ending) {
		if (c->state == ASKED)
			move(c, &db);
		else
			CHECK(pthread_cond_wait(&c->asked, &c->mutex) == 0);
	}
	CHECK(pthread_mutex_unlock(&c->mutex) == 0);
	(void)sqlite3_close_v2(db);
	return NULL;
}

/* ---- The writer ---- */

static bool is_rest_short(const struct checkpointer *c, int pages)
{
	return pages - c->moved <= pages / REST_SHARE || pages / PAGES_MOST > c->pages;
}

/* What the writer is to do: true: the rest is its own. */
static bool next(struct checkpointer *c, int pages, int *ret_rc)
{
	bool is_rest = c->state == DONE && is_rest_short(c, pages);
	*ret_rc = c->state == FAILED ? c->rc : SQLITE_OK;
	if (is_rest)
		c->state = IDLE;
	else if (c->state == IDLE || c->state == DONE)
		c->state = ASKED;
	return is_rest;
}

int checkpointer_committed(struct checkpointer *c, sqlite3 *db, const char *name, int pages)
{
	int rc, moved;
	if (pages < c->pages)
		return SQLITE_OK;
	CHECK(pthread_mutex_lock(&c->mutex) == 0);
	bool is_rest = next(c, pages, &rc);
	CHECK(pthread_cond_signal(&c->asked) == 0);
	CHECK(pthread_mutex_unlock(&c->mutex) == 0);
	return is_rest ? checkpoint_run(db, name, &moved) : rc;
}

/* ---- Life ---- */

struct checkpointer *checkpointer_new(const char *path, int pages)
{
	struct checkpointer *c = g_new0(struct checkpointer, 1);
	c->path = g_strdup(path);
	c->pages = pages;
	CHECK(pthread_mutex_init(&c->mutex, NULL) == 0 && pthread_cond_init(&c->asked, NULL) == 0);
	CHECK(pthread_create(&c->thread, NULL, run, c) == 0);
	return c;
}

void checkpointer_free(struct checkpointer *c)
{
	if (!c)
		return;
	CHECK(pthread_mutex_lock(&c->mutex) == 0);
	c->is_ending = true;
	CHECK(pthread_cond_signal(&c->asked) == 0);
	CHECK(pthread_mutex_unlock(&c->mutex) == 0);
	CHECK(pthread_join(c->thread, NULL) == 0);
	(void)pthread_cond_destroy(&c->asked);
	(void)pthread_mutex_destroy(&c->mutex);
	g_free(c->path);
	g_free(c);
}

#include "daemon/saver.h"

#include "base/check.h"
#include "base/log.h"
#include "daemon/checkpoint.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

struct saver {
	struct ready *ready;
	char *dir;
	pthread_t thread;
	bool has_thread; /* to be joined */
	atomic_bool is_busy;
	atomic_uint_least64_t oldest;
	uint64_t seq; /* what is being written */
	void *bytes;
	size_t n;
};

struct saver *saver_new(const char *dir, struct ready *ready)
{
	struct saver *s = g_new0(struct saver, 1);
	s->dir = g_strdup(dir);
	s->ready = ready;
	return s;
}

void saver_wait(struct saver *s)
{
	if (s->has_thread)
		CHECK(pthread_join(s->thread, NULL) == 0);
	s->has_thread = false;
}

void saver_free(struct saver *s)
{
	if (!s)
		return;
	saver_wait(s);
	g_free(s->dir);
	g_free(s);
}

static void *save(void *ctx)
{
	struct saver *s = ctx;
	uint64_t oldest = 0;
	int r = checkpoint_write(s->dir, s->seq, s->bytes, s->n, &oldest);
	free(s->bytes);
	if (r < 0) {
		log_warning("evaluate", "checkpoint in %s: %s; the log is kept instead", s->dir,
			    g_strerror(-r));
	} else {
		atomic_store(&s->oldest, oldest);
		counter_add(s->ready, COUNTER_checkpoints_written, 1);
	}
	atomic_store(&s->is_busy, false);
	return NULL;
}

bool saver_is_busy(struct saver *s)
{
	return atomic_load(&s->is_busy);
}

void saver_start(struct saver *s, uint64_t seq, void *bytes, size_t n)
{
	CHECK(!saver_is_busy(s));
	saver_wait(s);
	s->seq = seq;
	s->bytes = bytes;
	s->n = n;
	atomic_store(&s->is_busy, true);
	CHECK(pthread_create(&s->thread, NULL, save, s) == 0);
	s->has_thread = true;
}

uint64_t saver_oldest(struct saver *s)
{
	return atomic_load(&s->oldest);
}

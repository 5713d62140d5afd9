#include "mosquitto/background.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>

struct background {
	pthread_t thread;
	void (*work)(void *ctx);
	void *ctx;
	atomic_bool is_done;
};

static void *run(void *arg)
{
	struct background *b = arg;
	b->work(b->ctx);
	atomic_store(&b->is_done, true);
	return NULL;
}

/* The broker handles its signals on its own thread. */
static int start(struct background *b)
{
	sigset_t all, before;
	(void)sigfillset(&all);
	if (pthread_sigmask(SIG_SETMASK, &all, &before) != 0)
		return -1;
	int error = pthread_create(&b->thread, NULL, run, b);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return error ? -1 : 0;
}

struct background *background_begin(void (*work)(void *ctx), void *ctx)
{
	struct background *b = calloc(1, sizeof(*b));
	if (!b)
		return NULL;
	b->work = work;
	b->ctx = ctx;
	if (start(b) == 0)
		return b;
	free(b);
	return NULL;
}

bool background_is_done(const struct background *b)
{
	return !b || atomic_load(&b->is_done);
}

void background_end(struct background *b)
{
	if (!b)
		return;
	(void)pthread_join(b->thread, NULL);
	free(b);
}

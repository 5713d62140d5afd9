#include "store/fifo_priv.h"

#include "base/check.h"

void fifo_init(struct fifo *f)
{
	*f = (struct fifo){.mutex = PTHREAD_MUTEX_INITIALIZER, .moved = PTHREAD_COND_INITIALIZER};
}

void fifo_release(struct fifo *f)
{
	CHECK(!f->is_held);
	(void)pthread_cond_destroy(&f->moved);
	(void)pthread_mutex_destroy(&f->mutex);
}

void fifo_lock(struct fifo *f)
{
	pthread_mutex_lock(&f->mutex);
	CHECK(!f->is_held || !pthread_equal(f->holder, pthread_self()));
	uint64_t ticket = f->next_ticket++;
	while (ticket != f->serving)
		pthread_cond_wait(&f->moved, &f->mutex);
	f->is_held = true;
	f->holder = pthread_self();
	pthread_mutex_unlock(&f->mutex);
}

void fifo_unlock(struct fifo *f)
{
	pthread_mutex_lock(&f->mutex);
	CHECK(f->is_held);
	f->is_held = false;
	f->serving++;
	pthread_cond_broadcast(&f->moved);
	pthread_mutex_unlock(&f->mutex);
}

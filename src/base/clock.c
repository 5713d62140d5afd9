#include "base/clock.h"

#include "base/check.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

struct deadline {
	int64_t at_ms;
	uint64_t handle;
	clock_fn *fn;
	void *ctx;
};

struct clock {
	bool manual;
	atomic_int_least64_t now_ms; /* manual: the time; real: the greatest time given out */
	struct deadline *heap;       /* binary heap, the earliest first */
	size_t len, cap;
	uint64_t last_handle;
};

static int64_t system_ms(void)
{
	struct timespec t;
	CHECK(clock_gettime(CLOCK_REALTIME, &t) == 0);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static struct clock *clock_new(bool manual, int64_t start_ms)
{
	struct clock *c = calloc(1, sizeof(*c));
	CHECK(c);
	c->manual = manual;
	atomic_init(&c->now_ms, start_ms);
	return c;
}

struct clock *clock_new_real(void)
{
	return clock_new(false, system_ms());
}

struct clock *clock_new_manual(int64_t start_ms)
{
	return clock_new(true, start_ms);
}

void clock_free(struct clock *c)
{
	if (!c)
		return;
	free(c->heap);
	free(c);
}

int64_t clock_now_ms(struct clock *c)
{
	int64_t seen = atomic_load(&c->now_ms);
	if (c->manual)
		return seen;
	int64_t now = system_ms();
	while (now > seen && !atomic_compare_exchange_weak(&c->now_ms, &seen, now))
		;
	return now > seen ? now : seen;
}

bool clock_is_manual(const struct clock *c)
{
	return c->manual;
}

static bool is_before(const struct deadline *a, const struct deadline *b)
{
	return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->handle < b->handle;
}

static void sift_up(struct clock *c, size_t i)
{
	struct deadline d = c->heap[i];
	for (size_t up; i > 0 && is_before(&d, &c->heap[up = (i - 1) / 2]); i = up)
		c->heap[i] = c->heap[up];
	c->heap[i] = d;
}

static void sift_down(struct clock *c, size_t i)
{
	struct deadline d = c->heap[i];
	for (size_t down; (down = 2 * i + 1) < c->len; i = down) {
		if (down + 1 < c->len && is_before(&c->heap[down + 1], &c->heap[down]))
			down++;
		if (!is_before(&c->heap[down], &d))
			break;
		c->heap[i] = c->heap[down];
	}
	c->heap[i] = d;
}

static void heap_remove(struct clock *c, size_t i)
{
	c->len--;
	if (i == c->len)
		return;
	c->heap[i] = c->heap[c->len];
	sift_up(c, i);
	sift_down(c, i);
}

uint64_t clock_at(struct clock *c, int64_t at_ms, clock_fn *fn, void *ctx)
{
	if (c->len == c->cap) {
		c->cap = c->cap ? 2 * c->cap : 16;
		c->heap = realloc(c->heap, c->cap * sizeof(*c->heap));
		CHECK(c->heap);
	}
	c->heap[c->len] = (struct deadline){at_ms, ++c->last_handle, fn, ctx};
	sift_up(c, c->len++);
	return c->last_handle;
}

void clock_cancel(struct clock *c, uint64_t handle)
{
	for (size_t i = 0; i < c->len; i++) {
		if (c->heap[i].handle == handle) {
			heap_remove(c, i);
			return;
		}
	}
}

static bool run_first(struct clock *c, int64_t until_ms)
{
	if (!c->len || c->heap[0].at_ms > until_ms)
		return false;
	struct deadline d = c->heap[0];
	heap_remove(c, 0);
	if (c->manual && d.at_ms > atomic_load(&c->now_ms))
		atomic_store(&c->now_ms, d.at_ms);
	d.fn(d.ctx, d.at_ms);
	return true;
}

int64_t clock_run(struct clock *c)
{
	/* What a deadline sets for now or earlier runs in the next call: no deadline can hold the
	 * loop. */
	int64_t now = clock_now_ms(c);
	uint64_t newest = c->last_handle;
	while (c->len && c->heap[0].handle <= newest && run_first(c, now))
		;
	if (!c->len)
		return -1;
	int64_t wait = c->heap[0].at_ms - clock_now_ms(c);
	return wait > 0 ? wait : 0;
}

void clock_advance(struct clock *c, int64_t ms, void (*settle)(void *ctx), void *ctx)
{
	CHECK(c->manual && ms >= 0);
	int64_t until = atomic_load(&c->now_ms) + ms;
	if (settle)
		settle(ctx);
	while (run_first(c, until)) {
		if (settle)
			settle(ctx);
	}
	atomic_store(&c->now_ms, until);
	if (settle)
		settle(ctx);
}

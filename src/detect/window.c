#include "detect/window.h"

#include <errno.h>
#include <string.h>

struct step {
	uint64_t value;
	uint32_t cover_ms;
};

struct window {
	uint32_t n, cap;
	struct step steps[]; /* oldest first */
};

static size_t window_size(uint32_t cap)
{
	return sizeof(struct window) + cap * sizeof(struct step);
}

static struct window *window_at(const struct arena *a, uint32_t window)
{
	return window ? arena_at(a, window) : NULL;
}

static uint64_t sum_of(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

/* Where the walk back from the newest step ends: the index of the oldest step that counts. */
static uint32_t walk_back(const struct window *w, uint32_t duration_s)
{
	uint64_t need_ms =
		duration_s > WINDOW_SLACK_S ? (duration_s - WINDOW_SLACK_S) * 1000ULL : 0;
	uint64_t covered_ms = 0;
	uint32_t i = w->n;
	while (i > 0 && (i == w->n || covered_ms < need_ms))
		covered_ms += w->steps[--i].cover_ms;
	return i;
}

uint64_t window_sum(const struct arena *a, uint32_t window, uint32_t duration_s)
{
	const struct window *w = window_at(a, window);
	uint64_t sum = 0;
	for (uint32_t i = w ? walk_back(w, duration_s) : 0; w && i < w->n; i++)
		sum = sum_of(sum, w->steps[i].value);
	return sum;
}

void window_drop(struct arena *a, uint32_t *window)
{
	const struct window *w = window_at(a, *window);
	if (w)
		arena_give(a, *window, window_size(w->cap));
	*window = 0;
}

static struct window *window_resize(struct arena *a, uint32_t *window, uint32_t cap)
{
	uint32_t at = arena_take(a, window_size(cap));
	if (!at)
		return NULL;
	struct window *to = window_at(a, at);
	const struct window *from = window_at(a, *window);
	if (from) {
		memcpy(to->steps, from->steps, from->n * sizeof(*to->steps));
		to->n = from->n;
	}
	to->cap = cap;
	window_drop(a, window);
	*window = at;
	return to;
}

static void forget_first(struct window *w, uint32_t n)
{
	memmove(w->steps, w->steps + n, (w->n - n) * sizeof(*w->steps));
	w->n -= n;
}

static uint32_t cover_capped(uint64_t ms)
{
	return ms < UINT32_MAX ? (uint32_t)ms : UINT32_MAX;
}

static void merge_oldest(struct window *w)
{
	struct step *s = w->steps;
	s[1].value = sum_of(s[0].value, s[1].value);
	s[1].cover_ms = cover_capped((uint64_t)s[0].cover_ms + s[1].cover_ms);
	forget_first(w, 1);
}

/* A report that covers no time stands or falls with the one before it: they are one step. */
static bool join_newest(struct window *w, uint64_t value, uint32_t cover_ms)
{
	if (!w || w->n == 0 || cover_ms > 0)
		return false;
	struct step *newest = &w->steps[w->n - 1];
	newest->value = sum_of(newest->value, value);
	return true;
}

bool window_add(struct arena *a, uint32_t *window, uint64_t value, uint64_t cover_ms,
		uint32_t longest_s)
{
	struct window *w = window_at(a, *window);
	uint32_t cover = cover_capped(cover_ms);
	if (join_newest(w, value, cover))
		return true;
	if (w && w->n == WINDOW_STEPS_MAX)
		merge_oldest(w);
	if (!w || w->n == w->cap) {
		w = window_resize(a, window, w ? w->cap * 2 : 2);
		if (!w)
			return false;
	}
	w->steps[w->n++] = (struct step){value, cover};
	forget_first(w, walk_back(w, longest_s));
	return true;
}

void window_save(const struct arena *a, uint32_t window, struct writer *out)
{
	const struct window *w = window_at(a, window);
	write_u32(out, w ? w->n : 0);
	for (uint32_t i = 0; w && i < w->n; i++) {
		write_u64(out, w->steps[i].value);
		write_u32(out, w->steps[i].cover_ms);
	}
}

int window_load(struct arena *a, uint32_t *window, struct reader *r)
{
	uint32_t n = read_u32(r);
	*window = 0;
	if (r->bad || n > WINDOW_STEPS_MAX || n > reader_left(r) / 12)
		return -EBADMSG;
	struct window *w = n ? window_resize(a, window, n) : NULL;
	if (n && !w)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++) {
		uint64_t value = read_u64(r);
		w->steps[w->n++] = (struct step){value, read_u32(r)};
	}
	return 0;
}

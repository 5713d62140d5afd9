#include "daemon/marks.h"

#include "base/check.h"
#include "base/log.h"

struct marks {
	GHashTable *brokers;
	GArray *pending; /* of int64_t, in order */
};

struct marks *marks_new(GHashTable *brokers)
{
	struct marks *m = g_new0(struct marks, 1);
	m->brokers = brokers;
	m->pending = g_array_new(FALSE, FALSE, sizeof(int64_t));
	return m;
}

void marks_free(struct marks *m)
{
	if (!m)
		return;
	(void)g_array_free(m->pending, TRUE);
	g_free(m);
}

void marks_ask(struct marks *m, int64_t t_ms)
{
	(void)g_array_append_val(m->pending, t_ms);
}

bool marks_are_pending(const struct marks *m)
{
	return m->pending->len > 0;
}

static bool has_delivered(const struct broker *b, int64_t t_ms, uint64_t flushed)
{
	return b->cut_ms >= t_ms || (flushed && b->flushed >= flushed);
}

static bool is_silent(const struct broker *b, int64_t t_ms, int64_t now_ms)
{
	return now_ms >= MAX(t_ms, b->heard_ms) + MARK_SILENT_MS;
}

static void add_gone(struct broker *b, int64_t now_ms, struct pages *pages, struct lot *lot)
{
	size_t cap = sizeof(b->id) + 32;
	struct writer w = writer_of(pages_take(pages, cap), cap);
	struct entry_broker gone = {.broker = view_of(b->id), .t_ms = now_ms};
	entry_write_broker(&w, &gone);
	CHECK(!w.full);
	lot_add(lot, ENTRY_BROKER_GONE, now_ms, (struct view){(const char *)w.buf, w.len}, NULL);
	b->is_gone = true;
	log_warning("ingest", "broker %s is silent: it is no longer waited for", b->id);
}

/* True when nobody is waited for any more. */
static bool may_stand(struct marks *m, int64_t t_ms, int64_t now_ms, uint64_t flushed,
		      struct pages *pages, struct lot *lot)
{
	GHashTableIter iter;
	gpointer value;
	g_hash_table_iter_init(&iter, m->brokers);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		struct broker *b = value;
		if (b->is_gone || has_delivered(b, t_ms, flushed))
			continue;
		if (!is_silent(b, t_ms, now_ms) && !flushed)
			return false;
		add_gone(b, now_ms, pages, lot);
	}
	return true;
}

void marks_add(struct marks *m, int64_t now_ms, uint64_t flushed, struct pages *pages,
	       struct lot *lot)
{
	while (m->pending->len) {
		struct entry_mark mark = {g_array_index(m->pending, int64_t, 0)};
		if (!may_stand(m, mark.t_ms, now_ms, flushed, pages, lot))
			return;
		struct writer w = writer_of(pages_take(pages, 32), 32);
		entry_write_mark(&w, &mark);
		CHECK(!w.full);
		lot_add(lot, ENTRY_MARK, now_ms, (struct view){(const char *)w.buf, w.len}, NULL);
		(void)g_array_remove_index(m->pending, 0);
	}
}

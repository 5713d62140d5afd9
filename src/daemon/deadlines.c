#include "daemon/deadlines.h"

#include "api/trail.h"
#include "base/log.h"
#include "daemon/marks.h"
#include "ledger/ledger.h"
#include "registry/clone_case.h"
#include "registry/containment.h"
#include "registry/violation.h"

#define DAY_MS      (24LL * 3600 * 1000)
#define LOOP_MS_MAX 1000 /* the system's clock may step; it is looked at once a second */

struct deadlines {
	struct deadlines_options options;
	uint64_t mark, day; /* handles */
	guint timer;        /* of the main loop */
};

/* ---- Marks ---- */

static void on_mark(void *ctx, int64_t at_ms)
{
	struct deadlines *d = ctx;
	if (!clock_is_manual(d->options.clock))
		ingest_tell_time(d->options.ingest);
	ingest_mark(d->options.ingest, at_ms - MARK_DELAY_MS);
	/* After a suspended machine or a stepped clock only the newest mark counts: it closes all
	 * before it. */
	int64_t newest = (clock_now_ms(d->options.clock) - MARK_DELAY_MS) / MARK_MS * MARK_MS;
	int64_t next = MAX(at_ms - MARK_DELAY_MS + MARK_MS, newest);
	d->mark = clock_at(d->options.clock, next + MARK_DELAY_MS, on_mark, d);
}

/* ---- Retention ---- */

struct forgetting {
	const struct deadlines *deadlines;
	int64_t now_ms;
	bool more;
};

static int forget_violations(struct sql_conn *txn, void *ctx)
{
	struct forgetting *f = ctx;
	int64_t days = f->deadlines->options.violation_days;
	return violation_forget(txn, f->now_ms - days * DAY_MS, &f->more);
}

static int forget_trail(struct sql_conn *txn, void *ctx)
{
	struct forgetting *f = ctx;
	f->more = false;
	return trail_forget(txn, f->now_ms - f->deadlines->options.trail_days * DAY_MS);
}

static int forget_denials(struct sql_conn *txn, void *ctx)
{
	struct forgetting *f = ctx;
	return ledger_forget(txn, f->now_ms - f->deadlines->options.denial_days * DAY_MS, &f->more);
}

static int64_t containments_before(const struct forgetting *f)
{
	return f->now_ms - f->deadlines->options.containment_days * DAY_MS;
}

static int forget_containments(struct sql_conn *txn, void *ctx)
{
	struct forgetting *f = ctx;
	return containment_forget(txn, containments_before(f), &f->more);
}

static int forget_clone_cases(struct sql_conn *txn, void *ctx)
{
	struct forgetting *f = ctx;
	return clone_case_forget(txn, containments_before(f), &f->more);
}

static store_write_fn *const retentions[] = {forget_violations, forget_trail, forget_denials,
					     forget_containments, forget_clone_cases};

static void on_day(void *ctx, int64_t at_ms)
{
	struct deadlines *d = ctx;
	for (size_t i = 0; i < ARRAY_LEN(retentions); i++) {
		struct forgetting f = {d, at_ms, false};
		int r;
		do
			r = store_write(d->options.store, retentions[i], &f);
		while (r == 0 && f.more);
		if (r < 0)
			log_warning("retention",
				    "old rows could not be deleted: %s; tried again tomorrow",
				    g_strerror(-r));
	}
	d->day = clock_at(d->options.clock, at_ms + DAY_MS, on_day, d);
}

/* ---- The main loop ---- */

static gboolean on_timer(gpointer ctx)
{
	struct deadlines *d = ctx;
	int64_t wait = clock_run(d->options.clock);
	if (wait < 0 || wait > LOOP_MS_MAX)
		wait = LOOP_MS_MAX;
	d->timer = g_timeout_add((guint)MAX(wait, 1), on_timer, d);
	return G_SOURCE_REMOVE;
}

/* The next one; or the last that was due, when it is not in the log. */
static int64_t first_mark(int64_t now_ms, int64_t last_ms)
{
	int64_t newest = (now_ms - MARK_DELAY_MS) / MARK_MS * MARK_MS;
	return last_ms && last_ms < newest ? newest : newest + MARK_MS;
}

struct deadlines *deadlines_new(const struct deadlines_options *options)
{
	struct deadlines *d = g_new0(struct deadlines, 1);
	d->options = *options;
	int64_t now = clock_now_ms(options->clock);
	int64_t mark = first_mark(now, options->last_mark_ms);
	d->mark = clock_at(options->clock, mark + MARK_DELAY_MS, on_mark, d);
	d->day = clock_at(options->clock, now, on_day, d); /* a daemon may live less than a day */
	if (!clock_is_manual(options->clock))
		d->timer = g_timeout_add(1, on_timer, d);
	return d;
}

void deadlines_free(struct deadlines *d)
{
	if (!d)
		return;
	clock_cancel(d->options.clock, d->mark);
	clock_cancel(d->options.clock, d->day);
	if (d->timer)
		(void)g_source_remove(d->timer);
	g_free(d);
}

static void settle(void *ctx)
{
	struct deadlines *d = ctx;
	evaluator_wait(d->options.evaluator, ingest_settle(d->options.ingest));
}

void deadlines_advance(struct deadlines *d, int64_t ms)
{
	clock_advance(d->options.clock, ms, settle, d);
}

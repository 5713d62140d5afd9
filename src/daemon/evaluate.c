#include "daemon/evaluate.h"

#include "base/check.h"
#include "base/log.h"
#include "daemon/checkpoint.h"
#include "daemon/effects.h"
#include "daemon/fatal.h"
#include "daemon/saver.h"
#include "registry/violation.h"
#include "store/plog.h"

#include <errno.h>
#include <pthread.h>

#define COMMIT_ENTRIES 20000 /* the offset moves at least this often, effects or not */
#define HOUR_MS        (3600LL * 1000)
#define RETRY_US       (1000UL * 1000)

/* Where in the log a mark stood: to keep the last hour. */
struct milestone {
	uint64_t seq;
	int64_t at_ms;
};

struct evaluator {
	struct evaluator_options options;
	struct detect *state;
	uint64_t at;        /* last entry stepped */
	uint64_t committed; /* the store's offset */
	uint64_t saved;     /* of the last checkpoint begun */
	bool is_mark_seen;  /* since then */
	struct effects *effects;
	struct saver *saver;
	GArray *milestones; /* oldest first */

	struct queue *queue;
	bool has_thread;
	pthread_t thread;
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t moved;
	size_t waiting;   /* bytes in the queue */
	uint64_t settled; /* evaluated, effects committed */
};

/* ---- Commit ---- */

static int give_entries(const struct evaluator *e, struct sql_conn *txn)
{
	const struct entry_consumer *c = &e->options.consumer;
	size_t n;
	const struct detect_entry *kept = effects_kept(e->effects, &n);
	return c->take && n ? c->take(c->ctx, txn, kept, n) : 0;
}

static int write_effects(struct sql_conn *txn, void *ctx)
{
	const struct evaluator *e = ctx;
	int r = 0;
	for (size_t i = 0; i < effects_count(e->effects) && r == 0; i++)
		r = violation_apply(txn, e->options.part, effects_at(e->effects, i));
	return r == 0 ? give_entries(e, txn) : r;
}

/* A full disk and a busy database pass; nothing else does. */
static bool may_pass(int r)
{
	return r == -ENOSPC || r == -EAGAIN;
}

static void commit(struct evaluator *e)
{
	const struct evaluator_options *o = &e->options;
	int r;
	if (e->at == e->committed)
		return;
	while (may_pass(r = plog_commit(o->store, o->part, o->epoch, e->committed, e->at,
					write_effects, e))) {
		ready_bad(o->ready, READY_EVALUATOR, "cannot commit: %s; it goes on by itself",
			  g_strerror(-r));
		g_usleep(RETRY_US);
	}
	if (r < 0)
		fatal("evaluate", "committing entries %llu to %llu: %s",
		      (unsigned long long)e->committed + 1, (unsigned long long)e->at,
		      r == -ESTALE ? "another process moved the offset" : g_strerror(-r));
	e->committed = e->at;
	counter_add(o->ready, COUNTER_effects_committed, effects_count(e->effects));
	counter_set(o->ready, COUNTER_log_offset, e->committed);
	if (o->consumer.take)
		o->consumer.committed(o->consumer.ctx);
	effects_clear(e->effects);
	ready_good(o->ready, READY_EVALUATOR);
}

/* ---- Checkpoints ---- */

static void forget_old_log(struct evaluator *e, int64_t now_ms)
{
	uint64_t before = saver_oldest(e->saver), hour = 0;
	while (e->milestones->len > 1 &&
	       g_array_index(e->milestones, struct milestone, 1).at_ms <= now_ms - HOUR_MS)
		(void)g_array_remove_index(e->milestones, 0);
	const struct milestone *oldest = &g_array_index(e->milestones, struct milestone, 0);
	if (e->milestones->len && oldest->at_ms <= now_ms - HOUR_MS)
		hour = oldest->seq;
	before = MIN(before, hour);
	if (before && plog_cut(e->options.store, e->options.part, before) < 0)
		log_warning("evaluate", "the log cannot be shortened; it is tried again");
}

static void note_mark(struct evaluator *e, const struct detect_entry *entry)
{
	struct milestone milestone = {entry->seq, entry->at_ms};
	(void)g_array_append_val(e->milestones, milestone);
	e->is_mark_seen = true;
	forget_old_log(e, entry->at_ms);
}

static void checkpoint(struct evaluator *e)
{
	uint8_t *bytes;
	size_t n;
	if (e->at == e->saved || saver_is_busy(e->saver))
		return;
	commit(e);
	if (detect_save(e->state, e->at, &bytes, &n) < 0)
		fatal("evaluate", "no memory for a checkpoint");
	saver_start(e->saver, e->at, bytes, n);
	e->saved = e->at;
	e->is_mark_seen = false;
}

/* ---- Live ---- */

static void tell_stats(struct evaluator *e)
{
	struct detect_stats stats;
	struct ready *ready = e->options.ready;
	detect_stats(e->state, &stats);
	counter_set(ready, COUNTER_detect_devices, stats.devices);
	counter_set(ready, COUNTER_detect_alarms_open, stats.alarms_open);
	counter_set(ready, COUNTER_detect_unregistered_dropped, stats.dropped_unregistered);
}

static bool is_consumed(const struct detect_entry *entry)
{
	static const bool consumed[] = {[ENTRY_EVENT] = true,
					[ENTRY_HELLO] = true,
					[ENTRY_BROKER_GONE] = true,
					[ENTRY_CUT] = true};
	return (size_t)entry->kind < ARRAY_LEN(consumed) && consumed[entry->kind];
}

static void step(struct evaluator *e, const struct detect_entry *entry)
{
	int r = detect_step(e->state, entry, effects_add, e->effects);
	if (r < 0)
		fatal("evaluate", "entry %llu (kind %d): %s", (unsigned long long)entry->seq,
		      (int)entry->kind, g_strerror(-r));
	e->at = entry->seq;
	if (is_consumed(entry))
		effects_keep(e->effects, entry);
	if (entry->kind == ENTRY_MARK)
		note_mark(e, entry);
}

static void settle(struct evaluator *e, size_t bytes)
{
	if (!effects_empty(e->effects) || e->at - e->committed >= COMMIT_ENTRIES)
		commit(e);
	CHECK(pthread_mutex_lock(&e->lock) == 0);
	e->waiting -= bytes;
	e->settled = e->at;
	CHECK(pthread_cond_broadcast(&e->moved) == 0);
	CHECK(pthread_mutex_unlock(&e->lock) == 0);
}

static void evaluate_batch(struct evaluator *e, struct batch *batch)
{
	for (guint i = 0; i < batch->entries->len; i++) {
		const struct detect_entry *entry =
			&g_array_index(batch->entries, struct detect_entry, i);
		CHECK(entry->seq == e->at + 1);
		step(e, entry);
	}
	counter_add(e->options.ready, COUNTER_entries_evaluated, batch->entries->len);
	settle(e, pages_size(batch->pages));
	batch_free(batch);
	if (e->is_mark_seen || e->at - e->saved >= e->options.checkpoint_entries)
		checkpoint(e);
	tell_stats(e);
}

static void *run(void *ctx)
{
	struct evaluator *e = ctx;
	bool is_last = false;
	while (!is_last) {
		(void)queue_wait(e->queue, -1);
		for (struct queue_item *item = queue_take(e->queue), *next; item; item = next) {
			struct batch *batch = (struct batch *)item;
			next = item->next;
			is_last = batch->is_last;
			evaluate_batch(e, batch);
		}
	}
	return NULL;
}

void evaluator_push(struct evaluator *e, struct batch *batch)
{
	CHECK(pthread_mutex_lock(&e->lock) == 0);
	while (e->waiting > EVALUATOR_BEHIND_MAX)
		CHECK(pthread_cond_wait(&e->moved, &e->lock) == 0);
	e->waiting += pages_size(batch->pages);
	CHECK(pthread_mutex_unlock(&e->lock) == 0);
	queue_push(e->queue, &batch->item);
}

void evaluator_wait(struct evaluator *e, uint64_t seq)
{
	CHECK(pthread_mutex_lock(&e->lock) == 0);
	while (e->settled < seq)
		CHECK(pthread_cond_wait(&e->moved, &e->lock) == 0);
	CHECK(pthread_mutex_unlock(&e->lock) == 0);
}

/* ---- Recovery ---- */

/* Effects up to the offset are in the store; those behind it are kept for the first commit. */
static int replay_effect(const struct effect *effect, void *ctx)
{
	struct evaluator *e = ctx;
	return effect->seq <= e->committed ? 0 : effects_add(effect, e->effects);
}

static int replay(const struct plog_entry *in, void *ctx)
{
	struct evaluator *e = ctx;
	struct detect_entry entry = {in->seq, in->at_ms, (enum entry_kind)in->kind, in->body, NULL};
	int r = detect_step(e->state, &entry, replay_effect, e);
	if (r < 0)
		return r;
	e->at = in->seq;
	if (e->at > e->committed && is_consumed(&entry))
		effects_keep(e->effects, &entry);
	if (entry.kind == ENTRY_MARK) {
		struct milestone milestone = {entry.seq, entry.at_ms};
		(void)g_array_append_val(e->milestones, milestone);
	}
	if (e->at >= e->committed + COMMIT_ENTRIES)
		commit(e);
	return 0;
}

/* Neither a checkpoint nor the whole log: an empty state that stands at the head. */
static int start_fresh(struct evaluator *e, bool *ret_is_fresh)
{
	const struct evaluator_options *o = &e->options;
	detect_free(e->state);
	e->state = NULL;
	effects_clear(e->effects);
	log_error("evaluate",
		  "no usable checkpoint and the log is shortened: windows and open alarms "
		  "start anew");
	*ret_is_fresh = true;
	int r = detect_new(&o->limits, &e->state);
	if (r == 0)
		r = plog_head(o->store, o->part, &e->at);
	return r;
}

static int recover(struct evaluator *e, bool *ret_is_fresh)
{
	const struct evaluator_options *o = &e->options;
	int r = plog_offset(o->store, o->part, &e->committed);
	if (r == 0)
		r = checkpoint_load(o->state_dir, &o->limits, e->committed, &e->state, &e->at);
	if (r < 0)
		return r;
	e->saved = e->at;
	r = plog_read(o->store, o->part, e->at + 1, replay, e);
	if (r == -ENODATA)
		r = start_fresh(e, ret_is_fresh);
	if (r == 0 && e->at < e->committed)
		r = -ENODATA; /* the log ends before what was evaluated: not the store's own log */
	if (r == 0)
		commit(e);
	return r;
}

/* ---- Comparison of open alarms after recovery ---- */

struct alarm_diff {
	GHashTable *open; /* ids that the evaluator knows */
	uint64_t differing;
};

static void note_known(struct view thing, struct view profile, struct view behavior,
		       const char *violation_id, void *ctx)
{
	struct alarm_diff *c = ctx;
	(void)thing, (void)profile, (void)behavior;
	(void)g_hash_table_add(c->open, g_strdup(violation_id));
}

static void note_stored(const char *violation_id, const char *thing, const char *profile,
			const char *behavior, void *ctx)
{
	struct alarm_diff *c = ctx;
	if (g_hash_table_remove(c->open, violation_id))
		return;
	c->differing++;
	log_warning("evaluate",
		    "violation %s (%s, %s, %s) is active in the store and not in the state",
		    violation_id, thing, profile, behavior);
}

static int compare_alarms(struct evaluator *e, struct fault *fault)
{
	struct sql_conn *reader = store_reader_open(e->options.store, fault);
	if (!reader)
		return -EIO;
	struct alarm_diff c = {
		.open = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL)};
	detect_each_alarm(e->state, note_known, &c);
	int r = violation_each_active(reader, note_stored, &c);
	guint unknown = g_hash_table_size(c.open);
	if (unknown)
		log_warning("evaluate", "%u alarms are open in the state and not in the store",
			    unknown);
	counter_add(e->options.ready, COUNTER_alarms_differing, c.differing + unknown);
	g_hash_table_destroy(c.open);
	store_reader_close(reader);
	return r;
}

/* ---- Life ---- */

int evaluator_new(const struct evaluator_options *options, struct evaluator **ret,
		  bool *ret_is_fresh, struct fault *fault)
{
	struct evaluator *e = g_new0(struct evaluator, 1);
	e->options = *options;
	e->effects = effects_new();
	e->saver = saver_new(options->state_dir, options->ready);
	e->milestones = g_array_new(FALSE, FALSE, sizeof(struct milestone));
	e->queue = queue_new();
	CHECK(e->queue);
	CHECK(pthread_mutex_init(&e->lock, NULL) == 0 && pthread_cond_init(&e->moved, NULL) == 0);
	*ret_is_fresh = false;
	int r = recover(e, ret_is_fresh);
	if (r == 0)
		r = compare_alarms(e, fault);
	if (r < 0) {
		(void)fault_set(fault, FAULT_INTERNAL, "recovery stopped behind entry %llu: %s",
				(unsigned long long)e->at, g_strerror(-r));
		evaluator_free(e);
		return -1;
	}
	e->settled = e->at;
	tell_stats(e);
	ready_good(options->ready, READY_EVALUATOR);
	log_info("evaluate", "recovered: the state stands at entry %llu",
		 (unsigned long long)e->at);
	*ret = e;
	return 0;
}

void evaluator_each_device(const struct evaluator *e, detect_device_fn *fn, void *ctx)
{
	detect_each_device(e->state, fn, ctx);
}

int64_t evaluator_last_mark(const struct evaluator *e)
{
	return detect_mark(e->state);
}

int evaluator_start(struct evaluator *e, struct fault *fault)
{
	int r = pthread_create(&e->thread, NULL, run, e);
	if (r != 0)
		return fault_set(fault, FAULT_INTERNAL, "the evaluator's thread: %s",
				 g_strerror(r));
	e->has_thread = true;
	return 0;
}

static void stop(struct evaluator *e)
{
	struct batch *last = batch_new();
	last->is_last = true;
	evaluator_push(e, last);
	CHECK(pthread_join(e->thread, NULL) == 0);
	saver_wait(e->saver);
	checkpoint(e);
}

void evaluator_free(struct evaluator *e)
{
	if (!e)
		return;
	if (e->has_thread)
		stop(e);
	saver_free(e->saver);
	detect_free(e->state);
	effects_free(e->effects);
	queue_free(e->queue);
	(void)g_array_free(e->milestones, TRUE);
	(void)pthread_cond_destroy(&e->moved);
	(void)pthread_mutex_destroy(&e->lock);
	g_free(e);
}

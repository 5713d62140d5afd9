#include "daemon/containment.h"

#include "base/check.h"
#include "base/log.h"
#include "daemon/containment_ask.h"
#include "registry/clone_case.h"
#include "registry/containment.h"

#include <errno.h>
#include <glib.h>
#include <pthread.h>

#define DAY_MS    (24LL * 3600 * 1000)
#define BUSY_US   100000  /* between two rounds with something to judge, */
#define IDLE_US   1000000 /* and without, */
#define FAILED_US 5000000 /* or after one that failed */
#define REST      4       /* a round that takes long is followed by a rest of so many times that */
#define TRIM_EACH 10      /* rounds between two looks at what is old, or too much */

struct containments {
	struct containments_options options;
	struct sql_conn *reader;
	struct containment_asker *asker;
	unsigned rounds;
	int64_t trimmed; /* clone cases, by the last transaction */

	pthread_t thread;
	bool has_thread;
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t moved;
	bool is_stopping;
};

/* ---- One containment ---- */

struct subject {
	struct containments *c;
	int64_t id, now_ms;
	struct contain is;
	char *target, *detail, *session, *refused;
	bool is_sample, was_moved;
	struct containment_seen seen;
	struct contain_asked asked;
	bool has_asked;
	char *escape;
	char evidence[CONTAIN_EVIDENCE_SIZE];
};

static int take_record(const struct containment *record, void *ctx)
{
	struct subject *s = ctx;
	s->is = record->is;
	s->target = g_strdup(record->target);
	s->detail = g_strdup(record->detail);
	s->session = g_strdup(record->session);
	s->refused = g_strdup(record->refused);
	s->is_sample = record->is_sample;
	return 0;
}

static void subject_clear(struct subject *s)
{
	g_free(s->target);
	g_free(s->detail);
	g_free(s->session);
	g_free(s->refused);
	g_free(s->escape);
	containment_seen_clear(&s->seen);
}

static const char *or_null(const char *text)
{
	return text && *text ? text : NULL;
}

/* ---- Judging ---- */

static void count(struct subject *s)
{
	static const enum counter counters[] = {
		[CONTAIN_APPLIED] = COUNTER_containments_applied,
		[CONTAIN_VERIFIED] = COUNTER_containments_verified,
		[CONTAIN_INEFFECTIVE] = COUNTER_containments_ineffective,
	};
	struct ready *ready = s->c->options.ready;
	counter_add(ready, counters[s->is.state], 1);
	if (s->is.state == CONTAIN_APPLIED)
		counter_add(ready, COUNTER_containment_ms,
			    (uint64_t)MAX(s->is.applied_ms - s->is.requested_ms, 0));
}

static void tell(struct subject *s)
{
	count(s);
	log_notice("containment", "%" G_GINT64_FORMAT " (%s %s%s%s) is %s: %s", s->id,
		   contain_kind_word(s->is.kind), s->target, *s->detail ? " " : "", s->detail,
		   contain_state_word(s->is.state), s->evidence);
}

/* A certificate that may not connect is watched on: it may still come. */
static bool is_watched(const struct contain *is)
{
	if (is->applied_ms == 0 || is->state == CONTAIN_APPLIED)
		return true;
	return is->state == CONTAIN_VERIFIED && contain_goal(is->kind) == CONTAIN_NO_SESSION;
}

static int write_move(struct sql_conn *txn, void *ctx)
{
	struct subject *s = ctx;
	return containment_move(txn, s->id, &s->is, is_watched(&s->is), s->now_ms, s->evidence,
				&s->was_moved);
}

static int ask(struct subject *s)
{
	const struct containment_question question = {
		.id = s->id,
		.kind = s->is.kind,
		.generation = s->is.generation,
		.target = s->target,
		.detail = s->detail,
		.is_sample = s->is_sample,
	};
	int r = containment_ask(s->c->asker, s->c->reader, &question, &s->asked, &s->escape);
	s->has_asked = r == 0;
	return r;
}

/* One state further: 1, 0 when it stays or was lifted meanwhile, or a negative errno. */
static int judge(struct subject *s)
{
	if (contain_wants_answers(&s->is) && !s->has_asked) {
		int r = ask(s);
		if (r < 0)
			return r;
	}
	const struct contain_facts facts = {
		.now_ms = s->now_ms,
		.brokers = (unsigned)s->seen.brokers,
		.waiting = s->seen.waiting,
		.applied_ms = s->seen.applied_ms,
		.session = or_null(s->session) ? s->session : s->seen.session,
		.refused = or_null(s->refused),
		.asked = s->has_asked ? &s->asked : NULL,
	};
	if (!contain_judge(&s->is, &facts, &s->c->options.limits, s->evidence))
		return 0;
	int r = store_write(s->c->options.store, write_move, s);
	if (r < 0 || !s->was_moved)
		return r;
	tell(s);
	return 1;
}

static int judge_one(struct containments *c, int64_t id)
{
	struct subject s = {.c = c, .id = id, .now_ms = clock_now_ms(c->options.clock)};
	int r = containment_get(c->reader, id, take_record, &s);
	if (r == 1)
		r = containment_look(c->reader, id, s.now_ms - DAY_MS, &s.seen);
	if (r == 0 && s.target) {
		do
			r = judge(&s);
		while (r == 1);
	}
	subject_clear(&s);
	return r;
}

/* ---- Rounds ---- */

static int trim_all(struct sql_conn *txn, void *ctx)
{
	struct containments *c = ctx;
	int r = clone_case_trim(txn, &c->trimmed);
	if (r == 0)
		r = containment_unwatch(txn, clock_now_ms(c->options.clock) - DAY_MS);
	return r;
}

static int trim(struct containments *c)
{
	int r = store_write(c->options.store, trim_all, c);
	if (r == 0)
		counter_add(c->options.ready, COUNTER_clone_cases_evicted, (uint64_t)c->trimmed);
	return r;
}

/* One round: how long to rest at least. A failure ends it, the next one tries again. */
static int64_t look(struct containments *c)
{
	bool is_busy = false;
	int64_t id = 0;
	int r = c->rounds++ % TRIM_EACH == 0 ? trim(c) : 0;
	while (r >= 0 && (r = containment_next(c->reader, id, &id)) >= 0 && id) {
		r = judge_one(c, id);
		is_busy = true;
	}
	containment_asker_end_round(c->asker);
	if (r >= 0)
		return is_busy ? BUSY_US : IDLE_US;
	if (r != -EAGAIN)
		log_warning("containment", "judging: %s; tried again", g_strerror(-r));
	return FAILED_US;
}

static void rest(struct containments *c, int64_t us)
{
	struct timespec until;
	CHECK(clock_gettime(CLOCK_MONOTONIC, &until) == 0);
	int64_t ns = until.tv_nsec + us * 1000;
	until.tv_sec += ns / 1000000000;
	until.tv_nsec = ns % 1000000000;
	CHECK(pthread_mutex_lock(&c->lock) == 0);
	int r = 0;
	while (!c->is_stopping && r == 0)
		r = pthread_cond_timedwait(&c->moved, &c->lock, &until);
	CHECK(pthread_mutex_unlock(&c->lock) == 0);
}

static bool is_stopping(struct containments *c)
{
	CHECK(pthread_mutex_lock(&c->lock) == 0);
	bool is = c->is_stopping;
	CHECK(pthread_mutex_unlock(&c->lock) == 0);
	return is;
}

static void *run(void *ctx)
{
	struct containments *c = ctx;
	while (!is_stopping(c)) {
		int64_t begin = g_get_monotonic_time();
		int64_t least = look(c);
		rest(c, MAX(least, REST * (g_get_monotonic_time() - begin)));
	}
	return NULL;
}

/* ---- Life ---- */

static void init_lock(struct containments *c)
{
	pthread_condattr_t attr;
	CHECK(pthread_condattr_init(&attr) == 0);
	CHECK(pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0);
	CHECK(pthread_mutex_init(&c->lock, NULL) == 0);
	CHECK(pthread_cond_init(&c->moved, &attr) == 0);
	CHECK(pthread_condattr_destroy(&attr) == 0);
}

int containments_new(const struct containments_options *options, struct containments **ret,
		     struct fault *fault)
{
	struct containments *c = g_new0(struct containments, 1);
	c->options = *options;
	c->asker = containment_asker_new(options->snapshot, options->chance);
	init_lock(c);
	c->reader = store_reader_open(options->store, fault);
	int r = c->reader ? pthread_create(&c->thread, NULL, run, c) : -1;
	c->has_thread = r == 0;
	if (r > 0)
		(void)fault_set(fault, FAULT_INTERNAL, "the containments' thread: %s",
				g_strerror(r));
	if (r != 0) {
		containments_free(c);
		return -1;
	}
	*ret = c;
	return 0;
}

static void stop(struct containments *c)
{
	CHECK(pthread_mutex_lock(&c->lock) == 0);
	c->is_stopping = true;
	CHECK(pthread_cond_broadcast(&c->moved) == 0);
	CHECK(pthread_mutex_unlock(&c->lock) == 0);
	CHECK(pthread_join(c->thread, NULL) == 0);
}

void containments_free(struct containments *c)
{
	if (!c)
		return;
	if (c->has_thread)
		stop(c);
	containment_asker_free(c->asker);
	if (c->reader)
		store_reader_close(c->reader);
	(void)pthread_cond_destroy(&c->moved);
	(void)pthread_mutex_destroy(&c->lock);
	g_free(c);
}

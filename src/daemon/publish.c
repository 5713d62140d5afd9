#include "daemon/publish.h"

#include "base/check.h"
#include "base/log.h"
#include "daemon/publish_file.h"
#include "daemon/publish_round.h"
#include "store/change.h"

#include <errno.h>
#include <pthread.h>

#define PRODUCER    "change"
#define FORGET_EACH 1024    /* change rows kept before they are deleted */
#define RETRY_S     5       /* after a round that failed */
#define BEHIND_MS   15000   /* a broker that does not obey for so long gets a new base */
#define AGAIN_MS    3600000 /* the longest time between two bases for it */

/* What the brokers obey, beside what they were told (S2). */
struct watch {
	uint64_t awaited; /* generation that all were told of */
	int64_t since_ms; /* since when it is waited for; real time */
	int64_t pause_ms; /* until the next base for one that does not obey; doubles */
};

struct publisher {
	struct publisher_options options;
	struct sql_conn *reader;
	struct publish_file *file;
	uint64_t logged;   /* generation that the log has */
	uint64_t written;  /* generation that the snapshot has */
	int64_t forgotten; /* change rows up to here are deleted */
	bool is_fresh;     /* the log is to get everything, not the changes alone */
	struct watch watch;
	guint retry; /* of the main loop */

	pthread_mutex_t lock; /* of what follows: rounds */
	pthread_cond_t done;
	bool is_running;
	uint64_t asked;    /* tickets given */
	uint64_t answered; /* tickets that the last round covered */
	int result;        /* of the last round */
};

/* ---- A round ---- */

static int append(struct publisher *p, const struct publish_round *round)
{
	if (round->g == p->logged)
		return 0;
	struct plog_batch batch = {
		.producer = PRODUCER,
		.first_frame = p->logged + 1,
		.last_frame = round->g,
		.entries = (const struct plog_entry *)(void *)round->entries->data,
		.n_entries = round->entries->len,
		.frame_ends = (const size_t *)(void *)round->ends->data,
	};
	int r = ingest_append(p->options.ingest, &batch);
	if (r < 0)
		return r;
	p->logged = round->g;
	p->is_fresh = false;
	return 0;
}

static void announce(struct publisher *p, uint64_t generation)
{
	p->written = generation;
	counter_set(p->options.ready, COUNTER_snapshot_generation, generation);
	ingest_announce(p->options.ingest, generation);
}

static int write_snapshot(struct publisher *p, struct publish_round *round)
{
	if (round->g == p->written && !publish_file_is_lost(p->file))
		return 0;
	int r = publish_file_append(p->file, p->reader, round->records, round->g);
	if (r < 0)
		(void)fault_set(&round->fault, FAULT_INTERNAL, "%s: %s", p->options.snapshot,
				g_strerror(-r));
	else
		announce(p, round->g);
	return r;
}

static int forget(struct sql_conn *txn, void *ctx)
{
	const struct publisher *p = ctx;
	return change_forget(txn, (int64_t)p->written);
}

static void forget_if_many(struct publisher *p)
{
	if ((int64_t)p->written - p->forgotten < FORGET_EACH)
		return;
	if (store_write(p->options.store, forget, p) == 0)
		p->forgotten = (int64_t)p->written;
}

/* The brokers first: whoever is to be cut off is cut off though the log cannot take anything (S16).
 * A base that came to nothing has been told of and harms nobody. */
static int publish_round(struct publisher *p, struct publish_round *round)
{
	(void)publish_file_turn(p->file);
	int r = publish_round_look(round);
	if (r == 0)
		r = write_snapshot(p, round);
	if (r == 0)
		r = append(p, round);
	return r;
}

static void tell(struct publisher *p, const struct publish_round *round, int r)
{
	struct ready *ready = p->options.ready;
	if (r == 0) {
		ready_good(ready, READY_PUBLISH);
		return;
	}
	const char *why = round->fault.message[0] ? round->fault.message : g_strerror(-r);
	log_error("publish", "generation %llu: %s", (unsigned long long)round->g, why);
	ready_bad(ready, READY_PUBLISH, "changes wait: %s", why);
}

static int run_round(struct publisher *p)
{
	struct publish_round round = {
		.reader = p->reader,
		.now_ms = clock_now_ms(p->options.clock),
		.logged = p->logged,
		.written = p->written,
		.is_fresh = p->is_fresh,
	};
	publish_round_init(&round);
	int r = publish_round(p, &round);
	tell(p, &round, r);
	if (r == 0)
		forget_if_many(p);
	publish_round_clear(&round);
	return r;
}

/* ---- Rounds and their callers ---- */

static void lead_round(struct publisher *p)
{
	uint64_t covers = p->asked;
	p->is_running = true;
	CHECK(pthread_mutex_unlock(&p->lock) == 0);
	int r = run_round(p);
	CHECK(pthread_mutex_lock(&p->lock) == 0);
	p->is_running = false;
	p->answered = covers;
	p->result = r;
	CHECK(pthread_cond_broadcast(&p->done) == 0);
}

int publisher_publish(void *publisher)
{
	struct publisher *p = publisher;
	CHECK(pthread_mutex_lock(&p->lock) == 0);
	uint64_t ticket = ++p->asked;
	while (p->answered < ticket) {
		if (p->is_running)
			CHECK(pthread_cond_wait(&p->done, &p->lock) == 0);
		else
			lead_round(p);
	}
	int r = p->result;
	CHECK(pthread_mutex_unlock(&p->lock) == 0);
	return r;
}

/* A plugin that refuses a damaged part, or lost its place in the file, waits for a new one. */
static void help(struct publisher *p, uint64_t applied, int64_t behind_ms)
{
	struct watch *w = &p->watch;
	ready_bad(p->options.ready, READY_SNAPSHOT,
		  "a broker obeys generation %llu, it was told of %llu %lld s ago; a new snapshot "
		  "is made for it; see the broker's log",
		  (unsigned long long)applied, (unsigned long long)w->awaited,
		  (long long)behind_ms / 1000);
	if (behind_ms < w->pause_ms)
		return;
	publish_file_want_base(p->file);
	w->pause_ms = MIN(2 * behind_ms, behind_ms + AGAIN_MS);
}

static void watch_brokers(struct publisher *p)
{
	struct watch *w = &p->watch;
	int64_t now_ms = g_get_monotonic_time() / 1000;
	uint64_t applied = ingest_applied(p->options.ingest);
	if (applied >= w->awaited) {
		*w = (struct watch){p->written, now_ms, BEHIND_MS};
		ready_good(p->options.ready, READY_SNAPSHOT);
	}
	int64_t behind_ms = applied < w->awaited ? now_ms - w->since_ms : 0;
	counter_set(p->options.ready, COUNTER_snapshot_behind_seconds, (uint64_t)behind_ms / 1000);
	if (behind_ms >= BEHIND_MS)
		help(p, applied, behind_ms);
}

/* What failed is done again without anybody asking: changes are in force at last when the disk has
 * room again. Likewise what is due of the file. */
static gboolean retry(gpointer ctx)
{
	struct publisher *p = ctx;
	CHECK(pthread_mutex_lock(&p->lock) == 0);
	if (!p->is_running)
		watch_brokers(p);
	bool is_due = !p->is_running && (p->result < 0 || publish_file_is_due(p->file));
	CHECK(pthread_mutex_unlock(&p->lock) == 0);
	if (is_due)
		(void)publisher_publish(p);
	return G_SOURCE_CONTINUE;
}

/* ---- Life ---- */

/* The file may be gone, damaged, or made under other settings: every start writes it anew, as a new
 * generation. */
static int add_start(struct sql_conn *txn, void *ctx)
{
	(void)ctx;
	return change_add(txn, CHANGE_SETTINGS, "", NULL);
}

static int write_first(struct publisher *p)
{
	int64_t newest;
	int r = change_newest(p->reader, &newest);
	if (r == 0)
		r = publish_file_write(p->file, p->reader, (uint64_t)newest);
	if (r == 0)
		announce(p, (uint64_t)newest);
	return r;
}

static int catch_up(struct publisher *p, struct fault *fault)
{
	const struct publisher_options *o = &p->options;
	uint64_t on_disk = snapshot_generation(o->snapshot);
	int r = plog_last_frame(o->store, o->part, PRODUCER, &p->logged);
	if (r == 0)
		r = store_write(o->store, add_start, NULL);
	if (r == 0)
		r = write_first(p);
	if (r == 0 || r == -ENOSPC)
		r = p->result = run_round(p);
	if (r < 0 && r != -ENOSPC) /* what serves on a full disk begins on one, too */
		return fault_set(fault, FAULT_INTERNAL, "publishing the registry: %s",
				 g_strerror(-r));
	if (r == 0 && on_disk >= p->written)
		log_error("publish",
			  "the snapshot had generation %llu, the store is at %llu: it was put back "
			  "to an older "
			  "state; restart the broker, so that it takes the older generation",
			  (unsigned long long)on_disk, (unsigned long long)p->written);
	return 0;
}

static struct publish_file *file_of(const struct publisher_options *o)
{
	struct publish_file_options options = {
		.store = o->store,
		.settings = o->settings,
		.path = o->snapshot,
		.mode = o->mode,
		.gid = o->gid,
		.delta_bytes = o->delta_bytes,
	};
	return publish_file_new(&options);
}

int publisher_new(const struct publisher_options *options, bool is_fresh, struct publisher **ret,
		  struct fault *fault)
{
	struct publisher *p = g_new0(struct publisher, 1);
	p->options = *options;
	p->is_fresh = is_fresh;
	p->file = file_of(options);
	CHECK(pthread_mutex_init(&p->lock, NULL) == 0 && pthread_cond_init(&p->done, NULL) == 0);
	p->reader = store_reader_open(options->store, fault);
	if (!p->reader || catch_up(p, fault) < 0) {
		publisher_free(p);
		return -1;
	}
	p->retry = g_timeout_add_seconds(RETRY_S, retry, p);
	*ret = p;
	return 0;
}

void publisher_free(struct publisher *p)
{
	if (!p)
		return;
	if (p->retry)
		(void)g_source_remove(p->retry);
	publish_file_free(p->file);
	if (p->reader)
		store_reader_close(p->reader);
	(void)pthread_cond_destroy(&p->done);
	(void)pthread_mutex_destroy(&p->lock);
	g_free(p);
}

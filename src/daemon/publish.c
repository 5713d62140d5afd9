#include "daemon/publish.h"

#include "base/check.h"
#include "base/log.h"
#include "daemon/snapshot_build.h"
#include "registry/profile.h"
#include "registry/walk.h"
#include "store/change.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#define PRODUCER    "change"
#define FORGET_EACH 1024 /* change rows kept before they are deleted */
#define RETRY_S     5    /* after a round that failed */

struct publisher {
	struct publisher_options options;
	struct sql_conn *reader;
	uint64_t logged;   /* generation that the log has */
	uint64_t written;  /* generation of the snapshot file */
	int64_t forgotten; /* change rows up to here are deleted */
	bool is_fresh;     /* the log is to get everything, not the changes alone */
	guint retry;       /* of the main loop */

	pthread_mutex_t lock; /* of what follows: rounds */
	pthread_cond_t done;
	bool is_running;
	uint64_t asked;    /* tickets given */
	uint64_t answered; /* tickets that the last round covered */
	int result;        /* of the last round */
};

/* One round's work. */
struct round {
	struct publisher *p;
	int64_t now_ms;
	uint64_t g;          /* newest generation of the view */
	GArray *entries;     /* of struct plog_entry */
	GArray *ends;        /* of size_t, by frame */
	GPtrArray *bodies;   /* of GByteArray */
	GHashTable *written; /* keys whose entry is there already */
	struct snapshot_builder *builder;
	struct fault fault;
};

/* ---- Entries ---- */

/* Takes the body. */
static void add_entry(struct round *round, enum entry_kind kind, GByteArray *body)
{
	struct plog_entry entry = {
		.at_ms = round->now_ms,
		.kind = (uint8_t)kind,
		.body = {(const char *)body->data, body->len}
        };
	g_ptr_array_add(round->bodies, body);
	(void)g_array_append_val(round->entries, entry);
}

static int add_config(struct round *round, const char *key)
{
	(void)key;
	if (!g_hash_table_add(round->written, g_strdup("config")))
		return 0;
	GByteArray *body = g_byte_array_new();
	int r = profile_config_build(round->p->reader, body, &round->fault);
	add_entry(round, ENTRY_CONFIG, body);
	return r;
}

static void write_thing(struct round *round, const char *name, bool is_registered,
			const uint64_t *groups, size_t n)
{
	GByteArray *body = g_byte_array_new();
	g_byte_array_set_size(body, (guint)(strlen(name) + 8 * n + 64));
	struct writer w = writer_of(body->data, body->len);
	entry_write_thing(&w, view_of(name), is_registered, groups, (uint32_t)n);
	CHECK(!w.full);
	g_byte_array_set_size(body, (guint)w.len);
	add_entry(round, ENTRY_THING, body);
}

static int add_thing(struct round *round, const char *name)
{
	g_autofree uint64_t *groups = NULL;
	size_t n;
	bool is_registered;
	if (!g_hash_table_add(round->written, g_strconcat("thing ", name, NULL)))
		return 0;
	int r = registry_thing_groups(round->p->reader, name, &groups, &n, &is_registered);
	if (r == 0)
		write_thing(round, name, is_registered, groups, MIN(n, ENTRY_GROUPS_MAX));
	return r;
}

static int add_walked(const struct walk_thing *thing, void *ctx)
{
	struct round *round = ctx;
	(void)g_hash_table_add(round->written, g_strconcat("thing ", thing->name, NULL));
	write_thing(round, thing->name, true, thing->groups,
		    MIN(thing->n_groups, ENTRY_GROUPS_MAX));
	return 0;
}

/* What each kind of change tells the log; those that only the snapshot knows tell nothing. */
static int (*const add_change[])(struct round *round, const char *key) = {
	[CHANGE_CONFIG] = add_config,
	[CHANGE_THING] = add_thing,
	[CHANGE_SETTINGS] = NULL,
};

static int take_change(const struct change *change, void *ctx)
{
	struct round *round = ctx;
	int r = 0;
	if ((size_t)change->kind < ARRAY_LEN(add_change) && add_change[change->kind])
		r = add_change[change->kind](round, change->key);
	size_t end = round->entries->len;
	(void)g_array_append_val(round->ends, end);
	return r;
}

/* ---- A round ---- */

static int look(struct round *round)
{
	struct publisher *p = round->p;
	int64_t newest;
	int r = change_newest(p->reader, &newest);
	if (r == 0 && p->is_fresh) {
		r = add_config(round, "");
		if (r == 0)
			r = registry_each_thing(p->reader, add_walked, round);
	}
	if (r == 0)
		r = change_each(p->reader, (int64_t)p->logged, take_change, round);
	if (r < 0)
		return r;
	round->g = (uint64_t)newest;
	if (round->g < p->logged || round->ends->len != round->g - p->logged) {
		(void)fault_set(
			&round->fault, FAULT_INTERNAL,
			"the log has changes up to %llu, the store %u from there to %llu: the two "
			"databases are not of one daemon",
			(unsigned long long)p->logged, round->ends->len,
			(unsigned long long)round->g);
		return -EBADMSG;
	}
	return snapshot_build(p->reader, p->options.settings, &round->builder);
}

static int look_in_one_view(struct round *round)
{
	int r = store_read_begin(round->p->reader);
	if (r == 0) {
		r = look(round);
		store_read_end(round->p->reader);
	}
	return r;
}

static int append(struct round *round)
{
	struct publisher *p = round->p;
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

static int write_base(const struct round *round)
{
	const struct publisher_options *o = &round->p->options;
	return snapshot_write(o->snapshot, round->builder, round->g, o->mode, o->gid);
}

static int write_snapshot(struct round *round)
{
	struct publisher *p = round->p;
	const struct publisher_options *o = &p->options;
	if (round->g == p->written)
		return 0;
	int r = write_base(round);
	if (r == -ENOSPC && store_make_room(o->store))
		r = write_base(round);
	if (r < 0) {
		(void)fault_set(&round->fault, FAULT_INTERNAL, "%s: %s", o->snapshot,
				g_strerror(-r));
		return r;
	}
	p->written = round->g;
	counter_set(o->ready, COUNTER_snapshot_generation, round->g);
	ingest_announce(o->ingest, round->g);
	return 0;
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
 */
static int publish_round(struct round *round)
{
	int r = look_in_one_view(round);
	if (r == 0)
		r = write_snapshot(round);
	if (r == 0)
		r = append(round);
	return r;
}

static void tell(struct round *round, int r)
{
	struct ready *ready = round->p->options.ready;
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
	struct round round = {
		.p = p,
		.now_ms = clock_now_ms(p->options.clock),
		.entries = g_array_new(FALSE, FALSE, sizeof(struct plog_entry)),
		.ends = g_array_new(FALSE, FALSE, sizeof(size_t)),
		.bodies = g_ptr_array_new_with_free_func((GDestroyNotify)g_byte_array_unref),
		.written = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
	};
	int r = publish_round(&round);
	tell(&round, r);
	if (r == 0)
		forget_if_many(p);
	snapshot_builder_free(round.builder);
	(void)g_array_free(round.entries, TRUE);
	(void)g_array_free(round.ends, TRUE);
	g_ptr_array_free(round.bodies, TRUE);
	g_hash_table_destroy(round.written);
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

/* What failed is done again without anybody asking: changes are in force at last when the disk has
 * room again. */
static gboolean retry(gpointer ctx)
{
	struct publisher *p = ctx;
	CHECK(pthread_mutex_lock(&p->lock) == 0);
	bool has_failed = p->result < 0 && !p->is_running;
	CHECK(pthread_mutex_unlock(&p->lock) == 0);
	if (has_failed)
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

static int catch_up(struct publisher *p, struct fault *fault)
{
	const struct publisher_options *o = &p->options;
	uint64_t on_disk = snapshot_generation(o->snapshot);
	int r = plog_last_frame(o->store, o->part, PRODUCER, &p->logged);
	if (r == 0)
		r = store_write(o->store, add_start, NULL);
	if (r == 0)
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

int publisher_new(const struct publisher_options *options, bool is_fresh, struct publisher **ret,
		  struct fault *fault)
{
	struct publisher *p = g_new0(struct publisher, 1);
	p->options = *options;
	p->is_fresh = is_fresh;
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
	if (p->reader)
		store_reader_close(p->reader);
	(void)pthread_cond_destroy(&p->done);
	(void)pthread_mutex_destroy(&p->lock);
	g_free(p);
}

#include "daemon/ingest.h"

#include "base/check.h"
#include "base/log.h"
#include "broker/doorbell.h"
#include "daemon/fatal.h"
#include "daemon/intake.h"
#include "daemon/marks.h"
#include "ledger/ledger.h"
#include "store/plog.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

#define FRAMES_A_TURN 256
#define BROKERS_MAX   256   /* ids remembered; more are refused (S12) */
#define POLL_MS       200   /* while somebody is waited for */
#define STALLED_MS    1000  /* between two tries of a full disk */
#define LEARN_ENTRIES 20000 /* at the log's end, whose report ids are remembered after a start */

struct request;
typedef void request_fn(struct ingest *g, struct request *r);

/* What another thread wants. It waits on `done`, or gave the request away (is_free). */
struct request {
	struct queue_item item;
	request_fn *run;
	const struct plog_batch *batch;
	uint64_t number;
	bool is_free;
	int result;
	uint64_t head;
	sem_t done;
};

struct ingest {
	struct ingest_options options;
	struct channel *channel;
	struct doorbell *doorbell;
	char token[FRAME_TOKEN + 1];
	GHashTable *brokers; /* id -> struct broker */
	struct admission *admission;
	struct marks *marks;
	struct queue *requests;
	pthread_t thread;
	bool has_thread, is_stopping;

	/* The turn. */
	struct intake in;  /* pages NULL: nothing taken yet */
	struct lot hellos; /* of plugins: they stand before what was sent after them; no producer */
	struct lot own;    /* marks and brokers given up: no producer */
	GArray *lots;      /* of struct lot: appended for others */
	GPtrArray *appends; /* their requests */
	bool is_full;       /* the last append found no room */
	bool is_stalled;    /* and what the brokers sent waits for it */
	bool is_ring_due;
	uint64_t head;                 /* of the log */
	atomic_uint_least64_t applied; /* by every connected plugin */

	/* What somebody waits for. */
	uint64_t flush;      /* last one sent */
	int64_t flush_until; /* real time, ms */
	struct request *settling;
};

static int64_t real_ms(void)
{
	return g_get_monotonic_time() / 1000;
}

/* ---- Brokers ---- */

static struct broker *broker_named(struct ingest *g, const char *id)
{
	struct broker *b = g_hash_table_lookup(g->brokers, id);
	if (b || g_hash_table_size(g->brokers) >= BROKERS_MAX)
		return b;
	b = broker_new(id);
	(void)g_hash_table_insert(g->brokers, b->id, b);
	return b;
}

static void tell_brokers(struct ingest *g)
{
	GHashTableIter iter;
	gpointer value;
	uint64_t n = 0;
	g_hash_table_iter_init(&iter, g->brokers);
	while (g_hash_table_iter_next(&iter, NULL, &value))
		n += ((struct broker *)value)->peer != NULL;
	counter_set(g->options.ready, COUNTER_brokers_connected, n);
	if (n)
		ready_good(g->options.ready, READY_BROKER);
	else
		ready_bad(g->options.ready, READY_BROKER,
			  "no plugin is connected; is mosquitto running with the data directory's "
			  "mosquitto.conf?");
}

/* Acknowledged frames are not in the log; to take later ones would hide that. */
static int refuse_gap(struct ingest *g, const struct broker *b, uint64_t first, uint64_t last)
{
	g_autofree char *why = g_strdup_printf(
		"broker %s keeps frames from %llu on, the log has them up to %llu: the store is "
		"not the one it knew; restart the broker",
		b->id, (unsigned long long)first, (unsigned long long)last);
	log_error("ingest", "%s", why);
	ready_bad(g->options.ready, READY_BROKER, "%s", why);
	return -1;
}

static void log_hello(struct ingest *g, const struct broker *b, const struct frame_hello *hello)
{
	size_t cap = sizeof(b->producer) + 32;
	struct writer w = writer_of(pages_take(g->in.pages, cap), cap);
	const struct entry_hello entry = {view_of(b->id), hello->instance, hello->generation};
	entry_write_hello(&w, &entry);
	CHECK(!w.full);
	lot_add(&g->hellos, ENTRY_HELLO, g->in.now_ms, (struct view){(const char *)w.buf, w.len},
		NULL);
}

static int on_hello(void *ctx, struct channel_peer *peer, const struct frame_hello *hello,
		    struct frame_welcome *welcome)
{
	struct ingest *g = ctx;
	struct broker *b = broker_named(g, channel_broker(peer));
	if (!b || lot_has_news(&b->lot))
		return -1; /* it connects again when this turn is done */
	g_autofree char *producer = g_strdup_printf("%s/%s", b->id, channel_instance(peer));
	uint64_t last;
	int r = plog_last_frame(g->options.store, g->options.part, producer, &last);
	if (r < 0)
		fatal("ingest", "last frame of %s: %s", producer, g_strerror(-r));
	if (hello->first_frame > last + 1)
		return refuse_gap(g, b, hello->first_frame, last);
	broker_attach(b, peer, last);
	b->applied = hello->generation;
	b->heard_ms = g->in.now_ms;
	log_hello(g, b, hello);
	/* What it keeps it has no answers for: all of that is to come again, durable or not. */
	welcome->last_frame = hello->first_frame ? hello->first_frame - 1 : 0;
	welcome->generation = g->options.generation;
	welcome->now_ms = b->heard_ms;
	welcome->is_clock_manual = clock_is_manual(g->options.clock);
	welcome->token = (struct view){g->token, FRAME_TOKEN};
	g->is_ring_due = true;
	log_info("ingest", "broker %s is there (generation %llu)", b->id,
		 (unsigned long long)hello->generation);
	tell_brokers(g);
	return 0;
}

static int on_frame(void *ctx, struct channel_peer *peer, uint64_t number, struct reader body)
{
	struct ingest *g = ctx;
	return intake_frame(&g->in, channel_owned(peer), number, body);
}

static void on_gone(void *ctx, struct channel_peer *peer)
{
	struct ingest *g = ctx;
	struct broker *b = channel_owned(peer);
	b->peer = NULL;
	log_warning("ingest", "broker %s is gone", b->id);
	tell_brokers(g);
}

static void on_drained(void *ctx, struct channel_peer *peer)
{
	struct ingest *g = ctx;
	(void)peer;
	g->is_ring_due = true;
}

static void send_all(struct ingest *g, enum frame_item_kind kind, uint64_t number)
{
	GHashTableIter iter;
	gpointer value;
	g_hash_table_iter_init(&iter, g->brokers);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		struct broker *b = value;
		if (!b->peer)
			continue;
		broker_send_number(b, kind, number);
		g->is_ring_due = true;
	}
}

static void ring_if_due(struct ingest *g)
{
	if (g->is_ring_due)
		doorbell_ring(g->doorbell, real_ms());
	g->is_ring_due = false;
}

/* ---- Requests ---- */

static void finish(struct request *r, int result)
{
	r->result = result;
	if (r->is_free)
		g_free(r);
	else
		CHECK(sem_post(&r->done) == 0);
}

static void run_append(struct ingest *g, struct request *r)
{
	const struct plog_batch *b = r->batch;
	struct lot lot;
	size_t i = 0;
	lot_init(&lot, b->producer);
	for (uint64_t frame = b->first_frame; frame <= b->last_frame; frame++) {
		size_t end = b->frame_ends ? b->frame_ends[frame - b->first_frame] : b->n_entries;
		for (; i < end; i++)
			lot_add(&lot, (enum entry_kind)b->entries[i].kind, b->entries[i].at_ms,
				pages_copy(g->in.pages, b->entries[i].body), NULL);
		lot_end_frame(&lot, frame);
	}
	(void)g_array_append_val(g->lots, lot);
	g_ptr_array_add(g->appends, r);
}

static void run_announce(struct ingest *g, struct request *r)
{
	g->options.generation = r->number;
	send_all(g, ITEM_GENERATION, r->number);
	ring_if_due(g);
	finish(r, 0);
}

static void run_tell_time(struct ingest *g, struct request *r)
{
	send_all(g, ITEM_TIME, (uint64_t)clock_now_ms(g->options.clock));
	finish(r, 0);
}

static void run_mark(struct ingest *g, struct request *r)
{
	marks_ask(g->marks, (int64_t)r->number);
	finish(r, 0);
}

static void run_settle(struct ingest *g, struct request *r)
{
	CHECK(!g->settling);
	g->settling = r;
	g->flush_until = real_ms() + INGEST_FLUSH_MS;
	send_all(g, ITEM_TIME, (uint64_t)clock_now_ms(g->options.clock));
	send_all(g, ITEM_FLUSH, ++g->flush);
}

static void run_stop(struct ingest *g, struct request *r)
{
	g->is_stopping = true;
	finish(r, 0);
}

static void take_requests(struct ingest *g)
{
	struct queue_item *next;
	for (struct queue_item *item = queue_take(g->requests); item; item = next) {
		struct request *r = (struct request *)item;
		next = item->next;
		r->run(g, r);
	}
}

/* ---- The turn ---- */

static void begin_turn(struct ingest *g)
{
	if (!g->in.pages)
		g->in.pages = pages_new();
	if (!g->is_stalled)
		g->in.now_ms = clock_now_ms(g->options.clock);
}

/* Every lot of the turn with something in it, in a fixed order. */
static GPtrArray *lots_with_news(struct ingest *g)
{
	GPtrArray *all = g_ptr_array_new();
	GHashTableIter iter;
	gpointer value;
	if (lot_has_news(&g->hellos))
		g_ptr_array_add(all, &g->hellos);
	g_hash_table_iter_init(&iter, g->brokers);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		struct broker *b = value;
		if (lot_has_news(&b->lot))
			g_ptr_array_add(all, &b->lot);
	}
	for (guint i = 0; i < g->lots->len; i++)
		g_ptr_array_add(all, &g_array_index(g->lots, struct lot, i));
	if (lot_has_news(&g->own))
		g_ptr_array_add(all, &g->own);
	return all;
}

/* Ends the appends of others. */
static void finish_appends(struct ingest *g, int result)
{
	for (guint i = 0; i < g->lots->len; i++)
		lot_clear(&g_array_index(g->lots, struct lot, i));
	(void)g_array_set_size(g->lots, 0);
	for (guint i = 0; i < g->appends->len; i++)
		finish(g_ptr_array_index(g->appends, i), result);
	(void)g_ptr_array_set_size(g->appends, 0);
}

static void tell_full(struct ingest *g)
{
	if (!g->is_full)
		log_error("ingest",
			  "the disk is full: ingest waits; make room in the data directory");
	g->is_full = true;
	ready_bad(g->options.ready, READY_STORE,
		  "the disk is full: ingest waits until there is room");
}

static void tell_room(struct ingest *g)
{
	if (g->is_full)
		log_notice("ingest", "there is room on the disk again: ingest goes on");
	g->is_full = false;
	ready_good(g->options.ready, READY_STORE);
}

static void hand_over(struct ingest *g, const GPtrArray *lots, const struct plog_batch *batches)
{
	struct batch *batch = batch_new();
	pages_free(batch->pages);
	batch->pages = g_steal_pointer(&g->in.pages);
	for (guint i = 0; i < lots->len; i++)
		lot_hand_over(g_ptr_array_index(lots, i), &batches[i], batch);
	guint n = batch->entries->len;
	if (n)
		g->head = g_array_index(batch->entries, struct detect_entry, n - 1).seq;
	counter_add(g->options.ready, COUNTER_entries_appended, n);
	counter_set(g->options.ready, COUNTER_log_head, g->head);
	counter_set(g->options.ready, COUNTER_admission_evicted, admission_evicted(g->admission));
	evaluator_push(g->options.evaluator, batch);
}

static void empty_lots(struct ingest *g, const GPtrArray *lots)
{
	for (guint i = 0; i < lots->len; i++)
		lot_empty(g_ptr_array_index(lots, i));
	finish_appends(g, 0);
}

static void answer_all(struct ingest *g)
{
	GHashTableIter iter;
	gpointer value;
	g_hash_table_iter_init(&iter, g->brokers);
	while (g_hash_table_iter_next(&iter, NULL, &value))
		g->is_ring_due |= broker_answer(value);
}

/* A turn that appended nothing. */
static void end_empty_turn(struct ingest *g)
{
	answer_all(g);
	ring_if_due(g);
	pages_free(g_steal_pointer(&g->in.pages));
}

/* The disk is full. Others are told so at once: a change that must reach the brokers does not queue
 * behind one that the log cannot take (S16). What the brokers sent waits; false when it does. */
static bool stall(struct ingest *g)
{
	tell_full(g);
	finish_appends(g, -ENOSPC);
	g_autoptr(GPtrArray) left = lots_with_news(g);
	g->is_stalled = left->len > 0;
	if (!g->is_stalled)
		end_empty_turn(g);
	return !g->is_stalled;
}

/* Makes the turn durable, answers, hands over. False: the disk is full and the turn stays as it is.
 */
static bool end_turn(struct ingest *g)
{
	g_autoptr(GPtrArray) lots = lots_with_news(g);
	g_autofree struct plog_batch *batches = g_new0(struct plog_batch, lots->len + 1);
	for (guint i = 0; i < lots->len; i++)
		batches[i] = lot_batch(g_ptr_array_index(lots, i));
	int r = lots->len ? plog_append(g->options.store, g->options.part, batches, lots->len) : 0;
	if (r == -ENOSPC)
		return stall(g);
	if (r < 0)
		fatal("ingest", "appending to the log: %s", g_strerror(-r));
	g->is_stalled = false;
	if (!lots->len) {
		end_empty_turn(g);
		return true;
	}
	tell_room(g);
	answer_all(g);
	ring_if_due(g);
	hand_over(g, lots, batches);
	empty_lots(g, lots);
	return true;
}

/* ---- Waiting ---- */

static bool are_flushed(struct ingest *g)
{
	GHashTableIter iter;
	gpointer value;
	if (real_ms() >= g->flush_until)
		return true;
	g_hash_table_iter_init(&iter, g->brokers);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		const struct broker *b = value;
		if (b->peer && b->flushed < g->flush)
			return false;
	}
	return true;
}

static void settle_if_done(struct ingest *g)
{
	struct request *r = g->settling;
	if (!r || !are_flushed(g) || marks_are_pending(g->marks))
		return;
	g->settling = NULL;
	r->head = g->head;
	finish(r, 0);
}

static void add_marks(struct ingest *g)
{
	bool is_flushed = g->settling && are_flushed(g);
	marks_add(g->marks, g->in.now_ms, is_flushed ? g->flush : 0, g->in.pages, &g->own);
}

static void note_applied(struct ingest *g)
{
	GHashTableIter iter;
	gpointer value;
	uint64_t applied = UINT64_MAX;
	g_hash_table_iter_init(&iter, g->brokers);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		const struct broker *b = value;
		if (b->peer)
			applied = MIN(applied, b->applied);
	}
	atomic_store(&g->applied, applied);
}

uint64_t ingest_applied(struct ingest *g)
{
	return atomic_load(&g->applied);
}

static int wait_ms(const struct ingest *g)
{
	if (g->is_stalled)
		return STALLED_MS;
	return g->settling || marks_are_pending(g->marks) ? POLL_MS : -1;
}

static void wait_for_news(struct ingest *g)
{
	struct pollfd fds[] = {
		{.fd = queue_fd(g->requests),  .events = POLLIN},
		{.fd = channel_fd(g->channel), .events = POLLIN},
	};
	(void)poll(fds, g->is_stalled ? 1 : 2, wait_ms(g));
}

static void *run(void *ctx)
{
	struct ingest *g = ctx;
	while (!g->is_stopping) {
		wait_for_news(g);
		begin_turn(g);
		take_requests(g);
		if (!g->is_stalled) {
			(void)channel_turn(g->channel, FRAMES_A_TURN);
			note_applied(g);
			add_marks(g);
		}
		if (end_turn(g))
			settle_if_done(g);
	}
	return NULL;
}

/* ---- Life ---- */

static void learn_device(struct view thing, uint64_t report_id, int64_t at_ms, void *ctx)
{
	struct ingest *g = ctx;
	if (report_id)
		admission_learn(g->admission, thing, report_id, at_ms);
}

struct learning {
	struct ingest *ingest;
	struct pages *pages; /* nothing in it is kept: every report is decoded in the same place */
};

/* Reports at the end of the log: frames that were durable and not answered hold some of them. */
static int learn_entry(const struct plog_entry *entry, void *ctx)
{
	const struct learning *l = ctx;
	struct entry_report e;
	struct report report;
	struct report_refusal why;
	if (entry->kind != ENTRY_REPORT || entry_read_report(entry->body, &e) < 0)
		return 0;
	struct report_arena arena = pages_arena(l->pages);
	if (report_read(e.format, e.payload.p, e.payload.n, &arena, &report, &why) == 0)
		admission_learn(l->ingest->admission, e.thing, report.report_id, entry->at_ms);
	return 0;
}

/* Brokers of the time before: they have as long to come back as one that was just heard, so that a
 * mark does not pass their counters by. */
static void learn_broker(const char *id, int64_t cut_ms, uint64_t generation, void *ctx)
{
	struct ingest *g = ctx;
	struct broker *b = broker_named(g, id);
	if (!b)
		return;
	b->cut_ms = cut_ms;
	broker_tell_generation(b, g->options.ready, generation);
	b->heard_ms = clock_now_ms(g->options.clock);
}

static int learn_brokers(struct ingest *g, struct fault *fault)
{
	struct sql_conn *reader = store_reader_open(g->options.store, fault);
	if (!reader)
		return -1;
	int r = ledger_each_broker(reader, learn_broker, g);
	if (r < 0)
		(void)fault_set(fault, FAULT_INTERNAL, "reading the brokers: %s",
				sql_error(reader));
	store_reader_close(reader);
	return r < 0 ? -1 : 0;
}

static int learn(struct ingest *g)
{
	const struct ingest_options *o = &g->options;
	struct learning l = {g, pages_new()};
	int r = plog_head(o->store, o->part, &g->head);
	uint64_t from = g->head > LEARN_ENTRIES ? g->head - LEARN_ENTRIES : 1;
	evaluator_each_device(o->evaluator, learn_device, g);
	if (r == 0)
		r = plog_read(o->store, o->part, from, learn_entry, &l);
	pages_free(l.pages);
	counter_set(o->ready, COUNTER_log_head, g->head);
	return r == -ENODATA ? 0 : r; /* shortened meanwhile: the state knows the last ones */
}

static struct ingest *ingest_alloc(const struct ingest_options *options)
{
	struct ingest *g = g_new0(struct ingest, 1);
	g->options = *options;
	g->options.channel.events =
		(struct channel_events){on_hello, on_frame, on_gone, on_drained, g};
	id_hex(options->chance, g->token);
	options->chance.fill(options->chance.ctx, &g->options.limits.seed,
			     sizeof(g->options.limits.seed));
	g->admission = admission_new(&g->options.limits);
	g->brokers = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, broker_free);
	g->marks = marks_new(g->brokers);
	g->doorbell = doorbell_new(options->doorbell, g->token);
	g->lots = g_array_new(FALSE, FALSE, sizeof(struct lot));
	g->appends = g_ptr_array_new();
	lot_init(&g->hellos, NULL);
	lot_init(&g->own, NULL);
	g->in = (struct intake){.admission = g->admission, .ready = options->ready};
	g->requests = queue_new();
	CHECK(g->requests);
	return g;
}

int ingest_new(const struct ingest_options *options, struct ingest **ret, struct fault *fault)
{
	struct ingest *g = ingest_alloc(options);
	int r = learn(g);
	if (r < 0)
		(void)fault_set(fault, FAULT_INTERNAL, "reading the log: %s", g_strerror(-r));
	else
		r = learn_brokers(g, fault);
	if (r == 0)
		r = channel_new(&g->options.channel, &g->channel, fault);
	if (r == 0) {
		tell_brokers(g);
		ready_good(options->ready, READY_STORE);
		CHECK(pthread_create(&g->thread, NULL, run, g) == 0);
		g->has_thread = true;
		*ret = g;
		return 0;
	}
	ingest_free(g);
	return -1;
}

static void give(struct ingest *g, struct request *r)
{
	CHECK(sem_init(&r->done, 0, 0) == 0);
	queue_push(g->requests, &r->item);
}

/* Gives a request and waits for it. */
static int ask(struct ingest *g, struct request *r)
{
	give(g, r);
	while (sem_wait(&r->done) < 0)
		CHECK(errno == EINTR);
	(void)sem_destroy(&r->done);
	return r->result;
}

/* Gives a request away. */
static void tell(struct ingest *g, request_fn *fn, uint64_t number)
{
	struct request *r = g_new0(struct request, 1);
	r->run = fn;
	r->number = number;
	r->is_free = true;
	give(g, r);
}

void ingest_free(struct ingest *g)
{
	if (!g)
		return;
	if (g->has_thread) {
		struct request stop = {.run = run_stop};
		(void)ask(g, &stop);
		CHECK(pthread_join(g->thread, NULL) == 0);
	}
	channel_free(g->channel);
	doorbell_free(g->doorbell);
	g_hash_table_destroy(g->brokers);
	marks_free(g->marks);
	admission_free(g->admission);
	for (guint i = 0; i < g->lots->len; i++)
		lot_clear(&g_array_index(g->lots, struct lot, i));
	(void)g_array_free(g->lots, TRUE);
	g_ptr_array_free(g->appends, TRUE);
	lot_clear(&g->hellos);
	lot_clear(&g->own);
	pages_free(g->in.pages);
	queue_free(g->requests);
	g_free(g);
}

int ingest_append(struct ingest *g, const struct plog_batch *batch)
{
	struct request r = {.run = run_append, .batch = batch};
	return ask(g, &r);
}

void ingest_announce(struct ingest *g, uint64_t generation)
{
	struct request r = {.run = run_announce, .number = generation};
	(void)ask(g, &r);
}

void ingest_tell_time(struct ingest *g)
{
	tell(g, run_tell_time, 0);
}

void ingest_mark(struct ingest *g, int64_t t_ms)
{
	tell(g, run_mark, (uint64_t)t_ms);
}

uint64_t ingest_settle(struct ingest *g)
{
	struct request r = {.run = run_settle};
	(void)ask(g, &r);
	return r.head;
}

/* The ledger on both databases: sessions come and go, refusals are summed within their bounds, and
 * whatever is taken again after a crash between two commits counts once. */
#include "backend.h"

#include "base/compiler.h"
#include "event_kit.h"
#include "ledger/denied.h"
#include "ledger/ledger.h"
#include "registry/clone_case.h"
#include "store/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define HOUR_MS (3600 * INT64_C(1000))
#define BODY    4096

struct fixture {
	struct store *store;
	struct sql_conn *reader;
	struct ledger *ledger;
	struct ledger_limits limits;
	GArray *entries; /* that wait to be taken */
	GStringChunk *bodies;
	int64_t now_ms;
	uint64_t seq;
};

static struct backend *backend;

static int group_start(void **state)
{
	(void)state;
	backend = backend_start();
	return 0;
}

static int group_stop(void **state)
{
	(void)state;
	backend_stop(backend);
	return 0;
}

static void open_ledger(struct fixture *f)
{
	ledger_free(f->ledger);
	assert_int_equal(ledger_new(&f->limits, f->reader, &f->ledger), 0);
}

static int start(void **state, enum backend_kind kind)
{
	struct fixture *f = g_new0(struct fixture, 1);
	struct fault fault = {0};
	g_autofree char *url = backend_url(backend, kind);
	const struct store_options options = {.url = url, .partitions = 1};
	if (store_open(&options, &f->store, &fault) < 0)
		fail_msg("%s", fault.message);
	f->reader = store_reader_open(f->store, &fault);
	f->limits = (struct ledger_limits){100, 1000, 100000};
	f->entries = g_array_new(FALSE, FALSE, sizeof(struct detect_entry));
	f->bodies = g_string_chunk_new(BODY);
	f->now_ms = KIT_AT_MS;
	open_ledger(f);
	*state = f;
	return 0;
}

static int start_sqlite(void **state)
{
	return start(state, BACKEND_SQLITE);
}

static int start_pg(void **state)
{
	return start(state, BACKEND_PG);
}

static int stop(void **state)
{
	struct fixture *f = *state;
	ledger_free(f->ledger);
	store_reader_close(f->reader);
	store_close(f->store);
	(void)g_array_free(f->entries, TRUE);
	g_string_chunk_free(f->bodies);
	g_free(f);
	return 0;
}

/* ---- Entries ---- */

static void tell_entry(struct fixture *f, enum entry_kind kind, const struct writer *w)
{
	assert_false(w->full);
	const char *body =
		g_string_chunk_insert_len(f->bodies, (const char *)w->buf, (gssize)w->len);
	struct detect_entry entry = {
		++f->seq, f->now_ms, kind, {body, w->len},
                   NULL
        };
	(void)g_array_append_val(f->entries, entry);
}

static void tell_event(struct fixture *f, const char *broker, const struct event *e)
{
	uint8_t body[BODY], buf[BODY];
	struct writer b = writer_of(body, sizeof(body)), w = writer_of(buf, sizeof(buf));
	event_write(&b, e);
	entry_write_event(&w, view_of(broker), e->kind, (struct view){(char *)body, b.len});
	tell_entry(f, ENTRY_EVENT, &w);
}

static void tell_hello(struct fixture *f, const char *broker, const char *run)
{
	uint8_t buf[256];
	struct writer w = writer_of(buf, sizeof(buf));
	entry_write_hello(&w, &(struct entry_hello){view_of(broker), view_of(run), 3});
	tell_entry(f, ENTRY_HELLO, &w);
}

static void tell_time(struct fixture *f, enum entry_kind kind, const char *broker, int64_t t_ms)
{
	uint8_t buf[256];
	struct writer w = writer_of(buf, sizeof(buf));
	entry_write_broker(&w, &(struct entry_broker){view_of(broker), t_ms});
	tell_entry(f, kind, &w);
}

static void tell_connect(struct fixture *f, const char *broker, uint64_t session)
{
	struct event e = kit_event(EVENT_CONNECT);
	e.connect.who.session = session;
	tell_event(f, broker, &e);
}

static void tell_disconnect(struct fixture *f, const char *broker, uint64_t session)
{
	struct event e = kit_event(EVENT_DISCONNECT);
	e.disconnect.who.session = session;
	tell_event(f, broker, &e);
}

/* `count` refusals to a client with no certificate. */
static void tell_refused(struct fixture *f, const char *address, const char *client, uint64_t count)
{
	struct event e = kit_event(EVENT_REFUSED);
	struct event_refused *r = &e.refused;
	r->who = (struct event_identity){.client_id = view_of(client), .address = view_of(address)};
	r->is_observed = false;
	r->count = count;
	r->first_ms = f->now_ms - 10;
	r->last_ms = f->now_ms;
	tell_event(f, "east", &e);
}

static int take(struct sql_conn *txn, void *ctx)
{
	struct fixture *f = ctx;
	return ledger_take(f->ledger, txn, (const struct detect_entry *)(void *)f->entries->data,
			   f->entries->len);
}

static int take_in_vain(struct sql_conn *txn, void *ctx)
{
	int r = take(txn, ctx);
	return r < 0 ? r : 1; /* rolls back */
}

static void commit(struct fixture *f)
{
	assert_int_equal(store_write(f->store, take, f), 0);
	ledger_committed(f->ledger);
	(void)g_array_set_size(f->entries, 0);
}

static int64_t sessions(struct fixture *f)
{
	struct ledger_stats stats;
	int64_t stored = -1;
	assert_int_equal(sql_query_int(f->reader, SQL_session_count, SQL_NO_ARGS, &stored), 1);
	ledger_stats(f->ledger, &stats);
	assert_int_equal(stored, stats.sessions);
	return stored;
}

/* ---- Sessions ---- */

static void sessions_come_and_go(void **state)
{
	struct fixture *f = *state;
	tell_hello(f, "east", "run1");
	tell_connect(f, "east", 1);
	tell_connect(f, "east", 2);
	tell_connect(f, "west", 1);
	tell_disconnect(f, "east", 1);
	tell_disconnect(f, "east", 7); /* never heard of */
	commit(f);
	assert_int_equal(sessions(f), 2);
	tell_hello(f, "east", "run1"); /* the daemon was away, the plugin was not */
	commit(f);
	assert_int_equal(sessions(f), 2);
	tell_hello(f, "east", "run2");
	tell_connect(f, "east", 1);
	commit(f);
	assert_int_equal(sessions(f), 2);
	open_ledger(f);
	assert_int_equal(sessions(f), 2);
}

static void one_transaction_that_is_run_again_counts_once(void **state)
{
	struct fixture *f = *state;
	tell_hello(f, "east", "run1");
	tell_connect(f, "east", 1);
	tell_refused(f, "192.0.2.1", "a", 5);
	assert_int_equal(store_write(f->store, take_in_vain, f), 1);
	commit(f);
	assert_int_equal(sessions(f), 1);
	int64_t n = 0;
	assert_int_equal(sql_query_int(f->reader, SQL_session_count, SQL_NO_ARGS, &n), 1);
	assert_int_equal(n, 1);
}

static void note_broker(const char *id, int64_t cut_ms, uint64_t generation, void *ctx)
{
	g_string_append_printf(ctx, "%s %" G_GINT64_FORMAT " %" G_GUINT64_FORMAT "; ", id, cut_ms,
			       generation);
}

static void assert_brokers(struct fixture *f, const char *want)
{
	g_autoptr(GString) text = g_string_new("");
	assert_int_equal(ledger_each_broker(f->reader, note_broker, text), 0);
	assert_string_equal(text->str, want);
}

static void brokers_are_waited_for_until_they_are_gone(void **state)
{
	struct fixture *f = *state;
	tell_hello(f, "east", "run1");
	tell_hello(f, "west", "run1");
	tell_time(f, ENTRY_CUT, "east", 600000);
	tell_time(f, ENTRY_CUT, "east", 300000); /* came late */
	commit(f);
	assert_brokers(f, "east 600000 0; west 0 0; ");
	tell_time(f, ENTRY_BROKER_GONE, "east", 1);
	commit(f);
	assert_brokers(f, "west 0 0; ");
	tell_connect(f, "east", 1); /* it speaks again, on the same connection */
	commit(f);
	assert_brokers(f, "east 600000 0; west 0 0; ");
}

/* What a plugin says of its snapshot when it introduces itself is no proof that every session was
 * judged by it. */
static void generation_counts_when_it_is_applied(void **state)
{
	struct fixture *f = *state;
	tell_hello(f, "east", "run1");
	commit(f);
	assert_brokers(f, "east 0 0; ");
	tell_event(f, "east", &(struct event){.kind = EVENT_APPLIED, .number = 7});
	tell_hello(f, "east", "run1");
	commit(f);
	assert_brokers(f, "east 0 7; ");
	tell_hello(f, "east", "run2");
	commit(f);
	assert_brokers(f, "east 0 0; ");
}

/* ---- Denials ---- */

struct sum {
	int64_t rows, times, rest;
	GString *text;
};

static int add_denied(const struct denied *d, void *ctx)
{
	struct sum *s = ctx;
	s->rows++;
	s->times += d->times;
	s->rest += d->is_rest ? d->times : 0;
	g_string_append_printf(s->text, "%s/%s/%s %s %s %" G_GINT64_FORMAT "\n", d->certificate,
			       d->address, d->client_id, d->action, d->cause, d->times);
	return 0;
}

static struct denied_filter everything(void)
{
	return (struct denied_filter){"", "", "", "", 0, -1, 100000};
}

static struct sum sum_of(struct fixture *f, const struct denied_filter *filter)
{
	struct sum s = {.text = g_string_new("")};
	assert_int_equal(denied_each(f->reader, filter, add_denied, &s), 0);
	return s;
}

static void assert_sum(struct fixture *f, const struct denied_filter *filter, int64_t rows,
		       int64_t times)
{
	struct sum s = sum_of(f, filter);
	if (s.rows != rows || s.times != times)
		fail_msg("%d rows, %d times:\n%s", (int)s.rows, (int)s.times, s.text->str);
	(void)g_string_free(s.text, TRUE);
}

struct seen {
	struct denied denied;
	char *policy, *missing, *resource;
};

static int keep_one(const struct denied *d, void *ctx)
{
	struct seen *seen = ctx;
	*seen = (struct seen){*d, g_strdup(d->policy), g_strdup(d->missing), g_strdup(d->resource)};
	return 0;
}

static void alike_refusals_share_a_row(void **state)
{
	struct fixture *f = *state;
	struct seen seen = {0};
	const struct denied_filter all = everything();
	tell_refused(f, "192.0.2.1", "a", 5);
	commit(f);
	f->now_ms += 1000;
	tell_refused(f, "192.0.2.1", "a", 7);
	commit(f);
	f->now_ms += HOUR_MS;
	tell_refused(f, "192.0.2.1", "a", 1);
	commit(f);
	assert_int_equal(denied_each(f->reader, &all, keep_one, &seen), 0);
	assert_int_equal(seen.denied.times, 13);
	assert_int_equal(seen.denied.first_ms, KIT_AT_MS - 10);
	assert_int_equal(seen.denied.last_ms, KIT_AT_MS + 1000 + HOUR_MS);
	assert_int_equal(seen.denied.version, 3);
	assert_int_equal(seen.denied.statement, 1);
	assert_string_equal(seen.policy, "base");
	assert_string_equal(seen.missing, "iot:Connection.Thing.ThingName");
	assert_string_equal(seen.resource, "a/b");
	g_free(seen.policy);
	g_free(seen.missing);
	g_free(seen.resource);
}

static int attach(struct sql_conn *txn, void *ctx)
{
	return sql_exec(txn, SQL_principal_add,
			SQL_ARGS(sql_text("lamp"), sql_text(ctx), sql_int(0)), NULL);
}

static void filters(void **state)
{
	struct fixture *f = *state;
	char certificate[65] = "";
	struct event observed = kit_event(EVENT_REFUSED);
	tell_refused(f, "192.0.2.1", "a", 1);
	tell_refused(f, "192.0.2.2", "lamp", 2);
	f->now_ms += 3 * HOUR_MS;
	tell_refused(f, "192.0.2.2", "b", 4);
	observed.refused.count = 8;
	tell_event(f, "east", &observed);
	commit(f);
	for (size_t i = 0; i < EVENT_FINGERPRINT; i++)
		(void)g_snprintf(certificate + 2 * i, 3, "%02x",
				 observed.refused.who.fingerprint[i]);
	assert_int_equal(store_write(f->store, attach, certificate), 0);
	struct denied_filter filter = everything();
	assert_sum(f, &filter, 4, 15);
	filter.address = "192.0.2.2";
	assert_sum(f, &filter, 2, 6);
	filter.client_id = "b";
	assert_sum(f, &filter, 1, 4);
	filter = everything();
	filter.certificate = certificate;
	assert_sum(f, &filter, 1, 8);
	filter = everything();
	filter.thing = "lamp";
	assert_sum(f, &filter, 2, 10);
	filter = everything();
	filter.since_ms = KIT_AT_MS + 1;
	assert_sum(f, &filter, 1, 4); /* the observed one was last seen before */
	filter = everything();
	filter.is_observed = 1;
	assert_sum(f, &filter, 1, 8);
	filter = everything();
	filter.limit = 2;
	struct sum s = sum_of(f, &filter);
	assert_int_equal(s.rows, 2);
	(void)g_string_free(s.text, TRUE);
}

/* S12: who invents client ids fills its own share only, and the sums stay exact. */
static void bounds_hold_and_sums_stay_exact(void **state)
{
	struct fixture *f = *state;
	struct ledger_stats stats;
	struct denied_filter filter = everything();
	f->limits = (struct ledger_limits){.source_rows = 5, .hour_rows = 20, .max_rows = 1000};
	open_ledger(f);
	for (int round = 0; round < 2; round++) {
		for (int source = 0; source < 10; source++) {
			for (int client = 0; client < 10; client++) {
				g_autofree char *address = g_strdup_printf("192.0.2.%d", source);
				g_autofree char *id = g_strdup_printf("c%d", client);
				tell_refused(f, address, id, 3);
			}
		}
		commit(f);
		open_ledger(f); /* what an earlier run wrote counts, too */
	}
	struct sum s = sum_of(f, &filter);
	assert_int_equal(s.times, 600);
	assert_in_range(s.rows, 20, 21); /* and one for the rest of everybody */
	assert_true(s.rest > 0);
	(void)g_string_free(s.text, TRUE);
	filter.address = "192.0.2.0";
	assert_sum(f, &filter, 6, 60); /* five rows and its rest */
	ledger_stats(f->ledger, &stats);
	assert_int_equal(stats.folded, 0);
	tell_refused(f, "192.0.2.99", "new", 1);
	commit(f);
	ledger_stats(f->ledger, &stats);
	assert_int_equal(stats.folded, 1);
}

static void oldest_hours_are_given_up(void **state)
{
	struct fixture *f = *state;
	struct ledger_stats stats;
	const struct denied_filter all = everything();
	f->limits.max_rows = 3;
	open_ledger(f);
	for (int hour = 0; hour < 6; hour++) {
		f->now_ms = KIT_AT_MS + hour * HOUR_MS;
		g_autofree char *id = g_strdup_printf("c%d", hour);
		tell_refused(f, "192.0.2.1", id, 1);
		commit(f);
	}
	assert_sum(f, &all, 4, 4); /* three when the last hour began */
	ledger_stats(f->ledger, &stats);
	assert_int_equal(stats.evicted, 2);
}

static int forget(struct sql_conn *txn, void *ctx)
{
	const int64_t *before = ctx;
	bool more;
	int r = ledger_forget(txn, *before, &more);
	assert_false(more);
	return r;
}

static void retention_ends(void **state)
{
	struct fixture *f = *state;
	const struct denied_filter all = everything();
	int64_t before = KIT_AT_MS + 2 * HOUR_MS;
	tell_refused(f, "192.0.2.1", "old", 1);
	f->now_ms += 2 * HOUR_MS;
	tell_refused(f, "192.0.2.1", "new", 1);
	commit(f);
	assert_int_equal(store_write(f->store, forget, &before), 0);
	assert_sum(f, &all, 1, 1);
}

/* A database that takes UTF-8 only, and no NUL, gets what a client chose all the same. */
static void hostile_texts(void **state)
{
	struct fixture *f = *state;
	static const struct view texts[] = {VIEW_INIT("a\0b"), VIEW_INIT("\xff\xfe"),
					    VIEW_INIT("'; drop table denial; --"),
					    VIEW_INIT("\x1b[2J"), VIEW_INIT("\xed\xa0\x80")};
	const struct denied_filter all = everything();
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct event e = kit_event(EVENT_REFUSED);
		e.refused.who.client_id = e.refused.who.username = texts[i];
		e.refused.resource = e.refused.policy = e.refused.missing = texts[i];
		tell_event(f, "east", &e);
		struct event c = kit_event(EVENT_CONNECT);
		c.connect.who.session = i + 1;
		c.connect.who.client_id = c.connect.thing = c.connect.who.username = texts[i];
		tell_event(f, "east", &c);
	}
	commit(f);
	assert_int_equal(sessions(f), ARRAY_LEN(texts));
	struct sum s = sum_of(f, &all);
	assert_int_equal(s.rows, ARRAY_LEN(texts));
	(void)g_string_free(s.text, TRUE);
}

/* ---- A certificate at two places ---- */

static int keep_verdict(const char *key, const struct clone_subject *subject,
			const struct clone_case *c, void *text)
{
	(void)subject;
	g_string_append_printf(text, "%.6s %s|", key, clone_verdict_name(c->verdict));
	return 0;
}

static void assert_verdicts(struct fixture *f, const char *want)
{
	g_autoptr(GString) text = g_string_new("");
	assert_int_equal(clone_case_list(f->reader, INT64_MAX, "", 10, keep_verdict, text), 0);
	assert_string_equal(text->str, want);
}

static void tell_counters(struct fixture *f, uint8_t certificate, const char *client)
{
	struct event e = kit_event(EVENT_COUNTERS);
	e.counters.who.fingerprint[0] = certificate;
	e.counters.who.client_id = view_of(client);
	e.counters.from_ms = f->now_ms;
	e.counters.to_ms = f->now_ms + 1000;
	tell_event(f, "b1", &e);
}

static void counters_tell_that_both_live(void **state)
{
	struct fixture *f = *state;
	struct event e = kit_event(EVENT_CONNECT);
	e.connect.who.fingerprint[0] = 7;
	e.connect.who.client_id = VIEW_LIT("copy");
	e.connect.who.address = VIEW_LIT("203.0.113.1");
	e.connect.others = 1;
	e.connect.other_client_id = VIEW_LIT("pump");
	e.connect.other_address = VIEW_LIT("192.0.2.1");
	tell_counters(f, 7, "pump");
	tell_event(f, "b1", &e);
	commit(f);
	assert_verdicts(f, "cert/0 undecided|");
	f->now_ms += 300000;
	tell_counters(f, 8, "pump");
	tell_counters(f, 7, "copy");
	commit(f);
	assert_verdicts(f, "cert/0 undecided|");
	tell_counters(f, 7, "pump");
	commit(f);
	assert_verdicts(f, "cert/0 clone|");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define ON_BOTH(f)                                                                                 \
	{#f " (SQLite)", f, start_sqlite, stop, NULL}, {#f " (PostgreSQL)", f, start_pg, stop, NULL}
		ON_BOTH(sessions_come_and_go),
		ON_BOTH(one_transaction_that_is_run_again_counts_once),
		ON_BOTH(brokers_are_waited_for_until_they_are_gone),
		ON_BOTH(generation_counts_when_it_is_applied),
		ON_BOTH(alike_refusals_share_a_row),
		ON_BOTH(filters),
		ON_BOTH(bounds_hold_and_sums_stay_exact),
		ON_BOTH(oldest_hours_are_given_up),
		ON_BOTH(retention_ends),
		ON_BOTH(hostile_texts),
		ON_BOTH(counters_tell_that_both_live),
	};
	return cmocka_run_group_tests(tests, group_start, group_stop);
}

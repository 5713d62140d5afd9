#include "ledger/ledger.h"

#include "ledger/contained.h"
#include "ledger/ledger_priv.h"
#include "registry/clone_case.h"
#include "registry/rows.h"

#include <errno.h>

#define FORGET_ROWS 5000
#define HOUR_MS     (3600 * INT64_C(1000))
#define PAIR_MS     (24 * HOUR_MS) /* how long signs of life of a pair are waited for */

int ledger_new(const struct ledger_limits *limits, struct sql_conn *reader, struct ledger **ret)
{
	int64_t sessions;
	int r = rows_number(reader, SQL_session_count, SQL_NO_ARGS, &sessions);
	if (r < 0)
		return r;
	struct ledger *l = g_new0(struct ledger, 1);
	l->sessions = sessions;
	l->heard = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	l->pairs = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	l->denials = denials_new(limits);
	*ret = l;
	return 0;
}

void ledger_free(struct ledger *l)
{
	if (!l)
		return;
	denials_free(l->denials);
	g_hash_table_destroy(l->heard);
	g_hash_table_destroy(l->pairs);
	g_free(l);
}

struct sql_arg ledger_text(GStringChunk *texts, struct view v)
{
	if (v.n == 0)
		return sql_text("");
	if (g_utf8_validate_len(v.p, v.n, NULL))
		return sql_textn(v.p, v.n);
	g_autofree char *made = g_utf8_make_valid(v.p, (gssize)v.n);
	return sql_text(g_string_chunk_insert(texts, made));
}

void ledger_certificate(const uint8_t fingerprint[EVENT_FINGERPRINT],
			char ret[LEDGER_CERTIFICATE_SIZE])
{
	static const uint8_t none[EVENT_FINGERPRINT];
	ret[0] = '\0';
	if (memcmp(fingerprint, none, sizeof(none)) == 0)
		return;
	for (size_t i = 0; i < EVENT_FINGERPRINT; i++)
		(void)g_snprintf(ret + 2 * i, 3, "%02x", fingerprint[i]);
}

/* ---- Entries ---- */

struct taking {
	struct ledger *ledger;
	struct sql_conn *txn;
	int64_t at_ms;
};

static int note_event(const struct taking *t, const struct entry_event *e)
{
	switch (e->event.kind) {
	case EVENT_CONNECT:
		return session_connect(t->ledger, t->txn, e->broker, &e->event.connect);
	case EVENT_DISCONNECT:
		return session_disconnect(t->ledger, t->txn, e->broker, &e->event.disconnect);
	case EVENT_REFUSED:
		return denials_take(t->ledger->denials, t->txn, e->broker, t->at_ms,
				    &e->event.refused);
	case EVENT_APPLIED:
		return session_applied(t->txn, e->broker, e->event.number);
	case EVENT_REPORT:
	case EVENT_CUT:
	case EVENT_FLUSHED:
	case EVENT_TAKEOVER: /* its two sessions say it, too */
	case EVENT_COUNTERS:
	case EVENT_TABLE:
		break;
	}
	return 0;
}

static int add_pair(const char *certificate, void *pairs)
{
	(void)g_hash_table_add(pairs, g_strdup(certificate));
	return 0;
}

/* Counters come for every identity at every mark; they matter where a certificate is seen twice. 1,
 * 0, or a negative errno. */
static int is_awaited(const struct taking *t, const struct event_counters *e)
{
	struct ledger *l = t->ledger;
	char certificate[LEDGER_CERTIFICATE_SIZE];
	int r = l->has_pairs ? 0
			     : clone_case_each_pair(t->txn, t->at_ms - PAIR_MS, add_pair, l->pairs);
	if (r < 0)
		return r;
	l->has_pairs = true;
	ledger_certificate(e->who.fingerprint, certificate);
	return g_hash_table_contains(l->pairs, certificate);
}

static int note_contained(const struct taking *t, const struct entry_event *e)
{
	int r = e->event.kind == EVENT_COUNTERS ? is_awaited(t, &e->event.counters) : 1;
	return r <= 0 ? r : contained_take(t->txn, e, t->at_ms);
}

static int take_event(const struct taking *t, struct view body)
{
	struct entry_event e;
	if (entry_read_event(body, &e) < 0)
		return -EBADMSG;
	int r = session_heard(t->ledger, t->txn, e.broker, t->at_ms);
	if (r == 0)
		r = note_event(t, &e);
	if (r == 0)
		r = note_contained(t, &e);
	return r;
}

static int take_hello(const struct taking *t, struct view body)
{
	struct entry_hello e;
	if (entry_read_hello(body, &e) < 0)
		return -EBADMSG;
	return session_hello(t->ledger, t->txn, &e, t->at_ms);
}

static int take_gone(const struct taking *t, struct view body)
{
	struct entry_broker e;
	return entry_read_broker(body, &e) < 0 ? -EBADMSG : session_gone(t->txn, &e);
}

static int take_cut(const struct taking *t, struct view body)
{
	struct entry_broker e;
	if (entry_read_broker(body, &e) < 0)
		return -EBADMSG;
	int r = session_heard(t->ledger, t->txn, e.broker, t->at_ms);
	return r < 0 ? r : session_cut(t->txn, &e);
}

int ledger_take(struct ledger *l, struct sql_conn *txn, const struct detect_entry *entries,
		size_t n)
{
	static int (*const takes[])(const struct taking *, struct view body) = {
		[ENTRY_EVENT] = take_event,
		[ENTRY_HELLO] = take_hello,
		[ENTRY_BROKER_GONE] = take_gone,
		[ENTRY_CUT] = take_cut,
	};
	int r = 0;
	l->sessions_moved = 0;
	g_hash_table_remove_all(l->heard);
	g_hash_table_remove_all(l->pairs);
	l->has_pairs = false;
	denials_begin(l->denials);
	for (size_t i = 0; i < n && r == 0; i++) {
		const struct taking t = {l, txn, entries[i].at_ms};
		size_t kind = (size_t)entries[i].kind;
		if (kind < ARRAY_LEN(takes) && takes[kind])
			r = takes[kind](&t, entries[i].body);
	}
	return r == 0 ? denials_end(l->denials, txn) : r;
}

void ledger_committed(struct ledger *l)
{
	l->sessions += l->sessions_moved;
	l->sessions_moved = 0;
}

void ledger_stats(const struct ledger *l, struct ledger_stats *ret)
{
	*ret = (struct ledger_stats){.sessions = (uint64_t)MAX(l->sessions, 0)};
	denials_stats(l->denials, ret);
}

int ledger_forget(struct sql_conn *txn, int64_t before_ms, bool *ret_more)
{
	int64_t n = 0;
	int r = sql_exec(txn, SQL_denial_forget,
			 SQL_ARGS(sql_int(before_ms / HOUR_MS), sql_int(FORGET_ROWS)), &n);
	*ret_more = n == FORGET_ROWS;
	return r;
}

struct telling {
	ledger_broker_fn *fn;
	void *ctx;
};

static int tell_broker(struct sql_rows *row, void *ctx)
{
	const struct telling *t = ctx;
	t->fn(sql_col_text(row, 0), sql_col_int(row, 1), (uint64_t)sql_col_int(row, 2), t->ctx);
	return 0;
}

int ledger_each_broker(struct sql_conn *reader, ledger_broker_fn *fn, void *ctx)
{
	struct telling t = {fn, ctx};
	return rows_each(reader, SQL_broker_awaited, SQL_NO_ARGS, tell_broker, &t);
}

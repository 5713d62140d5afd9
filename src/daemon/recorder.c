#include "daemon/recorder.h"

#include "base/log.h"
#include "ledger/line.h"

struct recorder {
	struct recorder_options options;
	struct ledger *ledger;
	GPtrArray *lines; /* of the refusals that wait for the commit */
};

int recorder_new(const struct recorder_options *options, struct recorder **ret, struct fault *fault)
{
	struct sql_conn *reader = store_reader_open(options->store, fault);
	if (!reader)
		return -1;
	struct recorder *r = g_new0(struct recorder, 1);
	r->options = *options;
	r->lines = g_ptr_array_new_with_free_func(g_free);
	int err = ledger_new(&options->limits, reader, &r->ledger);
	store_reader_close(reader);
	if (err == 0) {
		*ret = r;
		return 0;
	}
	recorder_free(r);
	return fault_set(fault, FAULT_INTERNAL, "reading the ledger: %s", g_strerror(-err));
}

void recorder_free(struct recorder *r)
{
	if (!r)
		return;
	ledger_free(r->ledger);
	g_ptr_array_free(r->lines, TRUE);
	g_free(r);
}

static void keep_line(struct recorder *r, const struct detect_entry *entry)
{
	struct entry_event e;
	if (entry->kind != ENTRY_EVENT || entry_read_event(entry->body, &e) < 0 ||
	    e.event.kind != EVENT_REFUSED)
		return;
	g_ptr_array_add(r->lines, denial_line(e.broker, &e.event.refused));
}

static int take(void *ctx, struct sql_conn *txn, const struct detect_entry *entries, size_t n)
{
	struct recorder *r = ctx;
	g_ptr_array_set_size(r->lines, 0);
	for (size_t i = 0; r->options.logs_denials && i < n; i++)
		keep_line(r, &entries[i]);
	return ledger_take(r->ledger, txn, entries, n);
}

static void committed(void *ctx)
{
	struct recorder *r = ctx;
	struct ready *ready = r->options.ready;
	struct ledger_stats stats;
	ledger_committed(r->ledger);
	ledger_stats(r->ledger, &stats);
	counter_set(ready, COUNTER_sessions_open, stats.sessions);
	counter_set(ready, COUNTER_denials_folded, stats.folded);
	counter_set(ready, COUNTER_denials_evicted, stats.evicted);
	for (guint i = 0; i < r->lines->len; i++)
		log_notice("denial", "%s", (const char *)g_ptr_array_index(r->lines, i));
	g_ptr_array_set_size(r->lines, 0);
}

struct entry_consumer recorder_consumer(struct recorder *r)
{
	return (struct entry_consumer){.take = take, .committed = committed, .ctx = r};
}

/* The ledger: what brokers told, as tables (store/schema/ledger.tbl.h). It takes the entries of the
 * log that speak of brokers, sessions and refusals, in order, in the transaction that moves the
 * evaluator's offset; so each counts once, over crashes too.
 *
 *     HELLO         a broker's new run ends all sessions of the one before
 *     CONNECT, DISCONNECT   a row of `session` comes and goes
 *     REFUSED       a row of `denial`
 *     APPLIED, CUT, BROKER_GONE   what is known of the broker
 *     COUNTERS      a sign of life, where a certificate is seen at two places (contain/clone.h)
 *
 * Refusals that are alike share a row an hour. Clients choose what stands in them, so the rows are
 * bounded (S12): those of one source (a certificate; without one, a user name or an address) an
 * hour, all of an hour, and all of the table. What finds no row of its own is added to one for the
 * rest of its source, then to one for the rest of everybody: sums by cause stay exact. The table
 * gives up its oldest hours. One thread uses a ledger: the evaluator's. */
#ifndef LEDGER_LEDGER_H
#define LEDGER_LEDGER_H

#include "base/compiler.h"
#include "detect/detect.h"
#include "store/sql.h"

struct ledger;

struct ledger_limits {
	int64_t source_rows; /* of `denial`: of a source in an hour, */
	int64_t hour_rows;   /* of an hour, */
	int64_t max_rows;    /* of the table, looked at when an hour begins */
};

struct ledger_stats {
	uint64_t sessions; /* that are open */
	uint64_t folded;   /* refusals that found no row of their own, since the ledger was made */
	uint64_t evicted;  /* rows of `denial` given up for want of room, likewise */
};

/* Freed by ledger_free. `reader` is used during the call only. 0, or a negative errno of the sql_
 * functions. */
int ledger_new(const struct ledger_limits *limits, struct sql_conn *reader,
	       struct ledger **ret) MUST_USE;
void ledger_free(struct ledger *l);

/* Takes entries of the log, ascending, of any kind. 0, or a negative errno; the transaction may be
 * run again with the same entries. */
int ledger_take(struct ledger *l, struct sql_conn *txn, const struct detect_entry *entries,
		size_t n) MUST_USE;
/* What was taken last is committed. */
void ledger_committed(struct ledger *l);
void ledger_stats(const struct ledger *l, struct ledger_stats *ret);

/* Deletes denials of the hours before `before_ms`, a few thousand a call: *ret_more tells that some
 * are left. */
int ledger_forget(struct sql_conn *txn, int64_t before_ms, bool *ret_more) MUST_USE;

/* The brokers that marks wait for: the last mark each delivered its counters for, and the
 * generation that all its sessions were judged by (0 until it told). */
typedef void ledger_broker_fn(const char *id, int64_t cut_ms, uint64_t generation, void *ctx);
int ledger_each_broker(struct sql_conn *reader, ledger_broker_fn *fn, void *ctx) MUST_USE;

#endif

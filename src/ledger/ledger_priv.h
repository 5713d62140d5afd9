/* Between the ledger's files: ledger.c hands entries to session.c and denial.c. */
#ifndef LEDGER_LEDGER_PRIV_H
#define LEDGER_LEDGER_PRIV_H

#include "ledger/ledger.h"

#include <glib.h>

struct denials;

struct ledger {
	struct denials *denials;
	int64_t sessions, sessions_moved; /* committed; by the transaction that is running */
	GHashTable *heard;                /* brokers that were heard in it */
	GHashTable *pairs; /* certificates whose counters matter; filled when has_pairs */
	bool has_pairs;    /* for the transaction that is running */
};

/* UTF-8 without NUL, as the databases want it: what is not becomes U+FFFD. Kept in `texts`, which
 * the caller frees after the statement. */
struct sql_arg ledger_text(GStringChunk *texts, struct view v);
/* A certificate's id, "" for zeros. */
#define LEDGER_CERTIFICATE_SIZE (2 * EVENT_FINGERPRINT + 1)
void ledger_certificate(const uint8_t fingerprint[EVENT_FINGERPRINT],
			char ret[LEDGER_CERTIFICATE_SIZE]);

/* ---- session.c ---- */

int session_hello(struct ledger *l, struct sql_conn *txn, const struct entry_hello *hello,
		  int64_t at_ms) MUST_USE;
int session_gone(struct sql_conn *txn, const struct entry_broker *gone) MUST_USE;
int session_cut(struct sql_conn *txn, const struct entry_broker *cut) MUST_USE;
/* The first word of a broker in a transaction. */
int session_heard(struct ledger *l, struct sql_conn *txn, struct view broker,
		  int64_t at_ms) MUST_USE;
int session_applied(struct sql_conn *txn, struct view broker, uint64_t generation) MUST_USE;
int session_connect(struct ledger *l, struct sql_conn *txn, struct view broker,
		    const struct event_connect *e) MUST_USE;
int session_disconnect(struct ledger *l, struct sql_conn *txn, struct view broker,
		       const struct event_disconnect *e) MUST_USE;

/* ---- denial.c ---- */

struct denials *denials_new(const struct ledger_limits *limits);
void denials_free(struct denials *d);
/* Refusals between begin and end are written by end; what they point to lives until then. */
void denials_begin(struct denials *d);
int denials_end(struct denials *d, struct sql_conn *txn) MUST_USE;
int denials_take(struct denials *d, struct sql_conn *txn, struct view broker, int64_t at_ms,
		 const struct event_refused *e) MUST_USE;
void denials_stats(const struct denials *d, struct ledger_stats *ret);

#endif

/* Brokers, and the sessions that are open there. */
#include "ledger/ledger_priv.h"

#include "registry/rows.h"

static int same_run(struct sql_rows *row, void *ctx)
{
	struct view *run = ctx;
	if (view_is(*run, sql_col_text(row, 0)))
		*run = (struct view){0};
	return 0;
}

/* Nothing is known of how the sessions of an earlier run ended: they are no more. */
static int end_earlier_run(struct ledger *l, struct sql_conn *txn, const struct entry_hello *hello)
{
	struct view run = hello->run;
	int64_t n = 0;
	int r = rows_find(txn, SQL_broker_run,
			  SQL_ARGS(sql_textn(hello->broker.p, hello->broker.n)), same_run, &run);
	if (r <= 0 || !run.p)
		return MIN(r, 0);
	r = sql_exec(txn, SQL_session_end_all,
		     SQL_ARGS(sql_textn(hello->broker.p, hello->broker.n)), &n);
	l->sessions_moved -= n;
	return r;
}

int session_hello(struct ledger *l, struct sql_conn *txn, const struct entry_hello *hello,
		  int64_t at_ms)
{
	int r = end_earlier_run(l, txn, hello);
	if (r < 0)
		return r;
	return sql_exec(txn, SQL_broker_hello,
			SQL_ARGS(sql_textn(hello->broker.p, hello->broker.n),
				 sql_textn(hello->run.p, hello->run.n), sql_int(at_ms)),
			NULL);
}

int session_gone(struct sql_conn *txn, const struct entry_broker *gone)
{
	return sql_exec(txn, SQL_broker_gone, SQL_ARGS(sql_textn(gone->broker.p, gone->broker.n)),
			NULL);
}

int session_cut(struct sql_conn *txn, const struct entry_broker *cut)
{
	return sql_exec(txn, SQL_broker_cut,
			SQL_ARGS(sql_textn(cut->broker.p, cut->broker.n), sql_int(cut->t_ms)),
			NULL);
}

int session_heard(struct ledger *l, struct sql_conn *txn, struct view broker, int64_t at_ms)
{
	if (!g_hash_table_add(l->heard, g_strndup(broker.p, broker.n)))
		return 0;
	return sql_exec(txn, SQL_broker_heard,
			SQL_ARGS(sql_textn(broker.p, broker.n), sql_int(at_ms)), NULL);
}

int session_applied(struct sql_conn *txn, struct view broker, uint64_t generation)
{
	return sql_exec(txn, SQL_broker_applied,
			SQL_ARGS(sql_textn(broker.p, broker.n), sql_int((int64_t)generation)),
			NULL);
}

int session_connect(struct ledger *l, struct sql_conn *txn, struct view broker,
		    const struct event_connect *e)
{
	g_autoptr(GStringChunk) texts = g_string_chunk_new(256);
	char certificate[LEDGER_CERTIFICATE_SIZE];
	int64_t n = 0;
	ledger_certificate(e->who.fingerprint, certificate);
	int r = sql_exec(txn, SQL_session_begin,
			 SQL_ARGS(sql_textn(broker.p, broker.n), sql_int((int64_t)e->who.session),
				  sql_text(certificate), ledger_text(texts, e->who.client_id),
				  ledger_text(texts, e->who.username), ledger_text(texts, e->thing),
				  ledger_text(texts, e->who.address), sql_int(e->who.port),
				  sql_int(e->flags), sql_int(e->keep_alive_s), sql_int(e->at_ms)),
			 &n);
	l->sessions_moved += n;
	return r;
}

int session_disconnect(struct ledger *l, struct sql_conn *txn, struct view broker,
		       const struct event_disconnect *e)
{
	int64_t n = 0;
	int r = sql_exec(txn, SQL_session_end,
			 SQL_ARGS(sql_textn(broker.p, broker.n), sql_int((int64_t)e->who.session)),
			 &n);
	l->sessions_moved -= n;
	return r;
}

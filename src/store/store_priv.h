/* The store's inside, for the partition log. */
#ifndef STORE_STORE_PRIV_H
#define STORE_STORE_PRIV_H

#include "store/fifo_priv.h"
#include "store/reserve_priv.h"
#include "store/sql_priv.h"
#include "store/store.h"

#include <glib.h>

/* A write connection and who may use it. */
struct store_writer {
	struct sql_conn *conn;
	struct fifo fifo;
};

/* Read connections that nobody uses at the moment. */
struct store_idle {
	pthread_mutex_t mutex;
	struct sql_conn *first;
};

struct store {
	const struct sql_driver *driver;
	char *location;
	bool is_tool;
	unsigned partitions;
	int lock; /* -1, or holds the data directory */
	struct reserve reserve;
	struct store_writer main, log;
	struct store_idle idle[SQL_ANY]; /* by file */
	GByteArray *row;                 /* the log's row in the making; under log.fifo */
};

/* In FIFO order: a transaction on one of the two write connections. */
int store_writer_run(struct store_writer *w, enum sql_txn kind, sql_txn_fn *fn, void *ctx) MUST_USE;

/* A read connection for one short call, opened when none is idle; NULL when that fails. Given back
 * with store_give. */
struct sql_conn *store_take(struct store *store, enum sql_file file) MUST_USE;
void store_give(struct store *store, struct sql_conn *conn);

#endif

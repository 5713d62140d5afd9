/* The store: main tables behind one write connection, readers of their own, and the partition log
 * (plog.h).
 *
 * Embedded (sqlite:DIR): DIR/main.db and DIR/log.db, WAL, synchronous=FULL, STRICT tables. One
 * write connection a file, behind a FIFO lock; DIR/store.lock keeps a second store_open, in this
 * process or another, out. PostgreSQL (postgresql://...): the same tables in one database,
 * control-plane transactions SERIALIZABLE.
 *
 * On a full disk control-plane writes go on in a reserve (DIR/reserve, 32 MiB); the log takes
 * nothing until there is room for the reserve again (S16).
 *
 * A write transaction is a function without side effects outside the database: it may be run again
 * (up to 5 times) when the database says so. Nothing slow is done while it holds the connection. */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/fault.h"
#include "store/sql.h"

#include <stdbool.h>

struct store;

struct store_options {
	const char *url;     /* "sqlite:DIR" (made when it does not exist) or "postgresql://..." */
	unsigned partitions; /* of the log, from 1, for the store's whole life; not looked at when
				is_tool */
	bool is_tool; /* a command beside the daemon, which may be running: no lock, no log (plog.h:
			 a CHECK), and store_write waits up to 10 s for the daemon's */
};

/* Opens the store, creates or upgrades its schema (numbered steps, each once; a schema newer than
 * this program is refused). The caller frees it with store_close, after every reader. */
int store_open(const struct store_options *options, struct store **ret,
	       struct fault *fault) MUST_USE;
void store_close(struct store *store);

/* A read-only connection of its own for one thread. Ended with store_reader_close.
 * NULL on failure, with the fault filled. */
struct sql_conn *store_reader_open(struct store *store, struct fault *fault) MUST_USE;
void store_reader_close(struct sql_conn *conn);

/* One consistent view over several queries of a reader; kept under 250 ms. */
int store_read_begin(struct sql_conn *reader) MUST_USE;
void store_read_end(struct sql_conn *reader);

/* Commits when fn returns 0 and no statement in it failed; else rolls back and returns the
 * statement's error, or what fn returned. After -EAGAIN from a statement fn is run again; -EAGAIN
 * is returned when it came 6 times. -ENOSPC: the disk is full. Other negative errno: the database
 * failed (after a lost connection it is unknown whether the commit was done; the next transaction
 * connects again). Positive results of fn are the caller's own (for instance 1: refused, with a
 * fault filled). Blocks in FIFO order behind other writers; fn must not call it (CHECK). */
typedef int store_write_fn(struct sql_conn *txn, void *ctx);
int store_write(struct store *store, store_write_fn *fn, void *ctx) MUST_USE;

/* The disk is full, and a file beside the store must be written all the same: sets free the space
 * that the store keeps for that, as store_write does by itself (S16). False: there was none left.
 */
bool store_make_room(struct store *store) MUST_USE;

#endif

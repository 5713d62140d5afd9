/* What the SQLite driver shares with its checkpointer. */
#ifndef STORE_SQL_SQLITE_PRIV_H
#define STORE_SQL_SQLITE_PRIV_H

#include <sqlite3.h>

/* A result of SQLite's as 0 or a negative errno. */
int sqlite_error_of(int rc);

/* Moves what the write-ahead log holds into its database, and is waited for by nobody: a thread
 * with a connection of its own does it while commits go on. Only the rest, what was committed
 * meanwhile, is moved by the writer; after that the write-ahead log begins anew. So a commit waits
 * for tens of pages now and then, and not for thousands. */
struct checkpointer;

/* `path`: of the database; `pages`: from that length on the write-ahead log is moved. */
struct checkpointer *checkpointer_new(const char *path, int pages);
/* Waits for what is under way. NULL is allowed. */
void checkpointer_free(struct checkpointer *c);

/* After a commit of the writer's, whose write-ahead log has `pages` now. SQLITE_OK, or what one
 * failed by that nothing can make good: then this commit must fail, and every later one does. */
int checkpointer_committed(struct checkpointer *c, sqlite3 *db, const char *name, int pages);

/* A checkpoint in the calling thread; *ret_moved: pages of the write-ahead log that are in the
 * database. A full disk and a busy reader are no failure: it simply stays longer. */
int checkpoint_run(sqlite3 *db, const char *name, int *ret_moved);

#endif

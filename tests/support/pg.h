/* A PostgreSQL server of the test's own: a cluster in a temporary directory, reached over a unix
 * socket only, with fsync on.
 *
 *     struct pg *pg = pg_start();
 *     g_autofree char *url = pg_database(pg);      postgresql:///test1?host=...
 *     ...
 *     pg_stop(pg);
 *
 * PostgreSQL refuses to run as root: the server then runs as the account `postgres`. Server and
 * directory go when the test ends, also when it is killed: pg-keeper sees to that. Whatever fails
 * here fails the test. Free strings with g_free. */
#ifndef TESTS_PG_H
#define TESTS_PG_H

struct pg;

struct pg *pg_start(void);
/* Stops the server and removes its directory. NULL is allowed. */
void pg_stop(struct pg *pg);

/* Makes an empty database and returns its URL. */
char *pg_database(struct pg *pg);

/* Ends the server at once, without a checkpoint or a word to its clients, and starts it again. */
void pg_crash(struct pg *pg);

/* Runs one statement as the superuser in the database of this URL; it must succeed. Returns what
 * psql prints, unaligned. */
char *pg_sql(const char *url, const char *sql);

#endif

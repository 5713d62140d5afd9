/* The two databases a store stands on, for tests that must pass on both.
 *
 *     static struct backend *backend;                  in the group's setup: backend =
 * backend_start() char *url = backend_url(backend, BACKEND_PG)     an empty store, "sqlite:DIR" or
 * "postgresql://..."
 */
#ifndef TESTS_BACKEND_H
#define TESTS_BACKEND_H

enum backend_kind { BACKEND_SQLITE, BACKEND_PG };

struct backend;

struct backend *backend_start(void);
/* Ends the server and removes every directory. */
void backend_stop(struct backend *b);

/* The URL of an empty store. The caller frees it with g_free. PostgreSQL is started when it is
 * first asked for. */
char *backend_url(struct backend *b, enum backend_kind kind);

/* The server, for tests that let it die. */
struct pg *backend_pg(struct backend *b);

/* A new empty directory, 0755; removed with all in it (and freed) by test_dir_remove. */
char *test_dir_make(void);
void test_dir_remove(char *dir);

#endif

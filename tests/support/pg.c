#include "pg.h"

#include "backend.h"

#include <glib.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PG_BIN "/usr/lib/postgresql/15/bin/"

struct pg {
	char *dir;  /* holds data/ and the socket */
	char *data; /* DIR/data */
	unsigned n_databases;
	GPid keeper;
	int keeper_stdin; /* its end is ours */
};

/* Runs a program and returns its output. A list of words that ends with NULL. */
static char *run(const char *const *words)
{
	g_autoptr(GPtrArray) argv = g_ptr_array_new_with_free_func(g_free);
	for (; *words; words++)
		g_ptr_array_add(argv, g_strdup(*words));
	g_ptr_array_add(argv, NULL);
	char *out = NULL;
	g_autofree char *err = NULL;
	g_autoptr(GError) error = NULL;
	int status = 0;
	gboolean ok = g_spawn_sync("/", (char **)argv->pdata, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL,
				   &out, &err, &status, &error);
	if (!ok || !g_spawn_check_wait_status(status, NULL))
		g_error("%s failed: %s%s", (char *)argv->pdata[0], error ? error->message : "",
			err ? err : "");
	return out;
}

#define RUN(...) g_free(run((const char *const[]){__VA_ARGS__, NULL}))

/* The same, as the server's account when we are root. */
#define AS_SERVER "setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "--"
#define RUN_AS_SERVER(...)                                                                         \
	do {                                                                                       \
		if (geteuid() == 0)                                                                \
			RUN(AS_SERVER, __VA_ARGS__);                                               \
		else                                                                               \
			RUN(__VA_ARGS__);                                                          \
	} while (0)

static void keeper_start(struct pg *pg)
{
	char setsid[] = "setsid", keeper[] = SOURCE_DIR "/tests/support/pg-keeper";
	char *argv[] = {setsid, keeper, pg->dir, NULL};
	g_autoptr(GError) error = NULL;
	if (!g_spawn_async_with_pipes("/", argv, NULL,
				      G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL,
				      &pg->keeper, &pg->keeper_stdin, NULL, NULL, &error))
		g_error("pg-keeper: %s", error->message);
}

/* Returns when the server is gone and its directory is removed. */
static void keeper_end(struct pg *pg)
{
	int status;
	if (close(pg->keeper_stdin) < 0 || waitpid(pg->keeper, &status, 0) < 0 || status != 0)
		g_error("pg-keeper did not end well");
	g_spawn_close_pid(pg->keeper);
}

static void server_start(struct pg *pg)
{
	g_autofree char *options = g_strdup_printf(
		"-c listen_addresses= -c unix_socket_directories=%s -c fsync=on "
		"-c recovery_init_sync_method=syncfs -c max_connections=40 -c shared_buffers=32MB",
		pg->dir);
	g_autofree char *log = g_build_filename(pg->dir, "server.log", NULL);
	RUN_AS_SERVER(PG_BIN "pg_ctl", "start", "-w", "-D", pg->data, "-l", log, "-o", options);
}

struct pg *pg_start(void)
{
	struct pg *pg = g_new0(struct pg, 1);
	pg->dir = test_dir_make();
	pg->data = g_build_filename(pg->dir, "data", NULL);
	keeper_start(pg);
	if (geteuid() == 0)
		RUN("chown", "postgres:", pg->dir);
	RUN_AS_SERVER(PG_BIN "initdb", "-D", pg->data, "-U", "postgres", "-A", "trust", "-E",
		      "UTF8", "--no-sync", "--locale=C.UTF-8");
	server_start(pg);
	return pg;
}

void pg_stop(struct pg *pg)
{
	if (!pg)
		return;
	keeper_end(pg);
	g_free(pg->dir);
	g_free(pg->data);
	g_free(pg);
}

static char *url_of(const struct pg *pg, const char *database)
{
	return g_strdup_printf("postgresql:///%s?host=%s&user=postgres", database, pg->dir);
}

char *pg_sql(const char *url, const char *sql)
{
	return run((const char *const[]){"psql", "-X", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c",
					 sql, url, NULL});
}

char *pg_database(struct pg *pg)
{
	g_autofree char *name = g_strdup_printf("test%u", ++pg->n_databases);
	g_autofree char *sql = g_strdup_printf("create database %s", name);
	g_autofree char *admin = url_of(pg, "postgres");
	g_free(pg_sql(admin, sql));
	return url_of(pg, name);
}

void pg_crash(struct pg *pg)
{
	RUN_AS_SERVER(PG_BIN "pg_ctl", "stop", "-w", "-m", "immediate", "-D", pg->data);
	server_start(pg);
}

/* wraps: sqlite3_exec */
/* found as: accepted and not in the log|recovery stopped behind entry|not the one it knew */
/* The log's commit is done only when its next transaction begins: devices are told `accepted`, and
 * plugins forget frames, that are not durable yet. */
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

typedef int row_fn(void *ctx, int n, char **values, char **names);

int __real_sqlite3_exec(sqlite3 *db, const char *text, row_fn *fn, void *ctx, char **ret_error);
int __wrap_sqlite3_exec(sqlite3 *db, const char *text, row_fn *fn, void *ctx, char **ret_error);

/* Writers of one file follow each other, so that one pointer does. */
static _Atomic(sqlite3 *) late;

static bool is_log(sqlite3 *db)
{
	const char *name = sqlite3_db_filename(db, "main");
	size_t n = name ? strlen(name) : 0;
	return n > 6 && strcmp(name + n - 6, "log.db") == 0;
}

int __wrap_sqlite3_exec(sqlite3 *db, const char *text, row_fn *fn, void *ctx, char **ret_error)
{
	if (strcmp(text, "commit") == 0 && is_log(db)) {
		atomic_store(&late, db);
		return SQLITE_OK;
	}
	if (atomic_load(&late) == db) {
		atomic_store(&late, NULL);
		int rc = __real_sqlite3_exec(db, "commit", NULL, NULL, NULL);
		if (rc != SQLITE_OK)
			return rc;
	}
	return __real_sqlite3_exec(db, text, fn, ctx, ret_error);
}

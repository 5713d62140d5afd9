/* wraps: sqlite3_step */
/* found as: accepted and not in the log|recovery stopped behind entry|not the one it knew */
/* The log's commit is done only when its next transaction begins: devices are told `accepted`, and
 * plugins forget frames, that are not durable yet. */
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

int __real_sqlite3_step(sqlite3_stmt *stmt);
int __wrap_sqlite3_step(sqlite3_stmt *stmt);

/* Writers of one file follow each other, so that one pointer does. */
static _Atomic(sqlite3 *) late;

static bool is_log(sqlite3 *db)
{
	const char *name = sqlite3_db_filename(db, "main");
	size_t n = name ? strlen(name) : 0;
	return n > 6 && strcmp(name + n - 6, "log.db") == 0;
}

int __wrap_sqlite3_step(sqlite3_stmt *stmt)
{
	sqlite3 *db = sqlite3_db_handle(stmt);
	const char *text = sqlite3_sql(stmt);
	if (text && strcmp(text, "commit") == 0 && is_log(db)) {
		atomic_store(&late, db);
		return SQLITE_DONE;
	}
	if (atomic_load(&late) == db) {
		atomic_store(&late, NULL);
		int rc = sqlite3_exec(db, "commit", NULL, NULL, NULL);
		if (rc != SQLITE_OK)
			return rc;
	}
	return __real_sqlite3_step(stmt);
}

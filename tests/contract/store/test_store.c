/* Opening, writing and reading: what the store promises on both databases. */
#include "fixture.h"

#include "store/change.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>

static int add_one(struct sql_conn *txn, void *ctx)
{
	(void)ctx;
	return change_add(txn, CHANGE_THING, "thing", NULL);
}

static int add_and_refuse(struct sql_conn *txn, void *ctx)
{
	int r = add_one(txn, ctx);
	return r < 0 ? r : 1;
}

static int64_t newest_in(struct sql_conn *reader)
{
	int64_t g = -1;
	assert_int_equal(change_newest(reader, &g), 0);
	return g;
}

static int64_t newest_of(struct store *store)
{
	struct sql_conn *reader = store_reader_open(store, NULL);
	assert_non_null(reader);
	int64_t g = newest_in(reader);
	store_reader_close(reader);
	return g;
}

static void commits_or_rolls_back(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(store_write(f->store, add_one, NULL), 0);
	assert_int_equal(store_write(f->store, add_and_refuse, NULL), 1);
	assert_int_equal(newest_of(f->store), 1);
}

static void keeps_what_was_written(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(store_write(f->store, add_one, NULL), 0);
	store_close(f->store);
	f->store = fixture_open(f->url);
	assert_int_equal(newest_of(f->store), 1);
}

static void a_view_stays_as_it_was(void **state)
{
	struct fixture *f = *state;
	struct sql_conn *reader = store_reader_open(f->store, NULL);
	assert_non_null(reader);
	assert_int_equal(store_read_begin(reader), 0);
	assert_int_equal(newest_in(reader), 0);
	assert_int_equal(store_write(f->store, add_one, NULL), 0);
	assert_int_equal(newest_in(reader), 0);
	store_read_end(reader);
	assert_int_equal(newest_in(reader), 1);
	store_reader_close(reader);
}

/* Writers of one store, or of two daemons on one PostgreSQL, which then run into each other. */
struct writer {
	struct store *store;
	unsigned writes;
};

static void *write_all(void *ctx)
{
	struct writer *w = ctx;
	for (unsigned i = 0; i < w->writes; i++) {
		int r;
		do {
			r = store_write(w->store, add_one, NULL);
		} while (r == -EAGAIN);
		if (r != 0)
			return w;
	}
	return NULL;
}

static void join_well(pthread_t thread)
{
	void *failed;
	assert_int_equal(pthread_join(thread, &failed), 0);
	assert_null(failed);
}

static void writers_lose_no_update(void **state)
{
	struct fixture *f = *state;
	struct store *second = f->kind == BACKEND_PG ? fixture_open(f->url) : f->store;
	struct writer writers[] = {
		{f->store, 100},
                {second,   100}
        };
	pthread_t threads[2];
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, write_all, &writers[i]), 0);
	for (size_t i = 0; i < 2; i++)
		join_well(threads[i]);
	assert_int_equal(newest_of(f->store), 200);
	if (second != f->store)
		store_close(second);
}

/* Two writers in a loop beside one that wants 50 writes: it gets every third turn, give or take. */
struct greedy {
	struct store *store;
	atomic_bool is_over;
	atomic_uint writes;
};

static void *write_greedily(void *ctx)
{
	struct greedy *g = ctx;
	while (!atomic_load(&g->is_over)) {
		if (store_write(g->store, add_one, NULL) != 0)
			return g;
		atomic_fetch_add(&g->writes, 1);
	}
	return NULL;
}

static void writers_take_turns(void **state)
{
	struct fixture *f = *state;
	struct greedy greedy = {.store = f->store};
	pthread_t threads[2];
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, write_greedily, &greedy), 0);
	while (atomic_load(&greedy.writes) < 4)
		continue;
	struct writer modest = {f->store, 50};
	unsigned before = atomic_load(&greedy.writes);
	assert_null(write_all(&modest));
	unsigned others = atomic_load(&greedy.writes) - before;
	atomic_store(&greedy.is_over, true);
	for (size_t i = 0; i < 2; i++)
		join_well(threads[i]);
	assert_in_range(others, 50, 5 * 50);
}

static void run_sql(struct fixture *f, const char *sql)
{
	if (f->kind == BACKEND_PG) {
		g_free(pg_sql(f->url, sql));
		return;
	}
	g_autofree char *path = g_strconcat(f->url + strlen("sqlite:"), "/main.db", NULL);
	sqlite3 *db;
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static void assert_refused(const char *url, unsigned partitions, const char *words)
{
	struct store_options options = {.url = url, .partitions = partitions};
	struct store *store;
	struct fault fault = {0};
	assert_int_equal(store_open(&options, &store, &fault), -1);
	if (!strstr(fault.message, words))
		fail_msg("'%s' does not say '%s'", fault.message, words);
}

/* S34. */
static void refuses_a_newer_schema(void **state)
{
	struct fixture *f = *state;
	run_sql(f, "update schema_step set step = 99 where file = 'main'");
	store_close(f->store);
	f->store = NULL;
	assert_refused(f->url, PARTITIONS, "schema step 99");
}

static void refuses_another_number_of_partitions(void **state)
{
	struct fixture *f = *state;
	store_close(f->store);
	f->store = NULL;
	assert_refused(f->url, PARTITIONS + 1, "made with 4 partitions");
	f->store = fixture_open(f->url);
}

static void a_tool_writes_beside_the_daemon(void **state)
{
	struct fixture *f = *state;
	struct store_options options = {.url = f->url, .is_tool = true};
	struct store *tool;
	assert_int_equal(store_open(&options, &tool, NULL), 0);
	assert_int_equal(store_write(tool, add_one, NULL), 0);
	assert_int_equal(store_write(f->store, add_one, NULL), 0);
	assert_int_equal(store_write(tool, add_one, NULL), 0);
	store_close(tool);
	assert_int_equal(newest_of(f->store), 3);
}

static void one_daemon_a_directory(void **state)
{
	struct fixture *f = *state;
	assert_refused(f->url, PARTITIONS, "another thingward serves this directory");
	store_close(f->store);
	f->store = fixture_open(f->url);
}

static void files_are_the_owners_alone(void **state)
{
	struct fixture *f = *state;
	static const char *const names[] = {"main.db", "main.db-wal", "log.db", "log.db-wal",
					    "store.lock"};
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		g_autofree char *path =
			g_build_filename(f->url + strlen("sqlite:"), names[i], NULL);
		struct stat st;
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 0777, 0600);
	}
}

static void works_again_after_the_server(void **state)
{
	struct fixture *f = *state;
	struct sql_conn *reader = store_reader_open(f->store, NULL);
	assert_int_equal(store_write(f->store, add_one, NULL), 0);
	assert_int_equal(newest_in(reader), 1);
	pg_crash(backend_pg(backend));
	assert_int_equal(store_write(f->store, add_one, NULL), 0);
	assert_int_equal(newest_in(reader), 2);
	store_reader_close(reader);
}

static int lose_the_connection(struct sql_conn *txn, void *ctx)
{
	unsigned *runs = ctx;
	assert_int_equal(add_one(txn, NULL), 0);
	if (++*runs == 1)
		pg_crash(backend_pg(backend));
	return change_add(txn, CHANGE_THING, "after", NULL);
}

static void a_broken_transaction_is_not_run_again(void **state)
{
	struct fixture *f = *state;
	unsigned runs = 0;
	assert_int_equal(store_write(f->store, lose_the_connection, &runs), -EIO);
	assert_int_equal(runs, 1);
	assert_int_equal(newest_of(f->store), 0);
	assert_int_equal(store_write(f->store, add_one, NULL), 0);
}

static void refuses_unknown_urls(void **state)
{
	(void)state;
	assert_refused("mysql://localhost/x", 1, "sqlite:DIR or postgresql://");
	assert_refused("sqlite:", 1, "sqlite:DIR or postgresql://");
	assert_refused("sqlite:/proc/nowhere", 1, "cannot make the directory");
	assert_refused("sqlite:/dev/null", 1, "cannot");
	assert_refused("postgresql:///x?host=/nowhere&password=secret", 1,
		       "cannot connect to PostgreSQL");
}

#define ON(test, kind)                                                                             \
	{                                                                                          \
#test, test, setup, teardown, &kinds[kind]                                         \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_BOTH(commits_or_rolls_back),
		ON_BOTH(keeps_what_was_written),
		ON_BOTH(a_view_stays_as_it_was),
		ON_BOTH(writers_lose_no_update),
		ON_BOTH(writers_take_turns),
		ON_BOTH(refuses_a_newer_schema),
		ON_BOTH(refuses_another_number_of_partitions),
		ON_BOTH(a_tool_writes_beside_the_daemon),
		ON(one_daemon_a_directory, BACKEND_SQLITE),
		ON(files_are_the_owners_alone, BACKEND_SQLITE),
		ON(works_again_after_the_server, BACKEND_PG),
		ON(a_broken_transaction_is_not_run_again, BACKEND_PG),
		cmocka_unit_test(refuses_unknown_urls),
	};
	return RUN_GROUP(tests);
}

/* What it costs to make reports durable: plog_append against a bare SQLite loop that writes the
 * same bytes, one after the other.
 *
 *     bench_append DIR [APPENDS [REPORTS [BYTES]]]          1000 appends of 100 reports of 1200
 * bytes
 *
 * DIR is empty and stays full. Prints one line of JSON: microseconds a report, of CPU and of
 * waiting. */
#include "base/check.h"
#include "store/plog.h"

#include <glib.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct shape {
	unsigned appends, reports;
	size_t bytes;
};

struct result {
	double us, cpu_us; /* a report */
};

static double seconds_of(clockid_t clock)
{
	struct timespec t;
	CHECK(clock_gettime(clock, &t) == 0);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

typedef void append_fn(void *ctx, unsigned n);

static struct result measure(const struct shape *shape, append_fn *append, void *ctx)
{
	double cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID), start = seconds_of(CLOCK_MONOTONIC);
	for (unsigned i = 0; i < shape->appends; i++)
		append(ctx, i);
	double us = 1e6 / ((double)shape->appends * shape->reports);
	return (struct result){
		.us = us * (seconds_of(CLOCK_MONOTONIC) - start),
		.cpu_us = us * (seconds_of(CLOCK_PROCESS_CPUTIME_ID) - cpu),
	};
}

struct log_side {
	const struct shape *shape;
	struct store *store;
	struct plog_entry *entries;
};

static void log_append(void *ctx, unsigned n)
{
	struct log_side *side = ctx;
	struct plog_batch batch = {.producer = "bench",
				   .first_frame = n + 1,
				   .last_frame = n + 1,
				   .entries = side->entries,
				   .n_entries = side->shape->reports};
	CHECK(plog_append(side->store, 0, &batch, 1) == 0);
}

static struct result measure_log(const struct shape *shape, const char *url)
{
	struct log_side side = {.shape = shape,
				.entries = g_new(struct plog_entry, shape->reports)};
	g_autofree char *body = g_malloc(shape->bytes);
	for (size_t i = 0; i < shape->bytes; i++)
		body[i] = (char)('a' + i % 26);
	for (unsigned i = 0; i < shape->reports; i++)
		side.entries[i] = (struct plog_entry){
			.at_ms = i, .kind = 1, .body = {body, shape->bytes}
                };
	struct fault fault;
	if (store_open(&(struct store_options){.url = url, .partitions = 1}, &side.store, &fault) <
	    0)
		g_error("%s", fault.message);
	struct result result = measure(shape, log_append, &side);
	store_close(side.store);
	g_free(side.entries);
	return result;
}

struct bare_side {
	const struct shape *shape;
	sqlite3 *db;
	sqlite3_stmt *insert;
	char *body;
	size_t size;
};

static void bare_append(void *ctx, unsigned n)
{
	struct bare_side *side = ctx;
	CHECK(sqlite3_exec(side->db, "begin immediate", NULL, NULL, NULL) == SQLITE_OK);
	CHECK(sqlite3_bind_int64(side->insert, 1, n) == SQLITE_OK);
	CHECK(sqlite3_bind_blob64(side->insert, 2, side->body, side->size, SQLITE_STATIC) ==
	      SQLITE_OK);
	CHECK(sqlite3_step(side->insert) == SQLITE_DONE);
	CHECK(sqlite3_reset(side->insert) == SQLITE_OK);
	CHECK(sqlite3_exec(side->db, "commit", NULL, NULL, NULL) == SQLITE_OK);
}

static struct result measure_bare(const struct shape *shape, const char *dir)
{
	g_autofree char *path = g_build_filename(dir, "bare.db", NULL);
	struct bare_side side = {.shape = shape, .size = shape->reports * (shape->bytes + 13)};
	side.body = g_malloc0(side.size);
	CHECK(sqlite3_open(path, &side.db) == SQLITE_OK);
	CHECK(sqlite3_exec(
		      side.db,
		      "pragma page_size=32768; pragma journal_mode=wal; pragma synchronous=full;"
		      "create table log (seq integer primary key, body blob not null) strict",
		      NULL, NULL, NULL) == SQLITE_OK);
	CHECK(sqlite3_prepare_v2(side.db, "insert into log values (?1, ?2)", -1, &side.insert,
				 NULL) == SQLITE_OK);
	struct result result = measure(shape, bare_append, &side);
	CHECK(sqlite3_finalize(side.insert) == SQLITE_OK);
	CHECK(sqlite3_close(side.db) == SQLITE_OK);
	g_free(side.body);
	return result;
}

static unsigned argument(int argc, char **argv, int at, unsigned otherwise)
{
	return argc > at ? (unsigned)strtoul(argv[at], NULL, 10) : otherwise;
}

int main(int argc, char **argv)
{
	struct shape shape = {argument(argc, argv, 2, 1000), argument(argc, argv, 3, 100),
			      argument(argc, argv, 4, 1200)};
	if (argc < 2 || shape.appends == 0 || shape.reports == 0) {
		(void)fprintf(stderr, "usage: bench_append DIR [APPENDS [REPORTS [BYTES]]]\n");
		return 2;
	}
	g_autofree char *url = g_strconcat("sqlite:", argv[1], NULL);
	struct result bare = measure_bare(&shape, argv[1]), log = measure_log(&shape, url);
	(void)printf("{\"bare_us\": %.4f, \"bare_cpu_us\": %.4f, \"log_us\": %.4f, "
		     "\"log_cpu_us\": %.4f}\n",
		     bare.us, bare.cpu_us, log.us, log.cpu_us);
	return 0;
}

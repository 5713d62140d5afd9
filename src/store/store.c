#include "store/store_priv.h"

#include "base/check.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

struct scheme {
	const char *prefix;
	size_t skip; /* how much of the URL is the prefix and no part of the location */
	const struct sql_driver *driver;
};

static const struct scheme schemes[] = {
	{"sqlite:",       7, &sql_sqlite},
	{"postgresql://", 0, &sql_pg    },
	{"postgres://",   0, &sql_pg    },
};

static const struct scheme *scheme_of(const char *url)
{
	for (size_t i = 0; i < ARRAY_LEN(schemes); i++) {
		if (g_str_has_prefix(url, schemes[i].prefix) && url[strlen(schemes[i].prefix)])
			return &schemes[i];
	}
	return NULL;
}

int store_writer_run(struct store_writer *w, enum sql_txn kind, sql_txn_fn *fn, void *ctx)
{
	CHECK(w->conn);
	fifo_lock(&w->fifo);
	int r = sql_txn(w->conn, kind, fn, ctx);
	fifo_unlock(&w->fifo);
	return r;
}

bool store_make_room(struct store *store)
{
	return reserve_release(&store->reserve);
}

int store_write(struct store *store, store_write_fn *fn, void *ctx)
{
	int r = store_writer_run(&store->main, TXN_WRITE, fn, ctx);
	if (r == -ENOSPC && store_make_room(store))
		r = store_writer_run(&store->main, TXN_WRITE, fn, ctx);
	return r;
}

static int writer_open(struct store *store, struct store_writer *w, enum sql_file file,
		       struct fault *fault)
{
	struct sql_target target = {
		.location = store->location, .file = file, .is_patient = store->is_tool};
	w->conn = store->driver->open(&target, fault);
	return w->conn ? schema_upgrade(w->conn, file, fault) : -1;
}

static struct sql_conn *reader_open(struct store *store, enum sql_file file, struct fault *fault)
{
	struct sql_target target = {
		.location = store->location, .file = file, .is_read_only = true};
	/* cppcheck-suppress returnDanglingLifetime */
	return store->driver->open(&target, fault);
}

struct sql_conn *store_reader_open(struct store *store, struct fault *fault)
{
	return reader_open(store, SQL_MAIN, fault);
}

void store_reader_close(struct sql_conn *conn)
{
	if (conn)
		conn->driver->close(conn);
}

int store_read_begin(struct sql_conn *reader)
{
	CHECK(!reader->in_txn);
	int r = reader->driver->begin(reader, TXN_READ);
	reader->in_txn = r == 0;
	return r;
}

void store_read_end(struct sql_conn *reader)
{
	reader->driver->rollback(reader);
	reader->in_txn = false;
	reader->txn_error = 0;
}

struct sql_conn *store_take(struct store *store, enum sql_file file)
{
	struct store_idle *idle = &store->idle[file];
	pthread_mutex_lock(&idle->mutex);
	struct sql_conn *conn = idle->first;
	if (conn)
		idle->first = conn->next;
	pthread_mutex_unlock(&idle->mutex);
	return conn ? conn : reader_open(store, file, NULL);
}

void store_give(struct store *store, struct sql_conn *conn)
{
	struct store_idle *idle = &store->idle[conn->file];
	pthread_mutex_lock(&idle->mutex);
	conn->next = idle->first;
	idle->first = conn;
	pthread_mutex_unlock(&idle->mutex);
}

static void idle_close(struct store_idle *idle)
{
	while (idle->first) {
		struct sql_conn *conn = idle->first;
		idle->first = conn->next;
		conn->driver->close(conn);
	}
	(void)pthread_mutex_destroy(&idle->mutex);
}

static int parts_add_log(struct sql_conn *txn, void *ctx)
{
	const struct store *store = ctx;
	int r = 0;
	for (unsigned part = 0; part < store->partitions && r == 0; part++)
		r = sql_exec(txn, SQL_part_add, SQL_ARGS(sql_int(part)), NULL);
	return r;
}

static int parts_add_main(struct sql_conn *txn, void *ctx)
{
	const struct store *store = ctx;
	int r = 0;
	for (unsigned part = 0; part < store->partitions && r == 0; part++)
		r = sql_exec(txn, SQL_part_offset_add, SQL_ARGS(sql_int(part)), NULL);
	return r;
}

/* A thing's partition follows from their number, so that it cannot change. */
static int parts_make(struct store *store, struct fault *fault)
{
	CHECK(store->partitions > 0);
	int64_t n = 0;
	int r = sql_query_int(store->log.conn, SQL_part_count, SQL_NO_ARGS, &n);
	if (r > 0 && n != 0 && n != store->partitions)
		return fault_set(fault, FAULT_INTERNAL_FAILURE,
				 "store: it was made with %lld partitions, the settings say %u: "
				 "the number cannot "
				 "change, set it back",
				 (long long)n, store->partitions);
	if (r > 0)
		r = store_writer_run(&store->main, TXN_WRITE, parts_add_main, store);
	if (r == 0)
		r = store_writer_run(&store->log, TXN_WRITE, parts_add_log, store);
	return r == 0 ? 0
		      : fault_set(fault, FAULT_INTERNAL_FAILURE,
				  "store: cannot make the partitions: %s", g_strerror(-r));
}

static int open_all(struct store *store, struct fault *fault)
{
	struct sql_home home = {-1, -1};
	int r = 0;
	if (store->driver->prepare)
		r = store->driver->prepare(store->location, store->is_tool, &home, fault);
	store->lock = home.lock;
	reserve_init(&store->reserve, home.reserve);
	if (r < 0)
		return -1;
	if (writer_open(store, &store->main, SQL_MAIN, fault) < 0)
		return -1;
	if (store->is_tool)
		return 0;
	if (writer_open(store, &store->log, SQL_LOG, fault) < 0)
		return -1;
	return parts_make(store, fault);
}

static struct store *store_new(const struct store_options *options, const struct scheme *scheme)
{
	struct store *store = g_new0(struct store, 1);
	store->driver = scheme->driver;
	store->location = g_strdup(options->url + scheme->skip);
	store->is_tool = options->is_tool;
	store->partitions = options->partitions;
	store->row = g_byte_array_new();
	fifo_init(&store->main.fifo);
	fifo_init(&store->log.fifo);
	for (size_t i = 0; i < ARRAY_LEN(store->idle); i++)
		pthread_mutex_init(&store->idle[i].mutex, NULL);
	return store;
}

int store_open(const struct store_options *options, struct store **ret, struct fault *fault)
{
	const struct scheme *scheme = scheme_of(options->url);
	if (!scheme)
		return fault_set(fault, FAULT_INVALID_REQUEST,
				 "store.url begins with '%.*s': write sqlite:DIR or "
				 "postgresql://HOST/DATABASE",
				 (int)strcspn(options->url, ":"), options->url);
	struct store *store = store_new(options, scheme);
	if (open_all(store, fault) < 0) {
		store_close(store);
		return -1;
	}
	*ret = store;
	return 0;
}

static void writer_close(struct store_writer *w)
{
	if (w->conn)
		w->conn->driver->close(w->conn);
	fifo_release(&w->fifo);
}

void store_close(struct store *store)
{
	if (!store)
		return;
	for (size_t i = 0; i < ARRAY_LEN(store->idle); i++)
		idle_close(&store->idle[i]);
	writer_close(&store->log);
	writer_close(&store->main);
	if (store->lock >= 0)
		(void)close(store->lock);
	reserve_close(&store->reserve);
	g_byte_array_unref(store->row);
	g_free(store->location);
	g_free(store);
}

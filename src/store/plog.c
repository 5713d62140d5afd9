#include "store/plog_priv.h"

#include "base/check.h"
#include "store/store_priv.h"

#include <errno.h>
#include <string.h>

#define CUT_ROWS 64 /* in one transaction: the writer is held for some milliseconds */

/* One append under way. Everything of it is made anew when the transaction runs again. */
struct append {
	unsigned part;
	struct plog_batch *batches;
	size_t n_batches;
	GByteArray *row; /* entries row_first.. that are not inserted yet */
	uint64_t row_first;
	int64_t row_at;
	uint64_t head;
	bool is_new; /* something is there to be committed */
};

static int row_flush(struct sql_conn *txn, struct append *a)
{
	if (plog_row_count(a->row) == 0)
		return 0;
	int r = sql_exec(txn, SQL_log_add,
			 SQL_ARGS(sql_int(a->part), sql_int((int64_t)a->row_first),
				  sql_int(a->row_at), sql_blob(a->row->data, a->row->len)),
			 NULL);
	plog_row_begin(a->row);
	a->row_first = a->head + 1;
	return r;
}

static int entry_add(struct sql_conn *txn, struct append *a, const struct plog_entry *entry)
{
	plog_row_add(a->row, entry);
	a->row_at = entry->at_ms;
	a->head++;
	return a->row->len >= PLOG_ROW_FULL ? row_flush(txn, a) : 0;
}

/* How many entries at the front of the batch belong to frames up to `last`. */
static size_t batch_seen(const struct plog_batch *b, uint64_t last)
{
	if (last < b->first_frame)
		return 0;
	if (last >= b->last_frame)
		return b->n_entries;
	CHECK(b->frame_ends);
	return b->frame_ends[last - b->first_frame];
}

static int producer_last(struct sql_conn *conn, unsigned part, const char *producer, uint64_t *ret)
{
	int64_t last = 0;
	int r = sql_query_int(conn, SQL_producer_last, SQL_ARGS(sql_int(part), sql_text(producer)),
			      &last);
	if (r < 0)
		return r;
	*ret = (uint64_t)last;
	return 0;
}

static int entries_add(struct sql_conn *txn, struct append *a, struct plog_batch *b, size_t from)
{
	CHECK(from <= b->n_entries);
	b->ret_dropped = from;
	b->ret_first_seq = from < b->n_entries ? a->head + 1 : 0;
	int r = 0;
	for (size_t i = from; i < b->n_entries && r == 0; i++)
		r = entry_add(txn, a, &b->entries[i]);
	a->is_new |= from < b->n_entries;
	return r;
}

static int frames_add(struct sql_conn *txn, struct append *a, struct plog_batch *b)
{
	if (strlen(b->producer) > PLOG_PRODUCER_MAX)
		return -EINVAL;
	uint64_t last = 0;
	int r = producer_last(txn, a->part, b->producer, &last);
	if (r < 0)
		return r;
	if (b->first_frame > last + 1 || b->last_frame < b->first_frame ||
	    b->last_frame > INT64_MAX)
		return -EPROTO;
	r = entries_add(txn, a, b, batch_seen(b, last));
	if (r < 0 || b->last_frame <= last)
		return r;
	a->is_new = true;
	return sql_exec(
		txn, SQL_producer_set,
		SQL_ARGS(sql_int(a->part), sql_text(b->producer), sql_int((int64_t)b->last_frame)),
		NULL);
}

static int part_hold(struct sql_conn *txn, unsigned part, uint64_t *ret_head)
{
	int64_t head;
	int r = sql_query_int(txn, SQL_part_hold, SQL_ARGS(sql_int(part)), &head);
	if (r < 0)
		return r;
	CHECK(r == 1);
	*ret_head = (uint64_t)head;
	return 0;
}

/* 1: there was nothing new. */
static int append(struct sql_conn *txn, void *ctx)
{
	struct append *a = ctx;
	int r = part_hold(txn, a->part, &a->head);
	if (r < 0)
		return r;
	a->row_first = a->head + 1;
	a->is_new = false;
	plog_row_begin(a->row);
	for (size_t i = 0; i < a->n_batches && r == 0; i++) {
		struct plog_batch *b = &a->batches[i];
		r = b->producer ? frames_add(txn, a, b) : entries_add(txn, a, b, 0);
	}
	if (r == 0)
		r = row_flush(txn, a);
	if (r < 0 || !a->is_new)
		return r < 0 ? r : 1;
	return sql_exec(txn, SQL_part_head_set,
			SQL_ARGS(sql_int(a->part), sql_int((int64_t)a->head)), NULL);
}

int plog_append(struct store *store, unsigned part, struct plog_batch *batches, size_t n_batches)
{
	CHECK(part < store->partitions);
	if (!reserve_hold(&store->reserve))
		return -ENOSPC;
	struct append a = {
		.part = part, .batches = batches, .n_batches = n_batches, .row = store->row};
	int r = store_writer_run(&store->log, TXN_APPEND, append, &a);
	return r > 0 ? 0 : r;
}

/* A number about a partition, 0 when there is none. */
static int number_get(struct store *store, enum sql_file file, enum sql_statement statement,
		      const struct sql_arg *args, size_t n_args, uint64_t *ret)
{
	struct sql_conn *conn = store_take(store, file);
	if (!conn)
		return -EIO;
	int64_t v = 0;
	int r = sql_query_int(conn, statement, args, n_args, &v);
	store_give(store, conn);
	if (r < 0)
		return r;
	*ret = (uint64_t)v;
	return 0;
}

int plog_last_frame(struct store *store, unsigned part, const char *producer, uint64_t *ret_frame)
{
	return number_get(store, SQL_LOG, SQL_producer_last,
			  SQL_ARGS(sql_int(part), sql_text(producer)), ret_frame);
}

int plog_head(struct store *store, unsigned part, uint64_t *ret_seq)
{
	return number_get(store, SQL_LOG, SQL_part_head, SQL_ARGS(sql_int(part)), ret_seq);
}

int plog_offset(struct store *store, unsigned part, uint64_t *ret_seq)
{
	return number_get(store, SQL_MAIN, SQL_part_offset, SQL_ARGS(sql_int(part)), ret_seq);
}

/* The first number of the row that holds seq, or 0. */
static int row_floor(struct sql_conn *conn, unsigned part, uint64_t seq, uint64_t *ret)
{
	int64_t first = 0;
	int r = sql_query_int(conn, SQL_log_floor, SQL_ARGS(sql_int(part), sql_int((int64_t)seq)),
			      &first);
	if (r < 0)
		return r;
	*ret = (uint64_t)first;
	return 0;
}

/* 1 with a copy of the first row at or after seq, 0 at the end. */
static int row_fetch(struct sql_conn *conn, unsigned part, uint64_t seq, uint64_t *ret_first,
		     GByteArray *body)
{
	struct sql_rows *rows;
	int r = sql_query(conn, SQL_log_next, SQL_ARGS(sql_int(part), sql_int((int64_t)seq)),
			  &rows);
	if (r < 0)
		return r;
	r = sql_next(rows);
	if (r == 1) {
		size_t n;
		const void *p = sql_col_blob(rows, 1, &n);
		g_byte_array_set_size(body, 0);
		g_byte_array_append(body, p, (guint)n);
		*ret_first = (uint64_t)sql_col_int(rows, 0);
	}
	sql_rows_free(rows);
	return r;
}

/* The row that should hold seq is not there: it was cut, or the log is damaged. */
static int missing(struct sql_conn *conn, unsigned part, uint64_t seq)
{
	uint64_t below;
	int r = row_floor(conn, part, seq, &below);
	if (r < 0)
		return r;
	return below == 0 ? -ENODATA : -EIO;
}

/* One row a query, copied: fn runs while no result is open. */
static int read_rows(struct sql_conn *conn, unsigned part, uint64_t from, GByteArray *body,
		     plog_fn *fn, void *ctx)
{
	uint64_t next = from, first = 0;
	int r = row_floor(conn, part, from, &next);
	if (r < 0)
		return r;
	if (next == 0)
		next = from;
	while ((r = row_fetch(conn, part, next, &first, body)) == 1) {
		if (first != next && next != 0)
			return missing(conn, part, next);
		struct view row = {(const char *)body->data, body->len};
		r = plog_row_each(row, first, from, fn, ctx, &next);
		if (r != 0)
			return r;
	}
	return r;
}

int plog_read(struct store *store, unsigned part, uint64_t from, plog_fn *fn, void *ctx)
{
	CHECK(from <= INT64_MAX);
	struct sql_conn *conn = store_take(store, SQL_LOG);
	if (!conn)
		return -EIO;
	g_autoptr(GByteArray) body = g_byte_array_new();
	int r = read_rows(conn, part, from, body, fn, ctx);
	store_give(store, conn);
	return r;
}

struct commit {
	unsigned part;
	uint64_t epoch, from, to;
	store_write_fn *effects;
	void *ctx;
};

static int commit(struct sql_conn *txn, void *ctx)
{
	const struct commit *c = ctx;
	int64_t moved;
	int r = sql_exec(txn, SQL_part_offset_move,
			 SQL_ARGS(sql_int(c->part), sql_int((int64_t)c->epoch),
				  sql_int((int64_t)c->from), sql_int((int64_t)c->to)),
			 &moved);
	if (r < 0)
		return r;
	return moved == 1 ? c->effects(txn, c->ctx) : -ESTALE;
}

int plog_commit(struct store *store, unsigned part, uint64_t epoch, uint64_t from, uint64_t to,
		store_write_fn *effects, void *ctx)
{
	CHECK(from <= to && to <= INT64_MAX);
	struct commit c = {part, epoch, from, to, effects, ctx};
	return store_write(store, commit, &c);
}

struct lease {
	unsigned part;
	const char *owner;
	int64_t now_ms, until_ms;
	int64_t epoch; /* result */
};

/* What stands in the partition's row: *ret_is_own when we are its owner, -EBUSY when somebody else
 * is. */
static int lease_look(struct sql_conn *txn, struct lease *l, bool *ret_is_own)
{
	struct sql_rows *rows;
	int r = sql_query(txn, SQL_part_lease, SQL_ARGS(sql_int(l->part)), &rows);
	if (r < 0)
		return r;
	r = sql_next(rows);
	if (r == 1) {
		*ret_is_own = strcmp(sql_col_text(rows, 0), l->owner) == 0;
		l->epoch = sql_col_int(rows, 1);
		r = *ret_is_own || sql_col_int(rows, 2) <= l->now_ms ? 0 : -EBUSY;
	}
	sql_rows_free(rows);
	return r;
}

static int lease(struct sql_conn *txn, void *ctx)
{
	struct lease *l = ctx;
	uint64_t head;
	bool is_own = false;
	int r = part_hold(txn, l->part, &head);
	if (r == 0)
		r = lease_look(txn, l, &is_own);
	if (r < 0)
		return r;
	if (!is_own)
		l->epoch++;
	return sql_exec(txn, SQL_part_lease_set,
			SQL_ARGS(sql_int(l->part), sql_text(l->owner), sql_int(l->epoch),
				 sql_int(l->until_ms)),
			NULL);
}

static int epoch_raise(struct sql_conn *txn, void *ctx)
{
	const struct lease *l = ctx;
	return sql_exec(txn, SQL_part_epoch_raise, SQL_ARGS(sql_int(l->part), sql_int(l->epoch)),
			NULL);
}

/* Two transactions, since the epoch that commits are held against stands in main. Until the second
 * is through, the old owner's commits still count; the new owner reads the offset only after it. */
int plog_lease(struct store *store, unsigned part, const char *owner, int64_t now_ms,
	       int64_t until_ms, uint64_t *ret_epoch)
{
	CHECK(part < store->partitions);
	struct lease l = {.part = part, .owner = owner, .now_ms = now_ms, .until_ms = until_ms};
	int r = store_writer_run(&store->log, TXN_APPEND, lease, &l);
	if (r == 0)
		r = store_write(store, epoch_raise, &l);
	if (r == 0)
		*ret_epoch = (uint64_t)l.epoch;
	return r;
}

struct cut {
	unsigned part;
	uint64_t upto; /* rows that begin below it go */
	int64_t n;     /* result: how many went */
};

static int cut(struct sql_conn *txn, void *ctx)
{
	struct cut *c = ctx;
	return sql_exec(txn, SQL_log_cut,
			SQL_ARGS(sql_int(c->part), sql_int((int64_t)c->upto), sql_int(CUT_ROWS)),
			&c->n);
}

static int row_holding(struct store *store, unsigned part, uint64_t seq, uint64_t *ret)
{
	return number_get(store, SQL_LOG, SQL_log_floor,
			  SQL_ARGS(sql_int(part), sql_int((int64_t)seq)), ret);
}

int plog_cut(struct store *store, unsigned part, uint64_t before)
{
	struct cut c = {.part = part, .n = CUT_ROWS};
	uint64_t offset = 0;
	int r = plog_offset(store, part, &offset);
	if (r == 0)
		r = row_holding(store, part, MIN(before, offset + 1), &c.upto);
	while (r == 0 && c.n == CUT_ROWS)
		r = store_writer_run(&store->log, TXN_APPEND, cut, &c);
	return r;
}

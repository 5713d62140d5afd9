#include "registry/clone_case.h"

#include "base/check.h"
#include "base/log.h"
#include "registry/rows.h"

#include <errno.h>
#include <glib.h>

#define FORGET_SLICE 1000
#define PAIRS_MAX    1000

static int read_state(struct sql_rows *row, unsigned column, struct clone_case *ret)
{
	size_t n;
	const void *bytes = sql_col_blob(row, column, &n);
	return clone_read((struct view){bytes, n}, ret) < 0 ? -EBADMSG : 0;
}

/* A state that cannot be read was written by another version: the case begins anew. */
static int take_state(struct sql_rows *row, void *ret)
{
	if (read_state(row, 1, ret) < 0)
		*(struct clone_case *)ret = (struct clone_case){0};
	return 0;
}

/* The key of a case: "client/ID" or "cert/ID". */
static const char *const kinds[] = {"client/", "cert/"};

static char *key_of(bool is_certificate, const char *id)
{
	return g_strconcat(kinds[is_certificate], id, NULL);
}

static struct clone_subject subject_of(const char *key)
{
	bool is_certificate = g_str_has_prefix(key, kinds[true]);
	return (struct clone_subject){is_certificate, key + strlen(kinds[is_certificate])};
}

static int keep(struct sql_conn *txn, const char *key, const struct clone_case *c)
{
	uint8_t bytes[CLONE_CASE_SIZE];
	struct writer w = writer_of(bytes, sizeof(bytes));
	clone_write(c, &w);
	CHECK(!w.full);
	return sql_exec(txn, SQL_clone_case_set,
			SQL_ARGS(sql_text(key), sql_int(c->first_ms), sql_int(c->last_ms),
				 sql_text(clone_verdict_name(c->verdict)), sql_int(c->beside_ms),
				 sql_blob(bytes, w.len)),
			NULL);
}

/* 1, 0 when there is none (*ret is a new one), or a negative errno. */
static int load(struct sql_conn *txn, const char *key, struct clone_case *ret)
{
	*ret = (struct clone_case){0};
	return rows_find(txn, SQL_clone_case_newest, SQL_ARGS(sql_text(key)), take_state, ret);
}

static void tell(const char *key, const struct clone_case *c)
{
	log_notice("clone", "%s: %s, last seen from %s and %s", key, clone_verdict_name(c->verdict),
		   c->a.address, c->b.address);
}

static int keep_changed(struct sql_conn *txn, const char *key, const struct clone_case *c,
			bool has_changed)
{
	if (has_changed)
		tell(key, c);
	return keep(txn, key, c);
}

int clone_case_take(struct sql_conn *txn, const char *client, const struct clone_takeover *t)
{
	g_autofree char *key = key_of(false, client);
	struct clone_case c;
	int r = load(txn, key, &c);
	return r < 0 ? r : keep_changed(txn, key, &c, clone_take(&c, t));
}

int clone_case_ended(struct sql_conn *txn, const char *client, int64_t at_ms)
{
	g_autofree char *key = key_of(false, client);
	struct clone_case c;
	int r = load(txn, key, &c);
	if (r <= 0 || at_ms - c.last_ms > CLONE_SILENT_MS)
		return r < 0 ? r : 0;
	return keep_changed(txn, key, &c, clone_ended(&c, at_ms));
}

int clone_case_beside(struct sql_conn *txn, const char *certificate, struct clone_end *there,
		      const struct clone_end *here, int64_t at_ms)
{
	g_autofree char *key = key_of(true, certificate);
	struct clone_case c;
	int64_t keep_alive;
	int r = rows_number(txn, SQL_clone_keep_alive,
			    SQL_ARGS(sql_text(certificate), sql_text(there->client)), &keep_alive);
	if (r >= 0)
		r = load(txn, key, &c);
	if (r < 0)
		return r;
	there->keep_alive_s = (uint16_t)keep_alive;
	return keep_changed(txn, key, &c, clone_beside(&c, there, here, at_ms));
}

int clone_case_lives(struct sql_conn *txn, const char *certificate, const char *client,
		     int64_t at_ms, bool was_heard)
{
	g_autofree char *key = key_of(true, certificate);
	struct clone_case c;
	int r = load(txn, key, &c);
	if (r <= 0 || !c.beside_ms)
		return r < 0 ? r : 0;
	bool has_changed = clone_lives(&c, client, at_ms, was_heard);
	return c.beside_ms ? 0 : keep_changed(txn, key, &c, has_changed);
}

struct pairs {
	name_fn *fn;
	void *ctx;
};

static int give_pair(struct sql_rows *row, void *ctx)
{
	const struct pairs *pairs = ctx;
	return pairs->fn(subject_of(sql_col_text(row, 0)).id, pairs->ctx);
}

int clone_case_each_pair(struct sql_conn *db, int64_t since_ms, name_fn *fn, void *ctx)
{
	struct pairs pairs = {fn, ctx};
	return rows_each(db, SQL_clone_case_pairs, SQL_ARGS(sql_int(since_ms), sql_int(PAIRS_MAX)),
			 give_pair, &pairs);
}

struct giving {
	clone_case_fn *fn;
	void *ctx;
};

static int give(struct sql_rows *row, void *ctx)
{
	const struct giving *giving = ctx;
	const char *key = sql_col_text(row, 0);
	struct clone_subject subject = subject_of(key);
	struct clone_case c;
	int r = read_state(row, 1, &c);
	return r < 0 ? 0 : giving->fn(key, &subject, &c, giving->ctx);
}

int clone_case_list(struct sql_conn *db, int64_t last_ms, const char *key, int64_t limit,
		    clone_case_fn *fn, void *ctx)
{
	struct giving giving = {fn, ctx};
	return rows_each(db, SQL_clone_case_list,
			 SQL_ARGS(sql_int(last_ms), sql_text(key), sql_int(limit)), give, &giving);
}

int clone_case_trim(struct sql_conn *txn, int64_t *ret_n)
{
	int64_t n;
	*ret_n = 0;
	int r = rows_number(txn, SQL_clone_case_count, SQL_NO_ARGS, &n);
	if (r < 0 || n <= CLONE_CASES_MAX)
		return r;
	return sql_exec(txn, SQL_clone_case_evict, SQL_ARGS(sql_int(n - CLONE_CASES_MAX)), ret_n);
}

int clone_case_forget(struct sql_conn *txn, int64_t before_ms, bool *ret_more)
{
	int64_t n;
	int r = sql_exec(txn, SQL_clone_case_forget,
			 SQL_ARGS(sql_int(before_ms), sql_int(FORGET_SLICE)), &n);
	*ret_more = r == 0 && n == FORGET_SLICE;
	return r;
}

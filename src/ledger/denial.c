/* Refusals become rows: alike ones one row an hour, within the bounds of ledger.h. Those of one
 * transaction are summed before they are written, so that a flood that is folded into one row costs
 * one statement. */
#include "base/log.h"
#include "base/sha256.h"
#include "ledger/ledger_priv.h"
#include "policy/decide.h"
#include "registry/rows.h"

#define HOUR_MS   (3600 * INT64_C(1000))
#define ID_SIZE   33                 /* hex of half a SHA-256 */
#define TIMES_MAX (INT64_C(1) << 40) /* of one event: sums do not overflow */

/* The hour that is being written, and what it holds already. Both tables are bounded by
 * limits.hour_rows. They may know more than the store when a transaction is run again: it writes
 * the same rows then. */
struct denials {
	struct ledger_limits limits;
	int64_t hour;        /* -1: none yet */
	GHashTable *ids;     /* of its rows */
	GHashTable *sources; /* name -> rows */
	GHashTable *waiting; /* id -> struct row, of this transaction; texts live in its entries */
	bool is_told;        /* that this hour has more than its rows */
	uint64_t folded, evicted;
};

/* A row on its way: what tells it from others, then what is summed. */
struct row {
	int64_t hour;
	struct view broker;
	char certificate[LEDGER_CERTIFICATE_SIZE];
	struct view client_id, username, address;
	const char *action, *cause;
	bool is_observed, is_rest;
	struct view resource, policy, missing;
	int64_t version, statement;
	int64_t times, first_ms, last_ms;
	char id[ID_SIZE];
};

struct denials *denials_new(const struct ledger_limits *limits)
{
	struct denials *d = g_new0(struct denials, 1);
	d->limits = *limits;
	d->hour = -1;
	d->ids = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	d->sources = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	d->waiting = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, g_free);
	return d;
}

void denials_free(struct denials *d)
{
	g_hash_table_destroy(d->ids);
	g_hash_table_destroy(d->sources);
	g_hash_table_destroy(d->waiting);
	g_free(d);
}

void denials_stats(const struct denials *d, struct ledger_stats *ret)
{
	ret->folded = d->folded;
	ret->evicted = d->evicted;
}

/* ---- The hour ---- */

/* Whose bound it counts under. The letters keep the three kinds apart. */
static char *source_name(const char *certificate, struct view username, struct view address)
{
	if (*certificate)
		return g_strconcat("c", certificate, NULL);
	if (username.n)
		return g_strdup_printf("u%.*s", (int)username.n, username.p);
	return g_strdup_printf("a%.*s", (int)address.n, address.p);
}

static int64_t source_rows(const struct denials *d, const char *name)
{
	return (int64_t)GPOINTER_TO_SIZE(g_hash_table_lookup(d->sources, name));
}

/* Takes `source`; NULL: the row belongs to nobody's share. */
static void note_row(struct denials *d, const char *id, char *source)
{
	(void)g_hash_table_add(d->ids, g_strdup(id));
	if (source)
		(void)g_hash_table_replace(d->sources, source,
					   GSIZE_TO_POINTER(source_rows(d, source) + 1));
}

static int note_stored(struct sql_rows *row, void *ctx)
{
	bool is_rest = sql_col_int(row, 4) != 0;
	char *source = is_rest ? NULL
			       : source_name(sql_col_text(row, 1), view_of(sql_col_text(row, 2)),
					     view_of(sql_col_text(row, 3)));
	note_row(ctx, sql_col_text(row, 0), source);
	return 0;
}

struct counting {
	int64_t rows, max_rows;
	int64_t keep_from; /* the oldest hour that still fits, -1: none was counted */
};

static int count_hour(struct sql_rows *row, void *ctx)
{
	struct counting *c = ctx;
	c->rows += sql_col_int(row, 1);
	if (c->rows > c->max_rows)
		return 1;
	c->keep_from = sql_col_int(row, 0);
	return 0;
}

static int evict(struct denials *d, struct sql_conn *txn)
{
	struct counting c = {.max_rows = d->limits.max_rows, .keep_from = d->hour};
	int64_t n = 0;
	int r = rows_each(txn, SQL_denial_hours, SQL_NO_ARGS, count_hour, &c);
	if (r <= 0)
		return r;
	r = sql_exec(txn, SQL_denial_evict, SQL_ARGS(sql_int(c.keep_from)), &n);
	d->evicted += (uint64_t)n;
	log_warning("ledger",
		    "denial.max_rows is reached: %" G_GINT64_FORMAT
		    " denials of the oldest hours are given up",
		    n);
	return r;
}

static int enter_hour(struct denials *d, struct sql_conn *txn, int64_t hour)
{
	if (hour == d->hour)
		return 0;
	d->hour = hour;
	d->is_told = false;
	g_hash_table_remove_all(d->ids);
	g_hash_table_remove_all(d->sources);
	int r = rows_each(txn, SQL_denial_of_hour, SQL_ARGS(sql_int(hour)), note_stored, d);
	if (r == 0)
		r = evict(d, txn);
	if (r < 0)
		d->hour = -1;
	return r;
}

/* ---- Rows ---- */

static void add_text(struct sha256 *sha, struct view v)
{
	uint32_t n = (uint32_t)v.n;
	sha256_add(sha, &n, sizeof(n));
	sha256_add(sha, v.p ? v.p : "", v.n);
}

static void add_number(struct sha256 *sha, int64_t v)
{
	sha256_add(sha, &v, sizeof(v));
}

static void give_id(struct row *row)
{
	uint8_t sum[SHA256_SIZE];
	struct sha256 sha;
	const struct view texts[] = {
		row->broker,    view_of(row->certificate),
		row->client_id, row->username,
		row->address,   view_of(row->action),
		row->resource,  view_of(row->cause),
		row->policy,    row->missing,
	};
	sha256_init(&sha);
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		add_text(&sha, texts[i]);
	add_number(&sha, row->hour);
	add_number(&sha, row->is_observed);
	add_number(&sha, row->is_rest);
	add_number(&sha, row->version);
	add_number(&sha, row->statement);
	sha256_end(&sha, sum);
	for (size_t i = 0; i < (ID_SIZE - 1) / 2; i++)
		(void)g_snprintf(row->id + 2 * i, 3, "%02x", sum[i]);
}

static struct row row_of(struct view broker, int64_t hour, const struct event_refused *e)
{
	struct row row = {
		.hour = hour,
		.broker = broker,
		.client_id = e->who.client_id,
		.username = e->who.username,
		.address = e->who.address,
		.action = e->action == EVENT_ACTION_TLS
				  ? "tls"
				  : policy_action_name((enum policy_action)e->action),
		.cause = cause_word(e->cause),
		.is_observed = e->is_observed,
		.resource = e->resource,
		.policy = e->policy,
		.missing = e->missing,
		.version = e->version,
		.statement = e->statement,
		.times = (int64_t)MIN(e->count, (uint64_t)TIMES_MAX),
		.first_ms = e->first_ms,
		.last_ms = e->last_ms,
	};
	ledger_certificate(e->who.fingerprint, row.certificate);
	give_id(&row);
	return row;
}

/* The row for the rest of the source: what only it can choose is left out. */
static void fold_source(struct row *row)
{
	row->client_id = row->resource = row->policy = row->missing = (struct view){0};
	if (*row->certificate)
		row->username = row->address = (struct view){0};
	else if (row->username.n)
		row->address = (struct view){0};
	row->version = 0;
	row->statement = -1;
	row->is_rest = true;
	give_id(row);
}

static void fold_all(struct row *row)
{
	row->certificate[0] = '\0';
	row->username = row->address = (struct view){0};
	give_id(row);
}

static bool has_row(const struct denials *d, const struct row *row)
{
	return g_hash_table_contains(d->ids, row->id);
}

static bool has_room(const struct denials *d)
{
	return g_hash_table_size(d->ids) < d->limits.hour_rows;
}

static void tell_full(struct denials *d)
{
	if (!d->is_told)
		log_warning("ledger", "more refusals of different kinds this hour than "
				      "denial.source_rows or denial.hour_rows take: the rest is "
				      "only counted");
	d->is_told = true;
}

/* Finds the row that it may have. The last one is always there: it is bounded by actions, causes
 * and brokers. */
static void place(struct denials *d, struct row *row)
{
	g_autofree char *source = source_name(row->certificate, row->username, row->address);
	if (has_row(d, row))
		return;
	if (has_room(d) && source_rows(d, source) < d->limits.source_rows) {
		note_row(d, row->id, g_steal_pointer(&source));
		return;
	}
	d->folded++;
	tell_full(d);
	fold_source(row);
	if (!has_row(d, row) && !has_room(d))
		fold_all(row);
	if (!has_row(d, row))
		note_row(d, row->id, NULL);
}

static int add(struct sql_conn *txn, const struct row *row)
{
	g_autoptr(GStringChunk) texts = g_string_chunk_new(256);
	return sql_exec(
		txn, SQL_denial_add,
		SQL_ARGS(sql_text(row->id), sql_int(row->hour), ledger_text(texts, row->broker),
			 sql_text(row->certificate), ledger_text(texts, row->client_id),
			 ledger_text(texts, row->username), ledger_text(texts, row->address),
			 sql_text(row->action), sql_text(row->cause), sql_int(row->is_observed),
			 ledger_text(texts, row->resource), ledger_text(texts, row->policy),
			 sql_int(row->version), sql_int(row->statement),
			 ledger_text(texts, row->missing), sql_int(row->is_rest),
			 sql_int(row->times), sql_int(row->first_ms), sql_int(row->last_ms)),
		NULL);
}

static void sum_up(struct denials *d, const struct row *row)
{
	struct row *there = g_hash_table_lookup(d->waiting, row->id);
	if (!there) {
		there = g_memdup2(row, sizeof(*row));
		(void)g_hash_table_insert(d->waiting, there->id, there);
		return;
	}
	there->times += row->times;
	there->first_ms = MIN(there->first_ms, row->first_ms);
	there->last_ms = MAX(there->last_ms, row->last_ms);
}

int denials_take(struct denials *d, struct sql_conn *txn, struct view broker, int64_t at_ms,
		 const struct event_refused *e)
{
	int64_t hour = at_ms / HOUR_MS;
	int r = enter_hour(d, txn, hour);
	if (r < 0)
		return r;
	struct row row = row_of(broker, hour, e);
	place(d, &row);
	sum_up(d, &row);
	return 0;
}

void denials_begin(struct denials *d)
{
	g_hash_table_remove_all(d->waiting);
}

int denials_end(struct denials *d, struct sql_conn *txn)
{
	GHashTableIter iter;
	gpointer row;
	int r = 0;
	g_hash_table_iter_init(&iter, d->waiting);
	while (r == 0 && g_hash_table_iter_next(&iter, NULL, &row))
		r = add(txn, row);
	g_hash_table_remove_all(d->waiting);
	return r;
}

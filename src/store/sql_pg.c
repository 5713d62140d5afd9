/* PostgreSQL through libpq: prepared statements with declared types, everything in binary.
 *
 * A connection that the server dropped is opened again when a transaction begins, or a query
 * outside of one: what was under way then has failed, what follows works. */
#include "store/sql_priv.h"

#include "base/check.h"
#include "base/log.h"

#include <endian.h>
#include <errno.h>
#include <glib.h>
#include <libpq-fe.h>
#include <string.h>

#define ARGS_MAX 64

/* Types of pg_type.dat, which libpq's headers do not name. */
enum oid {
	OID_BYTEA = 17,
	OID_INT8 = 20,
	OID_INT2 = 21,
	OID_INT4 = 23,
	OID_TEXT = 25,
	OID_FLOAT8 = 701,
	OID_VARCHAR = 1043
};

struct pg_conn {
	struct sql_conn base;
	PGconn *db;
	bool is_read_only;
	bool is_lost;      /* the server said that it ends the connection, or it is gone */
	bool *is_prepared; /* by statement */
};

struct pg_rows {
	struct sql_rows base;
	PGresult *result;
	int row; /* the present one, -1 before the first */
};

static const char *const begin_texts[] = {
	[TXN_READ] = "begin isolation level repeatable read read only",
	[TXN_WRITE] = "begin isolation level serializable",
	[TXN_APPEND] = "begin isolation level read committed",
	/* Any number that all of our programs agree on: no two make tables at once. */
	[TXN_SCHEMA] =
		"begin isolation level read committed; select pg_advisory_xact_lock(7238466)",
};

/* Accepted means durable, whatever the server's default; a stronger setting stays. */
#define SESSION_SETUP                                                                              \
	"select set_config('synchronous_commit', 'on', false)"                                     \
	" where current_setting('synchronous_commit') = 'off'"

static const struct {
	const char *sqlstate;
	int error;
} errors[] = {
	{"40001", -EAGAIN}, /* serialization_failure */
	{"40P01", -EAGAIN}, /* deadlock_detected */
	{"53100", -ENOSPC}, /* disk_full */
};

static struct pg_conn *own(struct sql_conn *conn)
{
	return (struct pg_conn *)conn;
}

/* The server said that it ends the connection, or libpq itself failed: then there is no SQLSTATE.
 * PQstatus does not yet tell at that moment (tried, libpq 15). */
static bool is_last_word(const PGresult *result)
{
	const char *severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);
	return !severity || strcmp(severity, "FATAL") == 0 || strcmp(severity, "PANIC") == 0;
}

static int error_of(struct pg_conn *c, const PGresult *result)
{
	ExecStatusType status = PQresultStatus(result);
	if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK)
		return 0;
	c->is_lost = is_last_word(result);
	const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	for (size_t i = 0; sqlstate && i < ARRAY_LEN(errors); i++) {
		if (strcmp(sqlstate, errors[i].sqlstate) == 0)
			return errors[i].error;
	}
	return -EIO;
}

static int pg_run(struct sql_conn *conn, const char *text)
{
	PGresult *result = PQexec(own(conn)->db, text);
	int r = error_of(own(conn), result);
	PQclear(result);
	return r;
}

static void ignore_notice(void *ctx, const char *message)
{
	(void)ctx, (void)message;
}

static int session_setup(struct pg_conn *c)
{
	if (PQstatus(c->db) != CONNECTION_OK)
		return -EIO;
	c->is_lost = false;
	(void)PQsetNoticeProcessor(c->db, ignore_notice, NULL);
	memset(c->is_prepared, 0, sql_statement_count() * sizeof(*c->is_prepared));
	int r = pg_run(&c->base, SESSION_SETUP);
	if (r == 0 && c->is_read_only)
		r = pg_run(&c->base, "set default_transaction_read_only = on");
	return r;
}

/* True: the connection was lost, and is there again. */
static bool revived(struct pg_conn *c)
{
	if (c->base.in_txn || !c->is_lost)
		return false;
	PQreset(c->db);
	return session_setup(c) == 0;
}

static void pg_close(struct sql_conn *conn)
{
	struct pg_conn *c = own(conn);
	PQfinish(c->db);
	g_free(c->is_prepared);
	g_free(c);
}

static struct sql_conn *pg_open(const struct sql_target *target, struct fault *fault)
{
	struct pg_conn *c = g_new0(struct pg_conn, 1);
	c->base = (struct sql_conn){.driver = &sql_pg, .file = target->file};
	c->is_read_only = target->is_read_only;
	c->is_prepared = g_new0(bool, sql_statement_count());
	const char *const keys[] = {"dbname", "client_encoding", "application_name", NULL};
	const char *const values[] = {target->location, "UTF8", "thingward", NULL};
	c->db = PQconnectdbParams(keys, values, 1);
	if (session_setup(c) == 0)
		return &c->base;
	(void)fault_set(fault, FAULT_INTERNAL_FAILURE,
			"store: cannot connect to PostgreSQL (store.url): %s",
			PQerrorMessage(c->db));
	pg_close(&c->base);
	return NULL;
}

static const char *pg_error(struct sql_conn *conn)
{
	return PQerrorMessage(own(conn)->db);
}

static int pg_begin(struct sql_conn *conn, enum sql_txn kind)
{
	int r = pg_run(conn, begin_texts[kind]);
	if (r < 0 && revived(own(conn)))
		r = pg_run(conn, begin_texts[kind]);
	return r;
}

/* A transaction in which something failed answers a commit with ROLLBACK. */
static int pg_commit(struct sql_conn *conn)
{
	PGresult *result = PQexec(own(conn)->db, "commit");
	int r = error_of(own(conn), result);
	if (r == 0 && strcmp(PQcmdStatus(result), "COMMIT") != 0)
		r = -EIO;
	PQclear(result);
	return r;
}

static void pg_rollback(struct sql_conn *conn)
{
	if (PQtransactionStatus(own(conn)->db) != PQTRANS_IDLE)
		(void)pg_run(conn, "rollback");
}

static Oid oid_of(char letter)
{
	switch (g_ascii_tolower(letter)) {
	case 'i':
		return OID_INT8;
	case 'd':
		return OID_FLOAT8;
	case 't':
		return OID_TEXT;
	default:
		return OID_BYTEA;
	}
}

static int prepare(struct pg_conn *c, enum sql_statement statement)
{
	if (c->is_prepared[statement])
		return 0;
	const struct sql_statement_row *row = sql_statement_row(statement);
	Oid types[ARGS_MAX];
	size_t n = strlen(row->params);
	CHECK(n <= ARGS_MAX);
	for (size_t i = 0; i < n; i++)
		types[i] = oid_of(row->params[i]);
	g_autofree char *text = sql_dollars(row->text);
	PGresult *result = PQprepare(c->db, row->name, text, (int)n, types);
	int r = error_of(c, result);
	PQclear(result);
	c->is_prepared[statement] = r == 0;
	return r;
}

/* Arguments as libpq wants them: pointers to network byte order. */
struct wire {
	uint64_t numbers[ARGS_MAX];
	const char *values[ARGS_MAX];
	int lengths[ARGS_MAX], formats[ARGS_MAX];
};

static uint64_t number_bits(const struct sql_arg *arg)
{
	uint64_t bits = (uint64_t)arg->i;
	if (arg->type == 'd')
		memcpy(&bits, &arg->d, sizeof(bits));
	return bits;
}

static void wire_set(struct wire *w, size_t at, const struct sql_arg *arg)
{
	w->formats[at] = 1;
	w->lengths[at] = 8;
	switch (arg->type) {
	case 'i':
	case 'd':
		w->numbers[at] = htobe64(number_bits(arg));
		w->values[at] = (const char *)&w->numbers[at];
		break;
	case 't':
	case 'b':
		w->values[at] = arg->p;
		w->lengths[at] = (int)arg->n;
		break;
	default:
		w->values[at] = NULL;
	}
}

static int run_once(struct pg_conn *c, enum sql_statement statement, const struct wire *w,
		    size_t n_args, PGresult **ret)
{
	int r = prepare(c, statement);
	if (r < 0)
		return r;
	PGresult *result = PQexecPrepared(c->db, sql_statement_row(statement)->name, (int)n_args,
					  w->values, w->lengths, w->formats, 1);
	r = error_of(c, result);
	if (r < 0)
		PQclear(result);
	else
		*ret = result;
	return r;
}

static int run_statement(struct pg_conn *c, enum sql_statement statement,
			 const struct sql_arg *args, size_t n_args, PGresult **ret)
{
	struct wire w;
	CHECK(n_args <= ARGS_MAX);
	for (size_t i = 0; i < n_args; i++) {
		CHECK(args[i].n <= INT32_MAX);
		wire_set(&w, i, &args[i]);
	}
	int r = run_once(c, statement, &w, n_args, ret);
	if (r < 0 && revived(c))
		r = run_once(c, statement, &w, n_args, ret);
	return r;
}

static int pg_exec(struct sql_conn *conn, enum sql_statement statement, const struct sql_arg *args,
		   size_t n_args, int64_t *ret_changed)
{
	PGresult *result;
	int r = run_statement(own(conn), statement, args, n_args, &result);
	if (r < 0)
		return r;
	*ret_changed = g_ascii_strtoll(PQcmdTuples(result), NULL, 10);
	PQclear(result);
	return 0;
}

static bool type_fits(char letter, Oid type)
{
	switch (g_ascii_tolower(letter)) {
	case 'i':
		return type == OID_INT8 || type == OID_INT4 || type == OID_INT2;
	case 't':
		return type == OID_TEXT || type == OID_VARCHAR;
	default:
		return type == oid_of(letter);
	}
}

static void check_columns(enum sql_statement statement, const PGresult *result)
{
	const struct sql_statement_row *row = sql_statement_row(statement);
	CHECK((size_t)PQnfields(result) == strlen(row->results));
	for (int i = 0; i < PQnfields(result); i++) {
		bool fits = type_fits(row->results[i], PQftype(result, i));
		if (!fits)
			log_error(
				"store",
				"statement %s: column %d is of PostgreSQL's type %u, declared '%c'",
				row->name, i, PQftype(result, i), row->results[i]);
		CHECK(fits);
	}
}

static int pg_query(struct sql_conn *conn, enum sql_statement statement, const struct sql_arg *args,
		    size_t n_args, struct sql_rows **ret_rows)
{
	PGresult *result;
	int r = run_statement(own(conn), statement, args, n_args, &result);
	if (r < 0)
		return r;
	check_columns(statement, result);
	struct pg_rows *rows = g_new0(struct pg_rows, 1);
	rows->result = result;
	rows->row = -1;
	*ret_rows = &rows->base;
	return 0;
}

static struct pg_rows *own_rows(struct sql_rows *rows)
{
	return (struct pg_rows *)rows;
}

static int pg_next(struct sql_rows *rows)
{
	struct pg_rows *r = own_rows(rows);
	if (r->row + 1 >= PQntuples(r->result))
		return 0;
	r->row++;
	return 1;
}

static void pg_rows_free(struct sql_rows *rows)
{
	PQclear(own_rows(rows)->result);
	g_free(rows);
}

static bool pg_col_null(struct sql_rows *rows, unsigned column)
{
	return PQgetisnull(own_rows(rows)->result, own_rows(rows)->row, (int)column);
}

static const char *pg_col_bytes(struct sql_rows *rows, unsigned column, size_t *ret_n)
{
	*ret_n = (size_t)PQgetlength(own_rows(rows)->result, own_rows(rows)->row, (int)column);
	return PQgetvalue(own_rows(rows)->result, own_rows(rows)->row, (int)column);
}

/* Big endian, of 2, 4 or 8 bytes, with its sign. */
static int64_t pg_col_int(struct sql_rows *rows, unsigned column)
{
	size_t n;
	const uint8_t *p = (const uint8_t *)pg_col_bytes(rows, column, &n);
	uint64_t v = p[0] & 0x80 ? UINT64_MAX : 0;
	for (size_t i = 0; i < n; i++)
		v = v << 8 | p[i];
	return (int64_t)v;
}

static double pg_col_real(struct sql_rows *rows, unsigned column)
{
	uint64_t bits = (uint64_t)pg_col_int(rows, column);
	double v;
	memcpy(&v, &bits, sizeof(v));
	return v;
}

static const struct sql_word words[] = {
	{"INT",    "bigint"            },
	{"REAL",   "double precision"  },
	{"TEXT",   "text collate \"C\""},
	{"BLOB",   "bytea"             },
	{"STRICT", ""                  },
};

const struct sql_driver sql_pg = {
	.open = pg_open,
	.close = pg_close,
	.error = pg_error,
	.run = pg_run,
	.words = words,
	.n_words = ARRAY_LEN(words),
	.begin = pg_begin,
	.commit = pg_commit,
	.rollback = pg_rollback,
	.exec = pg_exec,
	.query = pg_query,
	.next = pg_next,
	.rows_free = pg_rows_free,
	.col_null = pg_col_null,
	.col_int = pg_col_int,
	.col_real = pg_col_real,
	.col_bytes = pg_col_bytes,
};

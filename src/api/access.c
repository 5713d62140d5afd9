#include "api/access.h"

#include <errno.h>
#include <openssl/crypto.h>

void access_key_wipe(struct access_key *key)
{
	OPENSSL_cleanse(key, sizeof(*key));
}

/* n characters of an alphabet of 32 or 64: a byte's low bits choose without favour. */
static void make_up(struct chance chance, const char *alphabet, char *out, size_t n)
{
	size_t size = strlen(alphabet);
	unsigned char bytes[64];
	chance.fill(chance.ctx, bytes, n);
	for (size_t i = 0; i < n; i++)
		out[i] = alphabet[bytes[i] % size];
	out[n] = '\0';
	OPENSSL_cleanse(bytes, sizeof(bytes));
}

static bool is_id(const char *id)
{
	size_t n = strlen(id);
	return n > 0 && n <= ACCESS_ID_MAX &&
	       strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") == n;
}

/* A write transaction's context: the values before it, the fault after it. */
struct access_write {
	const struct access *access;
	const struct access_key *key;
	const char *id;
	int64_t now_ms;
	struct fault *fault;
};

static int refused(struct access_write *write, enum fault_kind kind, const char *message)
{
	fault_set(write->fault, kind, "%s: %s", write->id, message);
	return 1;
}

static int add(struct sql_conn *txn, void *ctx)
{
	struct access_write *write = ctx;
	unsigned char sealed[ACCESS_SECRET_MAX + SEAL_OVERHEAD];
	size_t n = strlen(write->key->secret);
	int64_t changed;
	seal(write->access->seal_key, write->access->chance, write->id, write->key->secret, n,
	     sealed);
	int error = sql_exec(txn, SQL_access_key_add,
			     SQL_ARGS(sql_text(write->id), sql_text(role_name(write->key->role)),
				      sql_blob(sealed, n + SEAL_OVERHEAD), sql_int(write->now_ms)),
			     &changed);
	if (error == 0 && changed == 0)
		return refused(write, FAULT_RESOURCE_ALREADY_EXISTS,
			       "there is such an access key already");
	return error;
}

static int outcome(const struct access_write *write, int result)
{
	if (result < 0)
		fault_set(write->fault, FAULT_INTERNAL_FAILURE, "%s: the store failed: %s",
			  write->id, g_strerror(-result));
	return result == 0 ? 0 : -1;
}

int access_key_create(const struct access *access, int64_t now_ms, struct access_key *key,
		      struct fault *fault)
{
	if (key->id[0] == '\0') {
		memcpy(key->id, "TWAK", 4);
		make_up(access->chance, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", key->id + 4, 16);
	}
	if (key->secret[0] == '\0')
		make_up(access->chance,
			"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
			key->secret, 40);
	if (!is_id(key->id))
		return fault_set(fault, FAULT_INVALID_REQUEST,
				 "%s: an access key id has 1 to %d letters, digits, '_' and '-'",
				 key->id, ACCESS_ID_MAX);
	struct access_write write = {access, key, key->id, now_ms, fault};
	return outcome(&write, store_write(access->store, add, &write));
}

static int role_stored(struct sql_conn *txn, const char *id, enum role *ret)
{
	struct sql_rows *rows;
	int error = sql_query(txn, SQL_access_key_get, SQL_ARGS(sql_text(id)), &rows);
	if (error < 0)
		return error;
	error = sql_next(rows);
	if (error == 1)
		*ret = role_of(sql_col_text(rows, 0));
	sql_rows_free(rows);
	return error == 0 ? -ENOENT : error < 0 ? error : 0;
}

static int count_others(struct sql_conn *txn, enum role role, const char *id, int64_t *ret)
{
	struct sql_rows *rows;
	int error = sql_query(txn, SQL_access_key_others,
			      SQL_ARGS(sql_text(role_name(role)), sql_text(id)), &rows);
	if (error < 0)
		return error;
	error = sql_next(rows);
	*ret = error == 1 ? sql_col_int(rows, 0) : 0;
	sql_rows_free(rows);
	return error < 0 ? error : 0;
}

static int drop(struct sql_conn *txn, void *ctx)
{
	struct access_write *write = ctx;
	enum role role = ROLE_ADMIN;
	int64_t others = 0;
	int error = role_stored(txn, write->id, &role);
	if (error == -ENOENT)
		return refused(write, FAULT_RESOURCE_NOT_FOUND, "there is no such access key");
	if (error == 0)
		error = count_others(txn, role, write->id, &others);
	if (error < 0)
		return error;
	if (role == ROLE_ADMIN && others == 0)
		return refused(write, FAULT_DELETE_CONFLICT,
			       "the last key of role admin stays; create another one first");
	return sql_exec(txn, SQL_access_key_delete, SQL_ARGS(sql_text(write->id)), NULL);
}

int access_key_delete(const struct access *access, const char *id, struct fault *fault)
{
	struct access_write write = {.access = access, .id = id, .fault = fault};
	return outcome(&write, store_write(access->store, drop, &write));
}

static int open_row(struct sql_rows *rows, const struct seal_key *seal_key, const char *id,
		    struct access_key *ret)
{
	size_t n;
	const void *sealed = sql_col_blob(rows, 1, &n);
	ret->role = role_of(sql_col_text(rows, 0));
	if (n < SEAL_OVERHEAD || n > ACCESS_SECRET_MAX + SEAL_OVERHEAD || ret->role == 0 ||
	    unseal(seal_key, id, sealed, n, ret->secret) < 0)
		return -EBADMSG;
	ret->secret[n - SEAL_OVERHEAD] = '\0';
	g_strlcpy(ret->id, id, sizeof(ret->id));
	return 0;
}

int access_key_get(struct sql_conn *reader, const struct seal_key *seal_key, const char *id,
		   struct access_key *ret)
{
	struct sql_rows *rows;
	int error = sql_query(reader, SQL_access_key_get, SQL_ARGS(sql_text(id)), &rows);
	if (error < 0)
		return error;
	error = sql_next(rows);
	if (error == 1)
		error = open_row(rows, seal_key, id, ret);
	else if (error == 0)
		error = -ENOENT;
	sql_rows_free(rows);
	return error;
}

int access_key_each(struct sql_conn *reader, access_key_fn *fn, void *ctx)
{
	struct sql_rows *rows;
	int error = sql_query(reader, SQL_access_key_each, SQL_NO_ARGS, &rows);
	if (error < 0)
		return error;
	while ((error = sql_next(rows)) == 1) {
		error = fn(sql_col_text(rows, 0), role_of(sql_col_text(rows, 1)),
			   sql_col_int(rows, 2), ctx);
		if (error != 0)
			break;
	}
	sql_rows_free(rows);
	return error;
}

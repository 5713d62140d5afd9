/* Changes: numbered without holes in the transaction that makes them, each seen once after a given
 * one. */
#include "fixture.h"

#include "store/change.h"

#include <inttypes.h>

struct addition {
	enum change_kind kind;
	const char *key;
	int64_t g; /* result */
};

static int add(struct sql_conn *txn, void *ctx)
{
	struct addition *a = ctx;
	return change_add(txn, a->kind, a->key, &a->g);
}

static int add_and_refuse(struct sql_conn *txn, void *ctx)
{
	int r = add(txn, ctx);
	return r < 0 ? r : 1;
}

static int64_t added(struct fixture *f, enum change_kind kind, const char *key)
{
	struct addition a = {.kind = kind, .key = key};
	assert_int_equal(store_write(f->store, add, &a), 0);
	return a.g;
}

static int forget(struct sql_conn *txn, void *ctx)
{
	return change_forget(txn, *(const int64_t *)ctx);
}

static int print(const struct change *change, void *ctx)
{
	g_string_append_printf(ctx, "%" PRId64 ":%d:%s ", change->g, (int)change->kind,
			       change->key);
	return 0;
}

static int stop(const struct change *change, void *ctx)
{
	*(int64_t *)ctx = change->g;
	return 5;
}

static void assert_changes(struct fixture *f, int64_t after, const char *expected)
{
	struct sql_conn *reader = store_reader_open(f->store, NULL);
	GString *seen = g_string_new(NULL);
	assert_int_equal(change_each(reader, after, print, seen), 0);
	assert_string_equal(seen->str, expected);
	g_string_free(seen, TRUE);
	store_reader_close(reader);
}

static void numbers_from_one(void **state)
{
	struct fixture *f = *state;
	assert_changes(f, 0, "");
	assert_int_equal(added(f, CHANGE_THING, "a"), 1);
	struct addition refused = {.kind = CHANGE_CERT, .key = "b"};
	assert_int_equal(store_write(f->store, add_and_refuse, &refused), 1);
	assert_int_equal(added(f, CHANGE_SETTINGS, ""), 2);
	assert_changes(f, 0, "1:2:a 2:6: ");
	assert_changes(f, 1, "2:6: ");
	assert_changes(f, 2, "");
}

static void forgets_all_but_the_newest(void **state)
{
	struct fixture *f = *state;
	for (unsigned i = 0; i < 3; i++)
		(void)added(f, CHANGE_GROUP, "g");
	int64_t upto = 1;
	assert_int_equal(store_write(f->store, forget, &upto), 0);
	assert_changes(f, 0, "2:5:g 3:5:g ");
	upto = 100;
	assert_int_equal(store_write(f->store, forget, &upto), 0);
	assert_changes(f, 0, "3:5:g ");
	assert_int_equal(added(f, CHANGE_GROUP, "h"), 4);
}

static void stops_when_told(void **state)
{
	struct fixture *f = *state;
	for (unsigned i = 0; i < 3; i++)
		(void)added(f, CHANGE_GROUP, "g");
	struct sql_conn *reader = store_reader_open(f->store, NULL);
	int64_t g = 0;
	assert_int_equal(change_each(reader, 1, stop, &g), 5);
	assert_int_equal(g, 2);
	store_reader_close(reader);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_BOTH(numbers_from_one),
		ON_BOTH(forgets_all_but_the_newest),
		ON_BOTH(stops_when_told),
	};
	return RUN_GROUP(tests);
}

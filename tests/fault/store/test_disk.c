/* The n-th write or fsync fails, for n = 1.. until a whole run passes: an append, or a commit with
 * its effects, was either done or not, the store opens again, and work goes on. */
#include "backend.h"
#include "store/change.h"
#include "store/plog.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <glib.h>
#include <inttypes.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <string.h>

enum failing { FAIL_WRITE, FAIL_FULL, FAIL_SYNC };

/* What the disk does next. SQLite's file methods take no context, and the checkpointer's thread
 * writes, too. */
static struct {
	enum failing failing;
	atomic_int countdown; /* 1: the next such call fails; 0 and below: none does */
	atomic_bool has_failed;
	pthread_t spared; /* when is_spared: the thread that it does not happen to */
	bool is_spared;
} disk;

/* SQLite has a table of methods for databases and one for their logs. */
struct patched {
	sqlite3_io_methods faulty; /* first: a file's pMethods points here */
	const sqlite3_io_methods *real;
};

static struct patched patches[4];
static sqlite3_vfs *unix_vfs;

static const sqlite3_io_methods *real_methods(const sqlite3_file *file)
{
	return ((const struct patched *)(const void *)file->pMethods)->real;
}

static bool fails_now(enum failing failing)
{
	if (disk.is_spared && pthread_equal(disk.spared, pthread_self()))
		return false;
	if (disk.failing != failing || atomic_fetch_sub(&disk.countdown, 1) != 1)
		return false;
	disk.has_failed = true;
	return true;
}

/* Half of it reaches the disk. */
static int faulty_write(sqlite3_file *file, const void *p, int n, sqlite3_int64 at)
{
	bool is_full = fails_now(FAIL_FULL);
	if (!is_full && !fails_now(FAIL_WRITE))
		return real_methods(file)->xWrite(file, p, n, at);
	(void)real_methods(file)->xWrite(file, p, n / 2, at);
	return is_full ? SQLITE_FULL : SQLITE_IOERR_WRITE;
}

static int faulty_sync(sqlite3_file *file, int flags)
{
	return fails_now(FAIL_SYNC) ? SQLITE_IOERR_FSYNC : real_methods(file)->xSync(file, flags);
}

static void patch(sqlite3_file *file)
{
	struct patched *p = patches;
	while (p->real && p->real != file->pMethods)
		p++;
	assert_true(p < patches + ARRAY_LEN(patches));
	p->real = file->pMethods;
	p->faulty = *p->real;
	p->faulty.xWrite = faulty_write;
	p->faulty.xSync = faulty_sync;
	file->pMethods = &p->faulty;
}

static int faulty_open(sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *file, int flags,
		       int *ret_flags)
{
	(void)vfs;
	int rc = unix_vfs->xOpen(unix_vfs, name, file, flags, ret_flags);
	if (rc == SQLITE_OK && file->pMethods)
		patch(file);
	return rc;
}

static int install(void **state)
{
	static sqlite3_vfs vfs;
	(void)state;
	unix_vfs = sqlite3_vfs_find("unix");
	vfs = *unix_vfs;
	vfs.zName = "faulty";
	vfs.pNext = NULL;
	vfs.xOpen = faulty_open;
	return sqlite3_vfs_register(&vfs, 1);
}

static struct store *open_at(const char *dir)
{
	g_autofree char *url = g_strconcat("sqlite:", dir, NULL);
	struct store_options options = {.url = url, .partitions = 1};
	struct fault fault = {0};
	struct store *store = NULL;
	if (store_open(&options, &store, &fault) < 0)
		fail_msg("%s", fault.message);
	return store;
}

/* A kind of work: its n-th step, and how many steps the store says were done. */
struct work {
	int (*step)(struct store *store, uint64_t n);
	uint64_t (*done)(struct store *store);
	unsigned steps;
	int stride;       /* from one n to the next */
	bool is_threaded; /* a checkpoint beside the work may fail when the work is done */
};

static int append_sized(struct store *store, uint64_t n, size_t size)
{
	g_autofree char *body = g_malloc0(size);
	memcpy(body, &n, sizeof(n));
	struct plog_entry entry = {
		.at_ms = 1, .kind = 1, .body = {body, size}
        };
	struct plog_batch batch = {.producer = "p",
				   .first_frame = n,
				   .last_frame = n,
				   .entries = &entry,
				   .n_entries = 1};
	return plog_append(store, 0, &batch, 1);
}

static int append_small(struct store *store, uint64_t n)
{
	return append_sized(store, n, 100);
}

static int append_large(struct store *store, uint64_t n)
{
	return append_sized(store, n, 1U << 20);
}

static int check_entry(const struct plog_entry *entry, void *ctx)
{
	uint64_t n, *last = ctx;
	memcpy(&n, entry->body.p, sizeof(n));
	assert_int_equal(n, entry->seq);
	*last = n;
	return 0;
}

static uint64_t appended(struct store *store)
{
	uint64_t last = 0, head, frame;
	assert_int_equal(plog_read(store, 0, 1, check_entry, &last), 0);
	assert_int_equal(plog_head(store, 0, &head), 0);
	assert_int_equal(plog_last_frame(store, 0, "p", &frame), 0);
	assert_int_equal(head, last);
	assert_int_equal(frame, last);
	return last;
}

static int add_change(struct sql_conn *txn, void *ctx)
{
	(void)ctx;
	return change_add(txn, CHANGE_THING, "thing", NULL);
}

static int commit_step(struct store *store, uint64_t n)
{
	return plog_commit(store, 0, 0, n - 1, n, add_change, NULL);
}

static uint64_t committed(struct store *store)
{
	struct sql_conn *reader = store_reader_open(store, NULL);
	int64_t newest = 0;
	uint64_t offset;
	assert_int_equal(change_newest(reader, &newest), 0);
	store_reader_close(reader);
	assert_int_equal(plog_offset(store, 0, &offset), 0);
	assert_int_equal(newest, offset);
	return offset;
}

/* The steps that were told to be done before one failed; *ret_error tells how. */
static uint64_t run_until_failure(const struct work *work, struct store *store, int *ret_error)
{
	uint64_t acked = 0;
	*ret_error = 0;
	while (acked < work->steps && *ret_error == 0) {
		*ret_error = work->step(store, acked + 1);
		acked += *ret_error == 0;
	}
	return acked;
}

/* False: the run passed without meeting the failure. */
static bool survives(const struct work *work, enum failing failing, int n, bool *ret_is_told)
{
	char *dir = test_dir_make();
	struct store *store = open_at(dir);
	disk.failing = failing;
	disk.has_failed = false;
	disk.countdown = n;
	int error;
	uint64_t acked = run_until_failure(work, store, &error);
	if (!work->is_threaded) /* else a checkpoint may be under way: it is to find the same disk
				 */
		disk.countdown = 0;
	if (disk.has_failed && failing != FAIL_FULL && !work->is_threaded)
		assert_int_equal(error, -EIO);
	*ret_is_told |= error == -EIO;
	if (error == 0)
		assert_int_equal(acked, work->steps);
	else
		assert_int_equal(error, failing == FAIL_FULL ? -ENOSPC : -EIO);
	if (error != -ENOSPC) { /* the daemon would end; a full disk it outlives */
		store_close(store);
		disk.countdown = 0;
		store = open_at(dir);
	}
	disk.countdown = 0;
	uint64_t done = work->done(store);
	assert_true(done == acked || (error == -EIO && done == acked + 1));
	assert_int_equal(work->step(store, done + 1), 0);
	assert_int_equal(work->done(store), done + 1);
	store_close(store);
	test_dir_remove(dir);
	return disk.has_failed;
}

static void survives_all(const struct work *work)
{
	for (enum failing failing = FAIL_WRITE; failing <= FAIL_SYNC; failing++) {
		int n = 1;
		bool is_told = false;
		while (survives(work, failing, n, &is_told))
			n += failing == FAIL_SYNC ? 1 : work->stride;
		assert_true(n > 1);
		assert_true(is_told == (failing != FAIL_FULL));
	}
}

static void appends(void **state)
{
	(void)state;
	survives_all(&(struct work){append_small, appended, .steps = 4, .stride = 1});
}

/* Long enough for checkpoints, which write the database itself. */
static void appends_over_a_checkpoint(void **state)
{
	(void)state;
	survives_all(&(struct work){append_large, appended, .steps = 40, .stride = 997,
				    .is_threaded = true});
}

/* What the checkpointer's thread met must end appends, before a later fsync can seem to make it
 * good. */
static void a_checkpoint_that_failed_is_told(void **state)
{
	(void)state;
	char *dir = test_dir_make();
	struct store *store = open_at(dir);
	uint64_t n = 1;
	int error = 0;
	disk.failing = FAIL_SYNC;
	disk.has_failed = false;
	disk.spared = pthread_self();
	disk.is_spared = true;
	disk.countdown = 1;
	for (; n <= 40 && error == 0; n++)
		error = append_large(store, n);
	for (; n <= 100000 && error == 0; n++)
		error = append_small(store, n);
	assert_true(disk.has_failed);
	assert_int_equal(error, -EIO);
	assert_int_equal(append_small(store, n), -EIO);
	disk.is_spared = false;
	store_close(store);
	store = open_at(dir);
	uint64_t last = appended(store);
	assert_in_range(last, n - 2, n); /* what failed may be there, or not */
	assert_int_equal(append_small(store, last + 1), 0);
	store_close(store);
	test_dir_remove(dir);
}

static void commits(void **state)
{
	(void)state;
	survives_all(&(struct work){commit_step, committed, .steps = 4, .stride = 1});
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(appends),
		cmocka_unit_test(appends_over_a_checkpoint),
		cmocka_unit_test(a_checkpoint_that_failed_is_told),
		cmocka_unit_test(commits),
	};
	return cmocka_run_group_tests(tests, install, NULL);
}

/* A disk that is really full (S16): ingest stops and says so, control-plane writes go on, and with
 * room ingest resumes. The disk is a tmpfs in a mount namespace of the test's own. */
#include "backend.h"
#include "store/change.h"
#include "store/plog.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

static char *disk;

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	(void)close(fd);
}

static void enter_namespace(void)
{
	uid_t uid = geteuid();
	if (uid == 0) {
		assert_int_equal(unshare(CLONE_NEWNS), 0);
		return;
	}
	g_autofree char *map = g_strdup_printf("0 %u 1", uid);
	assert_int_equal(unshare(CLONE_NEWUSER | CLONE_NEWNS), 0);
	write_file("/proc/self/uid_map", map);
}

static int mount_disk(void **state)
{
	(void)state;
	disk = test_dir_make();
	enter_namespace();
	return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	       mount("disk", disk, "tmpfs", 0, "size=160m") < 0;
}

static int unmount_disk(void **state)
{
	(void)state;
	int r = umount2(disk, MNT_DETACH);
	test_dir_remove(disk);
	return r;
}

static struct store *open_on_disk(void)
{
	g_autofree char *url = g_strconcat("sqlite:", disk, "/store", NULL);
	struct store_options options = {.url = url, .partitions = 1};
	struct fault fault = {0};
	struct store *store = NULL;
	if (store_open(&options, &store, &fault) < 0)
		fail_msg("%s", fault.message);
	return store;
}

static char *filler_path(void)
{
	return g_build_filename(disk, "filler", NULL);
}

/* Somebody else fills the disk to the last block. */
static void fill_disk(void)
{
	static const char block[65536];
	g_autofree char *path = filler_path();
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	size_t size = sizeof(block);
	while (size >= 1)
		size = write(fd, block, size) > 0 ? size : size / 2;
	(void)close(fd);
}

static void free_disk(void)
{
	g_autofree char *path = filler_path();
	assert_int_equal(g_unlink(path), 0);
}

static int append(struct store *store, uint64_t frame)
{
	static const char body[100000];
	struct plog_entry entry = {
		.at_ms = 1, .kind = 1, .body = {body, sizeof(body)}
        };
	struct plog_batch batch = {.producer = "p",
				   .first_frame = frame,
				   .last_frame = frame,
				   .entries = &entry,
				   .n_entries = 1};
	return plog_append(store, 0, &batch, 1);
}

static int add_change(struct sql_conn *txn, void *ctx)
{
	(void)ctx;
	return change_add(txn, CHANGE_CERT, "certificate", NULL);
}

static void write_changes(struct store *store, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		assert_int_equal(store_write(store, add_change, NULL), 0);
}

/* Returns the first frame that was not taken. */
static uint64_t append_until_full(struct store *store)
{
	uint64_t frame = 1;
	int r;
	while ((r = append(store, frame)) == 0)
		frame++;
	assert_int_equal(r, -ENOSPC);
	return frame;
}

static void ingest_stops_and_resumes(void **state)
{
	(void)state;
	struct store *store = open_on_disk();
	fill_disk();
	uint64_t frame = append_until_full(store), head;
	write_changes(store, 2000);
	assert_int_equal(append(store, frame), -ENOSPC);
	write_changes(store, 100);
	free_disk();
	assert_int_equal(append(store, frame), 0);
	assert_int_equal(plog_head(store, 0, &head), 0);
	assert_int_equal(head, frame);
	store_close(store);
}

static void opens_on_a_full_disk(void **state)
{
	(void)state;
	struct store *store = open_on_disk();
	uint64_t frame;
	assert_int_equal(plog_last_frame(store, 0, "p", &frame), 0);
	store_close(store);
	fill_disk();
	store = open_on_disk();
	write_changes(store, 100);
	assert_int_equal(append(store, frame + 1), -ENOSPC);
	free_disk();
	assert_int_equal(append(store, frame + 1), 0);
	store_close(store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ingest_stops_and_resumes),
		cmocka_unit_test(opens_on_a_full_disk),
	};
	return cmocka_run_group_tests(tests, mount_disk, unmount_disk);
}

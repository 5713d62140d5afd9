/* The n-th write, sync or rename of the snapshot's file fails, for n = 1, 2, ... until none is
 * left: what is in its place always loads, with the last generation that was answered or the one
 * that failed, and once the disk is well again the next round is there (S16). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include <errno.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <unistd.h>

#include "broker/snapshot_write.h"

/* ---- The calls that fail: put over the C library's ---- */

static unsigned countdown; /* 0: all is well; n: the n-th call from here on fails */
static bool is_short;      /* a write that fails writes half of it first */

static bool fails(void)
{
	return countdown && --countdown == 0;
}

ssize_t __real_pwrite(int fd, const void *p, size_t n, off_t at);
ssize_t __wrap_pwrite(int fd, const void *p, size_t n, off_t at);
ssize_t __wrap_pwrite(int fd, const void *p, size_t n, off_t at)
{
	if (!fails())
		return __real_pwrite(fd, p, n, at);
	if (is_short)
		(void)__real_pwrite(fd, p, n / 2, at);
	errno = ENOSPC;
	return -1;
}

#define FAILING(name, params, args)                                                                \
	int __real_##name params;                                                                  \
	int __wrap_##name params;                                                                  \
	int __wrap_##name params                                                                   \
	{                                                                                          \
		if (!fails())                                                                      \
			return __real_##name args;                                                 \
		errno = EIO;                                                                       \
		return -1;                                                                         \
	}
FAILING(fsync, (int fd), (fd))
FAILING(fdatasync, (int fd), (fd))
FAILING(rename, (const char *from, const char *to), (from, to))

/* ---- What is done ---- */

static const uint8_t print[SNAPSHOT_FINGERPRINT] = {7};

struct place {
	char *dir, *path;
	struct snapshot_file *file; /* in its place */
	uint64_t answered;
};

static struct snapshot_builder *records(uint64_t generation)
{
	struct snapshot_builder *b = snapshot_builder_new();
	struct snapshot_new_cert c = {.not_after = (int64_t)generation};
	memcpy(c.fingerprint, print, sizeof(c.fingerprint));
	snapshot_add_account(b, "aws", "us-east-1", "123456789012");
	snapshot_add_cert(b, &c);
	return b;
}

static int append(struct place *p, uint64_t generation)
{
	struct snapshot_builder *b = records(generation);
	int r = snapshot_file_append(p->file, b, generation);
	if (r == 0)
		r = snapshot_file_sync(p->file);
	snapshot_builder_free(b);
	return r;
}

/* A base behind which the parts that came since `offset` are carried. */
static int rewrite(struct place *p, uint64_t generation, uint64_t offset)
{
	struct snapshot_file *next;
	struct snapshot_builder *b = records(generation);
	int r = snapshot_file_new(p->path, 0600, (gid_t)-1, &next);
	if (r == 0) {
		r = snapshot_file_add(next, b);
		if (r == 0)
			r = snapshot_file_end_base(next, generation);
		if (r == 0 && p->file)
			r = snapshot_file_carry(next, p->file, offset);
		if (r == 0)
			r = snapshot_file_take_place(next);
		snapshot_file_free(r == 0 ? p->file : next);
		p->file = r == 0 ? next : p->file;
	}
	snapshot_builder_free(b);
	return r;
}

static void check(const struct place *p, uint64_t newest)
{
	char why[SNAPSHOT_WHY_SIZE];
	struct snapshot *s;
	struct snapshot_cert cert;
	if (snapshot_load(p->path, geteuid(), p->answered, &s, why, sizeof(why)) < 0)
		fail_msg("after %llu: %s", (unsigned long long)p->answered, why);
	assert_in_range(snapshot_in_force(s), p->answered, newest);
	assert_true(snapshot_find(s, print, &cert));
	assert_int_equal(cert.not_after, (int64_t)snapshot_in_force(s));
	snapshot_free(s);
}

static int set_up(void **state)
{
	struct place *p = g_new0(struct place, 1);
	p->dir = g_dir_make_tmp("thingward-fault-XXXXXX", NULL);
	assert_non_null(p->dir);
	p->path = g_build_filename(p->dir, "snapshot", NULL);
	countdown = 0;
	assert_int_equal(rewrite(p, 1, 0), 0);
	p->answered = 1;
	*state = p;
	return 0;
}

static int tear_down(void **state)
{
	struct place *p = *state;
	snapshot_file_free(p->file);
	(void)g_unlink(p->path);
	int r = g_rmdir(p->dir); /* nothing else is left behind */
	g_free(p->path);
	g_free(p->dir);
	g_free(p);
	return r;
}

/* As the publisher does: a file that is not intact any more is written whole. */
static int publish(struct place *p, uint64_t generation)
{
	if (!snapshot_file_is_intact(p->file))
		return rewrite(p, generation, snapshot_file_size(p->file));
	return append(p, generation);
}

static void fail_each_call(struct place *p, int (*act)(struct place *p, uint64_t generation))
{
	int r = -1;
	for (unsigned n = 1; r < 0; n++) {
		uint64_t generation = p->answered + 1;
		countdown = n;
		r = act(p, generation);
		bool has_failed = countdown == 0;
		countdown = 0;
		assert_int_equal(r < 0, has_failed);
		check(p, generation);
		assert_int_equal(publish(p, generation), 0);
		p->answered = generation;
		check(p, generation);
		assert_true(n < 100);
	}
}

static int act_append(struct place *p, uint64_t generation)
{
	return publish(p, generation);
}

static int act_rewrite(struct place *p, uint64_t generation)
{
	uint64_t offset = snapshot_file_size(p->file);
	int r = append(p, generation);
	return r < 0 ? r : rewrite(p, generation - 1, offset);
}

static void test_appends_that_fail(void **state)
{
	is_short = false;
	fail_each_call(*state, act_append);
}

static void test_appends_cut_short(void **state)
{
	is_short = true;
	fail_each_call(*state, act_append);
}

static void test_new_bases_that_fail(void **state)
{
	is_short = false;
	fail_each_call(*state, act_rewrite);
}

static void test_new_bases_cut_short(void **state)
{
	is_short = true;
	fail_each_call(*state, act_rewrite);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CASE(test_appends_that_fail),
		CASE(test_appends_cut_short),
		CASE(test_new_bases_that_fail),
		CASE(test_new_bases_cut_short),
	};
#undef CASE
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* A file is replaced whole, with its rights, or stays as it was. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/file.h"

#include <errno.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <sys/stat.h>

struct place {
	char dir[32];
	char *path, *next;
};

static int start(void **state)
{
	struct place *p = g_new0(struct place, 1);
	(void)g_strlcpy(p->dir, "/tmp/file-test-XXXXXX", sizeof(p->dir));
	*state = p;
	if (!g_mkdtemp(p->dir))
		return -1;
	p->path = g_build_filename(p->dir, "file", NULL);
	p->next = g_strconcat(p->path, FILE_NEXT, NULL);
	return 0;
}

static int stop(void **state)
{
	struct place *p = *state;
	(void)g_unlink(p->path);
	(void)g_rmdir(p->next);
	int r = g_rmdir(p->dir);
	g_free(p->path);
	g_free(p->next);
	g_free(p);
	return r;
}

static void assert_content(const char *path, const char *expected)
{
	g_autofree char *text = NULL;
	assert_true(g_file_get_contents(path, &text, NULL, NULL));
	assert_string_equal(text, expected);
}

static void replaces_with_its_rights(void **state)
{
	const struct place *p = *state;
	struct stat st;
	assert_int_equal(file_replace(p->path, "one", 3, 0640, getegid()), 0);
	assert_content(p->path, "one");
	assert_int_equal(file_replace(p->path, "", 0, 0600, (gid_t)-1), 0);
	assert_content(p->path, "");
	assert_int_equal(stat(p->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_false(g_file_test(p->next, G_FILE_TEST_EXISTS));
}

static void writes_over_what_a_crash_left(void **state)
{
	const struct place *p = *state;
	assert_true(g_file_set_contents(p->next, "half", -1, NULL));
	assert_int_equal(file_replace(p->path, "whole", 5, 0600, (gid_t)-1), 0);
	assert_content(p->path, "whole");
	assert_false(g_file_test(p->next, G_FILE_TEST_EXISTS));
}

static void failing_leaves_the_old_one(void **state)
{
	const struct place *p = *state;
	assert_int_equal(file_replace(p->path, "old", 3, 0600, (gid_t)-1), 0);
	assert_int_equal(g_mkdir(p->next, 0700), 0); /* in the way */
	assert_int_equal(file_replace(p->path, "new", 3, 0600, (gid_t)-1), -EEXIST);
	assert_content(p->path, "old");
	assert_int_equal(file_replace("/nonexistent/file", "", 0, 0600, (gid_t)-1), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(replaces_with_its_rights, start, stop),
		cmocka_unit_test_setup_teardown(writes_over_what_a_crash_left, start, stop),
		cmocka_unit_test_setup_teardown(failing_leaves_the_old_one, start, stop),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "backend.h"

#include "pg.h"

#include <ftw.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <sys/stat.h>

struct backend {
	GPtrArray *dirs;
	struct pg *pg;
};

char *test_dir_make(void)
{
	char *dir = g_dir_make_tmp("thingward-test-XXXXXX", NULL);
	if (!dir || g_chmod(dir, 0755) < 0)
		g_error("cannot make a temporary directory");
	return dir;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return g_remove(path);
}

void test_dir_remove(char *dir)
{
	if (nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS) < 0)
		g_error("cannot remove %s", dir);
	g_free(dir);
}

struct backend *backend_start(void)
{
	struct backend *b = g_new0(struct backend, 1);
	b->dirs = g_ptr_array_new();
	return b;
}

void backend_stop(struct backend *b)
{
	for (guint i = 0; i < b->dirs->len; i++)
		test_dir_remove(b->dirs->pdata[i]);
	g_ptr_array_unref(b->dirs);
	pg_stop(b->pg);
	g_free(b);
}

struct pg *backend_pg(struct backend *b)
{
	if (!b->pg)
		b->pg = pg_start();
	return b->pg;
}

char *backend_url(struct backend *b, enum backend_kind kind)
{
	if (kind == BACKEND_PG)
		return pg_database(backend_pg(b));
	char *dir = test_dir_make();
	g_ptr_array_add(b->dirs, dir);
	return g_strconcat("sqlite:", dir, NULL);
}

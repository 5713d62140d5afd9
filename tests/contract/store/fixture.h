/* Each case of the store's contract runs on both databases, on an empty store of its own. */
#ifndef CONTRACT_STORE_FIXTURE_H
#define CONTRACT_STORE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "backend.h"
#include "pg.h"
#include "store/store.h"

#include <glib.h>
#include <sqlite3.h>

#define PARTITIONS 4

struct fixture {
	enum backend_kind kind;
	char *url;
	struct store *store;
};

static struct backend *backend;
static enum backend_kind kinds[] = {BACKEND_SQLITE, BACKEND_PG};

static int group_setup(void **state)
{
	(void)state;
	backend = backend_start();
	return 0;
}

static int group_teardown(void **state)
{
	(void)state;
	backend_stop(backend);
	return 0;
}

static struct store *fixture_open(const char *url)
{
	struct store_options options = {.url = url, .partitions = PARTITIONS};
	struct fault fault = {0};
	struct store *store = NULL;
	if (store_open(&options, &store, &fault) < 0)
		fail_msg("%s", fault.message);
	return store;
}

static int setup(void **state)
{
	struct fixture *f = g_new0(struct fixture, 1);
	f->kind = *(enum backend_kind *)*state;
	f->url = backend_url(backend, f->kind);
	f->store = fixture_open(f->url);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	store_close(f->store);
	g_free(f->url);
	g_free(f);
	return 0;
}

#define ON_BOTH(test)                                                                              \
	{#test " on SQLite", test, setup, teardown, &kinds[0]},                                    \
	{                                                                                          \
#test " on PostgreSQL", test, setup, teardown, &kinds[1]                           \
	}

#define RUN_GROUP(tests) cmocka_run_group_tests(tests, group_setup, group_teardown)

#endif

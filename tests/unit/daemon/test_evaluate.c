/* The evaluator over a real store: recovery from checkpoints and log, and that effects are
 * committed once. */
#include "kit.h"

#include "registry/violation.h"

static int start(void **state)
{
	struct daemon_kit *k = g_new0(struct daemon_kit, 1);
	kit_begin(k);
	*state = k;
	return 0;
}

static int stop(void **state)
{
	kit_end(*state);
	g_free(*state);
	return 0;
}

static void count_active(const char *id, const char *thing, const char *profile,
			 const char *behavior, void *ctx)
{
	(void)id, (void)thing, (void)profile, (void)behavior;
	++*(int *)ctx;
}

static int active(struct daemon_kit *k)
{
	struct fault fault;
	int n = 0;
	struct sql_conn *reader = store_reader_open(k->store, &fault);
	assert_int_equal(violation_each_active(reader, count_active, &n), 0);
	store_reader_close(reader);
	return n;
}

/* Recovers over what is in the directory; returns the number of effects that were committed by it.
 */
static uint64_t recover(struct daemon_kit *k)
{
	kit_stop(k);
	kit_open(k);
	kit_start_evaluator(k);
	return counter_get(k->ready, COUNTER_effects_committed);
}

static int count_checkpoints(struct daemon_kit *k, bool is_damaging)
{
	g_autoptr(GDir) dir = g_dir_open(k->state, 0, NULL);
	const char *name;
	int n = 0;
	while ((name = g_dir_read_name(dir))) {
		g_autofree char *path = g_build_filename(k->state, name, NULL);
		n++;
		if (is_damaging)
			assert_true(g_file_set_contents(path, "damaged", -1, NULL));
	}
	return n;
}

static void test_log_is_evaluated_once(void **state)
{
	struct daemon_kit *k = *state;
	kit_append_config(k);
	kit_append_report(k, "a", 1, "{\"port\":22}");
	kit_append_report(k, "b", 1, "{\"port\":23}");
	assert_int_equal(recover(k), 1);
	assert_int_equal(active(k), 1);
	assert_false(k->is_fresh);
	/* From the checkpoint that the orderly end wrote. */
	assert_int_equal(recover(k), 0);
	assert_int_equal(count_checkpoints(k, false), 1);
	assert_int_equal(active(k), 1);
	/* More of the log: only that is new. */
	kit_append_report(k, "a", 2, "{\"port\":24}");
	assert_int_equal(recover(k), 1);
	assert_int_equal(active(k), 2);
	assert_int_equal(counter_get(k->ready, COUNTER_alarms_differing), 0);
}

/* Without a usable checkpoint the whole log is replayed; what is committed is not committed again.
 */
static void test_damaged_checkpoints(void **state)
{
	struct daemon_kit *k = *state;
	kit_append_config(k);
	kit_append_report(k, "a", 1, "{\"port\":23}");
	assert_int_equal(recover(k), 1);
	kit_stop(k);
	assert_int_equal(count_checkpoints(k, true), 1);
	kit_open(k);
	kit_append_report(k, "b", 1, "{\"port\":23}");
	assert_int_equal(recover(k), 1);
	assert_int_equal(active(k), 2);
	assert_false(k->is_fresh);
}

/* Neither checkpoint nor the whole log: it says so, stands at the head and goes on. */
static void test_shortened_log_without_checkpoint(void **state)
{
	struct daemon_kit *k = *state;
	kit_append_config(k);
	kit_append_report(k, "a", 1, "{\"port\":23}");
	assert_int_equal(recover(k), 1);
	assert_int_equal(plog_cut(k->store, 0, 2), 0);
	kit_stop(k);
	assert_int_equal(count_checkpoints(k, true), 1);
	kit_open(k);
	kit_append_report(k, "b", 1, "{\"port\":23}");
	assert_int_equal(recover(k), 0);
	assert_true(k->is_fresh);
	assert_int_equal(counter_get(k->ready, COUNTER_alarms_differing), 1);
}

/* A state that is ahead of the store would not tell its alarms again. */
static void test_checkpoint_ahead_of_the_store(void **state)
{
	struct daemon_kit *k = *state;
	g_autofree char *main_db = g_build_filename(k->dir, "main.db", NULL), *before = NULL;
	gsize n;
	kit_append_config(k);
	assert_int_equal(recover(k), 0);
	kit_stop(k);
	assert_true(g_file_get_contents(main_db, &before, &n, NULL));
	kit_open(k);
	kit_append_report(k, "a", 1, "{\"port\":23}");
	assert_int_equal(recover(k), 1);
	kit_stop(k);
	assert_true(g_file_set_contents(main_db, before, (gssize)n, NULL)); /* a backup put back */
	kit_open(k);
	assert_int_equal(active(k), 0);
	assert_int_equal(recover(k), 1);
	assert_int_equal(active(k), 1);
}

static void keep_last(struct view thing, uint64_t id, int64_t at_ms, void *ctx)
{
	(void)thing, (void)at_ms;
	*(uint64_t *)ctx = id;
}

static void test_last_reports_are_known(void **state)
{
	struct daemon_kit *k = *state;
	uint64_t id = 0;
	kit_append_report(k, "a", 41, "");
	kit_append_report(k, "a", 42, "");
	assert_int_equal(recover(k), 0);
	evaluator_each_device(k->evaluator, keep_last, &id);
	assert_int_equal(id, 42);
}

/* The thread must take the word to end whether it meets it asleep, awake or on its way. */
static void test_ends_while_it_is_awake(void **state)
{
	struct daemon_kit *k = *state;
	for (int i = 0; i < 300; i++) {
		kit_start_evaluator(k);
		for (int n = 0; n < i % 4; n++)
			evaluator_push(k->evaluator, batch_new());
		kit_stop(k);
		kit_open(k);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup_teardown(name, start, stop)
		CASE(test_log_is_evaluated_once),
		CASE(test_damaged_checkpoints),
		CASE(test_shortened_log_without_checkpoint),
		CASE(test_checkpoint_ahead_of_the_store),
		CASE(test_last_reports_are_known),
		CASE(test_ends_while_it_is_awake),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

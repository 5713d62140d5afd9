/* The rules in force: they follow their file part by part, tell whom a change concerns, and go over
 * to a new file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include <glib.h>
#include <glib/gstdio.h>
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include "broker/snapshot_write.h"
#include "mosquitto/dimensions.h"
#include "mosquitto/options.h"
#include "mosquitto/rules.h"

#define LARGE       (8U << 20)
#define DEADLINE_US (60 * G_USEC_PER_SEC)

struct place {
	char *dir, *path;
	struct snapshot_file *file;
	struct options options;
	struct rules rules;
	GString *told; /* first bytes of certificates that rules_poll told of */
	char why[SNAPSHOT_WHY_SIZE];
};

/* ---- The daemon's side ---- */

static void add_cert(struct snapshot_builder *b, uint8_t which, enum snapshot_cert_status status)
{
	struct snapshot_new_cert c = {
		.fingerprint = {which}, .status = status, .not_after = INT64_MAX};
	snapshot_add_cert(b, &c);
}

/* n_facts: bytes that it is longer by. */
static void new_file_of(struct place *p, uint64_t generation, size_t n_facts)
{
	struct snapshot_builder *b = snapshot_builder_new();
	g_autofree char *facts = g_malloc0(n_facts);
	snapshot_add_account(b, "aws", "us-east-1", "123456789012");
	snapshot_add_thing(b, "pump", (struct view){facts, n_facts}, NULL, 0);
	for (uint8_t i = 1; i < 4; i++)
		add_cert(b, i, SNAPSHOT_CERT_ACTIVE);
	snapshot_file_free(p->file);
	assert_int_equal(snapshot_file_new(p->path, 0600, (gid_t)-1, &p->file), 0);
	assert_int_equal(snapshot_file_add(p->file, b), 0);
	assert_int_equal(snapshot_file_end_base(p->file, generation), 0);
	assert_int_equal(snapshot_file_take_place(p->file), 0);
	snapshot_builder_free(b);
}

static void new_file(struct place *p, uint64_t generation)
{
	new_file_of(p, generation, 0);
}

static void append_cert(struct place *p, uint64_t generation, uint8_t which)
{
	struct snapshot_builder *b = snapshot_builder_new();
	add_cert(b, which, SNAPSHOT_CERT_INACTIVE);
	assert_int_equal(snapshot_file_append(p->file, b, generation), 0);
	snapshot_builder_free(b);
}

static void append_group(struct place *p, uint64_t generation)
{
	struct snapshot_builder *b = snapshot_builder_new();
	snapshot_add_group(b, "ward", true, NULL, 0);
	assert_int_equal(snapshot_file_append(p->file, b, generation), 0);
	snapshot_builder_free(b);
}

/* ---- The plugin's side ---- */

static void on_cert(void *ctx, const uint8_t *fingerprint)
{
	g_string_append_printf(ctx, "%u ", fingerprint[0]);
}

static int poll_rules(struct place *p)
{
	g_string_truncate(p->told, 0);
	return rules_poll(&p->rules, on_cert, p->told, p->why);
}

static void assert_refused(struct place *p, const char *why)
{
	assert_int_equal(poll_rules(p), -1);
	if (!strstr(p->why, why))
		fail_msg("\"%s\" says nothing of \"%s\"", p->why, why);
}

/* Polls until what is read beside us has been taken. */
static int poll_to_the_end(struct place *p)
{
	gint64 end = g_get_monotonic_time() + DEADLINE_US;
	int rc = poll_rules(p);
	while (rc == 0 && rules_are_busy(&p->rules)) {
		assert_true(g_get_monotonic_time() < end);
		(void)sched_yield();
		rc = poll_rules(p);
	}
	return rc;
}

static enum cause cause_of(const struct place *p, uint8_t which)
{
	const uint8_t print[SNAPSHOT_FINGERPRINT] = {which};
	struct snapshot_cert cert;
	return rules_refusal(&p->rules, print, 1, &cert);
}

static int set_up(void **state)
{
	struct place *p = g_new0(struct place, 1);
	p->dir = g_dir_make_tmp("thingward-rules-XXXXXX", NULL);
	assert_non_null(p->dir);
	p->path = g_build_filename(p->dir, "snapshot", NULL);
	p->told = g_string_new("");
	p->options = (struct options){.snapshot = p->path, .daemon_uid = geteuid()};
	rules_init(&p->rules, &p->options);
	*state = p;
	return 0;
}

static int tear_down(void **state)
{
	struct place *p = *state;
	rules_release(&p->rules);
	snapshot_file_free(p->file);
	(void)g_unlink(p->path);
	int r = g_rmdir(p->dir);
	(void)g_string_free(p->told, TRUE);
	g_free(p->path);
	g_free(p->dir);
	g_free(p);
	return r;
}

static void test_none_at_first_and_said_once(void **state)
{
	struct place *p = *state;
	assert_refused(p, "No such file");
	assert_int_equal(poll_rules(p), 0);
	assert_int_equal(cause_of(p, 1), CAUSE_NO_SNAPSHOT);
	new_file(p, 5);
	assert_int_equal(poll_rules(p), 0);
	assert_int_equal(rules_generation(&p->rules), 5);
	assert_int_equal(p->rules.epoch, 1);
	assert_int_equal(cause_of(p, 1), CAUSE_NONE);
	assert_int_equal(cause_of(p, 9), CAUSE_CERT_UNKNOWN);
}

static void test_a_certificate_concerns_its_own_sessions(void **state)
{
	struct place *p = *state;
	new_file(p, 5);
	assert_int_equal(poll_rules(p), 0);
	append_cert(p, 6, 2);
	append_cert(p, 7, 3);
	assert_int_equal(poll_rules(p), 0);
	assert_string_equal(p->told->str, "2 3 ");
	assert_int_equal(rules_generation(&p->rules), 7);
	assert_int_equal(p->rules.epoch, 1);
	assert_int_equal(cause_of(p, 1), CAUSE_NONE);
	assert_int_equal(cause_of(p, 2), CAUSE_CERT_INACTIVE);
	assert_int_equal(poll_rules(p), 0);
	assert_string_equal(p->told->str, "");
}

static void test_a_group_concerns_everybody(void **state)
{
	struct place *p = *state;
	new_file(p, 5);
	assert_int_equal(poll_rules(p), 0);
	append_group(p, 6);
	assert_int_equal(poll_rules(p), 0);
	assert_int_equal(p->rules.epoch, 2);
	assert_null(p->rules.retired);
}

static void append(struct place *p, struct snapshot_builder *b, uint64_t generation)
{
	assert_int_equal(snapshot_file_append(p->file, b, generation), 0);
	snapshot_builder_empty(b);
	assert_int_equal(poll_rules(p), 0);
}

static void test_a_dimension_concerns_nobody(void **state)
{
	struct place *p = *state;
	static const char *const filters[] = {"a/+", "b"};
	struct dimensions d = {0};
	struct snapshot_builder *b = snapshot_builder_new();
	new_file(p, 5);
	assert_int_equal(poll_rules(p), 0);
	dimensions_follow(&d, &p->rules);
	assert_int_equal(d.n, 0);
	snapshot_add_dimension(b, "doors", filters, G_N_ELEMENTS(filters));
	append(p, b, 6);
	dimensions_follow(&d, &p->rules);
	assert_int_equal(d.n, 1);
	assert_true(dimension_holds(&d.all[0], VIEW_LIT("a/x"), VIEW_LIT("")));
	assert_true(dimension_holds(&d.all[0], VIEW_LIT("b"), VIEW_LIT("")));
	assert_false(dimension_holds(&d.all[0], VIEW_LIT("a"), VIEW_LIT("")));
	snapshot_remove(b, SNAPSHOT_DIMENSION, VIEW_LIT("doors"));
	append(p, b, 7);
	dimensions_follow(&d, &p->rules);
	assert_int_equal(d.n, 0);
	assert_int_equal(p->rules.epoch, 1);
	assert_string_equal(p->told->str, "");
	snapshot_builder_free(b);
}

/* More parts than one poll takes: the rest comes with the next. */
static void test_many_parts_take_several_polls(void **state)
{
	struct place *p = *state;
	enum { MANY = 2500 };
	new_file(p, 5);
	assert_int_equal(poll_rules(p), 0);
	for (uint64_t i = 1; i <= MANY; i++)
		append_cert(p, 5 + i, 2);
	assert_int_equal(poll_rules(p), 0);
	assert_true(rules_are_busy(&p->rules));
	assert_true(rules_generation(&p->rules) < 5 + MANY);
	assert_int_equal(poll_to_the_end(p), 0);
	assert_int_equal(rules_generation(&p->rules), 5 + MANY);
}

static void test_a_new_file_takes_over(void **state)
{
	struct place *p = *state;
	new_file(p, 5);
	assert_int_equal(poll_rules(p), 0);
	const struct snapshot *before = p->rules.snapshot;
	new_file(p, 6);
	append_cert(p, 7, 1);
	assert_int_equal(poll_to_the_end(p), 0);
	assert_int_equal(rules_generation(&p->rules), 7);
	assert_int_equal(p->rules.epoch, 2);
	assert_int_equal(cause_of(p, 1), CAUSE_CERT_INACTIVE);
	assert_ptr_equal(p->rules.retired, before);

	/* The next one waits until nobody points into the first. */
	new_file(p, 8);
	gint64 end = g_get_monotonic_time() + DEADLINE_US;
	for (unsigned i = 0; i < 1000; i++)
		assert_int_equal(poll_rules(p), 0);
	assert_int_equal(rules_generation(&p->rules), 7);
	while (p->rules.retired && g_get_monotonic_time() < end)
		rules_let_go(&p->rules);
	assert_int_equal(poll_to_the_end(p), 0);
	assert_int_equal(rules_generation(&p->rules), 8);
}

/* No thread, so no turn that waits for it. */
static void test_a_small_file_takes_over_at_once(void **state)
{
	struct place *p = *state;
	new_file(p, 5);
	assert_int_equal(poll_rules(p), 0);
	new_file(p, 6);
	assert_int_equal(poll_rules(p), 0);
	assert_int_equal(rules_generation(&p->rules), 6);
	assert_false(rules_are_busy(&p->rules));
	rules_let_go(&p->rules);
	assert_null(p->rules.discarding);
}

static void test_a_large_file_is_read_and_let_go_beside_us(void **state)
{
	struct place *p = *state;
	new_file_of(p, 5, LARGE);
	assert_int_equal(poll_rules(p), 0);
	new_file_of(p, 6, LARGE);
	assert_int_equal(poll_rules(p), 0);
	assert_int_equal(rules_generation(&p->rules), 5);
	assert_true(rules_are_busy(&p->rules));
	assert_int_equal(poll_to_the_end(p), 0);
	assert_int_equal(rules_generation(&p->rules), 6);
	rules_let_go(&p->rules);
	assert_null(p->rules.retired);
	assert_non_null(p->rules.discarding);
}

static void test_an_older_file_is_refused_once(void **state)
{
	struct place *p = *state;
	new_file(p, 5);
	assert_int_equal(poll_rules(p), 0);
	new_file(p, 4);
	assert_int_equal(poll_to_the_end(p), -1);
	assert_non_null(strstr(p->why, "generation 4 is older than 5"));
	assert_int_equal(poll_to_the_end(p), 0);
	assert_int_equal(rules_generation(&p->rules), 5);
	assert_int_equal(cause_of(p, 1), CAUSE_NONE);
}

/* No file can be opened, or all again. */
static void set_short_of_descriptors(bool is_short)
{
	struct rlimit limit;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = is_short ? 0 : limit.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

/* A shortage passes; the file that was refused for it is as good as before. */
static void test_what_a_shortage_refused_is_tried_again(void **state)
{
	struct place *p = *state;
	for (uint64_t generation = 5; generation < 7; generation++) {
		new_file(p, generation);
		set_short_of_descriptors(true);
		int first = poll_rules(p), second = poll_rules(p);
		set_short_of_descriptors(false);
		assert_int_equal(first, -1);
		assert_non_null(strstr(p->why, "Too many open files"));
		assert_int_equal(second, 0);
		for (unsigned i = 0; i < 20; i++)
			assert_int_equal(poll_rules(p), 0);
		assert_int_equal(rules_generation(&p->rules), generation);
	}
}

static void test_damage_behind_the_base_is_told_once_and_healed(void **state)
{
	struct place *p = *state;
	new_file(p, 5);
	assert_int_equal(poll_rules(p), 0);
	assert_int_equal(truncate(p->path, 30), 0);
	assert_refused(p, "cut to 30 bytes while in use");
	assert_int_equal(poll_rules(p), 0);
	assert_int_equal(cause_of(p, 1), CAUSE_NONE);
	new_file(p, 6);
	(void)poll_to_the_end(p);
	assert_int_equal(poll_to_the_end(p), 0);
	assert_int_equal(rules_generation(&p->rules), 6);
}

/* Whoever ends while a file is read waits for it. */
static void test_ends_while_reading(void **state)
{
	struct place *p = *state;
	new_file(p, 5);
	assert_int_equal(poll_rules(p), 0);
	new_file_of(p, 6, LARGE);
	assert_int_equal(poll_rules(p), 0);
	rules_release(&p->rules);
	assert_int_equal(rules_generation(&p->rules), 0);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CASE(test_none_at_first_and_said_once),
		CASE(test_a_certificate_concerns_its_own_sessions),
		CASE(test_a_group_concerns_everybody),
		CASE(test_a_dimension_concerns_nobody),
		CASE(test_many_parts_take_several_polls),
		CASE(test_a_new_file_takes_over),
		CASE(test_a_small_file_takes_over_at_once),
		CASE(test_a_large_file_is_read_and_let_go_beside_us),
		CASE(test_an_older_file_is_refused_once),
		CASE(test_what_a_shortage_refused_is_tried_again),
		CASE(test_damage_behind_the_base_is_told_once_and_healed),
		CASE(test_ends_while_reading),
	};
#undef CASE
	return cmocka_run_group_tests(tests, NULL, NULL);
}

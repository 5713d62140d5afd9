/* The snapshot file: what is built is found again, and whatever is wrong with the file is refused
 * with the reason (S3, S4). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include <errno.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "broker/snapshot.h"
#include "policy/policy.h"

#define ALLOW(action)                                                                              \
	"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"" action    \
	"\",\"Resource\":\"*\"}]}"

struct place {
	char *dir, *path;
	struct snapshot_builder *builder;
};

static const uint8_t first_print[SNAPSHOT_FINGERPRINT] = {1, [31] = 1};
static const uint8_t second_print[SNAPSHOT_FINGERPRINT] = {1, [31] = 2}; /* same bucket */
static const uint8_t stranger[SNAPSHOT_FINGERPRINT] = {1, [31] = 3};

static uint32_t add_policy(struct snapshot_builder *b, const char *name, const char *document)
{
	struct policy_program program;
	assert_int_equal(policy_compile(view_of(document), 2048, &program, NULL), 0);
	struct view bytes = {(const char *)program.bytes, program.n};
	uint32_t index = snapshot_add_policy(b, view_of(name), bytes);
	policy_program_clear(&program);
	return index;
}

static struct snapshot_builder *small_fleet(uint64_t generation)
{
	struct snapshot_builder *b =
		snapshot_builder_new(generation, "aws", "us-east-1", "123456789012");
	uint32_t connect = add_policy(b, "connect", ALLOW("iot:Connect"));
	uint32_t publish = add_policy(b, "publish", ALLOW("iot:Publish"));
	uint32_t both[] = {connect, publish};
	uint32_t group = snapshot_add_group(b, VIEW_LIT("floor"), both, 2);
	uint32_t lamp = snapshot_add_thing(b, VIEW_LIT("lamp"), &group, 1);
	uint32_t fan = snapshot_add_thing(b, VIEW_LIT("fan"), NULL, 0);
	uint32_t things[] = {lamp, fan};
	snapshot_add_cert(b, first_print, SNAPSHOT_CERT_ACTIVE, 100, 200, false, things, 2,
			  &connect, 1);
	snapshot_add_cert(b, second_print, SNAPSHOT_CERT_INACTIVE, -1, INT64_MAX, true, &lamp, 1,
			  NULL, 0);
	return b;
}

static int set_up(void **state)
{
	struct place *p = g_new0(struct place, 1);
	p->dir = g_dir_make_tmp("thingward-snapshot-XXXXXX", NULL);
	assert_non_null(p->dir);
	p->path = g_build_filename(p->dir, "snapshot", NULL);
	p->builder = small_fleet(5);
	assert_int_equal(snapshot_write(p->builder, p->path, 0600, (gid_t)-1), 0);
	*state = p;
	return 0;
}

static int tear_down(void **state)
{
	struct place *p = *state;
	(void)g_unlink(p->path);
	(void)g_rmdir(p->dir);
	snapshot_builder_free(p->builder);
	g_free(p->path);
	g_free(p->dir);
	g_free(p);
	return 0;
}

static struct snapshot *loaded(const char *path)
{
	char why[SNAPSHOT_WHY_SIZE];
	struct snapshot *s;
	assert_int_equal(snapshot_load(path, geteuid(), 0, &s, why, sizeof(why)), 0);
	return s;
}

static void assert_refused(const char *path, uid_t owner, uint64_t at_least, const char *reason)
{
	char why[SNAPSHOT_WHY_SIZE] = "";
	struct snapshot *s = NULL;
	assert_int_equal(snapshot_load(path, owner, at_least, &s, why, sizeof(why)), -1);
	assert_null(s);
	if (!strstr(why, reason))
		fail_msg("\"%s\" says nothing of \"%s\"", why, reason);
}

static void test_certificates_are_found(void **state)
{
	struct place *p = *state;
	struct snapshot *s = loaded(p->path);
	struct snapshot_cert cert;
	assert_int_equal(snapshot_in_force(s), 5);
	assert_true(snapshot_find(s, first_print, &cert));
	assert_int_equal(cert.status, SNAPSHOT_CERT_ACTIVE);
	assert_int_equal(cert.not_before, 100);
	assert_int_equal(cert.not_after, 200);
	assert_false(cert.is_exclusive);
	assert_true(snapshot_cert_has_thing(s, &cert, VIEW_LIT("fan")));
	assert_false(snapshot_cert_has_thing(s, &cert, VIEW_LIT("fa")));
	assert_true(snapshot_find(s, second_print, &cert));
	assert_int_equal(cert.status, SNAPSHOT_CERT_INACTIVE);
	assert_int_equal(cert.not_before, -1);
	assert_true(cert.is_exclusive);
	assert_false(snapshot_find(s, stranger, &cert));
	snapshot_free(s);
}

/* The connection's thing decides which groups count (spec section 10.1). */
static void test_connections_thing_and_programs(void **state)
{
	struct place *p = *state;
	static const struct {
		const uint8_t *fingerprint;
		const char *client_id, *thing;
		unsigned programs;
	} cases[] = {
		{first_print,  "lamp",  "lamp", 2}, /* its own policy is among the group's: once */
		{first_print,  "fan",   "fan",  1},
		{first_print,  "other", NULL,   1},
		{second_print, "other", "lamp", 2}, /* exclusive */
	};
	struct snapshot *s = loaded(p->path);
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct snapshot_cert cert;
		struct policy_request request = {0};
		struct view programs[SNAPSHOT_PROGRAMS_MAX];
		assert_true(snapshot_find(s, cases[i].fingerprint, &cert));
		unsigned n = snapshot_programs(s, &cert, view_of(cases[i].client_id), &request,
					       programs, SNAPSHOT_PROGRAMS_MAX);
		assert_int_equal(n, cases[i].programs);
		assert_true(view_is(request.region, "us-east-1"));
		assert_true(view_is(request.account, "123456789012"));
		assert_true(view_is(request.client_id, cases[i].client_id));
		assert_int_equal(request.is_thing_attached, cases[i].thing != NULL);
		assert_true(view_eq(request.thing_name, view_of(cases[i].thing)));
	}
	snapshot_free(s);
}

static void test_more_programs_than_room(void **state)
{
	struct place *p = *state;
	struct snapshot *s = loaded(p->path);
	struct snapshot_cert cert;
	struct policy_request request = {0};
	struct view one[1];
	assert_true(snapshot_find(s, first_print, &cert));
	assert_int_equal(snapshot_programs(s, &cert, VIEW_LIT("lamp"), &request, one, 1), 2);
	snapshot_free(s);
}

static void test_generation_of_the_file(void **state)
{
	struct place *p = *state;
	assert_int_equal(snapshot_generation(p->path), 5);
	assert_int_equal(truncate(p->path, 0), 0);
	assert_int_equal(snapshot_generation(p->path), 0);
	assert_int_equal(g_unlink(p->path), 0);
	assert_int_equal(snapshot_generation(p->path), 0);
}

static void test_older_generation_is_refused(void **state)
{
	struct place *p = *state;
	assert_refused(p->path, geteuid(), 6, "generation 5 is older than 6");
	char why[SNAPSHOT_WHY_SIZE];
	struct snapshot *s;
	assert_int_equal(snapshot_load(p->path, geteuid(), 5, &s, why, sizeof(why)), 0);
	snapshot_free(s);
}

static void test_foreign_owner_is_refused(void **state)
{
	struct place *p = *state;
	assert_refused(p->path, geteuid() + 1, 0, "owned by uid");
}

static void test_file_that_others_may_write_is_refused(void **state)
{
	struct place *p = *state;
	static const mode_t modes[] = {0620, 0602, 0666};
	for (size_t i = 0; i < G_N_ELEMENTS(modes); i++) {
		assert_int_equal(chmod(p->path, modes[i]), 0);
		assert_refused(p->path, geteuid(), 0, "lets others write it");
	}
	assert_int_equal(chmod(p->path, 0644), 0);
	snapshot_free(loaded(p->path));
}

static void test_what_is_no_regular_file_is_refused(void **state)
{
	struct place *p = *state;
	g_autofree char *other = g_build_filename(p->dir, "other", NULL);
	assert_int_equal(symlink(p->path, other), 0);
	assert_refused(other, geteuid(), 0, "a symbolic link");
	assert_int_equal(g_unlink(other), 0);
	assert_int_equal(mkfifo(other, 0600), 0);
	assert_refused(other, geteuid(), 0, "not a regular file");
	assert_int_equal(g_unlink(other), 0);
	assert_refused(other, geteuid(), 0, "No such file");
	assert_refused(p->dir, geteuid(), 0, "not a regular file");
}

static void test_every_flipped_byte_and_every_cut_is_refused(void **state)
{
	struct place *p = *state;
	g_autofree char *bytes = NULL;
	char why[SNAPSHOT_WHY_SIZE];
	gsize n;
	struct snapshot *s;
	assert_true(g_file_get_contents(p->path, &bytes, &n, NULL));
	assert_int_equal(snapshot_load_bytes(bytes, n, &s, why, sizeof(why)), 0);
	snapshot_free(s);
	for (gsize i = 0; i < n; i++) {
		bytes[i] = (char)(bytes[i] ^ 0x10);
		assert_int_equal(snapshot_load_bytes(bytes, n, &s, why, sizeof(why)), -1);
		bytes[i] = (char)(bytes[i] ^ 0x10);
	}
	for (gsize i = 0; i < n; i++)
		assert_int_equal(snapshot_load_bytes(bytes, i, &s, why, sizeof(why)), -1);
}

static void test_rights_of_the_file(void **state)
{
	struct place *p = *state;
	struct stat st;
	assert_int_equal(snapshot_write(p->builder, p->path, 0640, getegid()), 0);
	assert_int_equal(stat(p->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
}

static void test_failed_write_leaves_the_old_file(void **state)
{
	struct place *p = *state;
	g_autofree char *nowhere = g_build_filename(p->dir, "none", "snapshot", NULL);
	assert_int_equal(snapshot_write(p->builder, nowhere, 0600, (gid_t)-1), -ENOENT);
	assert_int_equal(snapshot_generation(p->path), 5);
}

/* Many, so that the hash table has collisions and the checksum more than a block. */
static void test_many_certificates(void **state)
{
	struct place *p = *state;
	struct snapshot_builder *b = snapshot_builder_new(9, "aws", "eu-west-1", "1");
	uint32_t policy = add_policy(b, "p", ALLOW("iot:*"));
	enum { MANY = 5000 };
	for (uint32_t i = 0; i < MANY; i++) {
		uint8_t print[SNAPSHOT_FINGERPRINT] = {(uint8_t)(i % 64), (uint8_t)(i % 3)};
		memcpy(print + 8, &i, sizeof(i));
		snapshot_add_cert(b, print, SNAPSHOT_CERT_ACTIVE, i, i, false, NULL, 0, &policy, 1);
	}
	assert_int_equal(snapshot_write(b, p->path, 0600, (gid_t)-1), 0);
	snapshot_builder_free(b);
	struct snapshot *s = loaded(p->path);
	for (uint32_t i = 0; i <= MANY; i++) {
		uint8_t print[SNAPSHOT_FINGERPRINT] = {(uint8_t)(i % 64), (uint8_t)(i % 3)};
		struct snapshot_cert cert;
		memcpy(print + 8, &i, sizeof(i));
		assert_int_equal(snapshot_find(s, print, &cert), i < MANY);
		if (i < MANY)
			assert_int_equal(cert.not_after, i);
	}
	snapshot_free(s);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CASE(test_certificates_are_found),
		CASE(test_connections_thing_and_programs),
		CASE(test_more_programs_than_room),
		CASE(test_generation_of_the_file),
		CASE(test_older_generation_is_refused),
		CASE(test_foreign_owner_is_refused),
		CASE(test_file_that_others_may_write_is_refused),
		CASE(test_what_is_no_regular_file_is_refused),
		CASE(test_every_flipped_byte_and_every_cut_is_refused),
		CASE(test_rights_of_the_file),
		CASE(test_failed_write_leaves_the_old_file),
		CASE(test_many_certificates),
	};
#undef CASE
	return cmocka_run_group_tests(tests, NULL, NULL);
}

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

#include "broker/snapshot_write.h"
#include "policy/policy.h"

#define ALLOW(action)                                                                              \
	"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"" action    \
	"\",\"Resource\":\"*\"}]}"
#define NAMES(...) (const char *const[]){__VA_ARGS__}, G_N_ELEMENTS(((const char *[]){__VA_ARGS__}))
#define NONE       NULL, 0

struct place {
	char *dir, *path;
};

static const uint8_t first_print[SNAPSHOT_FINGERPRINT] = {1, [31] = 1};
static const uint8_t second_print[SNAPSHOT_FINGERPRINT] = {1, [31] = 2};
static const uint8_t third_print[SNAPSHOT_FINGERPRINT] = {1, [31] = 3};
static const uint8_t stranger[SNAPSHOT_FINGERPRINT] = {1, [31] = 4};

static void add_policy(struct snapshot_builder *b, const char *name, uint32_t version,
		       const char *document)
{
	struct policy_program program;
	assert_int_equal(policy_compile(view_of(document), 2048, &program, NULL), 0);
	struct view bytes = {(const char *)program.bytes, program.n};
	snapshot_add_policy(b, name, version, bytes);
	policy_program_clear(&program);
}

static void add_cert(struct snapshot_builder *b, const uint8_t *print,
		     enum snapshot_cert_status status, bool is_exclusive, const char *const *things,
		     size_t n_things, const char *policy)
{
	struct snapshot_new_cert c = {
		.status = status,
		.not_before = 100,
		.not_after = 200,
		.is_exclusive = is_exclusive,
		.facts = VIEW_LIT("cert facts"),
		.things = things,
		.n_things = n_things,
		.policies = &policy,
		.n_policies = policy != NULL,
	};
	memcpy(c.fingerprint, print, sizeof(c.fingerprint));
	snapshot_add_cert(b, &c);
}

static struct snapshot_builder *small_fleet(void)
{
	struct snapshot_builder *b = snapshot_builder_new();
	snapshot_add_account(b, "aws", "us-east-1", "123456789012");
	add_policy(b, "connect", 1, ALLOW("iot:Connect"));
	add_policy(b, "publish", 7, ALLOW("iot:Publish"));
	add_policy(b, "nothing", 2, ALLOW("iot:GetThingShadow"));
	snapshot_add_group(b, "floor", false, NAMES("connect", "publish", "not there"));
	snapshot_add_group(b, "ward", true, NAMES("nothing"));
	snapshot_add_thing(b, "lamp", VIEW_LIT("lamp facts"), NAMES("floor"));
	snapshot_add_thing(b, "fan", (struct view){0}, NONE);
	snapshot_add_thing(b, "pump", (struct view){0}, NAMES("floor", "ward"));
	add_cert(b, first_print, SNAPSHOT_CERT_ACTIVE, false, NAMES("lamp", "fan"), "connect");
	add_cert(b, second_print, SNAPSHOT_CERT_REVOKED, true, NAMES("lamp"), NULL);
	add_cert(b, third_print, SNAPSHOT_CERT_ACTIVE, false, NAMES("fan", "pump"), "connect");
	return b;
}

static void write_fleet(const char *path, uint64_t generation)
{
	struct snapshot_builder *b = small_fleet();
	assert_int_equal(snapshot_write(path, b, generation, 0600, (gid_t)-1), 0);
	snapshot_builder_free(b);
}

static int set_up(void **state)
{
	struct place *p = g_new0(struct place, 1);
	p->dir = g_dir_make_tmp("thingward-snapshot-XXXXXX", NULL);
	assert_non_null(p->dir);
	p->path = g_build_filename(p->dir, "snapshot", NULL);
	write_fleet(p->path, 5);
	*state = p;
	return 0;
}

static int tear_down(void **state)
{
	struct place *p = *state;
	(void)g_unlink(p->path);
	int r = g_rmdir(p->dir);
	g_free(p->path);
	g_free(p->dir);
	g_free(p);
	return r;
}

static struct snapshot *loaded(const char *path)
{
	char why[SNAPSHOT_WHY_SIZE];
	struct snapshot *s;
	if (snapshot_load(path, geteuid(), 0, &s, why, sizeof(why)) < 0)
		fail_msg("%s", why);
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
	assert_true(view_is(cert.facts, "cert facts"));
	assert_true(snapshot_cert_has_thing(s, &cert, VIEW_LIT("fan")));
	assert_false(snapshot_cert_has_thing(s, &cert, VIEW_LIT("fa")));
	assert_false(snapshot_cert_has_thing(s, &cert, VIEW_LIT("pump")));
	assert_true(snapshot_find(s, second_print, &cert));
	assert_int_equal(cert.status, SNAPSHOT_CERT_REVOKED);
	assert_true(cert.is_exclusive);
	assert_false(snapshot_find(s, stranger, &cert));
	snapshot_free(s);
}

static void test_status_by_its_name(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		enum snapshot_cert_status status;
	} cases[] = {
		{"ACTIVE",             SNAPSHOT_CERT_ACTIVE            },
		{"INACTIVE",           SNAPSHOT_CERT_INACTIVE          },
		{"REVOKED",            SNAPSHOT_CERT_REVOKED           },
		{"PENDING_TRANSFER",   SNAPSHOT_CERT_PENDING_TRANSFER  },
		{"REGISTER_INACTIVE",  SNAPSHOT_CERT_REGISTER_INACTIVE },
		{"PENDING_ACTIVATION", SNAPSHOT_CERT_PENDING_ACTIVATION},
		{"active",             SNAPSHOT_CERT_INACTIVE          },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
		assert_int_equal(snapshot_cert_status_of(cases[i].name), cases[i].status);
}

/* The connection's thing decides which groups count (spec section 10.1); a quarantine group decides
 * alone, whatever the client id (S6). */
static void test_connections_thing_and_policies(void **state)
{
	struct place *p = *state;
	static const struct {
		const uint8_t *fingerprint;
		const char *client_id, *thing, *policies, *facts;
		bool is_quarantined;
	} cases[] = {
  /* Its own policy is among the group's: once. */
		{first_print,  "lamp",  "lamp", "connect 1 publish 7 ", "lamp facts", false},
		{first_print,  "fan",   "fan",  "connect 1 ",           "",           false},
		{first_print,  "other", NULL,   "connect 1 ",           "",           false},
 /* Exclusive. */
		{second_print, "other", "lamp", "connect 1 publish 7 ", "lamp facts", false},
 /* One of its things is in quarantine. */
		{third_print,  "pump",  "pump", "nothing 2 ",           "",           true },
		{third_print,  "fan",   "fan",  "nothing 2 ",           "",           true },
		{third_print,  "other", NULL,   "nothing 2 ",           "",           true },
	};
	struct snapshot *s = loaded(p->path);
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct snapshot_cert cert;
		struct policy_request request = {0};
		struct snapshot_policy policies[SNAPSHOT_PROGRAMS_MAX];
		bool is_quarantined;
		g_autoptr(GString) found = g_string_new("");
		assert_true(snapshot_find(s, cases[i].fingerprint, &cert));
		unsigned n = snapshot_programs(s, &cert, view_of(cases[i].client_id), &request,
					       policies, SNAPSHOT_PROGRAMS_MAX, &is_quarantined);
		for (unsigned k = 0; k < n; k++)
			g_string_append_printf(found, "%.*s %u ", (int)policies[k].name.n,
					       policies[k].name.p, policies[k].version);
		assert_string_equal(found->str, cases[i].policies);
		assert_int_equal(is_quarantined, cases[i].is_quarantined);
		assert_true(view_is(request.partition, "aws"));
		assert_true(view_is(request.region, "us-east-1"));
		assert_true(view_is(request.account, "123456789012"));
		assert_true(view_is(request.client_id, cases[i].client_id));
		assert_int_equal(request.is_thing_attached, cases[i].thing != NULL);
		assert_true(view_eq(request.thing_name, view_of(cases[i].thing)));
		assert_true(view_is(request.thing_facts, cases[i].facts));
		assert_true(view_is(request.cert_facts, "cert facts"));
	}
	snapshot_free(s);
}

static void test_more_policies_than_room(void **state)
{
	struct place *p = *state;
	struct snapshot *s = loaded(p->path);
	struct snapshot_cert cert;
	struct policy_request request = {0};
	struct snapshot_policy one[1];
	bool is_quarantined;
	assert_true(snapshot_find(s, first_print, &cert));
	assert_int_equal(
		snapshot_programs(s, &cert, VIEW_LIT("lamp"), &request, one, 1, &is_quarantined),
		2);
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
	struct snapshot_builder *b = small_fleet();
	assert_int_equal(snapshot_write(p->path, b, 6, 0640, getegid()), 0);
	assert_int_equal(stat(p->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	snapshot_builder_free(b);
}

static void test_failed_write_leaves_the_old_file(void **state)
{
	struct place *p = *state;
	struct snapshot_builder *b = small_fleet();
	g_autofree char *nowhere = g_build_filename(p->dir, "none", "snapshot", NULL);
	assert_int_equal(snapshot_write(nowhere, b, 6, 0600, (gid_t)-1), -ENOENT);
	assert_int_equal(snapshot_generation(p->path), 5);
	snapshot_builder_free(b);
}

/* Many, so that the hash table has collisions and the base more than a sheet. */
static void test_many_certificates(void **state)
{
	struct place *p = *state;
	struct snapshot_builder *b = snapshot_builder_new();
	snapshot_add_account(b, "aws", "eu-west-1", "1");
	enum { MANY = 20000 };
	for (uint32_t i = 0; i < MANY; i++) {
		struct snapshot_new_cert c = {.not_after = i};
		memcpy(c.fingerprint + 8, &i, sizeof(i));
		snapshot_add_cert(b, &c);
	}
	assert_int_equal(snapshot_write(p->path, b, 9, 0600, (gid_t)-1), 0);
	snapshot_builder_free(b);
	struct snapshot *s = loaded(p->path);
	for (uint32_t i = 0; i <= MANY; i++) {
		uint8_t print[SNAPSHOT_FINGERPRINT] = {0};
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
		cmocka_unit_test(test_status_by_its_name),
		CASE(test_connections_thing_and_policies),
		CASE(test_more_policies_than_room),
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

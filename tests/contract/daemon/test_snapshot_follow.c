/* The snapshot follows the registry: after any calls of the API, the file with its base and the
 * rounds behind it says of every certificate and client id what a file made afresh says, on both
 * databases, wherever a new base comes between. */
#include "registry_kit.h"

#include "base/chance.h"
#include "base/cursor.h"
#include "broker/snapshot_format.h"
#include "daemon/publish_file.h"
#include "daemon/publish_round.h"
#include "store/change.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>
#include <glib.h>
#include <glib/gstdio.h>

#define CALLS 250
#define NAMES 6
#define CERTS 5

struct follower {
	struct kit *k;
	GRand *rand;
	char *dir, *path, *fresh;
	struct publish_file *file;
	uint64_t written;
	char ids[CERTS][X509_ID_SIZE];
	unsigned bases; /* that took their place */
};

/* ---- Publishing ---- */

static void publish(struct follower *f)
{
	struct publish_round round = {
		.reader = f->k->api.reader, .logged = f->written, .written = f->written};
	f->bases += publish_file_turn(f->file) == 1;
	publish_round_init(&round);
	assert_int_equal(publish_round_look(&round), 0);
	if (round.g > f->written)
		assert_int_equal(publish_file_append(f->file, round.reader, round.records, round.g),
				 0);
	f->written = round.g;
	publish_round_clear(&round);
}

static void write_fresh(struct follower *f)
{
	struct snapshot_file *file;
	assert_int_equal(snapshot_file_new(f->fresh, 0600, (gid_t)-1, &file), 0);
	assert_int_equal(snapshot_build(f->k->api.reader, &f->k->api.settings, file, NULL), 0);
	assert_int_equal(snapshot_file_end_base(file, f->written), 0);
	assert_int_equal(snapshot_file_take_place(file), 0);
	snapshot_file_free(file);
}

/* ---- Comparing ---- */

static struct snapshot *loaded(const char *path)
{
	char why[SNAPSHOT_WHY_SIZE];
	struct snapshot *s;
	if (snapshot_load(path, geteuid(), 0, &s, why, sizeof(why)) < 0)
		fail_msg("%s", why);
	return s;
}

static void tell_view(GString *text, const char *what, struct view v)
{
	g_string_append_printf(text, " %s=", what);
	g_string_append_len(text, v.p ? v.p : "", (gssize)v.n);
}

/* All that the snapshot says of a certificate that connects with a client id. */
static void tell(const struct snapshot *s, const char *id, const char *client_id, GString *text)
{
	uint8_t print[SNAPSHOT_FINGERPRINT];
	struct snapshot_cert cert;
	struct policy_request request = {0};
	struct snapshot_policy found[SNAPSHOT_PROGRAMS_MAX];
	bool is_quarantined = false;
	assert_int_equal(hex_decode(id, print, sizeof(print)), 0);
	g_string_append_printf(text, "%.4s as %s:", id, client_id);
	if (!snapshot_find(s, print, &cert)) {
		g_string_append(text, " none\n");
		return;
	}
	unsigned n = snapshot_programs(s, &cert, view_of(client_id), &request, found,
				       SNAPSHOT_PROGRAMS_MAX, &is_quarantined);
	g_string_append_printf(text, " %d %d%d", (int)cert.status, cert.is_exclusive,
			       is_quarantined);
	tell_view(text, "thing", request.thing_name);
	tell_view(text, "facts", request.thing_facts);
	tell_view(text, "cert", request.cert_facts);
	for (unsigned i = 0; i < n; i++) {
		tell_view(text, "policy", found[i].name);
		g_string_append_printf(text, "@%u", found[i].version);
		tell_view(text, "program", found[i].program);
	}
	g_string_append_c(text, '\n');
}

static gint by_name(gconstpointer a, gconstpointer b)
{
	const struct snapshot_dimension *x = a, *y = b;
	return memcmp(x->name.p, y->name.p, MIN(x->name.n, y->name.n));
}

static void tell_dimensions(const struct snapshot *s, GString *text)
{
	struct snapshot_dimension all[NAMES];
	unsigned n = snapshot_dimensions(s, all, NAMES);
	qsort(all, n, sizeof(*all), by_name);
	for (unsigned i = 0; i < n; i++) {
		struct view filter;
		tell_view(text, "dimension", all[i].name);
		while (snapshot_next_name(&all[i].filters, &filter))
			tell_view(text, "filter", filter);
	}
}

static char *whole(const struct follower *f, const char *path)
{
	GString *text = g_string_new("");
	struct snapshot *s = loaded(path);
	assert_int_equal(snapshot_in_force(s), f->written);
	for (unsigned c = 0; c < CERTS; c++)
		for (char name = 'a'; name <= 'a' + NAMES; name++)
			tell(s, f->ids[c], (const char[]){name, '\0'}, text);
	tell_dimensions(s, text);
	snapshot_free(s);
	return g_string_free(text, FALSE);
}

static void compare(struct follower *f)
{
	write_fresh(f);
	g_autofree char *followed = whole(f, f->path);
	g_autofree char *fresh = whole(f, f->fresh);
	assert_string_equal(followed, fresh);
}

/* ---- Calls of every kind, many of which are refused ---- */

static char name(const struct follower *f)
{
	return (char)('a' + g_rand_int_range(f->rand, 0, NAMES));
}

static const char *cert(const struct follower *f)
{
	return f->ids[g_rand_int_range(f->rand, 0, CERTS)];
}

static void call(struct follower *f, const char *method, const char *body, const char *fmt, ...)
	PRINTF_LIKE(4, 5);
static void call(struct follower *f, const char *method, const char *body, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	g_autofree char *target = g_strdup_vprintf(fmt, args);
	va_end(args);
	api_send(&f->k->api, method, target, body);
	kit_header(f->k, NULL, NULL);
}

static void thing(struct follower *f)
{
	g_autofree char *body = g_strdup_printf(
		"{\"attributePayload\":{\"attributes\":{\"site\":\"%c\"}}}", name(f));
	static const char *const methods[] = {"POST", "PATCH", "DELETE", "POST"};
	const char *method = methods[g_rand_int_range(f->rand, 0, 4)];
	call(f, method, *method == 'D' ? NULL : body, "/things/%c", name(f));
}

static void group(struct follower *f)
{
	g_autofree char *parent = g_strdup_printf("{\"parentGroupName\":\"%c\"}", name(f));
	static const char *const marks[] = {"true", "false"};
	g_autofree char *mark =
		g_strdup_printf("{\"thingGroupProperties\":{\"attributePayload\":{\"attributes\":"
				"{\"thingward:quarantine\":\"%s\"}}}}",
				marks[g_rand_int_range(f->rand, 0, 2)]);
	switch (g_rand_int_range(f->rand, 0, 4)) {
	case 0:
		call(f, "POST", parent, "/thing-groups/%c", name(f));
		break;
	case 1:
		call(f, "POST", "{}", "/thing-groups/%c", name(f));
		break;
	case 2:
		call(f, "PATCH", mark, "/thing-groups/%c", name(f));
		break;
	default:
		call(f, "DELETE", NULL, "/thing-groups/%c", name(f));
	}
}

static void member(struct follower *f)
{
	g_autofree char *body = g_strdup_printf("{\"thingName\":\"%c\",\"thingGroupName\":\"%c\"}",
						name(f), name(f));
	bool adds = g_rand_int_range(f->rand, 0, 3) > 0;
	call(f, "PUT", body, "/thing-groups/%sThing%sThingGroup", adds ? "add" : "remove",
	     adds ? "To" : "From");
}

static void policy(struct follower *f)
{
	static const char *const targets[][2] = {
		{"POST",   "/policies/%c"                          },
		{"POST",   "/policies/%c/version?setAsDefault=true"},
		{"DELETE", "/policies/%c"                          },
	};
	const char *const *t = targets[g_rand_int_range(f->rand, 0, 3)];
	g_autofree char *target = g_strdup_printf("/policies/%c%s", name(f),
						  strstr(t[1], "version") ? t[1] + 12 : "");
	call(f, t[0], t[0][0] == 'D' ? NULL : kit_policy_body, "%s", target);
}

static void attach(struct follower *f)
{
	bool is_group = g_rand_int_range(f->rand, 0, 2);
	const char group_name[] = {name(f), '\0'};
	g_autofree char *body = g_strdup_printf(
		"{\"target\":\"%s\"}",
		kit_arn(f->k, is_group ? "thinggroup" : "cert", is_group ? group_name : cert(f)));
	bool adds = g_rand_int_range(f->rand, 0, 3) > 0;
	call(f, adds ? "PUT" : "POST", body, "/target-policies/%c", name(f));
}

static void principal(struct follower *f)
{
	bool adds = g_rand_int_range(f->rand, 0, 3) > 0;
	kit_header(f->k, "x-amzn-principal", kit_arn(f->k, "cert", cert(f)));
	call(f, adds ? "PUT" : "DELETE", NULL, "/things/%c/principals%s", name(f),
	     adds && g_rand_int_range(f->rand, 0, 3) == 0 ? "?thingPrincipalType=EXCLUSIVE_THING"
							  : "");
}

static void status(struct follower *f)
{
	static const char *const statuses[] = {"ACTIVE", "INACTIVE", "REVOKED"};
	call(f, "PUT", NULL, "/certificates/%s?newStatus=%s", cert(f),
	     statuses[g_rand_int_range(f->rand, 0, 3)]);
}

static void dimension(struct follower *f)
{
	static const char *const methods[] = {"POST", "PATCH", "DELETE"};
	const char *method = methods[g_rand_int_range(f->rand, 0, 3)];
	g_autofree char *body = g_strdup_printf(
		"{\"stringValues\":[\"%c/+\",\"b\"]%s}", name(f),
		method[1] == 'O' ? ",\"type\":\"TOPIC_FILTER\",\"clientRequestToken\":"
				   "\"0123456789abcdef0123456789abcdef0123\""
				 : "");
	call(f, method, *method == 'D' ? NULL : body, "/dimensions/%c", name(f));
}

static void (*const moves[])(struct follower *f) = {thing,  group,     member, policy,
						    attach, principal, status, dimension};

/* ---- The test ---- */

static void begin(struct follower *f, struct kit *k, uint64_t delta_bytes)
{
	*f = (struct follower){.k = k, .rand = g_rand_new_with_seed(7)};
	f->dir = g_dir_make_tmp("thingward-follow-XXXXXX", NULL);
	assert_non_null(f->dir);
	f->path = g_build_filename(f->dir, "snapshot", NULL);
	f->fresh = g_build_filename(f->dir, "fresh", NULL);
	struct publish_file_options options = {.store = k->api.env.store,
					       .settings = &k->api.settings,
					       .path = f->path,
					       .mode = 0600,
					       .gid = (gid_t)-1,
					       .delta_bytes = delta_bytes};
	int64_t newest;
	for (unsigned i = 0; i < CERTS; i++)
		kit_certificate(k, "ACTIVE", f->ids[i]);
	f->file = publish_file_new(&options);
	assert_int_equal(change_newest(k->api.reader, &newest), 0);
	f->written = (uint64_t)newest;
	assert_int_equal(publish_file_write(f->file, k->api.reader, f->written), 0);
}

static void end(struct follower *f)
{
	publish_file_free(f->file);
	assert_int_equal(g_unlink(f->path), 0);
	assert_int_equal(g_unlink(f->fresh), 0);
	assert_int_equal(g_rmdir(f->dir), 0);
	g_rand_free(f->rand);
	g_free(f->path);
	g_free(f->fresh);
	g_free(f->dir);
}

static void says_what_a_fresh_one_says(void **state)
{
	struct follower f;
	begin(&f, *state, 2048);
	for (unsigned i = 0; i < CALLS; i++) {
		moves[g_rand_int_range(f.rand, 0, G_N_ELEMENTS(moves))](&f);
		if (g_rand_int_range(f.rand, 0, 3) > 0)
			publish(&f);
		if (i % 10 == 0) {
			publish(&f);
			compare(&f);
		}
	}
	publish(&f);
	compare(&f);
	assert_true(f.bases > 0);
	end(&f);
}

/* Whoever has read the file from its beginning finds the round behind it, too. */
static void assert_follows(struct snapshot *s, const struct follower *f)
{
	char why[SNAPSHOT_WHY_SIZE];
	int r = 1;
	while (r == 1)
		r = snapshot_follow(s, NULL, why, sizeof(why));
	if (r < 0)
		fail_msg("%s", why);
	assert_int_equal(snapshot_in_force(s), f->written);
	snapshot_free(s);
}

/* A cut, a foreign file, a lost one: the next round makes it good. */
static void makes_good_what_somebody_did_to_the_file(void **state)
{
	struct follower f;
	begin(&f, *state, 65536);
	for (unsigned i = 0; i < 3; i++) {
		struct snapshot *reader = loaded(f.path);
		if (i == 0)
			assert_int_equal(truncate(f.path, 50), 0);
		else if (i == 1)
			assert_true(g_file_set_contents(f.path, "x", 1, NULL));
		else
			assert_int_equal(g_unlink(f.path), 0);
		assert_true(publish_file_is_due(f.file));
		call(&f, "PUT", NULL, "/certificates/%s?newStatus=%s", f.ids[0],
		     i % 2 ? "ACTIVE" : "INACTIVE");
		publish(&f);
		compare(&f);
		assert_follows(reader, &f);
		assert_false(publish_file_is_due(f.file));
	}
	end(&f);
}

static unsigned count_records(const struct snapshot_builder *b)
{
	unsigned n = 0;
	struct view sheet;
	for (size_t i = 0; (sheet = snapshot_builder_sheet(b, i)).n; i++)
		for (size_t at = 0; at < sheet.n; n++) {
			struct reader r = reader_of(sheet.p + at, sheet.n - at);
			at += record_padded(RECORD_HEADER + (size_t)read_u32(&r));
		}
	return n;
}

/* How many records the changes since the last round are. */
static unsigned records_since(struct follower *f)
{
	struct publish_round round = {
		.reader = f->k->api.reader, .logged = f->written, .written = f->written};
	publish_round_init(&round);
	assert_int_equal(publish_round_look(&round), 0);
	unsigned n = count_records(round.records);
	publish_round_clear(&round);
	publish(f);
	return n;
}

/* However many things a group has. */
static void costs_few_records_a_change(void **state)
{
	struct follower f;
	struct kit *k = *state;
	begin(&f, k, 65536);
	kit_policy(k, "p");
	kit_group(k, "g", NULL);
	kit_thing(k, "lamp");
	kit_attach(k, "lamp", f.ids[0]);
	for (unsigned i = 0; i < 50; i++) {
		g_autofree char *name = g_strdup_printf("t%u", i);
		g_autofree char *body =
			g_strdup_printf("{\"thingName\":\"%s\",\"thingGroupName\":\"g\"}", name);
		kit_thing(k, name);
		ok(k, body, "PUT /thing-groups/addThingToThingGroup");
	}
	assert_true(records_since(&f) > 50);
	g_autofree char *body =
		g_strdup_printf("{\"target\":\"%s\"}", kit_arn(k, "thinggroup", "g"));
	ok(k, body, "PUT /target-policies/p");
	assert_int_equal(records_since(&f), 1);
	ok(k, kit_policy_body, "POST /policies/p/version?setAsDefault=true");
	assert_int_equal(records_since(&f), 1);
	ok(k, NULL, "PUT /certificates/%s?newStatus=INACTIVE", f.ids[0]);
	assert_int_equal(records_since(&f), 1);
	char id[X509_ID_SIZE];
	kit_certificate(k, "ACTIVE", id);
	assert_int_equal(records_since(&f), 1);
	ok(k, "{\"thingName\":\"lamp\",\"thingGroupName\":\"g\"}",
	   "PUT /thing-groups/addThingToThingGroup");
	assert_int_equal(records_since(&f), 2); /* the thing and its certificate */
	compare(&f);
	end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_BOTH(says_what_a_fresh_one_says),
		ON_BOTH(costs_few_records_a_change),
		ON_BOTH(makes_good_what_somebody_did_to_the_file),
	};
	return cmocka_run_group_tests(tests, kit_group_start, kit_group_stop);
}

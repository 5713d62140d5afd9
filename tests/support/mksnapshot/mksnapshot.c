/* mksnapshot FILE < fleet.json: writes a snapshot for tests of the plugin, with the same compiler
 * and builder as the daemon.
 *
 *   {"generation": 1, "policies": {NAME: DOCUMENT}, "groups": {NAME: {"quarantine": false,
 * "policies": [NAME]}}, "things": {NAME: {"groups": [NAME], "facts": HEX}}, "certs":
 * [{"fingerprint": HEX, "status": "ACTIVE", "not_before": 0, "not_after": 4102444800, "exclusive":
 * false, "things": [NAME], "policies": [NAME], "facts": HEX}], "dimensions": {NAME: [FILTER]},
 * "parts": [CHANGES ...]}
 *
 * CHANGES are like the whole, with a generation of their own, and "removed": {"policies": [NAME],
 * "groups": [NAME], "things": [NAME], "certs": [HEX]}. A list may stand for a group's policies and
 * a thing's groups. A policy's version is the generation that brought it. */
#include <err.h>
#include <glib.h>
#include <jansson.h>
#include <stdlib.h>

#include "base/chance.h"
#include "broker/snapshot_write.h"
#include "policy/policy.h"

#define POLICY_CHARS_MAX 2048
#define FILE_MODE        0644

static void fail_if(int r, const char *path)
{
	if (r < 0)
		errx(1, "%s: %s", path, g_strerror(-r));
}

static GPtrArray *names_of(const json_t *list)
{
	GPtrArray *names = g_ptr_array_new();
	for (size_t i = 0; i < json_array_size(list); i++)
		g_ptr_array_add(names,
				(gpointer)(uintptr_t)json_string_value(json_array_get(list, i)));
	return names;
}

static const char *const *names_at(const GPtrArray *names)
{
	return (const char *const *)(void *)names->pdata;
}

/* The list itself, or the member of an object. */
static const json_t *list_in(const json_t *value, const char *member)
{
	return json_is_array(value) ? value : json_object_get(value, member);
}

static GByteArray *bytes_of(const json_t *hex)
{
	const char *digits = json_is_string(hex) ? json_string_value(hex) : "";
	GByteArray *bytes = g_byte_array_new();
	g_byte_array_set_size(bytes, (guint)strlen(digits) / 2);
	if (bytes->len && hex_decode(digits, bytes->data, bytes->len) < 0)
		errx(1, "\"%s\" is not hex", digits);
	return bytes;
}

static struct view view_bytes(const GByteArray *bytes)
{
	return (struct view){(const char *)bytes->data, bytes->len};
}

static void add_policy(struct snapshot_builder *b, const char *name, uint32_t version,
		       const json_t *document)
{
	g_autofree char *text = json_dumps(document, JSON_COMPACT);
	struct policy_program program;
	struct fault fault = {0};
	if (policy_compile(view_of(text), POLICY_CHARS_MAX, &program, &fault) < 0)
		errx(1, "policy \"%s\": %s", name, fault.message);
	snapshot_add_policy(b, name, version,
			    (struct view){(const char *)program.bytes, program.n});
	policy_program_clear(&program);
}

static void add_group(struct snapshot_builder *b, const char *name, const json_t *group)
{
	g_autoptr(GPtrArray) policies = names_of(list_in(group, "policies"));
	snapshot_add_group(b, name, json_is_true(json_object_get(group, "quarantine")),
			   names_at(policies), policies->len);
}

static void add_thing(struct snapshot_builder *b, const char *name, const json_t *thing)
{
	g_autoptr(GPtrArray) groups = names_of(list_in(thing, "groups"));
	g_autoptr(GByteArray) facts = bytes_of(json_object_get(thing, "facts"));
	snapshot_add_thing(b, name, view_bytes(facts), names_at(groups), groups->len);
}

static void add_dimension(struct snapshot_builder *b, const char *name, const json_t *filters)
{
	g_autoptr(GPtrArray) texts = names_of(filters);
	snapshot_add_dimension(b, name, names_at(texts), texts->len);
}

static void read_fingerprint(const json_t *hex, uint8_t ret[SNAPSHOT_FINGERPRINT])
{
	const char *digits = json_string_value(hex);
	if (!digits || strlen(digits) != 2 * SNAPSHOT_FINGERPRINT ||
	    hex_decode(digits, ret, SNAPSHOT_FINGERPRINT) < 0)
		errx(1, "fingerprint is not 64 hex digits");
}

static void add_cert(struct snapshot_builder *b, const json_t *cert)
{
	g_autoptr(GPtrArray) things = names_of(json_object_get(cert, "things"));
	g_autoptr(GPtrArray) policies = names_of(json_object_get(cert, "policies"));
	g_autoptr(GByteArray) facts = bytes_of(json_object_get(cert, "facts"));
	const json_t *status = json_object_get(cert, "status");
	struct snapshot_new_cert c = {
		.status = snapshot_cert_status_of(status ? json_string_value(status) : "ACTIVE"),
		.not_before = json_integer_value(json_object_get(cert, "not_before")),
		.not_after = json_integer_value(json_object_get(cert, "not_after")),
		.is_exclusive = json_is_true(json_object_get(cert, "exclusive")),
		.facts = view_bytes(facts),
		.things = names_at(things),
		.n_things = things->len,
		.policies = names_at(policies),
		.n_policies = policies->len,
	};
	read_fingerprint(json_object_get(cert, "fingerprint"), c.fingerprint);
	snapshot_add_cert(b, &c);
}

static void remove_named(struct snapshot_builder *b, const json_t *removed, const char *member,
			 enum snapshot_kind kind)
{
	g_autoptr(GPtrArray) names = names_of(json_object_get(removed, member));
	for (guint i = 0; i < names->len; i++)
		snapshot_remove(b, kind, view_of(g_ptr_array_index(names, i)));
}

static void remove_all(struct snapshot_builder *b, const json_t *removed)
{
	const json_t *certs = json_object_get(removed, "certs");
	remove_named(b, removed, "policies", SNAPSHOT_POLICY);
	remove_named(b, removed, "groups", SNAPSHOT_GROUP);
	remove_named(b, removed, "things", SNAPSHOT_THING);
	for (size_t i = 0; i < json_array_size(certs); i++) {
		uint8_t print[SNAPSHOT_FINGERPRINT];
		read_fingerprint(json_array_get(certs, i), print);
		snapshot_remove(b, SNAPSHOT_CERT,
				(struct view){(const char *)print, sizeof(print)});
	}
}

static uint64_t generation_of(const json_t *fleet)
{
	return (uint64_t)json_integer_value(json_object_get(fleet, "generation"));
}

static void add_fleet(struct snapshot_builder *b, const json_t *fleet)
{
	const char *name;
	json_t *value;
	json_object_foreach(json_object_get(fleet, "policies"), name, value)
		add_policy(b, name, (uint32_t)generation_of(fleet), value);
	json_object_foreach(json_object_get(fleet, "groups"), name, value)
		add_group(b, name, value);
	json_object_foreach(json_object_get(fleet, "things"), name, value)
		add_thing(b, name, value);
	json_object_foreach(json_object_get(fleet, "dimensions"), name, value)
		add_dimension(b, name, value);
	const json_t *certs = json_object_get(fleet, "certs");
	for (size_t i = 0; i < json_array_size(certs); i++)
		add_cert(b, json_array_get(certs, i));
	remove_all(b, json_object_get(fleet, "removed"));
}

static void write_parts(struct snapshot_file *file, const char *path, const json_t *parts)
{
	for (size_t i = 0; i < json_array_size(parts); i++) {
		const json_t *part = json_array_get(parts, i);
		struct snapshot_builder *b = snapshot_builder_new();
		add_fleet(b, part);
		fail_if(snapshot_file_append(file, b, generation_of(part)), path);
		snapshot_builder_free(b);
	}
}

static void write_file(const char *path, const json_t *fleet)
{
	struct snapshot_file *file;
	struct snapshot_builder *b = snapshot_builder_new();
	snapshot_add_account(b, "aws", "us-east-1", "123456789012");
	add_fleet(b, fleet);
	fail_if(snapshot_file_new(path, FILE_MODE, (gid_t)-1, &file), path);
	fail_if(snapshot_file_add(file, b), path);
	fail_if(snapshot_file_end_base(file, generation_of(fleet)), path);
	write_parts(file, path, json_object_get(fleet, "parts"));
	fail_if(snapshot_file_take_place(file), path);
	snapshot_file_free(file);
	snapshot_builder_free(b);
}

int main(int argc, char **argv)
{
	if (argc != 2)
		errx(2, "usage: mksnapshot FILE < fleet.json");
	json_error_t why;
	json_t *fleet = json_loadf(stdin, 0, &why);
	if (!fleet)
		errx(1, "line %d: %s", why.line, why.text);
	write_file(argv[1], fleet);
	json_decref(fleet);
	return 0;
}

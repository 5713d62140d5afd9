/* mksnapshot FILE < fleet.json: writes a snapshot for tests of the plugin, with the same compiler
 * and builder as the daemon.
 *
 *   {"generation": 1, "policies": {NAME: DOCUMENT}, "groups": {NAME: [POLICY]}, "things": {NAME:
 * [GROUP]}, "certs": [{"fingerprint": HEX, "active": true, "not_before": 0, "not_after":
 * 4102444800, "exclusive": false, "things": [THING], "policies": [POLICY]}]} */
#include <err.h>
#include <glib.h>
#include <jansson.h>
#include <stdlib.h>

#include "base/chance.h"
#include "broker/snapshot.h"
#include "policy/policy.h"

#define POLICY_CHARS_MAX 2048
#define FILE_MODE        0644

/* Names of one kind and the indexes that the builder gave them. */
typedef GHashTable names;

static uint32_t index_of(names *of, const char *name)
{
	gpointer index;
	if (!g_hash_table_lookup_extended(of, name, NULL, &index))
		errx(1, "\"%s\" is named before it is defined", name);
	return GPOINTER_TO_UINT(index);
}

static GArray *indexes_of(names *of, const json_t *list)
{
	GArray *indexes = g_array_new(FALSE, FALSE, sizeof(uint32_t));
	for (size_t i = 0; i < json_array_size(list); i++) {
		uint32_t index = index_of(of, json_string_value(json_array_get(list, i)));
		g_array_append_val(indexes, index);
	}
	return indexes;
}

static uint32_t add_policy(struct snapshot_builder *b, const char *name, const json_t *document)
{
	g_autofree char *text = json_dumps(document, JSON_COMPACT);
	struct policy_program program;
	struct fault fault = {0};
	if (policy_compile(view_of(text), POLICY_CHARS_MAX, &program, &fault) < 0)
		errx(1, "policy \"%s\": %s", name, fault.message);
	struct view bytes = {(const char *)program.bytes, program.n};
	uint32_t index = snapshot_add_policy(b, view_of(name), bytes);
	policy_program_clear(&program);
	return index;
}

static names *add_policies(struct snapshot_builder *b, json_t *policies)
{
	names *added = g_hash_table_new(g_str_hash, g_str_equal);
	const char *name;
	json_t *document;
	json_object_foreach(policies, name, document) g_hash_table_insert(
		added, (gpointer)(uintptr_t)name, GUINT_TO_POINTER(add_policy(b, name, document)));
	return added;
}

typedef uint32_t add_fn(struct snapshot_builder *b, struct view name, const uint32_t *of,
			uint32_t n);

static names *add_named(struct snapshot_builder *b, json_t *objects, names *of, add_fn *add)
{
	names *added = g_hash_table_new(g_str_hash, g_str_equal);
	const char *name;
	json_t *list;
	json_object_foreach(objects, name, list)
	{
		g_autoptr(GArray) indexes = indexes_of(of, list);
		uint32_t index = add(b, view_of(name), (const uint32_t *)(void *)indexes->data,
				     indexes->len);
		g_hash_table_insert(added, (gpointer)(uintptr_t)name, GUINT_TO_POINTER(index));
	}
	return added;
}

static void add_cert(struct snapshot_builder *b, const json_t *cert, names *things, names *policies)
{
	uint8_t fingerprint[SNAPSHOT_FINGERPRINT];
	const char *hex = json_string_value(json_object_get(cert, "fingerprint"));
	if (!hex || hex_decode(hex, fingerprint, sizeof(fingerprint)) < 0)
		errx(1, "fingerprint is not 64 hex digits");
	g_autoptr(GArray) of_things = indexes_of(things, json_object_get(cert, "things"));
	g_autoptr(GArray) of_policies = indexes_of(policies, json_object_get(cert, "policies"));
	snapshot_add_cert(b, fingerprint,
			  json_is_false(json_object_get(cert, "active")) ? SNAPSHOT_CERT_INACTIVE
									 : SNAPSHOT_CERT_ACTIVE,
			  json_integer_value(json_object_get(cert, "not_before")),
			  json_integer_value(json_object_get(cert, "not_after")),
			  json_is_true(json_object_get(cert, "exclusive")),
			  (const uint32_t *)(void *)of_things->data, of_things->len,
			  (const uint32_t *)(void *)of_policies->data, of_policies->len);
}

static void add_fleet(struct snapshot_builder *b, const json_t *fleet)
{
	g_autoptr(GHashTable) policies = add_policies(b, json_object_get(fleet, "policies"));
	g_autoptr(GHashTable) groups =
		add_named(b, json_object_get(fleet, "groups"), policies, snapshot_add_group);
	g_autoptr(GHashTable) things =
		add_named(b, json_object_get(fleet, "things"), groups, snapshot_add_thing);
	const json_t *certs = json_object_get(fleet, "certs");
	for (size_t i = 0; i < json_array_size(certs); i++)
		add_cert(b, json_array_get(certs, i), things, policies);
}

int main(int argc, char **argv)
{
	if (argc != 2)
		errx(2, "usage: mksnapshot FILE < fleet.json");
	json_error_t why;
	json_t *fleet = json_loadf(stdin, 0, &why);
	if (!fleet)
		errx(1, "line %d: %s", why.line, why.text);
	struct snapshot_builder *b = snapshot_builder_new(
		(uint64_t)json_integer_value(json_object_get(fleet, "generation")), "aws",
		"us-east-1", "123456789012");
	add_fleet(b, fleet);
	int rc = snapshot_write(b, argv[1], FILE_MODE, (gid_t)-1);
	if (rc < 0)
		errx(1, "%s: %s", argv[1], g_strerror(-rc));
	snapshot_builder_free(b);
	json_decref(fleet);
	return 0;
}

/* For tests of the registry's operations: the in-process API of api_env.h, on both databases.
 *
 *     const struct CMUnitTest tests[] = { ON_BOTH(creates_things), ... };
 *     return cmocka_run_group_tests(tests, kit_group_start, kit_group_stop);
 *
 * A test's state is a struct kit on an empty store. Targets and bodies are formats, so that names
 * can be filled in. */
#ifndef SUPPORT_REGISTRY_KIT_H
#define SUPPORT_REGISTRY_KIT_H

#include "api_env.h"
#include "base/compiler.h"
#include "x509/x509.h"

#include <glib.h>

struct backend;

struct kit {
	struct api_test api;
	struct backend *backend;
	int64_t seen;  /* the newest change that kit_changes has told */
	GString *text; /* what kit_changes returns */
	char arn[1000];
	struct api_header header;
	char header_value[400];
};

int kit_group_start(void **state);
int kit_group_stop(void **state);
int kit_start_sqlite(void **state);
int kit_start_pg(void **state);
int kit_stop(void **state);

#define ON_BOTH(f)                                                                                 \
	{#f " (SQLite)", f, kit_start_sqlite, kit_stop, NULL},                                     \
	{                                                                                          \
#f " (PostgreSQL)", f, kit_start_pg, kit_stop, NULL                                \
	}

/* One call that must succeed, or must fail in the given way. `request` is "METHOD /path?query".
 * body: JSON or NULL. */
json_t *ok(struct kit *k, const char *body, const char *request, ...) PRINTF_LIKE(3, 4);
const char *fails(struct kit *k, int status, const char *exception, const char *body,
		  const char *request, ...) PRINTF_LIKE(5, 6);

/* A header that goes with every call until the next kit_header; NULL: none. */
void kit_header(struct kit *k, const char *name, const char *value);

/* "arn:aws:iot:us-east-1:123456789012:TYPE/NAME"; lives until the next call. */
const char *kit_arn(struct kit *k, const char *type, const char *name);
/* The same with every ':' and '/' percent-encoded, for a label or a query. */
const char *kit_arn_encoded(struct kit *k, const char *type, const char *name);

/* Registers a new self-signed certificate. */
void kit_certificate(struct kit *k, const char *status, char ret_id[X509_ID_SIZE]);
void kit_attach(struct kit *k, const char *thing, const char *certificate);
/* A thing, a group or a policy with nothing special. */
void kit_thing(struct kit *k, const char *name);
void kit_group(struct kit *k, const char *name, const char *parent);
void kit_policy(struct kit *k, const char *name);
extern const char kit_policy_body[];

/* What changed since the last call: "thing:lamp cert:ab12 ", in order. Certificate ids are cut to 4
 * digits. */
const char *kit_changes(struct kit *k);

/* Asserts that the list is exactly these strings (of the given member of each item; NULL: the items
 * are strings), in order; ends with NULL. */
void assert_items(const json_t *list, const char *member, ...);

#endif

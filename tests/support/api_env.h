/* The API without HTTP, for tests of handlers: an embedded store in a temporary directory, a manual
 * clock, seeded chance, and calls by method, path and body that go through routing, roles,
 * validation and the output check.
 *
 *     struct api_test t;
 *     api_test_start(&t);                                          // in setup
 *     json_t *out = api_ok(&t, "POST", "/things/lamp", "{}");      // asserts 200; borrowed until
 * the next call assert_string_equal(json_str(out, "thingName"), "lamp"); api_fails(&t, "GET",
 * "/things/none", NULL, 404, "ResourceNotFoundException"); api_test_stop(&t); // in teardown
 *
 * Calls are made as an admin; api_test.role changes that. Settings, publisher and audit may be
 * replaced between calls. */
#ifndef SUPPORT_API_ENV_H
#define SUPPORT_API_ENV_H

#include "api/interpret.h"
#include "store/store.h"

#include <stdatomic.h>

struct api_test {
	struct api_env env;
	struct registry_settings settings; /* AWS's defaults, account 123456789012, us-east-1 */
	struct api *api;
	struct sql_conn *reader;
	enum role role;
	const struct api_header *headers; /* sent with every call; NULL, 0 at first */
	size_t n_headers;
	int published; /* how often the publisher was called */
	atomic_int counts[API_COUNTS];
	/* The last answer. */
	int status;
	const char *exception;
	json_t *out;

	char dir[64];
	uint64_t seed;
};

#define API_TEST_START_MS INT64_C(1767225600000) /* 2026-01-01T00:00:00Z */

void api_test_start(struct api_test *t);
void api_test_stop(struct api_test *t);
/* The same as cmocka's setup and teardown: *state is a struct api_test. */
int api_test_setup(void **state);
int api_test_teardown(void **state);

/* Makes a call; the answer stands in t until the next one. `target` is path and query as on the
 * wire; body may be NULL. */
void api_send(struct api_test *t, const char *method, const char *target, const char *body);

/* As api_send, and asserts status 200. Returns t->out. */
json_t *api_ok(struct api_test *t, const char *method, const char *target, const char *body);

/* As api_send, and asserts status and exception. Returns the message. */
const char *api_fails(struct api_test *t, const char *method, const char *target, const char *body,
		      int status, const char *exception);

/* A member of an object as text; "" when it is not there. */
const char *json_str(const json_t *object, const char *member);
int64_t json_num(const json_t *object, const char *member);

#endif

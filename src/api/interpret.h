/* The interpreter: one API call from an authenticated request to its answer, by the rows of model/.
 *
 *     route -> role -> gather members -> constraints -> handler -> output -> answer (spec/api.md
 * section 1)
 *                 |__________________________|____________|-> refusal, recorded when S18 says so
 *
 * It knows nothing of HTTP connections or signatures: http.c feeds it, tests call it directly. Safe
 * for any number of threads at once, each with a reader of its own. */
#ifndef API_INTERPRET_H
#define API_INTERPRET_H

#include "api/model.h"
#include "api/refusal.h"
#include "api/request.h"
#include "api/token.h"

struct api_caller {
	const char *key_id;
	enum role role;
};

struct api_answer {
	int status;
	const char
		*exception; /* for x-amzn-errortype; NULL on success. Borrowed from the program */
	char *body;         /* JSON object; freed by api_answer_clear */
	const char *operation; /* "" when none was reached */
};

void api_answer_clear(struct api_answer *answer);

struct api_options {
	struct api_env *env;
	struct token_key token_key;
	bool check_output; /* hold every answer against its output shape: tests */
};

struct api;

/* NULL with the fault when the model is not sound. `env` is borrowed and must outlive it. */
struct api *api_new(const struct api_options *options, struct fault *fault) MUST_USE;
void api_free(struct api *api);

const struct model *api_model(const struct api *api);

/* Answers one call of an authenticated caller. `reader` is the calling thread's. */
void api_run(struct api *api, const struct api_caller *caller, const struct api_request *request,
	     struct sql_conn *reader, struct api_answer *ret);

/* Answers a request that got no further than its refusal (authentication, size), and records it
 * (S18). */
void api_refuse(struct api *api, const char *key_id, const struct api_request *request,
		const struct refusal *refusal, struct api_answer *ret);

/* Input members from where they travel, with constraints checked: what handlers get. -1 with the
 * refusal. The caller owns *ret_in. Pure: fuzzed. */
struct route;
int api_gather(const struct route *route, const struct api_request *request, json_t **ret_in,
	       struct refusal *refusal) MUST_USE;

#endif

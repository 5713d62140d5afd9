/* Policies as an operator may write them, searched for a way out: the input is a document, before a
 * zero byte what was taken away, behind it what is in force. The search ends, within its bounds,
 * and what it calls an escape the engine allows. */
/* covers: src/contain/escape.c */
#include "base/check.h"
#include "contain/escape.h"
#include "policy/policy.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

struct world {
	struct policy_program program;
	uint64_t allowed;
};

static int ask(const char *certificate, struct policy_request *request, void *ctx,
	       struct escape_answer *ret)
{
	struct world *w = ctx;
	const struct view program = {(const char *)w->program.bytes, w->program.n};
	request->partition = VIEW_LIT("aws");
	request->region = VIEW_LIT("us-east-1");
	request->account = VIEW_LIT("123456789012");
	request->certificate_id = view_of(certificate);
	struct policy_verdict verdict = policy_decide(&program, 1, request);
	w->allowed += verdict.decision == POLICY_ALLOWED;
	*ret = (struct escape_answer){verdict.decision, false, "p", 1, verdict.statement};
	return 0;
}

static void search(struct world *w, enum contain_kind kind, const char *taken, const char *own)
{
	static const char *const things[] = {"t1"};
	const struct escape_document document = {"taken", 1, taken}, mine = {"own", 1, own};
	const struct escape_identity identity = {"c0ffee", "t1", things, 1, &mine, 1};
	const struct escape_search s = {.kind = kind,
					.documents = &document,
					.n_documents = 1,
					.random_client = "nobody",
					.ask = ask,
					.ctx = w};
	struct contain_asked asked = {0};
	char *escape = NULL;
	w->allowed = 0;
	CHECK(escape_find(&s, &identity, &asked, &escape) == 0);
	CHECK(asked.questions <= ESCAPE_QUESTIONS_MAX);
	CHECK(!escape || w->allowed || contain_goal(kind) == CONTAIN_QUARANTINE);
	g_free(escape);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct world w = {0};
	struct fault fault = {0};
	g_autofree char *taken = g_strndup((const char *)data, n);
	size_t first = strlen(taken);
	g_autofree char *own =
		g_strndup((const char *)data + MIN(first + 1, n), n - MIN(first + 1, n));
	if (n > 8192 || policy_compile(view_of(own), 65536, &w.program, &fault) < 0)
		return 0;
	search(&w, CONTAIN_POLICY_DETACHED, taken, own);
	search(&w, CONTAIN_GROUP_ENTERED, taken, own);
	search(&w, CONTAIN_QUARANTINED, taken, own);
	policy_program_clear(&w.program);
	return 0;
}

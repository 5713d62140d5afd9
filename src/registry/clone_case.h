/* Clone cases as the store keeps them: the state of the scorer (contain/clone.h) by client id,
 * moved in the evaluator's commit and therefore exactly once. A client id has one case at a time;
 * one that is over stays as a record. CLONE_CASES_MAX bounds them: the oldest go first, verdicts of
 * a clone last. */
#ifndef REGISTRY_CLONE_CASE_H
#define REGISTRY_CLONE_CASE_H

#include "contain/clone.h"
#include "registry/registry.h"

#define CLONE_CASES_MAX 10000

/* The session of `client` was taken over. */
int clone_case_take(struct sql_conn *txn, const char *client,
		    const struct clone_takeover *t) MUST_USE;
/* It ended by itself. */
int clone_case_ended(struct sql_conn *txn, const char *client, int64_t at_ms) MUST_USE;

/* Newest first: those behind (last_ms, client); INT64_MAX: all. */
typedef int clone_case_fn(const char *client, const struct clone_case *c, void *ctx);
int clone_case_list(struct sql_conn *db, int64_t last_ms, const char *client, int64_t limit,
		    clone_case_fn *fn, void *ctx) MUST_USE;

/* Deletes what is over CLONE_CASES_MAX; *ret_n: so many. */
int clone_case_trim(struct sql_conn *txn, int64_t *ret_n) MUST_USE;
/* Deletes what was seen last before; *ret_more: there is more. */
int clone_case_forget(struct sql_conn *txn, int64_t before_ms, bool *ret_more) MUST_USE;

#endif

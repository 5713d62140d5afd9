/* Clone cases as the store keeps them: the state of the scorer (contain/clone.h) by client id or
 * certificate, moved in the evaluator's commit and therefore exactly once. Each has one at a time;
 * one that is over stays as a record. CLONE_CASES_MAX bounds them: the oldest go first, verdicts of
 * a clone last. */
#ifndef REGISTRY_CLONE_CASE_H
#define REGISTRY_CLONE_CASE_H

#include "contain/clone.h"
#include "registry/registry.h"

#define CLONE_CASES_MAX 10000

/* What a case is about: a client id, or a certificate's id. */
struct clone_subject {
	bool is_certificate;
	const char *id;
};

/* The session of `client` was taken over. */
int clone_case_take(struct sql_conn *txn, const char *client,
		    const struct clone_takeover *t) MUST_USE;
/* It ended by itself. */
int clone_case_ended(struct sql_conn *txn, const char *client, int64_t at_ms) MUST_USE;

/* A session of the certificate began beside another one; there->keep_alive_s is filled in from the
 * open sessions. */
int clone_case_beside(struct sql_conn *txn, const char *certificate, struct clone_end *there,
		      const struct clone_end *here, int64_t at_ms) MUST_USE;
/* The certificates for which a sign of life counts: those of which a session began beside another
 * since then, the newest thousand. */
int clone_case_each_pair(struct sql_conn *db, int64_t since_ms, name_fn *fn, void *ctx) MUST_USE;
/* As clone_lives. */
int clone_case_lives(struct sql_conn *txn, const char *certificate, const char *client,
		     int64_t at_ms, bool was_heard) MUST_USE;

/* Newest first: those behind (last_ms, key); INT64_MAX: all. `key` is the item's place in the
 * list. */
typedef int clone_case_fn(const char *key, const struct clone_subject *subject,
			  const struct clone_case *c, void *ctx);
int clone_case_list(struct sql_conn *db, int64_t last_ms, const char *key, int64_t limit,
		    clone_case_fn *fn, void *ctx) MUST_USE;

/* Deletes what is over CLONE_CASES_MAX; *ret_n: so many. */
int clone_case_trim(struct sql_conn *txn, int64_t *ret_n) MUST_USE;
/* Deletes what was seen last before; *ret_more: there is more. */
int clone_case_forget(struct sql_conn *txn, int64_t before_ms, bool *ret_more) MUST_USE;

#endif

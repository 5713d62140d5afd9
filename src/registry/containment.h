/* Containments as the store keeps them (contain/contain.h tells what they are).
 *
 * Whatever takes something away begins one in its own transaction, with who asked, the generation
 * of the change, the certificates concerned and the documents that granted what is gone. Giving it
 * back lifts it: what is seen afterwards does not count. The evaluator's commit notes what brokers
 * tell (containment_note_*), the daemon judges (daemon/containment.h). */
#ifndef REGISTRY_CONTAINMENT_H
#define REGISTRY_CONTAINMENT_H

#include "contain/contain.h"
#include "registry/registry.h"

#define CONTAINMENT_CERTIFICATES_MAX 1000 /* of one; more are told to be a sample */
#define CONTAINMENT_THINGS_MAX       100  /* of a certificate, that are tried */

/* Begins one; does nothing when no certificate is concerned, or when the documents grant (or, by
 * kind, deny) nothing. In a write transaction, behind the change_add of what it is about.
 *
 *   kind                            target        detail
 *   CERT_*                          certificate   ""
 *   GROUP_DELETED, _QUARANTINED     group         ""          (before its rows are removed)
 *   POLICY_ATTACHED, _DETACHED      policy        "cert/ID" or "thinggroup/NAME"
 *   POLICY_CHANGED                  policy        the version that was the default
 *   GROUP_ENTERED, GROUP_LEFT       thing         group
 *   QUARANTINED                     thing         group
 *   THING_DETACHED                  certificate   thing */
int containment_begin(struct registry *r, enum contain_kind kind, const char *target,
		      const char *detail) MUST_USE;

/* What was taken away from the target was given back. */
int containment_lift(struct registry *r, enum contain_goal goal, const char *target) MUST_USE;

/* ---- What brokers tell; each in the evaluator's commit ---- */

/* The broker has this generation in force since at_ms. */
int containment_note_applied(struct sql_conn *txn, const char *broker, uint64_t generation,
			     int64_t at_ms) MUST_USE;
/* A session of the certificate began on this broker, or a connect of it was refused; in words,
 * without time. */
int containment_note_session(struct sql_conn *txn, const char *certificate, const char *broker,
			     const char *words, int64_t at_ms) MUST_USE;
int containment_note_refused(struct sql_conn *txn, const char *certificate, const char *words,
			     int64_t at_ms) MUST_USE;

/* ---- Records ---- */

struct containment {
	int64_t id;
	struct contain is;
	const char *target, *detail;
	const char *request, *key_id;  /* who asked: the record in the trail, and the key; "" when
					  not  by the API */
	bool is_watched;               /* what is seen still counts */
	int64_t lifted_ms;             /* 0: not */
	bool is_sample;                /* it concerns more certificates than are kept */
	const char *session, *refused; /* what was seen since, "" */
};

typedef int containment_fn(const struct containment *c, void *ctx);

/* 1 with fn called, 0: there is none of that id; or a negative errno. */
int containment_get(struct sql_conn *db, int64_t id, containment_fn *fn, void *ctx) MUST_USE;
/* Newest first, those before id `before` (INT64_MAX: all); state "" is any. */
int containment_list(struct sql_conn *db, int64_t before, const char *state, int64_t limit,
		     containment_fn *fn, void *ctx) MUST_USE;
/* The first one behind `after` that is to be judged: *ret_id is 0 when there is none. */
int containment_next(struct sql_conn *db, int64_t after, int64_t *ret_id) MUST_USE;

/* What is known of it now: how many brokers count (those that were heard since `since_ms`, or are
 * there), one that has not confirmed it ("" none), the time of the last that did; an open session
 * of its certificates, in words ("" none). Freed with containment_seen_clear. */
struct containment_seen {
	int64_t brokers, applied_ms;
	char *waiting, *session;
};
int containment_look(struct sql_conn *db, int64_t id, int64_t since_ms,
		     struct containment_seen *ret) MUST_USE;
void containment_seen_clear(struct containment_seen *seen);

/* Another state, with its evidence; one that was lifted or is not watched any more stays as it is.
 */
int containment_move(struct sql_conn *txn, int64_t id, const struct contain *is, bool is_watched,
		     int64_t at_ms, const char *evidence, bool *ret_moved) MUST_USE;

typedef int containment_evidence_fn(int64_t at_ms, const char *state, const char *text, void *ctx);
int containment_each_evidence(struct sql_conn *db, int64_t id, containment_evidence_fn *fn,
			      void *ctx) MUST_USE;
/* Brokers that confirmed it, by time. */
typedef int containment_applied_fn(const char *broker, int64_t at_ms, void *ctx);
int containment_each_applied(struct sql_conn *db, int64_t id, containment_applied_fn *fn,
			     void *ctx) MUST_USE;
int containment_each_certificate(struct sql_conn *db, int64_t id, name_fn *fn, void *ctx) MUST_USE;

/* The things that a certificate is attached to; it may be gone. */
int containment_each_thing(struct sql_conn *db, const char *certificate, name_fn *fn,
			   void *ctx) MUST_USE;

typedef int containment_document_fn(const char *policy, int64_t version, const char *document,
				    void *ctx);
int containment_each_document(struct sql_conn *db, int64_t id, containment_document_fn *fn,
			      void *ctx) MUST_USE;
/* The default versions of the policies attached to a certificate. */
int containment_each_own_document(struct sql_conn *db, const char *certificate,
				  containment_document_fn *fn, void *ctx) MUST_USE;

/* Those requested before are not looked at any more. */
int containment_unwatch(struct sql_conn *txn, int64_t before_ms) MUST_USE;
/* Deletes what was requested before; *ret_more: there is more. */
int containment_forget(struct sql_conn *txn, int64_t before_ms, bool *ret_more) MUST_USE;

#endif

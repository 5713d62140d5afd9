/* A decision in words, for people: which statement of which version decided, or which grant is
 * missing. Daemon side. */
#ifndef POLICY_EXPLAIN_H
#define POLICY_EXPLAIN_H

#include "policy/decide.h"

/* A policy that was asked; in the order of the programs given to policy_decide. */
struct policy_source {
	const char *name;
	int64_t version;
	struct view document; /* that its program was compiled from */
};

/* The name (Sid) that its author gave a statement (from 0) of the document; NULL: none. The
 * caller's (g_free). */
char *policy_sid(struct view document, int statement);

/* `policy base version 3, statement 2 (NoSecrets), Deny iot:Publish on topic/x`, or `no statement
 * allows iot:Publish on topic/x; nearest: policy base version 3, statement 1 needs
 * iot:Connection.Thing.Attributes[site], which is not known`. Statements count from 1. Texts of the
 * policies and of the request stand there as they are. The caller's (g_free). */
char *policy_explain(const struct policy_source *sources, const struct policy_request *request,
		     const struct policy_verdict *verdict);

#endif

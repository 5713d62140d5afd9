/* Which policies count, and what they are asked about: for a principal and a thing as
 * GetEffectivePolicies tells them, and for a connection as the broker would judge it
 * (spec/registry-and-policies.md sections 10.3 and 11). The rules are those of the snapshot
 * (broker/snapshot.h), read from the registry's rows instead. */
#ifndef REGISTRY_EFFECTIVE_H
#define REGISTRY_EFFECTIVE_H

#include "policy/decide.h"
#include "policy/policy.h"
#include "registry/attachment.h"

#include <glib.h>

/* A policy with its default version. */
struct effective_policy {
	char *name, *document;
	int64_t version;
	struct policy_program program;
};

/* Policies in the order in which they came, none twice. */
struct effective {
	GPtrArray *policies; /* struct effective_policy * */
};
struct effective effective_new(void);
void effective_clear(struct effective *effective);

/* One by its name: FAULT_RESOURCE_NOT_FOUND when there is none. */
int effective_add(struct registry *r, struct effective *effective, const char *name) MUST_USE;
/* Takes one out again; a name that is not among them is no fault. */
void effective_skip(struct effective *effective, const char *name);
/* Those attached to a certificate, or to a group and its ancestors. FAULT_RESOURCE_NOT_FOUND. */
int effective_add_target(struct registry *r, struct effective *effective,
			 const struct target *target) MUST_USE;
/* Those of the groups that a thing is in, up to their roots. FAULT_RESOURCE_NOT_FOUND. */
int effective_add_thing(struct registry *r, struct effective *effective,
			const char *thing) MUST_USE;

/* A certificate that connects with a client id (NULL: not known): its thing is the one of that
 * name if attached, else the one it is held by exclusively, else none. */
struct connection {
	char *certificate, *thing; /* thing: NULL when there is none */
	char *client_id;
	GByteArray *thing_facts, *cert_facts;
};
int connection_open(struct registry *r, const char *certificate, const char *client_id,
		    struct connection *ret) MUST_USE;
void connection_clear(struct connection *connection);
/* What is known of it; all views are the connection's. */
void connection_fill(const struct connection *connection, struct policy_request *request);

/* The policies that judge it: those of the certificate and of the thing's groups; while any thing
 * of the certificate is in a quarantine (registry/quarantine.h), those of the quarantines alone. */
int effective_add_connection(struct registry *r, struct effective *effective,
			     const struct connection *connection) MUST_USE;

#endif

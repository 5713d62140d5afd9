/* The decision: do these programs let this request pass? (spec section 10.3)
 *
 * Plain C11, no allocation, no GLib, never aborts: the broker plugin calls it for every connect,
 * publish, subscribe and delivery. Time is linear in program size times topic length, for hostile
 * patterns too (S7). A program is checked whole once, when it is loaded (policy_program_valid);
 * after that it is trusted. */
#ifndef POLICY_DECIDE_H
#define POLICY_DECIDE_H

#include "base/view.h"

#include <stdbool.h>
#include <stdint.h>

/* POLICY_CONNECT, POLICY_PUBLISH, ...: the rows of action.tbl.h. */
enum policy_action {
#define ACTION(id, name) POLICY_##id,
#include "policy/action.tbl.h"
#undef ACTION
	POLICY_ACTIONS
};

enum policy_decision { POLICY_IMPLICIT_DENY, POLICY_ALLOWED, POLICY_EXPLICIT_DENY };

/* What a CONNECT asked for, as iot:ConnectAttributes lists it. */
#define POLICY_PERSISTENT_CONNECT 1
#define POLICY_LAST_WILL          2

struct policy_request {
	enum policy_action action;
	/* The resource's three parts: "arn:aws:iot:REGION:ACCOUNT" is compared part by part with
	 * what stands in the policy. */
	struct view partition, region, account;
	struct view type; /* "client", "topic", "topicfilter", "thing", "rolealias"; empty: the
			   * action has no resource, and is asked about "*"
			   * (iot:ListRetainedMessages, iot:ListNamedShadowsForThing) */
	struct view name; /* client id, topic, filter, ... */
	/* Values of variables; a view with p == NULL: not known, and a statement that needs it
	 * cannot match. */
	struct view client_id, thing_name, source_ip, certificate_id;
	struct view domain_name;     /* iot:DomainName: the host name of the TLS handshake */
	struct view last_will_topic; /* iot:LastWillTopic: the topic alone; its ARN is made here */
	bool is_thing_attached;      /* iot:Connection.Thing.IsAttached */
	/* iot:ConnectAttributes: POLICY_PERSISTENT_CONNECT, POLICY_LAST_WILL; none is a list too,
	 * the empty one, unless nothing is known. */
	bool are_connect_attributes_known;
	uint8_t connect_attributes;
	/* Of the connection's thing and of the certificate (policy/facts.h); an empty view: nothing
	 * known. */
	struct view thing_facts, cert_facts;
};

struct policy_verdict {
	enum policy_decision decision;
	/* Which statement decided, for the denial ledger; both -1 when none matched. */
	int program, statement;
	/* After an implicit deny: the first Allow for this action and this resource that did not
	 * match all the same, -1 when there is none; and the variable or condition key whose value
	 * it lacked ("iot:Connection.Thing.Attributes[site]", a view into the program), empty when
	 * it lacked none: then its condition did not hold. */
	int nearest_program, nearest_statement;
	struct view missing;
};

/* True when the bytes are a program that policy_decide can walk without reading outside them. Any
 * alignment will do. */
bool policy_program_valid(const uint8_t *program, size_t n);

/* Any matching Deny: POLICY_EXPLICIT_DENY. Else any matching Allow: POLICY_ALLOWED. Else
 * POLICY_IMPLICIT_DENY. The programs are valid; no programs at all is an implicit deny. */
struct policy_verdict policy_decide(const struct view *programs, unsigned n_programs,
				    const struct policy_request *request);

/* ---- For explaining and testing ---- */

enum policy_effect { POLICY_EFFECT_DENY, POLICY_EFFECT_ALLOW, POLICY_EFFECTS };

/* The first statement of the program with this effect that matches, -1 when none does. */
int policy_first_match(struct view program, enum policy_effect effect,
		       const struct policy_request *request);

/* Calls fn for each variable without a value in the program's statements that name the action,
 * as the document writes it; a name may come several times. */
typedef void policy_missing_fn(struct view name, void *ctx);
void policy_each_missing(struct view program, const struct policy_request *request,
			 policy_missing_fn *fn, void *ctx);

/* "iot:Publish": static text. */
const char *policy_action_name(enum policy_action action);

#endif

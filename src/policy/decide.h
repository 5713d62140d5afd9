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

struct policy_request {
	enum policy_action action;
	/* The resource's three parts: "arn:aws:iot:REGION:ACCOUNT" is compared part by part with
	 * what stands in the policy. */
	struct view partition, region, account;
	struct view type; /* "client", "topic", "topicfilter", "thing", "rolealias"; empty: the
			   * action has no resource, and is asked about "*"
			   * (iot:ListRetainedMessages, iot:ListNamedShadowsForThing) */
	struct view name; /* client id, topic, filter, ... */
	/* Values of variables; an empty view with p == NULL: not known, and a statement that needs
	 * it cannot match. */
	struct view client_id, thing_name, source_ip, certificate_id;
	bool is_thing_attached; /* iot:Connection.Thing.IsAttached */
};

/* Which statement decided: program and statement index, for the denial ledger; both -1 when none
 * matched. */
struct policy_verdict {
	enum policy_decision decision;
	int program, statement;
};

/* True when the bytes are a program that policy_decide can walk without reading outside them. Any
 * alignment will do. */
bool policy_program_valid(const uint8_t *program, size_t n);

/* Any matching Deny: POLICY_EXPLICIT_DENY. Else any matching Allow: POLICY_ALLOWED. Else
 * POLICY_IMPLICIT_DENY. The programs are valid; no programs at all is an implicit deny. */
struct policy_verdict policy_decide(const struct view *programs, unsigned n_programs,
				    const struct policy_request *request);

/* "iot:Publish": static text. */
const char *policy_action_name(enum policy_action action);

#endif

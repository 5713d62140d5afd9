/* The judgement of a session: may it be there at all, and what may it do?
 *
 * session_judge reads the rules once and keeps what they say; session_may and the others decide
 * from that for each action, without allocation. All tell who refused and by what rule. They are
 * the same where we only observe. Nothing here knows the broker. */
#ifndef PLUGIN_JUDGE_H
#define PLUGIN_JUDGE_H

#include "mosquitto/rules.h"
#include "mosquitto/session.h"
#include "mosquitto/tally.h"

struct denial {
	enum policy_action action;
	enum cause cause; /* CAUSE_NONE: allowed */
	/* The statement that denied, or the grant that came nearest; name empty: there is none. */
	struct policy_name policy;
	int32_t statement;   /* from 0; -1: none */
	struct view missing; /* the variable or key that kept a grant from matching */
};

/* A denial that no policy is behind. */
struct denial denial_of(enum policy_action action, enum cause cause);

/* Resolves certificate, thing and policies by the rules in force, and decides iot:Connect as far as
 * CONNECT tells what was asked: on Mosquitto 2.0 a will is known only when it is sent
 * (session_may_will). Sets s->refusal and the quarantine flag. */
struct denial session_judge(struct session *s, const struct rules *rules, struct policy_sets *sets,
			    int64_t now_s);
/* Decides an action of a judged session on a topic or filter (type: "topic", "topicfilter"). */
struct denial session_may(const struct session *s, enum policy_action action, struct view type,
			  struct view name);
/* iot:Connect once more, with the will that is to be sent now. */
struct denial session_may_will(const struct session *s, struct view topic);
/* True when the certificate's validity has ended, or not begun, since it was judged. */
bool session_is_out_of_validity(const struct session *s, int64_t now_s);

/* What is known of one that was refused, for the counters. */
enum tally_standing session_standing(const struct session *s, const struct rules *rules);

/* The refusal as an event; count and times are the ledger's. `who` as far as it is known. */
struct event_refused denial_event(const struct denial *d, const struct event_identity *who,
				  struct view resource, bool is_observed);

#endif

#include "mosquitto/judge.h"

#include "mosquitto/hex.h"

#define ID_SIZE (2 * EVENT_FINGERPRINT + 1)

struct denial denial_of(enum policy_action action, enum cause cause)
{
	return (struct denial){.action = action, .cause = cause, .statement = -1};
}

/* ---- What policy says ---- */

/* certificate_id: room for the certificate's id in words. */
static struct policy_request request_of(const struct session *s, char certificate_id[ID_SIZE])
{
	hex_write(s->principal->fingerprint, EVENT_FINGERPRINT, certificate_id);
	return (struct policy_request){
		.partition = s->policies->partition,
		.region = s->policies->region,
		.account = s->policies->account,
		.client_id = view_of(s->client_id),
		.thing_name = s->thing,
		.source_ip = view_of(s->address),
		.certificate_id = {certificate_id, ID_SIZE - 1},
		.domain_name = view_of(s->domain),
		.is_thing_attached = s->thing.p != NULL,
		.thing_facts = s->thing_facts,
		.cert_facts = s->cert_facts,
	};
}

static void name_rule(struct denial *d, const struct policy_set *set, int program, int statement)
{
	if (program < 0)
		return;
	d->policy = set->names[program];
	d->statement = statement;
}

static enum cause cause_of(const struct session *s, const struct policy_verdict *v)
{
	if (s->flags & EVENT_QUARANTINED)
		return CAUSE_QUARANTINED;
	if (v->decision == POLICY_EXPLICIT_DENY)
		return CAUSE_EXPLICIT_DENY;
	return v->missing.n ? CAUSE_MISSING_VARIABLE : CAUSE_IMPLICIT_DENY;
}

static struct denial decide(const struct session *s, const struct policy_request *request)
{
	struct denial d = denial_of(request->action, CAUSE_NONE);
	struct policy_verdict v = policy_decide(s->policies->programs, s->policies->n, request);
	if (v.decision == POLICY_ALLOWED)
		return d;
	d.cause = cause_of(s, &v);
	d.missing = v.missing;
	if (v.decision == POLICY_EXPLICIT_DENY)
		name_rule(&d, s->policies, v.program, v.statement);
	else
		name_rule(&d, s->policies, v.nearest_program, v.nearest_statement);
	return d;
}

struct denial session_may(const struct session *s, enum policy_action action, struct view type,
			  struct view name)
{
	char certificate_id[ID_SIZE];
	if (s->refusal)
		return denial_of(action, s->refusal);
	struct policy_request request = request_of(s, certificate_id);
	request.action = action;
	request.type = type;
	request.name = name;
	return decide(s, &request);
}

/* will: its topic, p == NULL: none. */
static struct denial may_connect(const struct session *s, struct view will)
{
	char certificate_id[ID_SIZE];
	struct policy_request request = request_of(s, certificate_id);
	request.action = POLICY_CONNECT;
	request.type = VIEW_LIT("client");
	request.name = request.client_id;
	request.are_connect_attributes_known = true;
	if (!(s->flags & EVENT_CLEAN))
		request.connect_attributes |= POLICY_PERSISTENT_CONNECT;
	if (will.p) {
		request.connect_attributes |= POLICY_LAST_WILL;
		request.last_will_topic = will;
	}
	return decide(s, &request);
}

struct denial session_may_will(const struct session *s, struct view topic)
{
	if (s->refusal)
		return denial_of(POLICY_CONNECT, s->refusal);
	struct denial d = may_connect(s, topic);
	if (d.cause && d.cause != CAUSE_QUARANTINED)
		d.cause = CAUSE_WILL_NOT_ALLOWED;
	return d;
}

/* ---- May it be there ---- */

static bool has_control_character(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7F)
			return true;
	return false;
}

/* What is wrong with the request itself (S8). */
static enum cause request_fault(const struct session *s)
{
	if (s->is_websocket)
		return CAUSE_WEBSOCKET;
	if (s->client_id[0] == '\0')
		return CAUSE_NO_CLIENT_ID;
	if (strlen(s->client_id) > EVENT_CLIENT_ID_MAX)
		return CAUSE_CLIENT_ID_TOO_LONG;
	if (has_control_character(s->client_id))
		return CAUSE_CLIENT_ID_CONTROL;
	return session_has_certificate(s) ? CAUSE_NONE : CAUSE_NO_CERTIFICATE;
}

/* Takes thing and policies from the snapshot. */
static enum cause resolve(struct session *s, const struct rules *rules, struct policy_sets *sets,
			  const struct snapshot_cert *cert)
{
	struct snapshot_policy found[SNAPSHOT_PROGRAMS_MAX];
	struct policy_request request = {0};
	bool is_quarantined = false;
	unsigned n = snapshot_programs(rules->snapshot, cert, view_of(s->client_id), &request,
				       found, SNAPSHOT_PROGRAMS_MAX, &is_quarantined);
	if (n > SNAPSHOT_PROGRAMS_MAX)
		return CAUSE_TOO_MANY_POLICIES;
	s->policies = policy_set_take(sets, rules->epoch, &request, found, n);
	if (!s->policies)
		return CAUSE_NO_MEMORY;
	s->thing = request.thing_name;
	s->thing_facts = request.thing_facts;
	s->cert_facts = request.cert_facts;
	if (is_quarantined)
		s->flags |= EVENT_QUARANTINED;
	return CAUSE_NONE;
}

/* What was read from an earlier snapshot is gone. */
static void forget(struct session *s, struct policy_sets *sets)
{
	policy_set_release(sets, s->policies);
	s->policies = NULL;
	s->thing = s->thing_facts = s->cert_facts = (struct view){0};
	s->flags &= (uint8_t)~EVENT_QUARANTINED;
}

static enum cause find_standing(struct session *s, const struct rules *rules,
				struct policy_sets *sets, int64_t now_s)
{
	struct snapshot_cert cert;
	enum cause cause = request_fault(s);
	if (!cause)
		cause = rules_refusal(rules, s->principal->fingerprint, now_s, &cert);
	if (cause)
		return cause;
	s->not_before = cert.not_before;
	s->not_after = cert.not_after;
	return resolve(s, rules, sets, &cert);
}

struct denial session_judge(struct session *s, const struct rules *rules, struct policy_sets *sets,
			    int64_t now_s)
{
	forget(s, sets);
	struct denial d = denial_of(POLICY_CONNECT, CAUSE_NONE);
	if (!s->is_doorbell)
		d.cause = find_standing(s, rules, sets, now_s);
	if (!d.cause && !s->is_doorbell)
		d = may_connect(s, (struct view){0});
	s->refusal = (uint8_t)d.cause;
	return d;
}

bool session_is_out_of_validity(const struct session *s, int64_t now_s)
{
	return s->policies && (now_s < s->not_before || now_s > s->not_after);
}

enum tally_standing session_standing(const struct session *s, const struct rules *rules)
{
	if (s->thing.n && view_eq(s->thing, view_of(s->client_id)))
		return TALLY_OWN;
	return rules_know(rules, s->principal->fingerprint) ? TALLY_REGISTERED : TALLY_STRANGER;
}

struct event_refused denial_event(const struct denial *d, const struct event_identity *who,
				  struct view resource, bool is_observed)
{
	return (struct event_refused){.who = *who,
				      .action = (uint8_t)d->action,
				      .cause = d->cause,
				      .is_observed = is_observed,
				      .resource = resource,
				      .policy = d->policy.name,
				      .version = d->policy.version,
				      .statement = d->statement,
				      .missing = d->missing};
}

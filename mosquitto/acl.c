/* What a session may do: policy decides, reserved topics come before it (S9). Where we only observe
 * the judgement is the same, but it is only told. */
#include <mosquitto.h>
#include <mosquitto_broker.h>
#include <mosquitto_plugin.h>

#include "mosquitto/applicant.h"
#include "mosquitto/plugin.h"
#include "mosquitto/topic.h"

/* One question of the broker's. */
struct question {
	const struct session *session;
	const struct mosquitto_evt_acl_check *e;
	struct view name; /* topic or filter */
	bool is_will;
	bool is_of_source; /* asked before a retained message is delivered: nobody does anything */
};

/* Who else may publish there? The broker gives no MESSAGE event for a will: as a report it would
 * reach nobody, and stay when it is retained (S9). */
static const struct {
	enum cause publish, will;
} reserved[] = {
	[TOPIC_ORDINARY] = {CAUSE_NONE,            CAUSE_NONE           },
	[TOPIC_REPORT] = {CAUSE_NONE,            CAUSE_WILL_REPORT    },
	[TOPIC_REPLY] = {CAUSE_RESERVED_REPLY,  CAUSE_RESERVED_REPLY },
	[TOPIC_EVENTS] = {CAUSE_RESERVED_EVENTS, CAUSE_RESERVED_EVENTS},
};

static enum cause publish_fault(const struct question *q)
{
	enum cause fault = topic_fault(q->name);
	enum topic_kind kind = topic_of(q->name).kind;
	if (fault)
		return fault;
	return q->is_will ? reserved[kind].will : reserved[kind].publish;
}

static struct denial judge_write(const struct question *q)
{
	struct denial d = denial_of(POLICY_PUBLISH, publish_fault(q));
	if (!d.cause && q->is_will)
		d = session_may_will(q->session, q->name);
	if (!d.cause)
		d = session_may(q->session, POLICY_PUBLISH, VIEW_LIT("topic"), q->name);
	if (!d.cause && q->e->retain)
		d = session_may(q->session, POLICY_RETAIN_PUBLISH, VIEW_LIT("topic"), q->name);
	return d;
}

static struct denial judge_subscribe(const struct question *q)
{
	enum cause fault = topic_fault(q->name);
	if (!fault && topic_filter_is_report(q->name))
		fault = CAUSE_RESERVED_REPORTS;
	if (!fault && topic_filter_is_shared_reserved(q->name))
		fault = CAUSE_SHARED_RESERVED;
	if (fault)
		return denial_of(POLICY_SUBSCRIBE, fault);
	return session_may(q->session, POLICY_SUBSCRIBE, VIEW_LIT("topicfilter"), q->name);
}

static struct denial judge_read(const struct question *q)
{
	if (topic_of(q->name).kind == TOPIC_REPORT)
		return denial_of(POLICY_RECEIVE, CAUSE_RESERVED_REPORTS);
	return session_may(q->session, POLICY_RECEIVE, VIEW_LIT("topic"), q->name);
}

static struct denial judge_unsubscribe(const struct question *q)
{
	return denial_of(POLICY_SUBSCRIBE, q->session->refusal);
}

static const struct access {
	int access;
	struct denial (*judge)(const struct question *q);
	int live_error; /* for a session that is connected */
	enum policy_action action;
	bool is_heard; /* the client did it */
} accesses[] = {
  /* AWS closes the connection of a client that publishes where it may not. */
	{MOSQ_ACL_WRITE,       judge_write,       MOSQ_ERR_AUTH,       POLICY_PUBLISH,   true },
	{MOSQ_ACL_SUBSCRIBE,   judge_subscribe,   MOSQ_ERR_ACL_DENIED, POLICY_SUBSCRIBE, true },
	{MOSQ_ACL_READ,        judge_read,        MOSQ_ERR_ACL_DENIED, POLICY_RECEIVE,   false},
	{MOSQ_ACL_UNSUBSCRIBE, judge_unsubscribe, MOSQ_ERR_ACL_DENIED, POLICY_SUBSCRIBE, true },
};

static const struct access *access_row(int access)
{
	for (size_t i = 0; i < ARRAY_LEN(accesses); i++)
		if (accesses[i].access == access)
			return &accesses[i];
	return NULL;
}

/* Whose retained message is withheld did nothing now. A device that subscribes to
 * $aws/things/NAME/defender/# does as AWS's own agents do: nobody is to blame that its own reports
 * match. Where we observe, a session whose connect would be refused would not be there to do
 * anything. */
static bool is_worth_telling(const struct question *q, const struct denial *d)
{
	if (q->is_of_source)
		return false;
	if (d->action == POLICY_RECEIVE && d->cause == CAUSE_RESERVED_REPORTS)
		return false;
	return !session_is_observed(q->session) || !q->session->refusal;
}

/* A doomed session is judged no more: what it stood by may be gone. */
static struct denial judge_question(const struct access *row, const struct question *q)
{
	const struct session *s = q->session;
	if (s->is_doorbell)
		return denial_of(row->action, CAUSE_DOORBELL_ONLY);
	if (s->list == SESSION_DOOMED)
		return denial_of(row->action, s->refusal ? s->refusal : CAUSE_SESSION_CUT);
	return row->judge(q);
}

static struct denial judge(struct plugin *p, const struct access *row, const struct question *q)
{
	struct denial d = judge_question(row, q);
	if (!d.cause || !is_worth_telling(q, &d))
		return d;
	struct event_identity who = session_identity(q->session);
	struct event_refused e = denial_event(&d, &who, q->name, session_is_observed(q->session));
	refusals_add(p, &e);
	return d;
}

static struct tally_message message_of(const struct session *s,
				       const struct mosquitto_evt_acl_check *e)
{
	return (struct tally_message){view_of(e->topic), view_of(s->client_id), e->payloadlen};
}

static void count_will(struct plugin *p, const struct session *s,
		       const struct mosquitto_evt_acl_check *e)
{
	const struct event_identity who = session_identity(s);
	const struct tally_message m = message_of(s, e);
	tally_sent(tally_absent(p->tallies, &who, s->thing), &m);
}

/* A will that comes after its session's end. */
static int check_will(struct plugin *p, const struct access *row, struct session *s,
		      const struct mosquitto_evt_acl_check *e)
{
	const struct question q = {s, e, view_of(e->topic), true, false};
	session_judge(s, &p->rules, p->policy_sets, plugin_now_s());
	struct denial d = judge(p, row, &q);
	if (!d.cause)
		count_will(p, s, e);
	if (session_is_observed(s))
		return defer_answer();
	return d.cause ? MOSQ_ERR_ACL_DENIED : MOSQ_ERR_SUCCESS;
}

/* On 2.1 deliveries have an event of their own. A check that is left to the broker counts, too:
 * what becomes of it is not told. */
static void count_delivery(const struct session *s, const struct mosquitto_evt_acl_check *e)
{
	if (e->access != MOSQ_ACL_READ || peer_socket_is_told())
		return;
	const struct tally_message m = message_of(s, e);
	tally_received(s->tally, &m);
}

static int check_live(struct plugin *p, const struct access *row, struct session *s,
		      const struct mosquitto_evt_acl_check *e)
{
	bool is_will = passage_is_outgoing(p, s) && e->access == MOSQ_ACL_WRITE;
	const struct question q = {s, e, view_of(e->topic), is_will, false};
	(void)patrol_stands(p, s);
	if (row->is_heard && !is_will)
		s->heard_ms = server_time_ms(&p->time, p->now_ms);
	struct denial d = judge(p, row, &q);
	if (session_is_observed(s) || !d.cause)
		count_delivery(s, e);
	if (session_is_observed(s))
		return defer_answer();
	if (!d.cause)
		return MOSQ_ERR_SUCCESS;
	const struct tally_message m = message_of(s, e);
	tally_refused(s->tally, &m);
	if (is_will)
		return MOSQ_ERR_ACL_DENIED;
	if (row->live_error == MOSQ_ERR_AUTH)
		s->ending = (uint8_t)d.cause;
	return row->live_error;
}

/* A session that is away: the username, which only this plugin makes a fingerprint (disconnect.c
 * sees to it), says who it is, and the rules of now decide. Any other name is of a session that was
 * observed. */
static int check_away(struct plugin *p, const struct access *row, const struct applicant *a,
		      const struct mosquitto_evt_acl_check *e)
{
	uint8_t fingerprint[EVENT_FINGERPRINT];
	const struct session_facts facts = {.client = a->client,
					    .fingerprint = fingerprint,
					    .client_id = a->client_id,
					    .address = a->address};
	bool is_ours = applicant_is_named(p, a, fingerprint);
	if (!is_ours && options_have_mode(&p->options, MODE_OBSERVE))
		return defer_answer();
	struct session *s = is_ours && a->client_id ? session_new(p->sessions, &facts) : NULL;
	if (!s)
		return MOSQ_ERR_ACL_DENIED;
	/* Before it delivers a retained message the broker asks whether who left it may still
	 * write: on behalf of an object made up for the question, which has no address. */
	bool is_write = e->access == MOSQ_ACL_WRITE;
	const struct question q = {.session = s,
				   .e = e,
				   .name = view_of(e->topic),
				   .is_will = is_write && a->address,
				   .is_of_source = is_write && !a->address};
	(void)session_judge(s, &p->rules, p->policy_sets, plugin_now_s());
	struct denial d = judge(p, row, &q);
	if (!d.cause && q.is_will)
		count_will(p, s, e);
	session_free(p->sessions, s);
	return d.cause ? MOSQ_ERR_ACL_DENIED : MOSQ_ERR_SUCCESS;
}

static int check_unknown(struct plugin *p, const struct access *row, const struct applicant *a,
			 const struct mosquitto_evt_acl_check *e)
{
	if (!a->cert && a->peer.fd < 0)
		return check_away(p, row, a, e);
	struct session *s = plugin_meet(p, a);
	if (s)
		return check_live(p, row, s, e);
	return a->mode == MODE_OBSERVE ? defer_answer() : row->live_error;
}

static bool is_will_of_ended(const struct plugin *p, const struct mosquitto_evt_acl_check *e)
{
	const struct session *ended = p->passage.ended;
	return ended && ended->client == e->client && e->access == MOSQ_ACL_WRITE;
}

int plugin_on_acl(int event, void *data, void *ctx)
{
	(void)event;
	struct plugin *p = ctx;
	const struct mosquitto_evt_acl_check *e = data;
	const struct access *row = access_row(e->access);
	bool is_will = is_will_of_ended(p, e);
	if (is_will)
		plugin_begin_will(p);
	else
		plugin_begin(p);
	if (!row)
		return MOSQ_ERR_ACL_DENIED;
	if (is_will)
		return check_will(p, row, p->passage.ended, e);
	struct session *s = session_find(p->sessions, e->client);
	if (s)
		return check_live(p, row, s, e);
	struct applicant a;
	applicant_read(p, e->client, &a);
	int rc = check_unknown(p, row, &a, e);
	applicant_release(&a);
	return rc;
}

/* What a session may do: policy decides, reserved topics come before it (S9). */
#include <mosquitto.h>
#include <mosquitto_broker.h>
#include <mosquitto_plugin.h>

#include "mosquitto/hex.h"
#include "mosquitto/plugin.h"
#include "mosquitto/topic.h"

#define POLICY_SAYS_NO "policy does not allow it"

struct denial {
	enum policy_action action;
	const char *reason;    /* NULL: allowed */
	bool is_nobodys_fault; /* nothing to tell */
};

static struct denial judge_write(const struct session *s, const struct mosquitto_evt_acl_check *e)
{
	struct view name = view_of(e->topic);
	enum topic_kind kind = topic_of(name).kind;
	if (!topic_fits(name))
		return (struct denial){.action = POLICY_PUBLISH,
				       .reason = "topic is longer than 256 bytes"};
	if (kind == TOPIC_REPLY || kind == TOPIC_EVENTS)
		return (struct denial){.action = POLICY_PUBLISH,
				       .reason = "topic is reserved for the service"};
	if (!session_may(s, POLICY_PUBLISH, VIEW_LIT("topic"), name))
		return (struct denial){.action = POLICY_PUBLISH, .reason = POLICY_SAYS_NO};
	if (e->retain && !session_may(s, POLICY_RETAIN_PUBLISH, VIEW_LIT("topic"), name))
		return (struct denial){.action = POLICY_RETAIN_PUBLISH, .reason = POLICY_SAYS_NO};
	return (struct denial){.action = POLICY_PUBLISH, .reason = NULL};
}

static struct denial judge_subscribe(const struct session *s,
				     const struct mosquitto_evt_acl_check *e)
{
	struct view filter = view_of(e->topic);
	if (!topic_fits(filter))
		return (struct denial){.action = POLICY_SUBSCRIBE,
				       .reason = "filter is longer than 256 bytes"};
	if (topic_filter_is_report(filter))
		return (struct denial){.action = POLICY_SUBSCRIBE,
				       .reason = "reports are for the service only"};
	if (!session_may(s, POLICY_SUBSCRIBE, VIEW_LIT("topicfilter"), filter))
		return (struct denial){.action = POLICY_SUBSCRIBE, .reason = POLICY_SAYS_NO};
	return (struct denial){.action = POLICY_SUBSCRIBE, .reason = NULL};
}

static struct denial judge_read(const struct session *s, const struct mosquitto_evt_acl_check *e)
{
	struct view name = view_of(e->topic);
	/* A device that subscribes to $aws/things/NAME/defender/# does as AWS's own agents do. */
	if (topic_of(name).kind == TOPIC_REPORT)
		return (struct denial){.action = POLICY_RECEIVE,
				       .reason = "reports are for the service only",
				       .is_nobodys_fault = true};
	if (!session_may(s, POLICY_RECEIVE, VIEW_LIT("topic"), name))
		return (struct denial){.action = POLICY_RECEIVE, .reason = POLICY_SAYS_NO};
	return (struct denial){.action = POLICY_RECEIVE, .reason = NULL};
}

static struct denial judge_unsubscribe(const struct session *s,
				       const struct mosquitto_evt_acl_check *e)
{
	(void)s;
	(void)e;
	return (struct denial){.action = POLICY_SUBSCRIBE, .reason = NULL};
}

typedef void tell_fn(struct plugin *p, const struct event_refused *e);

static const struct access {
	int access;
	struct denial (*judge)(const struct session *s, const struct mosquitto_evt_acl_check *e);
	int live_error; /* for a session that is connected */
	enum policy_action action;
	tell_fn *tell;
} accesses[] = {
  /* AWS closes the connection of a client that publishes where it may not. */
	{MOSQ_ACL_WRITE,       judge_write,       MOSQ_ERR_AUTH,       POLICY_PUBLISH,   refusals_add},
	{MOSQ_ACL_SUBSCRIBE,   judge_subscribe,   MOSQ_ERR_ACL_DENIED, POLICY_SUBSCRIBE, refusals_add},
	{MOSQ_ACL_READ,        judge_read,        MOSQ_ERR_ACL_DENIED, POLICY_RECEIVE,   refusals_add},
	{MOSQ_ACL_UNSUBSCRIBE, judge_unsubscribe, MOSQ_ERR_ACL_DENIED, POLICY_SUBSCRIBE,
	 refusals_add										},
};

static const struct access *access_row(int access)
{
	for (size_t i = 0; i < ARRAY_LEN(accesses); i++)
		if (accesses[i].access == access)
			return &accesses[i];
	return NULL;
}

static void tell(struct plugin *p, const struct session *s, const struct denial *d, tell_fn *how,
		 const char *resource)
{
	struct event_refused e = {
		.action = (uint8_t)d->action,
		.who = {.session = s->number,
			.client_id = view_of(s->client_id),
			.address = view_of(s->address)},
		.resource = view_of(resource),
		.missing = view_of(d->reason),
		.statement = -1,
		.count = 1,
		.first_ms = server_time_ms(&p->time, p->now_ms),
		.last_ms = server_time_ms(&p->time, p->now_ms)
        };
	memcpy(e.who.fingerprint, s->fingerprint, FRAME_FINGERPRINT);
	if (e.resource.n > TOPIC_BYTES_MAX)
		e.resource.n = TOPIC_BYTES_MAX;
	how(p, &e);
}

static bool decide(struct plugin *p, const struct session *s, const struct access *row,
		   const struct mosquitto_evt_acl_check *e)
{
	struct denial d = {.action = row->action, .reason = s->refusal};
	if (s->is_doorbell)
		d.reason = "the doorbell may only ping";
	if (!d.reason)
		d = row->judge(s, e);
	if (!d.reason)
		return true;
	if (!d.is_nobodys_fault)
		tell(p, s, &d, row->tell, e->topic);
	return false;
}

/* The broker gives no MESSAGE event for a will: as a report it would reach nobody, and stay when it
 * is retained (S9). */
static bool is_will_as_report(const struct mosquitto_evt_acl_check *e)
{
	return e->access == MOSQ_ACL_WRITE && topic_of(view_of(e->topic)).kind == TOPIC_REPORT;
}

/* Before it delivers a retained message the broker asks whether who left it may still write: on
 * behalf of an object made up for the question, which has no address. */
static bool is_will(const struct mosquitto_evt_acl_check *e)
{
	return e->access == MOSQ_ACL_WRITE && mosquitto_client_address(e->client);
}

static void count_will(struct plugin *p, const struct session *s,
		       const struct mosquitto_evt_acl_check *e)
{
	const struct event_identity who = session_identity(s);
	tally_sent(tally_absent(p->tallies, &who, s->request.thing_name), e->payloadlen);
}

/* A will comes after its session's end, a delivery also to a session that is away: then the
 * username, which only this plugin sets, says who it is, and the rules of now decide. */
static int check_absent(struct plugin *p, const struct access *row,
			const struct mosquitto_evt_acl_check *e)
{
	const char *username = mosquitto_client_username(e->client);
	const char *client_id = mosquitto_client_id(e->client);
	uint8_t fingerprint[FRAME_FINGERPRINT];
	struct session s;
	if (!username || !client_id || hex_read(username, fingerprint, sizeof(fingerprint)) < 0 ||
	    session_init(&s, e->client, fingerprint, client_id,
			 mosquitto_client_address(e->client)) < 0)
		return MOSQ_ERR_ACL_DENIED;
	session_judge(&s, &p->rules, plugin_now_s());
	if (!s.refusal && is_will_as_report(e))
		s.refusal = "a will cannot be a report";
	bool is_allowed = decide(p, &s, row, e);
	if (is_allowed && is_will(e))
		count_will(p, &s, e);
	session_release(&s);
	return is_allowed ? MOSQ_ERR_SUCCESS : MOSQ_ERR_ACL_DENIED;
}

int plugin_on_acl(int event, void *data, void *ctx)
{
	(void)event;
	struct plugin *p = ctx;
	const struct mosquitto_evt_acl_check *e = data;
	const struct access *row = access_row(e->access);
	if (!row)
		return MOSQ_ERR_ACL_DENIED;
	struct session *s = session_find(p->sessions, e->client);
	if (!s)
		return check_absent(p, row, e);
	(void)session_stands(p->sessions, s, &p->rules, plugin_now_s());
	if (!decide(p, s, row, e)) {
		tally_refused(s->tally);
		return row->live_error;
	}
	if (e->access == MOSQ_ACL_READ)
		tally_received(s->tally, e->payloadlen);
	return MOSQ_ERR_SUCCESS;
}

/* What clients publish: counted, and reports sent on their way up. A session may report so many
 * bytes a second, saved up for eight seconds, and while the daemon is away its principal has a
 * share of the queue (share.h); beyond that a report is rejected, one a second (S11). */
#include <mosquitto.h>
#include <mosquitto_broker.h>
#include <stdio.h>

#include "mosquitto/plugin.h"
#include "mosquitto/principal.h"
#include "mosquitto/topic.h"
#include "report/report.h"

#define SHARE_SECONDS    8
#define SHARE_MS         ((int64_t)SHARE_SECONDS * 1000)
#define REPORT_COST      512 /* what a report costs besides its payload */
#define REJECT_EVERY_MS  1000
#define REJECTIONS_SAVED INT64_C(4)
#define REPLY_QOS        1
#define REPLY_TOPIC_SIZE 384

static void refill_share(struct session *s, int64_t rate, int64_t now_ms)
{
	int64_t most = rate * SHARE_SECONDS;
	int64_t idle_ms = now_ms - s->share_at_ms;
	s->share_at_ms = now_ms;
	if (idle_ms > SHARE_MS)
		idle_ms = SHARE_MS;
	if (s->share_bytes < most)
		s->share_bytes += rate * idle_ms / 1000;
	if (s->share_bytes > most)
		s->share_bytes = most;
}

/* False when the session has reported as much as it may for now. */
static bool take_rate(struct plugin *p, struct session *s, uint32_t payload)
{
	refill_share(s, (int64_t)p->options.session_byte_rate, p->now_ms);
	if (s->share_bytes <= 0)
		return false;
	s->share_bytes -= (int64_t)payload + REPORT_COST;
	return true;
}

static void reject(struct plugin *p, const struct topic *t, const char *report_topic,
		   const struct report_refusal *why)
{
	char topic[REPLY_TOPIC_SIZE], body[REPORT_REPLY_MAX];
	int64_t now_ms = server_time_ms(&p->time, p->now_ms);
	if (snprintf(topic, sizeof(topic), "%s/rejected", report_topic) >= (int)sizeof(topic))
		return;
	size_t n = report_rejected(t->is_cbor ? REPORT_CBOR : REPORT_JSON, t->thing, why, now_ms,
				   body, sizeof(body));
	if (n)
		(void)mosquitto_broker_publish_copy(NULL, topic, (int)n, body, REPLY_QOS, false,
						    NULL);
}

/* One rejection a second, and some saved up: a flood's rejections are bounded, too. */
static bool may_reject(struct plugin *p, struct session *s)
{
	int64_t used_ms = s->rejected_ms > p->now_ms ? s->rejected_ms : p->now_ms;
	if (used_ms - p->now_ms > REJECTIONS_SAVED * REJECT_EVERY_MS)
		return false;
	s->rejected_ms = used_ms + REJECT_EVERY_MS;
	return true;
}

static bool is_own_thing(const struct plugin *p, const struct session *s, struct view thing)
{
	struct snapshot_cert cert;
	return p->rules.snapshot &&
	       snapshot_find(p->rules.snapshot, s->principal->fingerprint, &cert) &&
	       snapshot_cert_has_thing(p->rules.snapshot, &cert, thing);
}

/* Puts a report into the queue. What is wrong with it, or with the queue; NULL: nothing. */
static const struct report_refusal *send_up(struct plugin *p, const struct session *s,
					    const struct topic *t,
					    const struct mosquitto_evt_message *e)
{
	struct event event = {
		.kind = EVENT_REPORT,
		.report = {.is_own = is_own_thing(p, s, t->thing),
			   .client_id = view_of(s->client_id),
			   .topic = view_of(e->topic),
			   .payload = {e->payload, e->payloadlen},
			   .at_ms = server_time_ms(&p->time, p->now_ms)}
        };
	memcpy(event.report.fingerprint, s->principal->fingerprint, EVENT_FINGERPRINT);
	if (!uplink_report_fits(strlen(s->client_id), event.report.topic.n, e->payloadlen))
		return &report_too_large;
	struct share_queue queue = uplink_share_queue(p->uplink);
	queue.principals = principals_count(p->principals);
	struct share *share = &s->principal->share;
	uint64_t cost = (uint64_t)e->payloadlen + REPORT_COST;
	if (!share_allows(share, cost, &queue) || !uplink_event(p->uplink, &event))
		return &report_internal;
	share_take(share, cost, &queue);
	return NULL;
}

static void tell_excess(struct plugin *p, const struct session *s, const char *topic)
{
	struct event_refused e = {.who = session_identity(s),
				  .action = POLICY_PUBLISH,
				  .cause = CAUSE_REPORT_SHARE,
				  .resource = view_of(topic),
				  .statement = -1};
	refusals_add(p, &e);
}

static void take_report(struct plugin *p, struct session *s, const struct topic *t,
			const struct mosquitto_evt_message *e)
{
	const struct report_refusal *why = &report_account_rate;
	if (take_rate(p, s, e->payloadlen))
		why = send_up(p, s, t, e);
	if (!why)
		return;
	if (why != &report_too_large)
		tell_excess(p, s, e->topic);
	if (may_reject(p, s))
		reject(p, t, e->topic, why);
}

int plugin_on_message(int event, void *data, void *ctx)
{
	(void)event;
	struct plugin *p = ctx;
	struct mosquitto_evt_message *e = data;
	plugin_begin(p);
	struct session *s = session_find(p->sessions, e->client);
	if (!s)
		return MOSQ_ERR_SUCCESS;
	const struct tally_message m = {view_of(e->topic), view_of(s->client_id), e->payloadlen};
	tally_sent(s->tally, &m);
	struct topic t = topic_of(m.topic);
	if (t.kind != TOPIC_REPORT)
		return MOSQ_ERR_SUCCESS;
	if (!session_is_observed(s))
		e->retain = false;
	take_report(p, s, &t, e);
	return MOSQ_ERR_SUCCESS;
}

int plugin_on_delivered(int event, void *data, void *ctx)
{
	(void)event;
	struct plugin *p = ctx;
	const struct mosquitto_evt_message *e = data;
	plugin_begin(p);
	struct session *s = session_find(p->sessions, e->client);
	if (!s)
		return MOSQ_ERR_SUCCESS;
	const struct tally_message m = {view_of(e->topic), view_of(s->client_id), e->payloadlen};
	tally_received(s->tally, &m);
	return MOSQ_ERR_SUCCESS;
}

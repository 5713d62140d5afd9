/* Reports on their way up. Each session has a share (S11): bytes a second that it may report, saved
 * up for eight seconds; while the daemon is behind a byte costs sixteen times as much, so that a
 * flood fills the queue slowly and the others' reports find room. */
#include <mosquitto.h>
#include <mosquitto_broker.h>
#include <stdio.h>

#include "mosquitto/plugin.h"
#include "mosquitto/topic.h"
#include "report/report.h"

#define SHARE_SECONDS    8
#define SHARE_MS         ((int64_t)SHARE_SECONDS * 1000)
#define CONGESTION_PRICE 16
#define REPORT_COST      512 /* what a report costs besides its payload */
#define ANSWER_EVERY_MS  1000
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

/* False when the session has used its share up. */
static bool take_share(struct plugin *p, struct session *s, uint32_t payload)
{
	refill_share(s, (int64_t)p->options.session_byte_rate, p->now_ms);
	int64_t cost = (int64_t)payload + REPORT_COST;
	if (uplink_is_congested(p->uplink))
		cost *= CONGESTION_PRICE;
	if (s->share_bytes <= 0)
		return false;
	s->share_bytes -= cost;
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

/* One answer a second: a flood's rejections are bounded too. */
static void reject_excess(struct plugin *p, struct session *s, const struct topic *t,
			  const char *report_topic)
{
	p->left_out++;
	if (s->answered_ms && p->now_ms - s->answered_ms < ANSWER_EVERY_MS)
		return;
	s->answered_ms = p->now_ms;
	reject(p, t, report_topic, &report_account_rate);
}

static bool is_own_thing(const struct plugin *p, const struct session *s, struct view thing)
{
	return p->rules.snapshot && s->epoch == p->rules.epoch &&
	       snapshot_cert_has_thing(p->rules.snapshot, &s->cert, thing);
}

static void send_up(struct plugin *p, const struct session *s, const struct topic *t,
		    const struct mosquitto_evt_message *e)
{
	struct event_report report = {
		.is_own = is_own_thing(p, s, t->thing),
		.client_id = view_of(s->client_id),
		.topic = view_of(e->topic),
		.payload = {e->payload, e->payloadlen},
	};
	memcpy(report.fingerprint, s->fingerprint, FRAME_FINGERPRINT);
	if (!uplink_report_fits(report.client_id.n, report.topic.n, report.payload.n)) {
		reject(p, t, e->topic, &report_too_large);
	} else if (!uplink_report(p->uplink, &report)) {
		p->left_out++;
		reject(p, t, e->topic, &report_internal);
	}
}

int plugin_on_message(int event, void *data, void *ctx)
{
	(void)event;
	struct plugin *p = ctx;
	struct mosquitto_evt_message *e = data;
	struct topic t = topic_of(view_of(e->topic));
	if (t.kind != TOPIC_REPORT)
		return MOSQ_ERR_SUCCESS;
	e->retain = false;
	struct session *s = session_find(p->sessions, e->client);
	if (!s)
		return MOSQ_ERR_SUCCESS;
	p->now_ms = monotonic_ms();
	if (take_share(p, s, e->payloadlen))
		send_up(p, s, &t, e);
	else
		reject_excess(p, s, &t, e->topic);
	return MOSQ_ERR_SUCCESS;
}

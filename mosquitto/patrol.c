#include "mosquitto/patrol.h"

#include <mosquitto.h>
#include <mosquitto_broker.h>
#include <stdio.h>

#include "mosquitto/hex.h"
#include "mosquitto/plugin.h"

#define JUDGED_A_TURN    20000
#define CUT_A_TURN       1000
#define ROUND_SECONDS    60
#define CLIENT_ID_SIZE   (EVENT_CLIENT_ID_MAX + 1) /* nobody with a longer one was let in */
#define FINGERPRINT_SIZE (2 * EVENT_FINGERPRINT + 1)

static void judge_again(struct plugin *p, struct session *s, int64_t now_s)
{
	uint8_t before = s->refusal;
	struct denial d = session_judge(s, &p->rules, p->policy_sets, now_s);
	session_was_judged(p->sessions, s);
	if (!d.cause || d.cause == before)
		return;
	struct event_identity who = session_identity(s);
	struct event_refused e = denial_event(&d, &who, who.client_id, session_is_observed(s));
	refusals_add(p, &e);
}

bool patrol_stands(struct plugin *p, struct session *s)
{
	int64_t now_s = plugin_now_s();
	if (s->list == SESSION_STALE || session_is_out_of_validity(s, now_s))
		judge_again(p, s, now_s);
	return !s->refusal && s->list != SESSION_DOOMED;
}

static void say_cut(struct plugin *p, const struct session *s)
{
	char fingerprint[FINGERPRINT_SIZE];
	enum cause cause = s->refusal ? s->refusal : CAUSE_SESSION_CUT;
	hex_write(s->principal->fingerprint, EVENT_FINGERPRINT, fingerprint);
	notice_log(p, MOSQ_LOG_NOTICE, "cut client \"%s\" of certificate %s: %s", s->client_id,
		   fingerprint, cause_text(cause));
}

/* Kicking calls back into disconnect.c, which removes the session: its client id is copied first.
 */
static void cut_doomed(struct plugin *p)
{
	struct session *s;
	for (unsigned i = 0; i < CUT_A_TURN && (s = session_next_doomed(p->sessions, p->now_ms));
	     i++) {
		char client_id[CLIENT_ID_SIZE];
		(void)snprintf(client_id, sizeof(client_id), "%s", s->client_id);
		say_cut(p, s);
		(void)mosquitto_kick_client_by_clientid(client_id, true);
	}
}

void patrol_turn(struct plugin *p)
{
	struct session *s;
	int64_t now_s = plugin_now_s();
	for (unsigned i = 0; i < JUDGED_A_TURN && (s = session_next_stale(p->sessions)); i++)
		judge_again(p, s, now_s);
	cut_doomed(p);
}

void patrol_second(struct plugin *p)
{
	int64_t now_s = plugin_now_s();
	size_t n = session_table_count(p->sessions) / ROUND_SECONDS + 1;
	struct session *s;
	while (n-- && (s = session_next_fresh(p->sessions)))
		if (session_is_out_of_validity(s, now_s))
			judge_again(p, s, now_s);
}

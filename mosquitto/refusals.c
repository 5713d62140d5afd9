#include "mosquitto/refusals.h"

#include <inttypes.h>
#include <mosquitto.h>
#include <mosquitto_broker.h>
#include <stdio.h>

#include "mosquitto/plugin.h"

#define PRINTED_MAX 256
#define RULE_SIZE   256

static int printed(struct view s)
{
	return s.n < PRINTED_MAX ? (int)s.n : PRINTED_MAX;
}

/* Which rule it was, in words; empty when no policy decided. People count statements from 1. */
static const char *rule_words(const struct event_refused *e, char words[RULE_SIZE])
{
	words[0] = '\0';
	if (e->policy.n)
		(void)snprintf(words, RULE_SIZE,
			       " (policy %.*s version %" PRIu32 " statement %" PRId64 ")",
			       printed(e->policy), e->policy.p, e->version,
			       (int64_t)e->statement + 1);
	else if (e->missing.n)
		(void)snprintf(words, RULE_SIZE, " (%.*s)", printed(e->missing), e->missing.p);
	return words;
}

static void log_line(struct plugin *p, const struct event_refused *e)
{
	const struct event_identity *who = &e->who;
	const char *action = e->action == EVENT_ACTION_TLS
				     ? "TLS handshake"
				     : policy_action_name((enum policy_action)e->action);
	char rule[RULE_SIZE];
	notice_log(p, MOSQ_LOG_NOTICE, "refused %s of client \"%.*s\" from %.*s on \"%.*s\": %s%s",
		   action, printed(who->client_id), who->client_id.p, printed(who->address),
		   who->address.p, printed(e->resource), e->resource.p, cause_text(e->cause),
		   rule_words(e, rule));
}

void refusals_add(struct plugin *p, const struct event_refused *e)
{
	if (!e->is_observed && e->action != POLICY_RECEIVE)
		log_line(p, e);
	refusal_count(p->refusals, e, server_time_ms(&p->time, p->now_ms));
}

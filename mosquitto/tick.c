/* Once a loop turn of the broker, ten times a second when it is idle: what came down, what is due,
 * what is to be cut, and off with the frame of this turn. */
#include <inttypes.h>
#include <mosquitto.h>
#include <mosquitto_broker.h>
#include <stdio.h>

#include "mosquitto/plugin.h"

#define CUTS_A_TURN 5000

/* The daemon may rely on the rules when every session has been judged by them and nobody is left
 * that they do not allow. The rules before them go without waiting for that: who is doomed looks at
 * none, and one that cannot be cut must not keep newer ones out. */
static void tell_applied(struct plugin *p)
{
	uint64_t generation = rules_generation(&p->rules);
	if (session_next_stale(p->sessions))
		return;
	rules_let_go(&p->rules);
	if (generation == p->applied || !session_table_is_settled(p->sessions))
		return;
	if (!uplink_number(p->uplink, EVENT_APPLIED, generation))
		return;
	p->applied = generation;
	mosquitto_log_printf(MOSQ_LOG_DEBUG,
			     "thingward: every session stands by generation %" PRIu64, generation);
}

/* Counters up to the mark that has passed, so many identities a turn, then EVENT_CUT. */
static void cut_counters(struct plugin *p)
{
	if (p->time.told_ms == 0)
		return;
	int64_t now_ms = server_time_ms(&p->time, p->now_ms);
	tallies_pass(p->tallies, now_ms);
	if (!tallies_deliver(p->tallies, CUTS_A_TURN))
		return;
	int64_t mark = now_ms - now_ms % TALLY_MARK_MS;
	if (mark <= p->cut_ms)
		return;
	refusal_tell_all(p->refusals, p->now_ms);
	if (uplink_number(p->uplink, EVENT_CUT, (uint64_t)mark))
		p->cut_ms = mark;
}

static struct event_table queue_fill(const struct plugin *p)
{
	return (struct event_table){.name = VIEW_LIT("queue"),
				    .n = uplink_held(p->uplink),
				    .cap = p->options.queue_bytes,
				    .left_out = p->left_out + presence_merged(p->presence)};
}

static void tell_table(struct plugin *p, struct event_table fill, uint64_t *told)
{
	if (fill.left_out == *told)
		return;
	const struct event e = {.kind = EVENT_TABLE, .table = fill};
	if (!uplink_event(p->uplink, &e))
		return;
	notice_log(p, MOSQ_LOG_WARNING,
		   "table %s: %" PRIu64 " of %" PRIu64 ", %" PRIu64 " found no entry of their own",
		   fill.name.p, fill.n, fill.cap, fill.left_out - *told);
	*told = fill.left_out;
}

static void once_a_second(struct plugin *p)
{
	if (p->now_ms - p->second_ms < 1000)
		return;
	p->second_ms = p->now_ms;
	plugin_poll_rules(p);
	patrol_second(p);
	tell_table(p, queue_fill(p), &p->told.queue);
	tell_table(p, tallies_fill(p->tallies), &p->told.identities);
	tell_table(p, refusal_fill(p->refusals), &p->told.refusals);
}

int plugin_on_tick(int event, void *data, void *ctx)
{
	(void)event;
	(void)data;
	struct plugin *p = ctx;
	plugin_begin(p);
	p->is_reloading = false;
	defer_register(p);
	plugin_attend(p);
	if (rules_are_busy(&p->rules))
		plugin_poll_rules(p);
	once_a_second(p);
	patrol_turn(p);
	presence_catch_up(p->presence);
	refusal_tell(p->refusals, p->now_ms);
	cut_counters(p);
	tell_applied(p);
	uplink_flush(p->uplink);
	return MOSQ_ERR_SUCCESS;
}

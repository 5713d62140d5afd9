/* What the daemon sends: its word on time and snapshots, answers to publish. */
#include <inttypes.h>
#include <mosquitto.h>
#include <mosquitto_broker.h>
#include <stdio.h>

#include "mosquitto/plugin.h"

#define TOPIC_SIZE_MAX 512

static void hear_generation(struct plugin *p, uint64_t generation)
{
	if (generation > rules_generation(&p->rules))
		plugin_poll_rules(p);
}

static void hear_time(struct plugin *p, int64_t now_ms)
{
	server_time_told(&p->time, now_ms, p->now_ms);
	tallies_pass(p->tallies, now_ms);
}

static int take_generation(struct plugin *p, struct reader *one)
{
	uint64_t generation;
	if (item_read_number(one, &generation) < 0)
		return -1;
	hear_generation(p, generation);
	return 0;
}

static int take_time(struct plugin *p, struct reader *one)
{
	uint64_t now_ms;
	if (item_read_number(one, &now_ms) < 0 || now_ms > INT64_MAX)
		return -1;
	hear_time(p, (int64_t)now_ms);
	return 0;
}

static int take_flush(struct plugin *p, struct reader *one)
{
	uint64_t number;
	if (item_read_number(one, &number) < 0)
		return -1;
	presence_catch_up(p->presence);
	refusal_tell_all(p->refusals, p->now_ms);
	plugin_count(p, uplink_number(p->uplink, EVENT_FLUSHED, number));
	uplink_flush(p->uplink);
	return 0;
}

static int take_publish(struct plugin *p, struct reader *one)
{
	struct item_publish item;
	char topic[TOPIC_SIZE_MAX];
	if (item_read_publish(one, &item) < 0 || item.topic.n >= sizeof(topic) ||
	    memchr(item.topic.p, '\0', item.topic.n))
		return -1;
	memcpy(topic, item.topic.p, item.topic.n);
	topic[item.topic.n] = '\0';
	if (mosquitto_broker_publish_copy(NULL, topic, (int)item.payload.n, item.payload.p,
					  item.qos, false, NULL) != MOSQ_ERR_SUCCESS)
		p->left_out++;
	return 0;
}

static int (*const take_item[])(struct plugin *p, struct reader *one) = {
	[ITEM_PUBLISH] = take_publish,
	[ITEM_GENERATION] = take_generation,
	[ITEM_TIME] = take_time,
	[ITEM_FLUSH] = take_flush,
};

/* Kinds of a later version are passed over. */
static int on_item(void *ctx, uint8_t kind, struct reader *one)
{
	if (kind >= ARRAY_LEN(take_item) || !take_item[kind])
		return 0;
	return take_item[kind](ctx, one);
}

static void on_up(void *ctx, const struct frame_welcome *welcome)
{
	struct plugin *p = ctx;
	memcpy(p->doorbell_token, welcome->token.p, FRAME_TOKEN);
	p->doorbell_token[FRAME_TOKEN] = '\0';
	p->time.is_manual = welcome->is_clock_manual;
	p->away_why[0] = '\0';
	notice_log(p, MOSQ_LOG_INFO, "daemon is there at %s", p->options.channel);
	hear_generation(p, welcome->generation);
	hear_time(p, welcome->now_ms);
}

/* Attempts go on; a line for each would say nothing new. */
static void on_down(void *ctx, const char *why)
{
	struct plugin *p = ctx;
	if (strcmp(p->away_why, why) == 0)
		return;
	(void)snprintf(p->away_why, sizeof(p->away_why), "%s", why);
	notice_log(p, MOSQ_LOG_WARNING, "no daemon at %s: %s", p->options.channel, why);
}

struct uplink_handlers plugin_uplink_handlers(struct plugin *p)
{
	return (struct uplink_handlers){on_up, on_down, on_item, p};
}

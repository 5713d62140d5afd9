#include "mosquitto/plugin.h"

#include <inttypes.h>
#include <mosquitto.h>
#include <mosquitto_broker.h>
#include <mosquitto_plugin.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

#include "mosquitto/trust.h"

#define PLUGIN_INTERFACE 5
#define WHY_SIZE         256

#define REFUSALS_AN_OWNER 64 /* rows of one certificate or address */
#define REFUSALS_A_SECOND 500

static const struct {
	int event;
	MOSQ_FUNC_generic_callback callback;
} callbacks[] = {
	{MOSQ_EVT_ACL_CHECK,  plugin_on_acl       },
        {MOSQ_EVT_BASIC_AUTH, plugin_on_connect   },
	{MOSQ_EVT_DISCONNECT, plugin_on_disconnect},
        {MOSQ_EVT_MESSAGE,    plugin_on_message   },
	{MOSQ_EVT_RELOAD,     plugin_on_reload    },
        {MOSQ_EVT_TICK,       plugin_on_tick      },
};

int64_t plugin_now_s(void)
{
	return (int64_t)time(NULL);
}

void plugin_count(struct plugin *p, bool is_taken)
{
	if (!is_taken)
		p->left_out++;
}

void plugin_load_rules(struct plugin *p)
{
	char why[SNAPSHOT_WHY_SIZE];
	if (rules_load(&p->rules, why) < 0) {
		notice_log(p, MOSQ_LOG_ERR, "snapshot %s refused: %s; %s", p->options.snapshot, why,
			   p->rules.snapshot ? "the last good one stays in force"
					     : "every connect is refused until a good one comes");
		return;
	}
	uint64_t generation = rules_generation(&p->rules);
	session_table_outdate(p->sessions);
	notice_log(p, MOSQ_LOG_INFO, "snapshot generation %" PRIu64 " is in force", generation);
}

void plugin_attend(struct plugin *p)
{
	p->now_ms = monotonic_ms();
	uplink_poll(p->uplink, p->now_ms, rules_generation(&p->rules));
}

int plugin_on_reload(int event, void *data, void *ctx)
{
	(void)event;
	(void)data;
	struct plugin *p = ctx;
	p->is_reloading = true;
	plugin_load_rules(p);
	return MOSQ_ERR_SUCCESS;
}

/* What was counted and not told yet goes as far as it will. */
static void say_goodbye(struct plugin *p)
{
	presence_catch_up(p->presence);
	refusal_tell_all(p->refusals, p->now_ms);
	if (p->time.told_ms)
		tallies_close(p->tallies, server_time_ms(&p->time, p->now_ms));
	uplink_flush(p->uplink);
}

static void plugin_free(struct plugin *p)
{
	trust_remove(p);
	tallies_free(p->tallies);
	refusal_table_free(p->refusals);
	presence_free(p->presence);
	uplink_free(p->uplink);
	session_table_free(p->sessions);
	rules_release(&p->rules);
	free(p);
}

static bool send_event(void *ctx, const struct event *e)
{
	struct plugin *p = ctx;
	return uplink_event(p->uplink, e);
}

/* What is bounded by what clients choose. -1 without memory or chance. */
static int make_tables(struct plugin *p)
{
	uint64_t seed;
	if (getrandom(&seed, sizeof(seed), 0) != (ssize_t)sizeof(seed))
		return -1;
	const struct tallies_setup tallies = {.identities_max = p->options.identities,
					      .identities_a_principal_max =
						      p->options.identities_per_principal,
					      .seed = seed,
					      .deliver = send_event,
					      .ctx = p};
	const struct refusal_setup refusals = {.rows_max = p->options.refusal_rows,
					       .rows_an_owner_max = REFUSALS_AN_OWNER,
					       .tells_a_second_max = REFUSALS_A_SECOND,
					       .seed = seed,
					       .tell = send_event,
					       .ctx = p};
	const struct presence_setup presence = {.tell = send_event, .ctx = p};
	p->tallies = tallies_new(&tallies);
	p->refusals = refusal_table_new(&refusals);
	p->presence = presence_new(&presence);
	return p->tallies && p->refusals && p->presence ? 0 : -1;
}

static struct plugin *plugin_new(const struct options *options)
{
	struct plugin *p = calloc(1, sizeof(*p));
	if (!p)
		return NULL;
	p->options = *options;
	p->trust_index = -1;
	p->now_ms = monotonic_ms();
	rules_init(&p->rules, &p->options);
	struct uplink_handlers handlers = plugin_uplink_handlers(p);
	p->uplink = uplink_new(&p->options, &handlers);
	p->sessions = session_table_new();
	if (!p->uplink || !p->sessions || make_tables(p) < 0 || trust_install(p) < 0) {
		plugin_free(p);
		return NULL;
	}
	return p;
}

static int register_callbacks(struct plugin *p)
{
	for (size_t i = 0; i < ARRAY_LEN(callbacks); i++) {
		int rc = mosquitto_callback_register(p->id, callbacks[i].event,
						     callbacks[i].callback, NULL, p);
		if (rc != MOSQ_ERR_SUCCESS) {
			mosquitto_log_printf(MOSQ_LOG_ERR, "thingward: broker gives no event %d",
					     callbacks[i].event);
			return rc;
		}
	}
	return MOSQ_ERR_SUCCESS;
}

static void unregister_callbacks(struct plugin *p)
{
	for (size_t i = 0; i < ARRAY_LEN(callbacks); i++)
		(void)mosquitto_callback_unregister(p->id, callbacks[i].event,
						    callbacks[i].callback, NULL);
}

int mosquitto_plugin_version(int supported_version_count, const int *supported_versions)
{
	for (int i = 0; i < supported_version_count; i++)
		if (supported_versions[i] == PLUGIN_INTERFACE)
			return PLUGIN_INTERFACE;
	return -1;
}

int mosquitto_plugin_init(mosquitto_plugin_id_t *identifier, void **userdata,
			  struct mosquitto_opt *options, int option_count)
{
	struct options read;
	char why[WHY_SIZE];
	if (options_read(options, option_count, &read, why, sizeof(why)) < 0) {
		mosquitto_log_printf(MOSQ_LOG_ERR, "thingward: %s", why);
		return MOSQ_ERR_INVAL;
	}
	struct plugin *p = plugin_new(&read);
	if (!p)
		return MOSQ_ERR_NOMEM;
	p->id = identifier;
	int rc = register_callbacks(p);
	if (rc != MOSQ_ERR_SUCCESS) {
		unregister_callbacks(p);
		plugin_free(p);
		return rc;
	}
	plugin_load_rules(p);
	*userdata = p;
	return MOSQ_ERR_SUCCESS;
}

int mosquitto_plugin_cleanup(void *userdata, struct mosquitto_opt *options, int option_count)
{
	(void)options;
	(void)option_count;
	unregister_callbacks(userdata);
	say_goodbye(userdata);
	plugin_free(userdata);
	return MOSQ_ERR_SUCCESS;
}

#include "mosquitto/plugin.h"

#include <inttypes.h>
#include <mosquitto.h>
#include <mosquitto_broker.h>
#include <mosquitto_plugin.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

#include "mosquitto/hash.h"

#define PLUGIN_INTERFACE 5
#define WHY_SIZE         256

#define REFUSALS_AN_OWNER 64 /* rows of one certificate or address */
#define REFUSALS_A_SECOND 500

/* Of Mosquitto 2.1; 2.0 does not have them. */
#define EVT_CONNECT        11
#define EVT_MESSAGE_OUT    27
#define EVT_CLIENT_OFFLINE 28

static const struct {
	int event;
	MOSQ_FUNC_generic_callback callback;
	bool is_optional;
} callbacks[] = {
	{MOSQ_EVT_ACL_CHECK,      plugin_on_acl,        false},
	{MOSQ_EVT_BASIC_AUTH,     plugin_on_connect,    false},
	{MOSQ_EVT_DISCONNECT,     plugin_on_disconnect, false},
	{MOSQ_EVT_EXT_AUTH_START, plugin_on_ext_auth,   false},
	{MOSQ_EVT_MESSAGE,        plugin_on_message,    false},
	{MOSQ_EVT_RELOAD,         plugin_on_reload,     false},
	{MOSQ_EVT_TICK,           plugin_on_tick,       false},
	{EVT_CONNECT,             plugin_on_connected,  true },
	{EVT_MESSAGE_OUT,         plugin_on_delivered,  true },
	{EVT_CLIENT_OFFLINE,      plugin_on_disconnect, true },
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

static void outdate_cert(void *ctx, const uint8_t *fingerprint)
{
	struct plugin *p = ctx;
	session_outdate_cert(p->sessions, fingerprint);
}

void plugin_poll_rules(struct plugin *p)
{
	char why[SNAPSHOT_WHY_SIZE];
	uint64_t epoch = p->rules.epoch, before = rules_generation(&p->rules);
	if (rules_poll(&p->rules, outdate_cert, p, why) < 0)
		notice_log(p, MOSQ_LOG_ERR, "snapshot %s refused: %s; %s", p->options.snapshot, why,
			   p->rules.snapshot ? "the last good one stays in force"
					     : "every connect is refused until a good one comes");
	dimensions_follow(&p->dimensions, &p->rules);
	uint64_t generation = rules_generation(&p->rules);
	if (p->rules.epoch != epoch)
		session_table_outdate(p->sessions);
	if (p->rules.epoch != epoch || generation != before)
		notice_log(p, MOSQ_LOG_INFO, "snapshot generation %" PRIu64 " is in force",
			   generation);
}

void plugin_begin(struct plugin *p)
{
	p->now_ms = monotonic_ms();
	defer_settle(p);
	passage_settle(p, false);
}

void plugin_begin_will(struct plugin *p)
{
	p->now_ms = monotonic_ms();
	passage_settle(p, true);
}

void plugin_attend(struct plugin *p)
{
	uplink_poll(p->uplink, p->now_ms, p->applied);
}

/* On 2.0 anything but DEFER keeps plugins behind us from hearing of it; on 2.1 DEFER ends the
 * broker. */
int plugin_on_reload(int event, void *data, void *ctx)
{
	(void)event;
	(void)data;
	struct plugin *p = ctx;
	plugin_begin(p);
	defer_unregister(p);
	p->is_reloading = true;
	plugin_poll_rules(p);
	return peer_socket_is_told() ? MOSQ_ERR_SUCCESS : MOSQ_ERR_PLUGIN_DEFER;
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
	passage_release(p);
	session_table_free(p->sessions);
	policy_sets_free(p->policy_sets);
	peer_sockets_release(&p->sockets);
	tallies_free(p->tallies);
	principals_free(p->principals);
	refusal_table_free(p->refusals);
	presence_free(p->presence);
	uplink_free(p->uplink);
	rules_release(&p->rules);
	free(p);
}

static bool send_event(void *ctx, const struct event *e)
{
	struct plugin *p = ctx;
	return uplink_event(p->uplink, e);
}

/* What is bounded by what clients choose. -1 without memory. */
static int make_tables(struct plugin *p, uint64_t seed)
{
	const struct tallies_setup tallies = {.identities_max = p->options.identities,
					      .identities_a_principal_max =
						      p->options.identities_per_principal,
					      .seed = seed,
					      .principals = p->principals,
					      .dimensions = &p->dimensions,
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

/* Those who do something, and what they share. -1 without memory or chance. */
static int make_sessions(struct plugin *p)
{
	uint64_t seed;
	if (getrandom(&seed, sizeof(seed), 0) != (ssize_t)sizeof(seed))
		return -1;
	p->principals = principals_new(hash_buckets(p->options.identities), seed);
	p->policy_sets = policy_sets_new();
	if (!p->principals || !p->policy_sets)
		return -1;
	p->sessions = session_table_new(p->principals, p->policy_sets);
	return p->sessions ? make_tables(p, seed) : -1;
}

static struct plugin *plugin_new(const struct options *options)
{
	struct plugin *p = calloc(1, sizeof(*p));
	if (!p)
		return NULL;
	p->options = *options;
	p->trust.index = -1;
	p->now_ms = monotonic_ms();
	rules_init(&p->rules, &p->options);
	struct uplink_handlers handlers = plugin_uplink_handlers(p);
	p->uplink = uplink_new(&p->options, &handlers);
	if (!p->uplink || make_sessions(p) < 0 || trust_install(p) < 0) {
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
		if (rc != MOSQ_ERR_SUCCESS && !callbacks[i].is_optional) {
			mosquitto_log_printf(MOSQ_LOG_ERR, "thingward: broker gives no event %d",
					     callbacks[i].event);
			return rc;
		}
	}
	return MOSQ_ERR_SUCCESS;
}

static void unregister_callbacks(struct plugin *p)
{
	defer_unregister(p);
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
	plugin_poll_rules(p);
	*userdata = p;
	return MOSQ_ERR_SUCCESS;
}

int mosquitto_plugin_cleanup(void *userdata, struct mosquitto_opt *options, int option_count)
{
	(void)options;
	(void)option_count;
	plugin_begin(userdata);
	unregister_callbacks(userdata);
	say_goodbye(userdata);
	plugin_free(userdata);
	return MOSQ_ERR_SUCCESS;
}

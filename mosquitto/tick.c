/* Once a loop turn of the broker, ten times a second when it is idle: what came down, what is due,
 * what is to be cut, and off with the frame of this turn. */
#include <inttypes.h>
#include <mosquitto.h>
#include <mosquitto_broker.h>
#include <stdio.h>

#include "mosquitto/plugin.h"

#define SWEEP_A_TURN   20000
#define KICKS_A_TURN   1000
#define CLIENT_ID_SIZE 256

/* Kicking calls back into disconnect.c, which removes the session: its client id is copied first.
 */
static void kick_doomed(struct plugin *p)
{
	struct session *s;
	for (unsigned i = 0; i < KICKS_A_TURN && (s = session_take_doomed(p->sessions)); i++) {
		char client_id[CLIENT_ID_SIZE];
		(void)snprintf(client_id, sizeof(client_id), "%s", s->client_id);
		notice_log(p, MOSQ_LOG_NOTICE, "cut client \"%s\" of certificate %s: %s", client_id,
			   s->username, s->refusal ? s->refusal : "the daemon said so");
		(void)mosquitto_kick_client_by_clientid(client_id, true);
	}
}

static void once_a_second(struct plugin *p)
{
	if (p->now_ms - p->second_ms < 1000)
		return;
	p->second_ms = p->now_ms;
	if (rules_file_changed(&p->rules))
		plugin_load_rules(p);
	plugin_cut(p);
	if (p->left_out) {
		notice_log(p, MOSQ_LOG_WARNING, "%" PRIu64 " reports and events left out",
			   p->left_out);
		p->left_out = 0;
	}
}

int plugin_on_tick(int event, void *data, void *ctx)
{
	(void)event;
	(void)data;
	struct plugin *p = ctx;
	p->is_reloading = false;
	plugin_attend(p);
	once_a_second(p);
	session_table_sweep(p->sessions, &p->rules, plugin_now_s(), SWEEP_A_TURN);
	kick_doomed(p);
	uplink_flush(p->uplink);
	return MOSQ_ERR_SUCCESS;
}

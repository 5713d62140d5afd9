/* The end of a session; on Mosquitto 2.1 a session that stays for its client's return has an event
 * of its own. It also comes for handshakes and connects that failed, which have none (trust.c,
 * connect.c tell of those). */
#include <mosquitto.h>
#include <mosquitto_broker.h>

#include "mosquitto/plugin.h"

int plugin_on_disconnect(int event, void *data, void *ctx)
{
	(void)event;
	struct plugin *p = ctx;
	const struct mosquitto_evt_disconnect *e = data;
	bool has_client_id = mosquitto_client_id(e->client) != NULL;
	bool was_refused = passage_was_refused(p, e->client, has_client_id, e->reason);
	plugin_begin(p);
	if (was_refused)
		return MOSQ_ERR_SUCCESS;
	struct session *s = session_find(p->sessions, e->client);
	if (s)
		passage_leaves(p, s, e->reason);
	return MOSQ_ERR_SUCCESS;
}

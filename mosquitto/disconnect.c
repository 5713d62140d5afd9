/* The end of a session. It also comes for handshakes and connects that failed, which have none. */
#include <mosquitto.h>
#include <mosquitto_broker.h>

#include "mosquitto/plugin.h"

int plugin_on_disconnect(int event, void *data, void *ctx)
{
	(void)event;
	struct plugin *p = ctx;
	const struct mosquitto_evt_disconnect *e = data;
	struct session *s = session_find(p->sessions, e->client);
	if (!s)
		return MOSQ_ERR_SUCCESS;
	if (!s->is_doorbell) {
		const struct event end = {
			.kind = EVENT_DISCONNECT,
			.disconnect = {.who = session_identity(s),
				       .at_ms = server_time_ms(&p->time, p->now_ms)}
                };
		presence_ended(p->presence, &end);
		tally_ended(s->tally);
	}
	session_remove(p->sessions, s);
	return MOSQ_ERR_SUCCESS;
}

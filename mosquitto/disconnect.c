/* The end of a session; on Mosquitto 2.1 a session that stays for its client's return has an event
 * of its own. It also comes for handshakes and connects that failed, which have none (trust.c,
 * connect.c tell of those). */
#include <mosquitto.h>
#include <mosquitto_broker.h>

#include "mosquitto/applicant.h"
#include "mosquitto/hex.h"
#include "mosquitto/plugin.h"

/* A client that was not named by us, and gave itself the name of another's certificate, would be
 * taken for it while it is away. It goes without a name. s: its session, NULL: none. */
static void take_false_name(struct plugin *p, const struct session *s, struct mosquitto *client)
{
	uint8_t fingerprint[EVENT_FINGERPRINT];
	const char *name = mosquitto_client_username(client);
	struct applicant a;
	if (!name || !options_have_mode(&p->options, MODE_ENFORCE) ||
	    hex_read(name, fingerprint, sizeof(fingerprint)) < 0 ||
	    !rules_know(&p->rules, fingerprint))
		return;
	applicant_read(p, client, &a);
	if ((s || applicant_is_connected(&a)) &&
	    memcmp(fingerprint, a.fingerprint, EVENT_FINGERPRINT) != 0)
		(void)mosquitto_set_username(client, NULL);
	applicant_release(&a);
}

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
	if (has_client_id && (!s || session_is_observed(s)))
		take_false_name(p, s, e->client);
	if (s)
		passage_leaves(p, s, e->reason);
	return MOSQ_ERR_SUCCESS;
}

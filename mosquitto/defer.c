/* For dl_iterate_phdr. */
#include "mosquitto/defer.h"

#include <dlfcn.h>
#include <link.h>
#include <mosquitto.h>
#include <mosquitto_broker.h>
#include <mosquitto_plugin.h>
#include <stdlib.h>
#include <string.h>

#include "mosquitto/peer_socket.h"
#include "mosquitto/plugin.h"

#define ERR_PLUGIN_IGNORE 32 /* of Mosquitto 2.1 */

int defer_answer(void)
{
	return peer_socket_is_told() ? ERR_PLUGIN_IGNORE : MOSQ_ERR_PLUGIN_DEFER;
}

static void hide_username(struct plugin *p, struct mosquitto *client)
{
	const char *username = mosquitto_client_username(client);
	char *copy = username ? strdup(username) : NULL;
	if (!copy)
		return;
	if (mosquitto_set_username(client, NULL) != MOSQ_ERR_SUCCESS) {
		free(copy);
		return;
	}
	p->defer.client = client;
	p->defer.username = copy;
}

void defer_settle(struct plugin *p)
{
	struct defer *d = &p->defer;
	if (!d->client)
		return;
	(void)mosquitto_set_username(d->client, d->username);
	free(d->username);
	d->client = NULL;
	d->username = NULL;
}

int defer_connect(struct plugin *p, struct mosquitto *client, bool is_again)
{
	if (!is_again && mosquitto_client_username(client))
		p->defer.is_unclaimed = false;
	else if (is_again && p->defer.is_unclaimed)
		hide_username(p, client);
	return defer_answer();
}

static int on_last_connect(int event, void *data, void *ctx)
{
	(void)event;
	struct plugin *p = ctx;
	const struct mosquitto_evt_basic_auth *e = data;
	if (p->defer.is_alone && mosquitto_client_username(e->client)) {
		p->defer.is_unclaimed = true;
		hide_username(p, e->client);
	}
	return MOSQ_ERR_PLUGIN_DEFER;
}

static int on_last_acl(int event, void *data, void *ctx)
{
	(void)event;
	(void)data;
	const struct plugin *p = ctx;
	return p->defer.is_alone ? MOSQ_ERR_SUCCESS : MOSQ_ERR_PLUGIN_DEFER;
}

static const struct {
	int event;
	MOSQ_FUNC_generic_callback callback;
} last[] = {
	{MOSQ_EVT_ACL_CHECK,  on_last_acl    },
	{MOSQ_EVT_BASIC_AUTH, on_last_connect},
};

/* Counts the plugins among the objects that are loaded. */
static int count_plugin(struct dl_phdr_info *info, size_t size, void *ctx)
{
	(void)size;
	unsigned *n = ctx;
	if (!info->dlpi_name || !info->dlpi_name[0])
		return 0;
	void *object = dlopen(info->dlpi_name, RTLD_LAZY | RTLD_NOLOAD);
	if (!object)
		return 0;
	if (dlsym(object, "mosquitto_plugin_version") ||
	    dlsym(object, "mosquitto_auth_plugin_version"))
		++*n;
	(void)dlclose(object);
	return 0;
}

void defer_register(struct plugin *p)
{
	unsigned plugins = 0;
	if (p->defer.is_registered || peer_socket_is_told())
		return;
	(void)dl_iterate_phdr(count_plugin, &plugins);
	p->defer.is_alone = plugins == 1;
	p->defer.is_registered = true;
	for (size_t i = 0; i < ARRAY_LEN(last); i++)
		(void)mosquitto_callback_register(p->id, last[i].event, last[i].callback, NULL, p);
}

void defer_unregister(struct plugin *p)
{
	if (!p->defer.is_registered)
		return;
	p->defer.is_registered = false;
	for (size_t i = 0; i < ARRAY_LEN(last); i++)
		(void)mosquitto_callback_unregister(p->id, last[i].event, last[i].callback, NULL);
}

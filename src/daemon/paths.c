#include "daemon/paths.h"

#include <glib.h>
#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

static const char *const names[PATHS] = {
	[PATH_CONF] = "thingward.conf",
	[PATH_MOSQUITTO_CONF] = "mosquitto.conf",
	[PATH_SECRET_KEY] = "secret.key",
	[PATH_CONTROL] = "control.sock",
	[PATH_CLOCK] = "state/clock",
	[PATH_STATE] = "state",
	[PATH_CA] = "ca",
	[PATH_DEVICE_CA_CERT] = "ca/device-ca.pem",
	[PATH_DEVICE_CA_KEY] = "ca/device-ca.key",
	[PATH_SERVER_CA_CERT] = "ca/server-ca.pem",
	[PATH_SERVER_CA_KEY] = "ca/server-ca.key",
	[PATH_BROKER] = "broker",
	[PATH_BROKER_CA] = "broker/device-ca.pem",
	[PATH_SERVER_CERT] = "broker/server.pem",
	[PATH_SERVER_KEY] = "broker/server.key",
	[PATH_SNAPSHOT] = "broker/snapshot",
	[PATH_CHANNEL] = "broker/channel.sock",
	[PATH_BELL] = "broker/bell",
	[PATH_DOORBELL] = "broker/bell/doorbell.sock",
};

void paths_init(struct paths *p, const char *data_dir)
{
	p->dir = g_canonicalize_filename(data_dir, NULL);
	for (size_t i = 0; i < PATHS; i++)
		p->at[i] = g_build_filename(p->dir, names[i], NULL);
}

void paths_clear(struct paths *p)
{
	g_free(p->dir);
	for (size_t i = 0; i < PATHS; i++)
		g_free(p->at[i]);
	*p = (struct paths){0};
}

gid_t paths_broker_gid(void)
{
	struct passwd account, *found = NULL;
	char buf[4096];
	if (geteuid() != 0 || getpwnam_r("mosquitto", &account, buf, sizeof(buf), &found) != 0 ||
	    !found)
		return (gid_t)-1;
	return found->pw_gid;
}

mode_t paths_broker_mode(gid_t gid)
{
	return gid == (gid_t)-1 ? 0600 : 0640;
}

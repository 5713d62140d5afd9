/* What `thingward init` writes for the broker (design facts: the settings that the plugin relies
 * on). */
#ifndef DAEMON_MOSQUITTO_CONF_H
#define DAEMON_MOSQUITTO_CONF_H

#include "daemon/paths.h"

#include <glib.h>

/* The lines that load the plugin, and the local listener of the doorbell. NULL when no plugin is to
 * be found beside the program or in its ../lib/thingward. The caller frees it with g_free. */
char *mosquitto_plugin_lines(const struct paths *paths);

/* A whole mosquitto.conf around them. */
char *mosquitto_conf(const struct paths *paths, const char *plugin_lines, int mqtt_port);

#endif

/* What `thingward init` writes for the broker (design facts: the settings that the plugin relies
 * on). */
#ifndef DAEMON_MOSQUITTO_CONF_H
#define DAEMON_MOSQUITTO_CONF_H

#include "daemon/paths.h"

#include <glib.h>

/* All are for the caller to free with g_free. */

/* The lines that load the plugin. NULL when no plugin is to be found beside the program or in its
 * ../lib/thingward. */
char *mosquitto_load_lines(const struct paths *paths);
/* The local listener of the doorbell. What follows a listener belongs to it. */
char *mosquitto_doorbell_lines(const struct paths *paths);
/* Both; or NULL. */
char *mosquitto_plugin_lines(const struct paths *paths);

/* A whole mosquitto.conf around both. */
char *mosquitto_conf(const struct paths *paths, const char *plugin_lines, int mqtt_port);

#endif

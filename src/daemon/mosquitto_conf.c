#include "daemon/mosquitto_conf.h"

#include "report/report.h"

#include <unistd.h>

#define PLUGIN "thingward_mosquitto.so"
/* A report that is a little too large must come through, so that it can be answered. */
#define MESSAGE_SIZE_LIMIT (REPORT_SIZE_MAX + 8192)

/* In a build tree beside the program, installed in ../lib/thingward. */
static char *find_plugin(void)
{
	static const char *const places[] = {".", "../lib/thingward"};
	g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
	g_autofree char *dir = g_path_get_dirname(self ? self : ".");
	for (size_t i = 0; i < G_N_ELEMENTS(places); i++) {
		g_autofree char *path = g_build_filename(dir, places[i], PLUGIN, NULL);
		if (g_file_test(path, G_FILE_TEST_IS_REGULAR))
			return g_canonicalize_filename(path, NULL);
	}
	return NULL;
}

char *mosquitto_load_lines(const struct paths *paths)
{
	g_autofree char *plugin = find_plugin();
	if (!plugin)
		return NULL;
	return g_strdup_printf("plugin %s\n"
			       "plugin_opt_broker main\n"
			       "plugin_opt_channel %s\n"
			       "plugin_opt_daemon_uid %lu\n"
			       "plugin_opt_snapshot %s\n",
			       plugin, paths->at[PATH_CHANNEL], (unsigned long)geteuid(),
			       paths->at[PATH_SNAPSHOT]);
}

char *mosquitto_doorbell_lines(const struct paths *paths)
{
	return g_strdup_printf(
		"# The doorbell: how the daemon wakes the broker. Nothing else is let in here.\n"
		"listener 0 %s\n",
		paths->at[PATH_DOORBELL]);
}

char *mosquitto_plugin_lines(const struct paths *paths)
{
	g_autofree char *load = mosquitto_load_lines(paths);
	g_autofree char *doorbell = mosquitto_doorbell_lines(paths);
	return load ? g_strconcat(load, "\n", doorbell, NULL) : NULL;
}

char *mosquitto_conf(const struct paths *paths, const char *plugin_lines, int mqtt_port)
{
	return g_strdup_printf("# Written by `thingward init`. The first three settings are what "
			       "the plugin relies on.\n"
			       "per_listener_settings false\n"
			       "allow_anonymous false\n"
			       "set_tcp_nodelay true\n"
			       "persistence false\n"
			       "log_dest stderr\n"
			       "message_size_limit %d\n"
			       "\n"
			       "%s"
			       "\n"
			       "# Devices. The plugin decides which certificates are trusted.\n"
			       "listener %d\n"
			       "cafile %s\n"
			       "certfile %s\n"
			       "keyfile %s\n"
			       "require_certificate true\n",
			       MESSAGE_SIZE_LIMIT, plugin_lines, mqtt_port,
			       paths->at[PATH_BROKER_CA], paths->at[PATH_SERVER_CERT],
			       paths->at[PATH_SERVER_KEY]);
}

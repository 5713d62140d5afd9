#include "broker/snapshot_write.h"
#include "daemon/command.h"
#include "daemon/mosquitto_conf.h"
#include "daemon/tool.h"
#include "store/change.h"
#include "x509/x509.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CA_DAYS     (20 * 365)
#define SERVER_DAYS 825 /* what TLS clients accept at most */
#define HOSTS_MAX   64

/* What init was asked for, and what it has made so far. */
struct init {
	struct common common;
	const struct paths *paths; /* common's */
	char **hosts;
	char *http, *into;
	gint mqtt_port;
	gid_t gid; /* of the broker's files */
	struct access_key key;
	bool is_key_given;
	char *plugin_lines;
};

static int fail(const char *what)
{
	complain("init: %s: %s", what, g_strerror(errno));
	return EXIT_FAILED;
}

/* ---- Files ---- */

static int make_dir(const struct init *init, const char *path, mode_t mode, bool is_brokers)
{
	if (g_mkdir_with_parents(path, 0700) < 0 || chmod(path, mode) < 0)
		return fail(path);
	if (is_brokers && init->gid != (gid_t)-1 && chown(path, (uid_t)-1, init->gid) < 0)
		return fail(path);
	return 0;
}

/* The broker may pass through the directory, read what is in broker/, and write nothing but its
 * doorbell. */
static int make_dirs(const struct init *init)
{
	bool is_shared = init->gid != (gid_t)-1;
	const struct {
		const char *path;
		mode_t mode;
		bool is_brokers;
	} dirs[] = {
		{init->paths->dir,             is_shared ? 0710 : 0700, true },
		{init->paths->at[PATH_BROKER], is_shared ? 0750 : 0700, true },
		{init->paths->at[PATH_BELL],   is_shared ? 0770 : 0700, true },
		{init->paths->at[PATH_CA],     0700,                    false},
		{init->paths->at[PATH_STATE],  0700,                    false},
	};
	int r = 0;
	for (size_t i = 0; i < ARRAY_LEN(dirs) && r == 0; i++)
		r = make_dir(init, dirs[i].path, dirs[i].mode, dirs[i].is_brokers);
	return r;
}

static int write_file(const char *path, const char *text, mode_t mode, gid_t gid)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return fail(path);
	size_t n = strlen(text);
	bool is_good = write(fd, text, n) == (ssize_t)n && fchmod(fd, mode) == 0 &&
		       (gid == (gid_t)-1 || fchown(fd, (uid_t)-1, gid) == 0) && fsync(fd) == 0;
	int r = is_good ? 0 : fail(path);
	(void)close(fd);
	return r;
}

static int write_private(const struct init *init, enum path path, const char *text)
{
	return write_file(init->paths->at[path], text, 0600, (gid_t)-1);
}

static int write_for_broker(const struct init *init, enum path path, const char *text)
{
	return write_file(init->paths->at[path], text, paths_broker_mode(init->gid), init->gid);
}

/* ---- Certificates ---- */

static int make_device_ca(const struct init *init)
{
	char *cert = NULL, *key = NULL;
	if (x509_make_ca("Thingward device CA", CA_DAYS, &cert, &key) < 0) {
		complain("init: OpenSSL could not make the device CA");
		return EXIT_FAILED;
	}
	int r = write_private(init, PATH_DEVICE_CA_CERT, cert);
	if (r == 0)
		r = write_private(init, PATH_DEVICE_CA_KEY, key);
	if (r == 0)
		r = write_for_broker(init, PATH_BROKER_CA, cert);
	x509_free_text(cert);
	x509_free_text(key);
	return r;
}

static int write_server(const struct init *init, const char *ca_cert, const char *ca_key)
{
	static const char *const absent[] = {"localhost", "127.0.0.1"};
	const char *const *names = init->hosts ? (const char *const *)init->hosts : absent;
	size_t n = init->hosts ? g_strv_length(init->hosts) : ARRAY_LEN(absent);
	char *cert = NULL, *key = NULL;
	if (x509_make_server(names, n, SERVER_DAYS, ca_cert, ca_key, &cert, &key) < 0) {
		complain("init: no server certificate can be made for the names given with --host");
		return EXIT_USAGE;
	}
	int r = write_for_broker(init, PATH_SERVER_CERT, cert);
	if (r == 0)
		r = write_for_broker(init, PATH_SERVER_KEY, key);
	x509_free_text(cert);
	x509_free_text(key);
	return r;
}

static int make_server(const struct init *init)
{
	char *cert = NULL, *key = NULL;
	if (x509_make_ca("Thingward server CA", CA_DAYS, &cert, &key) < 0) {
		complain("init: OpenSSL could not make the server CA");
		return EXIT_FAILED;
	}
	int r = write_private(init, PATH_SERVER_CA_CERT, cert);
	if (r == 0)
		r = write_private(init, PATH_SERVER_CA_KEY, key);
	if (r == 0)
		r = write_server(init, cert, key);
	x509_free_text(cert);
	x509_free_text(key);
	return r;
}

/* ---- Store, first key, first snapshot ---- */

static int add_first_change(struct sql_conn *txn, void *ctx)
{
	return change_add(txn, CHANGE_SETTINGS, "", ctx);
}

static int write_first_snapshot(const struct init *init, uint64_t generation)
{
	const struct settings *s = &init->common.settings;
	struct snapshot_builder *b = snapshot_builder_new();
	snapshot_add_account(b, s->partition, s->region, s->account_id);
	const char *path = init->paths->at[PATH_SNAPSHOT];
	int r = snapshot_write(path, b, generation, paths_broker_mode(init->gid), init->gid);
	snapshot_builder_free(b);
	if (r == 0)
		return 0;
	errno = -r;
	return fail(path);
}

static int fill_store(struct init *init, struct store *store, struct fault *fault)
{
	struct seal_key seal_key;
	int64_t g = 0;
	if (seal_key_load(init->paths->at[PATH_SECRET_KEY], chance_system(), &seal_key, fault) < 0)
		return -1;
	struct access access = {store, chance_system(), &seal_key};
	int r = access_key_create(&access, g_get_real_time() / 1000, &init->key, fault);
	explicit_bzero(&seal_key, sizeof(seal_key));
	if (r == 0 && store_write(store, add_first_change, &g) < 0)
		r = fault_set(fault, FAULT_INTERNAL, "the store took no first change");
	return r == 0 ? write_first_snapshot(init, (uint64_t)g) : r;
}

static int make_store(struct init *init)
{
	struct store_options options = {.url = init->common.settings.store_url, .partitions = 1};
	struct store *store;
	struct fault fault = {0};
	int r = store_open(&options, &store, &fault);
	if (r == 0) {
		r = fill_store(init, store, &fault);
		store_close(store);
	}
	if (r < 0)
		complain("init: %s", fault.message);
	return r < 0 ? EXIT_FAILED : r;
}

/* ---- Settings ---- */

static void set_value(GKeyFile *file, const char *set)
{
	g_auto(GStrv) parts = g_strsplit(set, "=", 2);
	char *dot = strchr(parts[0], '.');
	*dot = '\0'; /* command_settings has found it good */
	g_key_file_set_string(file, parts[0], dot + 1, parts[1]);
}

static int write_settings(const struct init *init)
{
	g_autoptr(GKeyFile) file = g_key_file_new();
	g_key_file_set_comment(file, NULL, NULL, " `thingward settings` lists what can stand here.",
			       NULL);
	g_key_file_set_string(file, "broker", "endpoint",
			      init->hosts ? init->hosts[0] : "localhost");
	g_key_file_set_string(file, "http", "listen", init->http ? init->http : "127.0.0.1:8080");
	for (size_t i = 0; init->common.set && init->common.set[i]; i++)
		set_value(file, init->common.set[i]);
	g_autofree char *text = g_key_file_to_data(file, NULL, NULL);
	return write_private(init, PATH_CONF, text);
}

static int write_mosquitto_conf(const struct init *init)
{
	if (init->into)
		return write_file(init->into, init->plugin_lines, 0644, (gid_t)-1);
	g_autofree char *text = mosquitto_conf(init->paths, init->plugin_lines, init->mqtt_port);
	return write_for_broker(init, PATH_MOSQUITTO_CONF, text);
}

/* ---- The command ---- */

static int check_dir(struct init *init)
{
	if (!init->common.data_dir) {
		complain("init: say where: --data-dir DIR");
		return EXIT_USAGE;
	}
	if (strpbrk(init->paths->dir, "\r\n")) {
		complain("init: the directory's name has a line break: choose another");
		return EXIT_USAGE;
	}
	if (g_file_test(init->paths->at[PATH_CONF], G_FILE_TEST_EXISTS)) {
		complain("init: %s is initialised already; choose another directory",
			 init->paths->dir);
		return EXIT_FAILED;
	}
	return 0;
}

static int check_rest(struct init *init)
{
	if (init->mqtt_port < 1 || init->mqtt_port > 65535) {
		complain("init: --mqtt-port %d: must be from 1 to 65535", init->mqtt_port);
		return EXIT_USAGE;
	}
	if (init->hosts && g_strv_length(init->hosts) > HOSTS_MAX) {
		complain("init: --host: at most %d names", HOSTS_MAX);
		return EXIT_USAGE;
	}
	if (init->into && g_file_test(init->into, G_FILE_TEST_EXISTS)) {
		complain("init: --into %s: is there already; it is not overwritten", init->into);
		return EXIT_FAILED;
	}
	init->plugin_lines = mosquitto_plugin_lines(init->paths);
	if (init->plugin_lines)
		return 0;
	complain("init: thingward_mosquitto.so is neither beside the program nor in "
		 "../lib/thingward");
	return EXIT_NOT_FOUND;
}

/* The settings come last: a directory with settings is initialised. */
static int make_all(struct init *init)
{
	(void)umask(077);
	int r = make_dirs(init);
	if (r == 0)
		r = make_device_ca(init);
	if (r == 0)
		r = make_server(init);
	if (r == 0)
		r = make_store(init);
	if (r == 0)
		r = write_mosquitto_conf(init);
	if (r == 0)
		r = write_settings(init);
	return r;
}

static int tell(const struct init *init)
{
	const char *dir = init->paths->dir;
	if (!init->is_key_given) {
		(void)printf("First access key (role admin); it is not shown again:\n");
		int r = tool_show_key(&init->key, NULL);
		if (r != 0)
			return r;
	}
	if (init->into)
		(void)printf("Mosquitto:  %s holds the plugin's lines\n", init->into);
	else
		(void)printf("Mosquitto:  mosquitto -c %s\n", init->paths->at[PATH_MOSQUITTO_CONF]);
	(void)printf("Daemon:     thingward serve --data-dir %s\n", dir);
	(void)printf("Devices trust %s\n", init->paths->at[PATH_SERVER_CA_CERT]);
	return EXIT_OK;
}

static void take_key(struct init *init, const struct root_key *given)
{
	init->key.role = ROLE_ADMIN;
	init->is_key_given = given->id[0] && given->secret[0];
	if (!init->is_key_given)
		return;
	(void)g_strlcpy(init->key.id, given->id, sizeof(init->key.id));
	(void)g_strlcpy(init->key.secret, given->secret, sizeof(init->key.secret));
}

enum exit_code cmd_init(const struct command *command, const struct call_line *line)
{
	struct init init = {.mqtt_port = 8883, .gid = paths_broker_gid()};
	const GOptionEntry own[] = {
		{"host",       0, 0, G_OPTION_ARG_STRING_ARRAY, &init.hosts,
		 "Name or address of the broker, for its certificate; may be repeated", "NAME"},
		{"mqtt-port",           0, 0, G_OPTION_ARG_INT, &init.mqtt_port, "Default 8883", "PORT"},
		{"http", 0, 0, G_OPTION_ARG_STRING, &init.http, "Default 127.0.0.1:8080",
		 "ADDRESS:PORT"},
		{"into",      0, 0, G_OPTION_ARG_FILENAME, &init.into,
		 "Write only the plugin's lines, for an existing Mosquitto", "FILE"},
		{0 },
	};
	int r = command_parse(command, line, own, &init.common, NULL, 0);
	if (r == 0)
		r = command_settings(&init.common);
	init.paths = &init.common.paths;
	take_key(&init, line->root_key);
	if (r == 0)
		r = check_dir(&init);
	if (r == 0)
		r = check_rest(&init);
	if (r == 0)
		r = make_all(&init);
	if (r == 0)
		r = tell(&init);
	access_key_wipe(&init.key);
	common_clear(&init.common);
	g_strfreev(init.hosts);
	g_free(init.http);
	g_free(init.into);
	g_free(init.plugin_lines);
	return (enum exit_code)r;
}

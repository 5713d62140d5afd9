#include "audit/audit.h"
#include "base/log.h"
#include "broker/snapshot_write.h"
#include "daemon/command.h"
#include "daemon/containment.h"
#include "daemon/control.h"
#include "daemon/deadlines.h"
#include "daemon/marks.h"
#include "daemon/notify_ready.h"
#include "daemon/publish.h"
#include "daemon/recorder.h"
#include "daemon/server_time.h"
#include "daemon/serve_http.h"

#include <glib-unix.h>
#include <pwd.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

/* The daemon: everything that lives while it serves, in the order it is started. It is stopped in
 * the reverse order, so that each part finds below it what it needs to finish. */
struct daemon {
	struct common common;
	struct store *store;
	struct clock *clock;
	struct ready *ready;
	struct seal_key seal_key;
	uint64_t epoch;
	struct audit *audit;
	struct recorder *recorder;
	struct evaluator *evaluator;
	int64_t last_mark_ms; /* that the log holds */
	bool is_fresh;        /* the evaluator's state is empty though the store is not */
	struct ingest *ingest;
	struct publisher *publisher;
	struct containments *containments;
	struct api_env env;
	struct serve_http *http;
	struct deadlines *deadlines;
	struct control *control;
	GMainLoop *loop;
};

/* ---- Start, a step each ---- */

static int start_store(struct daemon *d, struct fault *fault)
{
	struct settings *s = &d->common.settings;
	struct store_options options = {.url = s->store_url, .partitions = 1};
	const char *key_file = d->common.paths.at[PATH_SECRET_KEY];
	if (!g_file_test(key_file, G_FILE_TEST_EXISTS))
		return fault_set(fault, FAULT_NOT_CONFIGURED,
				 "%s is not there: make the directory with `thingward init`",
				 key_file);
	if (seal_key_load(key_file, chance_system(), &d->seal_key, fault) < 0)
		return -1;
	return store_open(&options, &d->store, fault);
}

static int start_clock(struct daemon *d, struct fault *fault)
{
	bool is_manual = d->common.settings.clock_manual != 0;
	d->clock = server_time_open(is_manual, d->common.paths.at[PATH_CLOCK], fault);
	if (!d->clock)
		return -1;
	d->ready = ready_new();
	if (d->common.settings.is_test) {
		log_warning("serve", "test settings are on: %s", d->common.settings.test_reason);
		ready_note(d->ready, "test settings are on");
	}
	return 0;
}

/* The lock on its directory keeps others off an embedded store; a lease that outlived us would
 * refuse a directory that was moved or restored, or a host that got another name. */
static int take_lease(struct daemon *d, struct fault *fault)
{
	bool is_embedded = g_str_has_prefix(d->common.settings.store_url, "sqlite:");
	g_autofree char *owner = g_strdup_printf("%s:%s", g_get_host_name(), d->common.paths.dir);
	int r = plog_lease(d->store, 0, owner, clock_now_ms(d->clock), is_embedded ? 0 : INT64_MAX,
			   &d->epoch);
	if (r < 0)
		return fault_set(fault, FAULT_INTERNAL, "the lease of partition 0: %s",
				 g_strerror(-r));
	return 0;
}

static int start_audit(struct daemon *d, struct fault *fault)
{
	d->audit =
		audit_new(d->store, d->clock, chance_system(), &d->common.settings.registry, fault);
	return d->audit ? 0 : -1;
}

static int start_recorder(struct daemon *d, struct fault *fault)
{
	const struct settings *s = &d->common.settings;
	struct recorder_options options = {
		.store = d->store,
		.ready = d->ready,
		.limits = {.source_rows = s->denial_source_rows,
			   .hour_rows = s->denial_hour_rows,
			   .max_rows = s->denial_max_rows},
		.logs_denials = s->denial_log,
	};
	return recorder_new(&options, &d->recorder, fault);
}

static int start_evaluator(struct daemon *d, struct fault *fault)
{
	struct evaluator_options options = {
		.store = d->store,
		.ready = d->ready,
		.epoch = d->epoch,
		.state_dir = d->common.paths.at[PATH_STATE],
		.checkpoint_entries = (uint64_t)d->common.settings.checkpoint_entries,
		.limits = {.min_report_delta_ms = MARK_MS,
			   .max_unregistered = (uint32_t)d->common.settings.max_unregistered},
		.consumer = recorder_consumer(d->recorder),
	};
	struct chance chance = chance_system();
	chance.fill(chance.ctx, options.limits.secret, sizeof(options.limits.secret));
	if (evaluator_new(&options, &d->evaluator, &d->is_fresh, fault) < 0)
		return -1;
	d->last_mark_ms = evaluator_last_mark(d->evaluator);
	return evaluator_start(d->evaluator, fault);
}

/* root, our own account and those of broker.accounts (S5). */
static GArray *channel_accounts(const struct settings *s)
{
	GArray *uids = g_array_new(FALSE, FALSE, sizeof(uid_t));
	uid_t root = 0, own = geteuid();
	(void)g_array_append_val(uids, root);
	(void)g_array_append_val(uids, own);
	g_auto(GStrv) names = g_strsplit(s->broker_accounts, ",", -1);
	for (size_t i = 0; names[i]; i++) {
		struct passwd account, *found = NULL;
		char buf[4096];
		if (getpwnam_r(g_strstrip(names[i]), &account, buf, sizeof(buf), &found) == 0 &&
		    found)
			(void)g_array_append_val(uids, account.pw_uid);
		else
			log_notice("serve", "broker.accounts: there is no account %s", names[i]);
	}
	return uids;
}

static int start_ingest(struct daemon *d, struct fault *fault)
{
	const struct settings *s = &d->common.settings;
	const struct paths *paths = &d->common.paths;
	g_autoptr(GArray) uids = channel_accounts(s);
	gid_t gid = paths_broker_gid();
	struct ingest_options options = {
		.store = d->store,
		.clock = d->clock,
		.chance = chance_system(),
		.evaluator = d->evaluator,
		.ready = d->ready,
		.limits = {.min_interval_ms = s->report_min_interval_s * 1000,
			   .account_rate = s->report_account_rate,
			   .max_devices = (uint64_t)s->report_max_devices},
		.channel = { .path = paths->at[PATH_CHANNEL],
                           .mode = gid == (gid_t)-1 ? 0600 : 0660,
                           .gid = gid,
                           .uids = (const uid_t *)(void *)uids->data,
                           .n_uids = uids->len},
		.doorbell = paths->at[PATH_DOORBELL],
		.generation = snapshot_generation(paths->at[PATH_SNAPSHOT]),
	};
	return ingest_new(&options, &d->ingest, fault);
}

static int start_publisher(struct daemon *d, struct fault *fault)
{
	gid_t gid = paths_broker_gid();
	struct publisher_options options = {
		.store = d->store,
		.clock = d->clock,
		.ready = d->ready,
		.ingest = d->ingest,
		.settings = &d->common.settings.registry,
		.snapshot = d->common.paths.at[PATH_SNAPSHOT],
		.mode = paths_broker_mode(gid),
		.gid = gid,
		.delta_bytes = (uint64_t)d->common.settings.snapshot_delta_bytes,
	};
	return publisher_new(&options, d->is_fresh, &d->publisher, fault);
}

static int start_containments(struct daemon *d, struct fault *fault)
{
	const struct settings *s = &d->common.settings;
	struct containments_options options = {
		.store = d->store,
		.clock = d->clock,
		.chance = chance_system(),
		.ready = d->ready,
		.snapshot = d->common.paths.at[PATH_SNAPSHOT],
		.limits = {.apply_ms = s->contain_apply_s * 1000,
			   .quiet_ms = s->contain_quiet_s * 1000},
	};
	return containments_new(&options, &d->containments, fault);
}

static int start_http(struct daemon *d, struct fault *fault)
{
	d->env = (struct api_env){
		.store = d->store,
		.clock = d->clock,
		.chance = chance_system(),
		.settings = &d->common.settings.registry,
		.audit = d->audit,
		.publish = publisher_publish,
		.publish_ctx = d->publisher,
	};
	return serve_http_new(&d->common.settings, &d->env, &d->seal_key, d->ready, &d->http,
			      fault);
}

static int start_deadlines(struct daemon *d, struct fault *fault)
{
	(void)fault;
	struct deadlines_options options = {
		.clock = d->clock,
		.store = d->store,
		.ingest = d->ingest,
		.evaluator = d->evaluator,
		.last_mark_ms = d->last_mark_ms,
		.trail_days = d->common.settings.trail_retention_days,
		.violation_days = d->common.settings.violation_retention_days,
		.denial_days = d->common.settings.denial_retention_days,
		.containment_days = d->common.settings.containment_retention_days,
	};
	d->deadlines = deadlines_new(&options);
	return 0;
}

/* ---- What commands ask for (control.h) ---- */

static void do_advance(void *ctx, const char *args, GString *answer)
{
	struct daemon *d = ctx;
	gint64 ms;
	if (!clock_is_manual(d->clock)) {
		g_string_append(answer, "error the clock is real: set clock.mode=manual\n");
		return;
	}
	if (!g_ascii_string_to_signed(args, 10, 0, G_MAXINT64 / 4, &ms, NULL)) {
		g_string_append(answer, "error how far? a number of milliseconds\n");
		return;
	}
	deadlines_advance(d->deadlines, ms);
	int r = server_time_save(d->clock, d->common.paths.at[PATH_CLOCK]);
	if (r < 0)
		g_string_append_printf(answer, "error %s cannot be written\n",
				       d->common.paths.at[PATH_CLOCK]);
	else
		g_string_append_printf(answer, "ok %" G_GINT64_FORMAT "\n",
				       (gint64)clock_now_ms(d->clock));
}

static void do_status(void *ctx, const char *args, GString *answer)
{
	struct daemon *d = ctx;
	(void)args;
	g_string_append(answer, "ok\n");
	(void)ready_tell(d->ready, false, answer);
}

static const struct control_verb verbs[] = {
	{"advance",  do_advance},
        {"status",          do_status},
        {0}
};

static int start_control(struct daemon *d, struct fault *fault)
{
	return control_new(d->common.paths.at[PATH_CONTROL], verbs, d, &d->control, fault);
}

/* ---- Reload ---- */

/* Settings are read again; the log's level counts at once, the rest is told to need a restart. */
struct reloading {
	GHashTable *before; /* key -> value */
};

static void note_value(const char *key, const char *value, const char *absent, const char *help,
		       void *ctx)
{
	struct reloading *r = ctx;
	(void)absent, (void)help;
	(void)g_hash_table_insert(r->before, g_strdup(key), g_strdup(value));
}

static void compare_value(const char *key, const char *value, const char *absent, const char *help,
			  void *ctx)
{
	struct reloading *r = ctx;
	(void)absent, (void)help;
	if (strcmp(key, "log.level") != 0 &&
	    strcmp(g_hash_table_lookup(r->before, key), value) != 0)
		log_notice("serve", "%s has changed: it takes effect at the next start", key);
}

static const enum log_level log_levels[] = {LOG_ERROR, LOG_WARNING, LOG_NOTICE, LOG_INFO,
					    LOG_DEBUG};

static gboolean on_reload(gpointer ctx)
{
	struct daemon *d = ctx;
	struct common again = {.config = g_strdup(d->common.config),
			       .data_dir = g_strdup(d->common.data_dir),
			       .set = g_strdupv(d->common.set)};
	struct reloading r = {g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free)};
	notify_manager("RELOADING=1");
	if (command_settings(&again) == 0) {
		settings_each(&d->common.settings, note_value, &r);
		settings_each(&again.settings, compare_value, &r);
		log_set_level(log_levels[again.settings.log_level]);
		log_info("serve", "settings read again");
	}
	g_hash_table_destroy(r.before);
	common_clear(&again);
	notify_manager("READY=1");
	return G_SOURCE_CONTINUE;
}

/* ---- Life ---- */

static int (*const steps[])(struct daemon *d, struct fault *fault) = {
	start_store,        start_clock,     take_lease,      start_audit,
	start_recorder,     start_evaluator, start_ingest,    start_publisher,
	start_containments, start_http,      start_deadlines, start_control,
};

static int start(struct daemon *d)
{
	struct fault fault = {0};
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		if (steps[i](d, &fault) < 0) {
			log_error("serve", "%s", fault.message);
			return EXIT_FAILED;
		}
	}
	return 0;
}

static void stop(struct daemon *d)
{
	control_free(d->control);
	serve_http_free(d->http);
	deadlines_free(d->deadlines);
	containments_free(d->containments);
	publisher_free(d->publisher);
	ingest_free(d->ingest);
	evaluator_free(d->evaluator);
	recorder_free(d->recorder);
	audit_free(d->audit);
	ready_free(d->ready);
	clock_free(d->clock);
	store_close(d->store);
	explicit_bzero(&d->seal_key, sizeof(d->seal_key));
}

static gboolean on_stop(gpointer ctx)
{
	struct daemon *d = ctx;
	log_info("serve", "stopping");
	notify_manager("STOPPING=1");
	g_main_loop_quit(d->loop);
	return G_SOURCE_CONTINUE;
}

static void run(struct daemon *d)
{
	d->loop = g_main_loop_new(NULL, FALSE);
	guint sources[] = {
		g_unix_signal_add(SIGTERM, on_stop, d),
		g_unix_signal_add(SIGINT, on_stop, d),
		g_unix_signal_add(SIGHUP, on_reload, d),
	};
	log_info("serve", "version %s, data in %s", THINGWARD_VERSION, d->common.paths.dir);
	notify_manager("READY=1");
	g_main_loop_run(d->loop);
	for (size_t i = 0; i < ARRAY_LEN(sources); i++)
		(void)g_source_remove(sources[i]);
	g_main_loop_unref(d->loop);
}

static int prepare(struct daemon *d, bool allows_test)
{
	struct settings *s = &d->common.settings;
	struct paths *paths = &d->common.paths;
	log_set_level(log_levels[s->log_level]);
	if (s->is_test && !allows_test) {
		complain("%s: say `serve --allow-test-settings` when this is a test",
			 s->test_reason);
		return EXIT_SETTINGS;
	}
	if (g_file_test(paths->at[PATH_DEVICE_CA_KEY], G_FILE_TEST_EXISTS)) {
		s->registry.device_ca_cert_file = paths->at[PATH_DEVICE_CA_CERT];
		s->registry.device_ca_key_file = paths->at[PATH_DEVICE_CA_KEY];
	}
	(void)signal(SIGPIPE, SIG_IGN);
	return 0;
}

enum exit_code cmd_serve(const struct command *command, const struct call_line *line)
{
	struct daemon d = {0};
	gboolean allows_test = FALSE;
	const GOptionEntry own[] = {
		{"allow-test-settings", 0, 0, G_OPTION_ARG_NONE, &allows_test,
		 "Accept a manual clock and other settings for tests", NULL},
		{0		   },
	};
	int r = command_parse(command, line, own, &d.common, NULL, 0);
	if (r == 0)
		r = command_settings(&d.common);
	if (r == 0)
		r = prepare(&d, allows_test);
	if (r == 0) {
		r = start(&d);
		if (r == 0)
			run(&d);
		stop(&d);
	}
	common_clear(&d.common);
	return (enum exit_code)r;
}

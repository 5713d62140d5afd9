/* The settings: one table (settings.tbl.h), three sources (running.md).
 *
 * Later sources win: the file (INI, a section a module), the environment as THINGWARD_SECTION_KEY,
 * `--set section.key=value`. A key that is not in the table is an error that names the nearest one;
 * a value out of its range an error that names key, value and range. The two THINGWARD_ROOT_...
 * names of the first access key are no settings: settings_take_root_key takes them out of the
 * environment before anything else runs. */
#ifndef DAEMON_SETTINGS_H
#define DAEMON_SETTINGS_H

#include "base/fault.h"
#include "registry/settings.h"

#include <stdbool.h>
#include <stddef.h>

struct settings {
	char *account_id, *partition, *region, *endpoint, *broker_accounts;
	char *http_hosts, *http_listen, *http_page_token, *http_tls_certificate, *http_tls_key;
	char *store_url;
	int64_t http_skew_s, report_account_rate, report_max_devices, report_min_interval_s;
	int64_t snapshot_delta_bytes;
	int64_t checkpoint_entries, max_unregistered, audit_window_lag_s, ml_min_datapoints,
		ml_min_training_days;
	int64_t trail_retention_days, violation_retention_days, containment_retention_days;
	int64_t contain_apply_s, contain_quiet_s;
	int64_t denial_hour_rows, denial_max_rows, denial_retention_days, denial_source_rows;
	int64_t clock_manual, log_level;
	bool denial_log, http_allow_plaintext;
	bool is_test;                      /* at least one value needs --allow-test-settings */
	char test_reason[160];             /* which one, for the log and /readyz */
	struct registry_settings registry; /* quotas from the table; names point into this struct */
};

struct settings_sources {
	const char *file;               /* NULL: none */
	bool is_file_optional;          /* a missing file is no error */
	const char *const *environment; /* "NAME=value", NULL-terminated; NULL: none */
	const char *const *set;         /* "section.key=value", NULL-terminated; NULL: none */
};

/* Reads all sources over the defaults. 0, or -1 with what is wrong, where, and the cure. The caller
 * clears *ret. */
int settings_load(const struct settings_sources *from, struct settings *ret,
		  struct fault *fault) MUST_USE;
void settings_clear(struct settings *s);

/* Calls fn with every row: its key, its value as text ("(set)" for a secret), its
 * default, its help. */
typedef void settings_fn(const char *key, const char *value, const char *absent, const char *help,
			 void *ctx);
void settings_each(const struct settings *s, settings_fn *fn, void *ctx);

/* The access key that the caller's environment holds for `init`, or empty strings; removed from the
 * environment and wiped there (S25). The caller wipes its copy with root_key_clear. */
struct root_key {
	char id[129], secret[129];
};
void settings_take_root_key(struct root_key *ret);
void root_key_clear(struct root_key *key);

#endif

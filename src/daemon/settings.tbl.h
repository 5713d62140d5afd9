/* Every setting, a row each, in the order `thingward settings` prints them.
 *
 *   TEXT(section, key, field, default, help)
 *   SECRET(section, key, field, default, help)   a text that may hold a secret: never shown (S25)
 *   NUMBER(section, key, field, default, min, max, test_below, help)
 *   FLAG(section, key, field, default, help)
 *   CHOICE(section, key, field, default, words, test_word, help)   words: "a|b", the value is the index
 *
 * test_below: a smaller number, like CHOICE's test_word, needs `serve --allow-test-settings` (S32). */
NUMBER(audit, window_lag_seconds, audit_window_lag_s, 7200, 0, 86400, 7200,
       "how long audits wait for late data (read by the audit checks over broker events)")
TEXT(aws, account_id, account_id, "123456789012", "account in ARNs: 12 digits")
TEXT(aws, partition, partition, "aws", "partition in ARNs")
TEXT(aws, region, region, "us-east-1", "region in ARNs and in signatures")
TEXT(broker, accounts, broker_accounts, "mosquitto",
     "accounts, separated by commas, whose brokers may use the channel, besides root and our own")
TEXT(broker, endpoint, endpoint, "localhost",
     "host name of the broker, as DescribeEndpoint answers it")
CHOICE(clock, mode, clock_manual, "real", "real|manual", "manual",
       "manual: time moves by `thingward clock advance`")
NUMBER(contain, apply_seconds, contain_apply_s, 60, 1, 86400, 0,
       "time for brokers to confirm that something was taken away, before it is called ineffective")
NUMBER(contain, quiet_seconds, contain_quiet_s, 60, 1, 86400, 0,
       "time without a connect that is evidence that a certificate is shut out")
NUMBER(denial, hour_rows, denial_hour_rows, 20000, 100, 1000000, 0,
       "kinds of refusal an hour that get a row of the ledger; the rest is only counted")
FLAG(denial, log, denial_log, false,
     "write a log line for each refusal, for tools that block addresses (docs/denials.md)")
NUMBER(denial, max_rows, denial_max_rows, 1000000, 1000, 100000000, 0,
       "rows of the denial ledger; beyond, the oldest hours are given up")
NUMBER(denial, retention_days, denial_retention_days, 30, 1, 3650, 0,
       "days that denials are kept")
NUMBER(denial, source_rows, denial_source_rows, 500, 10, 1000000, 0,
       "the same of one certificate, user or address: none fills the ledger alone")
NUMBER(detect, checkpoint_entries, checkpoint_entries, 200000, 1000, 100000000, 0,
       "entries of the log between checkpoints: more make a start after a crash longer")
NUMBER(detect, max_unregistered, max_unregistered, 10000, 0, 10000000, 0,
       "devices that are not in the registry and still watched; more are counted and left out")
FLAG(http, allow_plaintext, http_allow_plaintext, false,
     "serve HTTP without TLS on addresses other than loopback (S19)")
TEXT(http, hosts, http_hosts, "",
     "names, separated by commas, that requests may be sent to, besides the listen address (S20)")
TEXT(http, listen, http_listen, "127.0.0.1:8080", "address and port of API and console")
SECRET(http, page_token, http_page_token, "", "Authorization: Bearer TOKEN shows /metrics and the reasons of /readyz to other than loopback; empty: nobody")
NUMBER(http, skew_seconds, http_skew_s, 300, 1, 3600, 0,
       "how far a signature's time may be from ours")
TEXT(http, tls_certificate, http_tls_certificate, "", "PEM file: serve HTTPS with this certificate (and chain)")
TEXT(http, tls_key, http_tls_key, "", "PEM file of its key")
CHOICE(log, level, log_level, "info", "error|warning|notice|info|debug", NULL,
       "the least urgent lines to write")
NUMBER(ml, min_datapoints, ml_min_datapoints, 25000, 1, 10000000, 25000,
       "datapoints a model needs (read by model training)")
NUMBER(ml, min_training_days, ml_min_training_days, 14, 0, 365, 14,
       "days a model learns first (read by model training)")
NUMBER(quota, behavior_values_per_profile, registry.quota_behavior_values_per_profile, 1000, 0, 1000000, 0, "values in all criteria of a profile together")
NUMBER(quota, behaviors_per_profile, registry.quota_behaviors_per_profile, 100, 0, 10000, 0, "behaviors of a security profile")
NUMBER(quota, custom_metrics, registry.quota_custom_metrics, 100, 0, 100000, 0, "of the account")
NUMBER(quota, dimensions, registry.quota_dimensions, 10, 0, 64, 0, "of the account")
NUMBER(quota, group_children, registry.quota_group_children, 100, 0, 1000000, 0, "direct children of a thing group")
NUMBER(quota, group_depth, registry.quota_group_depth, 7, 1, 64, 0, "levels of thing groups")
NUMBER(quota, groups_per_thing, registry.quota_groups_per_thing, 10, 0, 1000, 0, "groups a thing is directly in")
NUMBER(quota, on_demand_audits, registry.quota_on_demand_audits, 10, 1, 1000, 0, "audits started by hand that run at once")
NUMBER(quota, policies_per_certificate, registry.quota_policies_per_certificate, 10, 0, 50, 0, "policies attached to a certificate")
NUMBER(quota, policies_per_group, registry.quota_policies_per_group, 2, 0, 50, 0, "policies attached to a thing group")
NUMBER(quota, policy_chars, registry.quota_policy_chars, 2048, 1, 65536, 0, "characters of a policy document, white space not counted")
NUMBER(quota, policy_versions, registry.quota_policy_versions, 5, 1, 1000, 0, "versions kept of a policy")
NUMBER(quota, profiles_per_target, registry.quota_profiles_per_target, 5, 0, 1000, 0, "security profiles attached to a target")
NUMBER(quota, thing_attributes, registry.quota_thing_attributes, 3, 0, 1000, 0, "attributes of a thing without a type")
NUMBER(quota, thing_attributes_with_type, registry.quota_thing_attributes_with_type, 50, 0, 1000, 0, "attributes of a thing with a type")
NUMBER(report, account_rate, report_account_rate, 3500, 1, 10000000, 0,
       "reports a second, all devices together")
NUMBER(report, max_devices, report_max_devices, 1000000, 1, 100000000, 0,
       "devices whose last report is remembered for repetitions and the minimum delay")
NUMBER(report, min_interval_seconds, report_min_interval_s, 300, 0, 86400, 1,
       "minimum delay between reports of a device")
NUMBER(retention, audit_days, registry.audit_retention_days, 90, 1, 3650, 0,
       "days that audit tasks and their findings are kept")
NUMBER(retention, containment_days, containment_retention_days, 400, 1, 3650, 0,
       "days that containments and clone cases are kept")
NUMBER(retention, trail_days, trail_retention_days, 400, 1, 3650, 0,
       "days that the record of changes and refusals is kept")
NUMBER(retention, violation_days, violation_retention_days, 30, 1, 3650, 0,
       "days that violations and their events are kept")
NUMBER(snapshot, delta_bytes, snapshot_delta_bytes, 65536, 0, 1073741824, 0,
       "bytes of changes behind the brokers' snapshot, beyond a quarter of it, before it is written anew")
SECRET(store, url, store_url, "",
     "sqlite:DIR or postgresql://...; empty: SQLite in the data directory")

/* The options of mosquitto.conf that are known here, a row each:
 *
 *   OPTION(name, when, scope, traits, effect, says, cure)
 *
 * name: with '*' at its end it stands for all that begin so. when: the value it is about; the first
 * row that fits counts. scope: whose it is (LISTENER: the listener's above it; SECURITY: the
 * broker's, or with per_listener_settings the listener's). traits: what it makes of that listener.
 * says, cure: half sentences, NULL for none. Versions 2.0 and 2.1. */

/* ---- Who asks whom ---- */
OPTION("per_listener_settings", TRUTH, BROKER, 0, BLOCKS,
       "with it the broker gives plugins no timer: no answer to a report and no change of a policy "
       "would come through",
       "set it to false; of each security option of the listeners one may be left, for the whole "
       "broker")
OPTION("per_listener_settings", ANY, BROKER, 0, STAYS, NULL, NULL)
OPTION("plugin", ENDS("thingward_mosquitto.so"), SECURITY, 0, BLOCKS, "the plugin is there already",
       "take out its lines, and those of its options, before you adopt again")
OPTION("plugin", ENDS("mosquitto_dynamic_security.so"), SECURITY, 0, OBSERVE_ONLY,
       "dynamic security decides; its topics $CONTROL/# go on", NULL)
OPTION("plugin", ANY, SECURITY, 0, OBSERVE_ONLY,
       "the plugin decides, asked after ours; should it never answer for topics, and no acl_file "
       "either, all topics are denied",
       "in that case give an acl_file that allows them: pattern readwrite #")
OPTION("auth_plugin", ANY, SECURITY, 0, OBSERVE_ONLY,
       "the plugin decides, asked after ours", NULL)
OPTION("global_plugin", ANY, BROKER, 0, OBSERVE_ONLY,
       "the plugin decides, asked after ours", NULL)
OPTION("plugin_load", ANY, BROKER, 0, STAYS, NULL, NULL)
OPTION("plugin_use", ANY, LISTENER, 0, OBSERVE_ONLY,
       "the plugin decides, asked after ours", NULL)
OPTION("auth_plugin_deny_special_chars", ANY, PLUGIN, 0, STAYS, NULL, NULL)
OPTION("auth_opt_*", ANY, PLUGIN, SECRET, STAYS, "belongs to the plugin above it", NULL)
OPTION("plugin_opt_*", ANY, PLUGIN, SECRET, STAYS, "belongs to the plugin above it", NULL)
OPTION("password_file", ANY, SECURITY, SINGLE, OBSERVE_ONLY,
       "names and passwords decide who connects; once enforced, registered certificates do", NULL)
OPTION("acl_file", ANY, SECURITY, SINGLE, OBSERVE_ONLY,
       "its rules decide; once enforced, the policies of the certificate do", NULL)
OPTION("psk_file", ANY, SECURITY, SINGLE, OBSERVE_ONLY,
       "keys decide who connects on listeners with psk_hint", NULL)
OPTION("allow_anonymous", TRUTH, SECURITY, 0, REFUSES,
       "clients without a name are let in; once enforced, only registered certificates are",
       "register the devices that `thingward would-refuse` lists")
OPTION("allow_anonymous", ANY, SECURITY, 0, STAYS, NULL, NULL)
OPTION("allow_zero_length_clientid", ANY, SECURITY, 0, STAYS, NULL, NULL)
OPTION("auto_id_prefix", ANY, SECURITY, SINGLE, STAYS,
       "policies see the client id that the broker made", NULL)
OPTION("clientid_prefixes", ANY, BROKER, 0, STAYS, "is looked at before the plugin is asked", NULL)

/* ---- Listeners ---- */
OPTION("listener", ANY, LISTENER, 0, STAYS, NULL, NULL)
OPTION("port", ANY, DEFAULT_LISTENER, 0, STAYS, NULL, NULL)
OPTION("bind_address", ANY, DEFAULT_LISTENER, 0, STAYS, NULL, NULL)
OPTION("bind_interface", ANY, LISTENER, 0, STAYS, NULL, NULL)
OPTION("socket_domain", ANY, LISTENER, 0, STAYS, NULL, NULL)
OPTION("protocol", IS("websockets"), LISTENER, WEBSOCKETS, NO_ENFORCE,
       "the broker shows plugins no certificate of a websocket client: enforced, all would be "
       "refused",
       "leave the listener in observe mode, or let its clients use MQTT over TLS")
OPTION("protocol", ANY, LISTENER, 0, STAYS, NULL, NULL)
OPTION("websockets_*", ANY, LISTENER, 0, STAYS, NULL, NULL)
OPTION("http_dir", ANY, LISTENER, 0, STAYS, NULL, NULL)
OPTION("accept_protocol_versions", ANY, LISTENER, 0, STAYS, NULL, NULL)
OPTION("enable_proxy_protocol", ANY, LISTENER, 0, STAYS, "addresses are those that the proxy tells",
       NULL)
OPTION("proxy_protocol_v2_require_tls", ANY, LISTENER, 0, STAYS, NULL, NULL)
OPTION("max_connections", ANY, LISTENER, 0, STAYS, NULL, NULL)
OPTION("max_qos", IS("0"), LISTENER, 0, NO_REPORTS,
       "a report sent at quality of service 1, as agents send it, ends the session",
       "max_qos 1 or 2 where devices report")
OPTION("max_qos", ANY, LISTENER, 0, STAYS, NULL, NULL)
OPTION("max_topic_alias", ANY, LISTENER, 0, STAYS, NULL, NULL)
OPTION("max_topic_alias_broker", ANY, LISTENER, 0, STAYS, NULL, NULL)
OPTION("mount_point", ANY, LISTENER, 0, NO_REPORTS,
       "topics get this prefix before the plugin sees them: reports are not known as such, and "
       "policies see the long topic",
       "take it out where devices report")
OPTION("use_username_as_clientid", TRUTH, LISTENER, 0, STAYS,
       "the name is the client id that policies see", NULL)
OPTION("use_username_as_clientid", ANY, LISTENER, 0, STAYS, NULL, NULL)

/* ---- TLS ---- */
OPTION("certfile", ANY, LISTENER, TLS, STAYS, NULL, NULL)
OPTION("keyfile", ANY, LISTENER, 0, STAYS, NULL, NULL)
OPTION("cafile", ANY, LISTENER, 0, CHANGES,
       "decides while observing; once enforced, a registered certificate is trusted by its "
       "fingerprint, whoever issued it",
       NULL)
OPTION("capath", ANY, LISTENER, 0, CHANGES,
       "decides while observing; once enforced, a registered certificate is trusted by its "
       "fingerprint, whoever issued it",
       NULL)
OPTION("crlfile", ANY, LISTENER, 0, CHANGES,
       "decides while observing; once enforced, the certificate's status in the registry does",
       "revoke in the registry what the list names")
OPTION("require_certificate", TRUTH, LISTENER, ASKS_CERTIFICATE, STAYS, NULL, NULL)
OPTION("require_certificate", ANY, LISTENER, 0, STAYS, NULL, NULL)
OPTION("use_identity_as_username", TRUTH, LISTENER, NAMED_BY_TLS, NO_ENFORCE,
       "the broker then asks no plugin at connect: sessions are observed from their first packet "
       "on",
       "take it out to enforce: the plugin names a session by its certificate's fingerprint")
OPTION("use_identity_as_username", ANY, LISTENER, 0, STAYS, NULL, NULL)
OPTION("use_subject_as_username", TRUTH, LISTENER, NAMED_BY_TLS, NO_ENFORCE,
       "the broker then asks no plugin at connect: sessions are observed from their first packet "
       "on",
       "take it out to enforce: the plugin names a session by its certificate's fingerprint")
OPTION("use_subject_as_username", ANY, LISTENER, 0, STAYS, NULL, NULL)
OPTION("psk_hint", ANY, LISTENER, PSK, NO_ENFORCE,
       "clients with pre-shared keys have no certificate: enforced, all would be refused",
       "leave the listener in observe mode, or give its clients certificates")
OPTION("disable_client_cert_date_checks", TRUTH, LISTENER, 0, CHANGES,
       "once enforced, a certificate outside its dates is refused", NULL)
OPTION("disable_client_cert_date_checks", ANY, LISTENER, 0, STAYS, NULL, NULL)
OPTION("ciphers", ANY, LISTENER, 0, STAYS, NULL, NULL)
OPTION("ciphers_tls1.3", ANY, LISTENER, 0, STAYS, NULL, NULL)
OPTION("dhparamfile", ANY, LISTENER, 0, STAYS, NULL, NULL)
OPTION("tls_version", ANY, LISTENER, 0, STAYS, NULL, NULL)
OPTION("tls_engine*", ANY, LISTENER, SECRET, STAYS, NULL, NULL)
OPTION("tls_keyform", ANY, LISTENER, 0, STAYS, NULL, NULL)

/* ---- The broker ---- */
OPTION("include_dir", ANY, BROKER, 0, STAYS, "its files are looked at here as well", NULL)
OPTION("user", IS("root"), BROKER, 0, CHANGES,
       "a broker that is root can read the store and the keys",
       "take it out: the broker then runs as mosquitto")
OPTION("user", IS("mosquitto"), BROKER, 0, STAYS, NULL, NULL)
OPTION("user", ANY, BROKER, 0, CHANGES,
       "this account must read the snapshot and write the doorbell's directory",
       "put it into the group of DIR/broker, and into the setting broker.accounts")
OPTION("set_tcp_nodelay", TRUTH, BROKER, NO_DELAY, STAYS, NULL, NULL)
OPTION("set_tcp_nodelay", ANY, BROKER, NO_DELAY, NO_REPORTS,
       "answers to reports wait 40 ms for the client's system", "set_tcp_nodelay true")
OPTION("message_size_limit", BELOW_REPORT, BROKER, 0, NO_REPORTS,
       "a longer report is dropped by the broker and never answered",
       "139264 or more; 0 for no limit")
OPTION("message_size_limit", ANY, BROKER, 0, STAYS, NULL, NULL)
OPTION("max_packet_size", BELOW_REPORT, BROKER, 0, NO_REPORTS, "a longer report ends the session",
       "139264 or more")
OPTION("max_packet_size", ANY, BROKER, 0, STAYS, NULL, NULL)
OPTION("allow_duplicate_messages", ANY, BROKER, 0, STAYS, NULL, NULL)
OPTION("autosave_interval", ANY, BROKER, 0, STAYS, NULL, NULL)
OPTION("autosave_on_changes", ANY, BROKER, 0, STAYS, NULL, NULL)
OPTION("check_retain_source", ANY, BROKER, 0, STAYS, NULL, NULL)
OPTION("connection_messages", ANY, BROKER, 0, STAYS, NULL, NULL)
OPTION("enable_control_api", ANY, BROKER, 0, STAYS, NULL, NULL)
OPTION("global_max_clients", ANY, BROKER, 0, STAYS, NULL, NULL)
OPTION("global_max_connections", ANY, BROKER, 0, STAYS, NULL, NULL)
OPTION("log_*", ANY, BROKER, 0, STAYS, NULL, NULL)
OPTION("max_inflight_bytes", ANY, BROKER, 0, STAYS, NULL, NULL)
OPTION("max_inflight_messages", ANY, BROKER, 0, STAYS, NULL, NULL)
OPTION("max_keepalive", ANY, BROKER, 0, STAYS, NULL, NULL)
OPTION("max_queued_bytes", ANY, BROKER, 0, STAYS, NULL, NULL)
OPTION("max_queued_messages", ANY, BROKER, 0, STAYS, NULL, NULL)
OPTION("memory_limit", ANY, BROKER, 0, STAYS, NULL, NULL)
OPTION("persistence", ANY, BROKER, 0, STAYS, NULL, NULL)
OPTION("persistence_*", ANY, BROKER, 0, STAYS, NULL, NULL)
OPTION("persistent_client_expiration", ANY, BROKER, 0, STAYS, NULL, NULL)
OPTION("pid_file", ANY, BROKER, 0, STAYS, NULL, NULL)
OPTION("queue_qos0_messages", ANY, BROKER, 0, STAYS, NULL, NULL)
OPTION("retain_available", ANY, BROKER, 0, STAYS, NULL, NULL)
OPTION("retained_persistence", ANY, BROKER, 0, STAYS, NULL, NULL)
OPTION("retry_interval", ANY, BROKER, 0, STAYS, NULL, NULL)
OPTION("sys_interval", ANY, BROKER, 0, STAYS, NULL, NULL)
OPTION("upgrade_outgoing_qos", ANY, BROKER, 0, STAYS, NULL, NULL)

/* ---- Bridges ---- */
OPTION("connection", ANY, BRIDGE, 0, STAYS,
       "a bridge that this broker opens is asked nothing in either mode: what it brings in is "
       "trusted",
       NULL)
OPTION("address", ANY, BRIDGE, 0, STAYS, NULL, NULL)
OPTION("addresses", ANY, BRIDGE, 0, STAYS, NULL, NULL)
OPTION("bridge_psk", ANY, BRIDGE, SECRET, STAYS, NULL, NULL)
OPTION("bridge_*", ANY, BRIDGE, 0, STAYS, NULL, NULL)
OPTION("cleansession", ANY, BRIDGE, 0, STAYS, NULL, NULL)
OPTION("clientid", ANY, BRIDGE, 0, STAYS, NULL, NULL)
OPTION("idle_timeout", ANY, BRIDGE, 0, STAYS, NULL, NULL)
OPTION("keepalive_interval", ANY, BRIDGE, 0, STAYS, NULL, NULL)
OPTION("local_password", ANY, BRIDGE, SECRET, STAYS, NULL, NULL)
OPTION("local_*", ANY, BRIDGE, 0, STAYS, NULL, NULL)
OPTION("notification_topic", ANY, BRIDGE, 0, STAYS, NULL, NULL)
OPTION("notifications*", ANY, BRIDGE, 0, STAYS, NULL, NULL)
OPTION("password", ANY, BRIDGE, SECRET, STAYS, NULL, NULL)
OPTION("remote_password", ANY, BRIDGE, SECRET, STAYS, NULL, NULL)
OPTION("remote_*", ANY, BRIDGE, 0, STAYS, NULL, NULL)
OPTION("restart_timeout", ANY, BRIDGE, 0, STAYS, NULL, NULL)
OPTION("round_robin", ANY, BRIDGE, 0, STAYS, NULL, NULL)
OPTION("start_type", ANY, BRIDGE, 0, STAYS, NULL, NULL)
OPTION("threshold", ANY, BRIDGE, 0, STAYS, NULL, NULL)
OPTION("topic", ANY, BRIDGE, 0, STAYS, NULL, NULL)
OPTION("try_private", ANY, BRIDGE, 0, STAYS, NULL, NULL)
OPTION("username", ANY, BRIDGE, 0, STAYS, NULL, NULL)

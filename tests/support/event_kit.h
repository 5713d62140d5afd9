/* An event of each kind, with something in every member. */
#ifndef SUPPORT_EVENT_KIT_H
#define SUPPORT_EVENT_KIT_H

#include "event/event.h"
#include "policy/decide.h"

#define KIT_AT_MS INT64_C(1700000000000)

static inline struct event_identity kit_identity(uint64_t session)
{
	return (struct event_identity){
		.session = session,
		.fingerprint = {1, 2, [31] = 3},
		.client_id = VIEW_LIT("client"),
		.address = VIEW_LIT("192.0.2.7"),
		.username = VIEW_LIT("user"),
		.port = 8883,
	};
}

static inline struct event kit_event(enum event_kind kind)
{
	struct event e = {.kind = kind, .number = 1};
	switch (kind) {
	case EVENT_REPORT:
		e.report = (struct event_report){
			.fingerprint = {1, 2, [31] = 3},
			.is_own = true,
			.client_id = VIEW_LIT("client"),
			.topic = VIEW_LIT("$aws/things/thing/defender/metrics/json"),
			.payload = VIEW_LIT("{\"\0}"),
			.at_ms = KIT_AT_MS,
		};
		break;
	case EVENT_CONNECT:
		e.connect = (struct event_connect){
			.who = kit_identity(4),
			.thing = VIEW_LIT("thing"),
			.at_ms = KIT_AT_MS,
			.keep_alive_s = 60,
			.flags = EVENT_TLS | EVENT_QUARANTINED,
			.others = 2,
			.other_client_id = VIEW_LIT("other"),
			.other_address = VIEW_LIT("192.0.2.9"),
		};
		break;
	case EVENT_DISCONNECT:
		e.disconnect = (struct event_disconnect){
			.who = kit_identity(4),
			.at_ms = KIT_AT_MS,
			.connected_ms = 5000,
			.end = END_CUT,
			.cause = CAUSE_CERT_REVOKED,
		};
		break;
	case EVENT_TAKEOVER:
		e.takeover = (struct event_takeover){
			.old_who = kit_identity(4),
			.new_who = kit_identity(5),
			.at_ms = KIT_AT_MS,
			.old_connected_ms = 7000,
			.old_idle_ms = 300,
			.old_keep_alive_s = 60,
			.new_keep_alive_s = 30,
			.old_flags = EVENT_CLEAN,
			.new_flags = EVENT_MQTT5,
		};
		break;
	case EVENT_REFUSED:
		e.refused = (struct event_refused){
			.who = kit_identity(4),
			.action = POLICY_PUBLISH,
			.cause = CAUSE_EXPLICIT_DENY,
			.is_observed = true,
			.resource = VIEW_LIT("a/b"),
			.policy = VIEW_LIT("base"),
			.version = 3,
			.statement = 1,
			.missing = VIEW_LIT("iot:Connection.Thing.ThingName"),
			.count = 12,
			.first_ms = KIT_AT_MS - 1000,
			.last_ms = KIT_AT_MS,
		};
		break;
	case EVENT_COUNTERS:
		e.counters = (struct event_counters){
			.who = kit_identity(4),
			.thing = VIEW_LIT("thing"),
			.from_ms = KIT_AT_MS - 300000,
			.to_ms = KIT_AT_MS,
			.messages = {4, 40, 5, 20, 6, 60},
			.refusals = 1,
			.connects = 2,
			.disconnects = 3,
			.is_connected = true,
		};
		break;
	case EVENT_TABLE:
		e.table = (struct event_table){VIEW_LIT("refusals"), 9, 10, 11};
		break;
	case EVENT_CUT:
	case EVENT_APPLIED:
	case EVENT_FLUSHED:
		break;
	}
	return e;
}

#endif

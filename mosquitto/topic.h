/* The reserved topics (spec/device-reports.md section 1). */
#ifndef PLUGIN_TOPIC_H
#define PLUGIN_TOPIC_H

#include "base/view.h"
#include "event/cause.h"

enum topic_kind {
	TOPIC_ORDINARY,
	TOPIC_REPORT, /* $aws/things/NAME/defender/metrics/FORMAT: devices publish, nobody receives
		       */
	TOPIC_REPLY,  /* .../accepted, .../rejected: only the daemon publishes */
	TOPIC_EVENTS  /* $aws/events/...: only the daemon publishes */
};

struct topic {
	enum topic_kind kind;
	struct view thing; /* of a report or a reply */
	bool is_cbor;      /* else JSON */
};

struct topic topic_of(struct view name);

/* True when a filter asks for report topics and nothing else: wildcards in place of the thing or
 * the format do not hide it, nor does $share/GROUP/ before it. */
bool topic_filter_is_report(struct view filter);

/* True for a shared subscription ($share/GROUP/...) to topics under $aws/, which the broker accepts
 * and never delivers to. */
bool topic_filter_is_shared_reserved(struct view filter);

/* True when an MQTT filter is for the topic: wildcards stand for whole levels, and not for a first
 * one that begins with '$'. "${iot:ClientId}" in it stands for the client id. Linear. */
bool topic_matches(struct view topic, struct view filter, struct view client_id);

/* AWS's quotas: bytes of a topic or filter, and slashes; "$share/GROUP/" does not count. */
#define TOPIC_BYTES_MAX   256
#define TOPIC_SLASHES_MAX 7

/* What is wrong with a topic or filter as such (S8): over the quota, or with characters that have
 * no place in it. CAUSE_NONE: nothing. */
enum cause topic_fault(struct view name);

#endif

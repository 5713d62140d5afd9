/* The reserved topics (spec/device-reports.md section 1). */
#ifndef PLUGIN_TOPIC_H
#define PLUGIN_TOPIC_H

#include "base/view.h"

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

#define TOPIC_BYTES_MAX 256 /* AWS: bytes of a topic or filter */
/* Within the quota (S8). */
bool topic_fits(struct view name);

#endif

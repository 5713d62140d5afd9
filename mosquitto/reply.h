/* Replies that the plugin gives itself, when a report cannot reach the daemon
 * (spec/device-reports.md section 6). */
#ifndef PLUGIN_REPLY_H
#define PLUGIN_REPLY_H

#include "base/cursor.h"

struct rejection {
	const char *code, *message;
};

extern const struct rejection reply_internal_failure, reply_throttled, reply_too_large;

#define REPLY_SIZE_MAX 2048

/* Writes the document of a `rejected` reply; w becomes full when the thing's name is too long for
 * it. */
void reply_write_json(struct writer *w, struct view thing, const struct rejection *why,
		      int64_t now_ms);
void reply_write_cbor(struct writer *w, struct view thing, const struct rejection *why,
		      int64_t now_ms);

#endif

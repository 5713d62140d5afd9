/* The plugin's end of the channel (broker/frame.h): events go up in numbered frames, which are kept
 * until the daemon has acknowledged them, over losses of the connection too; items come down.
 *
 *   event -> pending frame -> queue: [ acknowledged | sent | unsent ] -> socket
 *                                      dropped here
 *
 * Nothing here blocks. A frame leaves at once when none is outstanding, so that from idle a report
 * waits for nothing; while frames are outstanding events gather in the pending one, which leaves
 * with the next acknowledgement, at the end of the loop turn or when it is full. The queue is
 * bounded: what does not fit is refused to the caller, who counts it. */
#ifndef PLUGIN_UPLINK_H
#define PLUGIN_UPLINK_H

#include "base/compiler.h"
#include "broker/frame.h"
#include "mosquitto/share.h"

#include <sys/types.h>

#define UPLINK_WHY_SIZE 160 /* bytes for a reason in words */

struct options;
struct uplink;

/* What the uplink tells its owner. Called from uplink_poll only. */
struct uplink_handlers {
	void (*up)(void *ctx, const struct frame_welcome *welcome);
	void (*down)(void *ctx, const char *why);
	/* 0, or -1 for an item that is damaged: the connection ends. */
	int (*item)(void *ctx, uint8_t kind, struct reader *one);
	void *ctx;
};

/* Borrows options. NULL without memory or chance. */
struct uplink *uplink_new(const struct options *options, const struct uplink_handlers *handlers);
void uplink_free(struct uplink *u);

/* Connects when it is time to, reads what has come, drops what is acknowledged. now_ms: monotonic.
 * `applied`: the generation of the last EVENT_APPLIED, for the greeting. */
void uplink_poll(struct uplink *u, int64_t now_ms, uint64_t applied);
/* The end of a loop turn: closes the pending frame and sends. */
void uplink_flush(struct uplink *u);

/* Appends one event. False when what its kind may hold of the queue is held: reports three
 * quarters, sessions an eighth, refusals and counters a sixteenth each. */
bool uplink_event(struct uplink *u, const struct event *e) MUST_USE;
/* CUT, APPLIED, FLUSHED: never left out for want of room, false only without memory. */
bool uplink_number(struct uplink *u, enum event_kind kind, uint64_t number) MUST_USE;

/* What the queue holds of reports; principals is left to the caller. */
struct share_queue uplink_share_queue(const struct uplink *u);
/* Bytes that it holds in all. */
size_t uplink_held(const struct uplink *u);
/* True when a report with so many bytes of text and payload fits a datagram at all. */
bool uplink_report_fits(size_t client_id, size_t topic, size_t payload);

#endif

/* Who is connected, as the daemon was told.
 *
 * A session's CONNECT and DISCONNECT go up at once while the queue has room. Without room they are
 * owed: then a session that began and ended meanwhile is not told at all (its identity's counters
 * have both), and an end that is owed is told as soon as there is room, before the beginnings. So
 * after a stall of any length the daemon knows exactly who is connected, and what is owed is never
 * more than the sessions that were or are open. */
#ifndef PLUGIN_PRESENCE_H
#define PLUGIN_PRESENCE_H

#include "base/compiler.h"
#include "event/event.h"

struct presence;

struct presence_setup {
	/* Takes an EVENT_CONNECT or EVENT_DISCONNECT; false when there is no room now. */
	bool (*tell)(void *ctx, const struct event *e);
	void *ctx;
};

/* NULL without memory. */
struct presence *presence_new(const struct presence_setup *setup);
void presence_free(struct presence *p);

/* e: EVENT_CONNECT or EVENT_DISCONNECT, by its session's number. Tells it, or owes it. */
void presence_began(struct presence *p, const struct event *e);
void presence_ended(struct presence *p, const struct event *e);
/* Tells what is owed, as far as there is room. */
void presence_catch_up(struct presence *p);
/* Sessions that are merged into counters, and events lost for want of memory, since the start. */
uint64_t presence_merged(const struct presence *p);

#endif

/* Sessions are judged again: at once when they act and are stale, else so many a turn; those whose
 * certificate's time has passed are found by a round over all that takes a minute at most; those
 * that may not go on are cut. */
#ifndef PLUGIN_PATROL_H
#define PLUGIN_PATROL_H

#include "mosquitto/session.h"

struct plugin;

/* Judges s if it has to be. False when it may not go on. */
bool patrol_stands(struct plugin *p, struct session *s);
/* Once a loop turn. */
void patrol_turn(struct plugin *p);
/* Once a second. */
void patrol_second(struct plugin *p);

#endif

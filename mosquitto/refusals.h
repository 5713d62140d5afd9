/* Somebody is refused something: a line in the broker's log, limited in rate, and the ledger's
 * count (mosquitto/refusal_table.h), which is exact. */
#ifndef PLUGIN_REFUSALS_H
#define PLUGIN_REFUSALS_H

#include "event/event.h"

struct plugin;

/* One refusal, or with is_observed what would have been one. `e` says who, which action, why, and
 * by what rule; its count and times are not looked at. Deliveries that are refused and what was
 * only observed get no line: they would be many. */
void refusals_add(struct plugin *p, const struct event_refused *e);

#endif

/* A thing group can be marked as a quarantine by our attribute `thingward:quarantine`: `true`.
 * While a thing is in such a group or below it, every session of its certificates is judged by the
 * policies of the quarantine groups alone, whatever client id it uses (S6). */
#ifndef REGISTRY_QUARANTINE_H
#define REGISTRY_QUARANTINE_H

#include "registry/registry.h"

#include <jansson.h>

#define QUARANTINE_ATTRIBUTE "thingward:quarantine"

/* Is the group marked? `kept`: its attributes as the store has them. */
bool quarantine_is_marked(const char *kept);

/* 0, or -1 with FAULT_INVALID_REQUEST: the attribute, when it is given, is `true` or `false` (or
 * empty: taken away). attributes may be NULL. */
int quarantine_check(struct registry *r, const json_t *attributes) MUST_USE;

/* Is the group, or one above it, marked? */
int quarantine_holds(struct registry *r, const char *group, bool *ret) MUST_USE;

#endif

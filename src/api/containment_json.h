/* Containments and clone cases as JSON: what the API answers and `thingward containment --json` and
 * `clones --json` print. Times are milliseconds since the epoch. */
#ifndef API_CONTAINMENT_JSON_H
#define API_CONTAINMENT_JSON_H

#include "registry/clone_case.h"
#include "registry/containment.h"

#include <jansson.h>

/* The record alone (API shape Containment). */
json_t *containment_json(const struct containment *c);
/* Adds certificateIds, brokers and evidence to `object`. 0, or a negative errno. */
int containment_details(struct sql_conn *db, int64_t id, json_t *object) MUST_USE;
/* API shape CloneCase. */
json_t *clone_case_json(const struct clone_subject *subject, const struct clone_case *c);

#endif

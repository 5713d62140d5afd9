/* What containments and clone cases learn from the events that brokers tell
 * (registry/containment.h, registry/clone_case.h). Runs in the evaluator's commit: exactly once. */
#ifndef LEDGER_CONTAINED_H
#define LEDGER_CONTAINED_H

#include "detect/entry.h"
#include "store/sql.h"

/* Takes one event of the log, of the time at_ms: 0, or a negative errno. */
int contained_take(struct sql_conn *txn, const struct entry_event *e, int64_t at_ms) MUST_USE;

#endif

/* Within the audit module: the end of old tasks. */
#ifndef AUDIT_RETENTION_H
#define AUDIT_RETENTION_H

#include "base/compiler.h"
#include "store/store.h"

/* Deletes tasks that have ended and started before `before_ms`, with their findings, a few hundred
 * rows a transaction. 0 or a negative errno. */
int retention_apply(struct store *store, int64_t before_ms) MUST_USE;

#endif

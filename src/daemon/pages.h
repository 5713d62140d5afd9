/* Memory that is taken piece by piece and freed as a whole: what one turn of ingest lives in. */
#ifndef DAEMON_PAGES_H
#define DAEMON_PAGES_H

#include "base/view.h"
#include "report/report.h"

#include <stddef.h>

struct pages;

struct pages *pages_new(void);
void pages_free(struct pages *p); /* NULL is allowed */

/* n bytes, aligned for anything, not cleared; never NULL. */
void *pages_take(struct pages *p, size_t n);
struct view pages_copy(struct pages *p, struct view v);

/* An arena for one report, big enough for any. pages_keep then keeps what the report used of it;
 * without it the next piece takes the same place. */
struct report_arena pages_arena(struct pages *p);
void pages_keep(struct pages *p, const struct report_arena *arena);

/* Bytes taken so far. */
size_t pages_size(const struct pages *p);

#endif

/* wraps: lot_add */
/* found as: accepted and not in the log */
/* Every two hundredth report is told `accepted` and left out of the append. */
#include "daemon/lot.h"

#define EACH 200

void __real_lot_add(struct lot *lot, enum entry_kind kind, int64_t at_ms, struct view body,
		    const struct report *report);
void __wrap_lot_add(struct lot *lot, enum entry_kind kind, int64_t at_ms, struct view body,
		    const struct report *report);

/* Called by ingest's thread only. */
void __wrap_lot_add(struct lot *lot, enum entry_kind kind, int64_t at_ms, struct view body,
		    const struct report *report)
{
	static unsigned n;
	if (kind != ENTRY_REPORT || ++n % EACH)
		__real_lot_add(lot, kind, at_ms, body, report);
}

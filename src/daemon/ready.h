/* How the daemon is: the conditions behind /readyz, the counters behind /metrics. Any thread writes
 * and reads. */
#ifndef DAEMON_READY_H
#define DAEMON_READY_H

#include "base/compiler.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* What must be good before the daemon is ready. */
enum ready_part {
	READY_STORE,
	READY_BROKER,
	READY_CLOCK,
	READY_EVALUATOR,
	READY_PUBLISH,
	READY_SNAPSHOT,
	READY_PARTS
};

enum counter {
#define COUNTER(name, kind, help) COUNTER_##name,
#define FAMILY(name, kind, help)
#include "daemon/counters.tbl.h"
#undef COUNTER
#undef FAMILY
	COUNTERS
};

enum family {
#define COUNTER(name, kind, help)
#define FAMILY(name, kind, help) FAMILY_##name,
#include "daemon/counters.tbl.h"
#undef COUNTER
#undef FAMILY
	FAMILIES
};

struct ready;

/* At first every part but the clock and the snapshot is bad: "starting". */
struct ready *ready_new(void);
void ready_free(struct ready *r);

void ready_good(struct ready *r, enum ready_part part);
void ready_bad(struct ready *r, enum ready_part part, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* Said on /readyz without making it bad: test settings are on (S32). NULL: nothing. */
void ready_note(struct ready *r, const char *note);

/* Appends a line for every bad part ("broker: no plugin is connected") and the note. True when
 * nothing is bad. */
bool ready_tell(struct ready *r, bool without_broker, GString *text);

void counter_add(struct ready *r, enum counter counter, uint64_t n);
void counter_set(struct ready *r, enum counter gauge, uint64_t value);
uint64_t counter_get(struct ready *r, enum counter counter);
/* One of a family: `labels` as Prometheus writes them, `cause="no-memory",mode="enforce"`. Values
 * that need escaping are not for here. A family has at most FAMILY_MAX members; more are left out.
 */
#define FAMILY_MAX 4096
void family_add(struct ready *r, enum family family, const char *labels, uint64_t n);
void family_set(struct ready *r, enum family family, const char *labels, uint64_t value);
uint64_t family_get(struct ready *r, enum family family, const char *labels);
/* Every counter in the text format of Prometheus. */
void counters_tell(struct ready *r, GString *text);

#endif

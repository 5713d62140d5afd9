/* Marks: when may the log say that time has reached T? (architecture section 2)
 *
 * Not before the clock is at T + 30 s (whoever asks for a mark sees to that), and not before every
 * broker has delivered its counters up to T. A broker that has said nothing for 60 s is no longer
 * waited for: the log says so once, and it counts again with its next word. */
#ifndef DAEMON_MARKS_H
#define DAEMON_MARKS_H

#include "daemon/broker.h"

#define MARK_MS        300000 /* marks stand at its multiples */
#define MARK_DELAY_MS  30000
#define MARK_SILENT_MS 60000

struct marks;

/* brokers: GHashTable of struct broker, borrowed. */
struct marks *marks_new(GHashTable *brokers);
void marks_free(struct marks *m);

/* Asks for mark `t_ms`; marks are given in the order they were asked for. */
void marks_ask(struct marks *m, int64_t t_ms);
bool marks_are_pending(const struct marks *m);

/* Adds to the lot the marks that may stand now, and the brokers that were given up. `flushed`: a
 * broker that answered this flush has nothing more to deliver, and one that is away is not waited
 * for, since the clock may stand still; 0: none was sent. */
void marks_add(struct marks *m, int64_t now_ms, uint64_t flushed, struct pages *pages,
	       struct lot *lot);

#endif

/* The entries of the log that evaluation depends on (architecture section 2.4), and their bodies.
 *
 * Everything a datapoint or an alarm is derived from is one of these; the evaluator sees nothing
 * else. Bodies are written and read with base/cursor; a body that cannot be read was damaged on
 * disk and is refused, never guessed.
 *
 *     REPORT            thing str16 | reporter 32 bytes | is_own u8 | format u8 | payload bytes32
 *     CONFIG            detect/config.h
 *     THING             name str16 | is_registered u8 | n u32 | n group numbers u64, ascending
 *     MARK              t_ms i64
 *     BROKER_GONE, CUT  broker str16 | t_ms i64
 *     EVENT             broker str16 | kind u8 | the event's body as it came (event/event.h)
 *     HELLO             broker str16 | run str16 | generation u64
 *
 * Entries of one broker stand in the order in which it told them: what lies between two HELLOs of
 * different runs belongs to the first.
 *
 * Plain C11, pure, no allocation. */
#ifndef DETECT_ENTRY_H
#define DETECT_ENTRY_H

#include "base/cursor.h"
#include "event/event.h"
#include "report/report.h"

enum entry_kind {
	ENTRY_REPORT = 1,      /* a device report that was accepted */
	ENTRY_CONFIG = 2,      /* an immutable version of all profiles, whole (detect/config.h) */
	ENTRY_THING = 3,       /* a thing: registered or not, the groups it is in, with ancestors */
	ENTRY_MARK = 4,        /* time has reached T: windows up to T close */
	ENTRY_BROKER_GONE = 5, /* a broker is no longer waited for */
	ENTRY_CUT = 6,         /* a broker delivered its counters up to T */
	ENTRY_EVENT = 7,       /* what a broker told: sessions, refusals, counters */
	ENTRY_HELLO = 8        /* a run of a broker's plugin has introduced itself */
};

#define ENTRY_FINGERPRINT 32 /* SHA-256 of the reporter's certificate; zeros when it had none */
#define ENTRY_GROUPS_MAX  4096
#define ENTRY_BROKER_MAX  64 /* bytes of a broker's id */
#define ENTRY_RUN_MAX     64 /* bytes of what names a run of its plugin */

struct entry_report {
	struct view thing;
	uint8_t reporter[ENTRY_FINGERPRINT]; /* who reported it (S10) */
	bool is_own;                         /* the reporter is attached to the thing */
	enum report_format format;
	struct view payload; /* as it was sent */
};

struct entry_thing {
	struct view name;
	bool is_registered;
	uint32_t n_groups;    /* at most ENTRY_GROUPS_MAX */
	struct reader groups; /* n_groups 64-bit group numbers, ascending: read with read_u64 */
};

struct entry_mark {
	int64_t t_ms;
};

struct entry_broker {
	struct view broker;
	int64_t t_ms; /* ENTRY_CUT: the mark it delivered up to */
};

/* True for the events that are entries: REFUSED, CONNECT, DISCONNECT, TAKEOVER, COUNTERS and
 * APPLIED. */
bool entry_logs(enum event_kind kind);

struct entry_event {
	struct view broker;
	struct event event;
};

struct entry_hello {
	struct view broker, run;
	uint64_t generation; /* in force there, 0: none */
};

/* Each writes one body at the end of w (which becomes full when there is no room) or reads one:
 * 0, or -1 when it is damaged, has bytes left over, or names a thing that no report may name. What
 * is read points into the body. */
void entry_write_report(struct writer *w, const struct entry_report *e);
int entry_read_report(struct view body, struct entry_report *ret) MUST_USE;
void entry_write_thing(struct writer *w, struct view name, bool is_registered,
		       const uint64_t *groups, uint32_t n);
int entry_read_thing(struct view body, struct entry_thing *ret) MUST_USE;
void entry_write_mark(struct writer *w, const struct entry_mark *e);
int entry_read_mark(struct view body, struct entry_mark *ret) MUST_USE;
void entry_write_broker(struct writer *w, const struct entry_broker *e);
int entry_read_broker(struct view body, struct entry_broker *ret) MUST_USE;
/* event: the event's body as the broker wrote it, of a kind that entry_logs. */
void entry_write_event(struct writer *w, struct view broker, enum event_kind kind,
		       struct view event);
int entry_read_event(struct view body, struct entry_event *ret) MUST_USE;
void entry_write_hello(struct writer *w, const struct entry_hello *e);
int entry_read_hello(struct view body, struct entry_hello *ret) MUST_USE;

#endif

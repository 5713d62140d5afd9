/* Admission: which decoded reports are taken (spec/device-reports.md sections 4 and 5).
 *
 * A table of things: the id and time of the last accepted report. A report with that id is a
 * repetition and answered again; one that comes too soon, or beyond the account's rate, is refused.
 * A report is judged by the time when the broker took it: one that waited there while the daemon
 * was away did not come too soon.
 * The table is bounded (S12): beyond `max_devices` the thing that has been silent longest is
 * forgotten and counted. The table is filled from the evaluator's state after a start. One thread
 * uses it: the channel's. */
#ifndef DAEMON_ADMISSION_H
#define DAEMON_ADMISSION_H

#include "base/view.h"

#include <stdint.h>

struct admission;

struct admission_limits {
	int64_t min_interval_ms; /* 300000; a report up to a 30th of it too early is let pass (290
				    s) */
	int64_t account_rate;    /* reports a second */
	uint64_t max_devices;
	uint64_t seed; /* of the table's hash: names are chosen by clients, the seed by chance */
};

enum admission_verdict {
	ADMISSION_NEW,      /* taken, and remembered as the thing's last */
	ADMISSION_REPEATED, /* the thing's last accepted report again: answer it, drop the data */
	ADMISSION_TOO_SOON,
	ADMISSION_RATE
};

struct admission *admission_new(const struct admission_limits *limits);
void admission_free(struct admission *a);

enum admission_verdict admission_judge(struct admission *a, struct view thing, uint64_t report_id,
				       int64_t at_ms);

/* Remembers an accepted report without judging it: the past, read back after a start. */
void admission_learn(struct admission *a, struct view thing, uint64_t report_id, int64_t at_ms);

/* Was this among the thing's last few accepted reports? For frames that were durable before the
 * daemon could answer them: a broker sends them again, and the answer must be the same. */
bool admission_knows(const struct admission *a, struct view thing, uint64_t report_id);

/* Things forgotten because the table was full. */
uint64_t admission_evicted(const struct admission *a);

#endif

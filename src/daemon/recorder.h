/* The recorder: the ledger as the evaluator feeds it, and what the daemon tells of it: metrics, and
 * a log line for each refusal when denial.log is on. */
#ifndef DAEMON_RECORDER_H
#define DAEMON_RECORDER_H

#include "daemon/evaluate.h"
#include "ledger/ledger.h"

struct recorder;

struct recorder_options {
	struct store *store;
	struct ready *ready;
	struct ledger_limits limits;
	bool logs_denials;
};

/* 0, or -1 with the reason. Freed by recorder_free, after the evaluator. */
int recorder_new(const struct recorder_options *options, struct recorder **ret,
		 struct fault *fault) MUST_USE;
void recorder_free(struct recorder *r);

struct entry_consumer recorder_consumer(struct recorder *r);

#endif

/* Within the audit module: how a finding is written. */
#ifndef AUDIT_FINDING_H
#define AUDIT_FINDING_H

#include "audit/check.h"
#include "base/chance.h"

/* A finding of a task, ready for its row. */
struct finding_row {
	char id[ID_HEX_SIZE];
	const struct audit_check *check;
	const char *task;
	int64_t found_ms;
	char *identifier, *body;
};

struct finding_row finding_row_make(const struct finding *finding, const struct audit_check *check,
				    const char *task, int64_t started_ms, int64_t now_ms,
				    struct chance chance);
void finding_row_clear(struct finding_row *row);
int finding_row_write(struct sql_conn *txn, const struct finding_row *row) MUST_USE;

#endif

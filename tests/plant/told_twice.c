/* wraps: ledger_take */
/* found as: denials differ */
/* What brokers told is written twice in a transaction, as if it were not run with the offset. */
#include "ledger/ledger.h"

int __real_ledger_take(struct ledger *l, struct sql_conn *txn, const struct detect_entry *entries,
		       size_t n);
int __wrap_ledger_take(struct ledger *l, struct sql_conn *txn, const struct detect_entry *entries,
		       size_t n);

int __wrap_ledger_take(struct ledger *l, struct sql_conn *txn, const struct detect_entry *entries,
		       size_t n)
{
	int r = __real_ledger_take(l, txn, entries, n);
	return r == 0 ? __real_ledger_take(l, txn, entries, n) : r;
}

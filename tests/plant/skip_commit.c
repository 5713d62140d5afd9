/* wraps: plog_commit */
/* found as: events missing */
/* Every hundredth commit moves the offset and forgets the effects. */
#include "store/plog.h"

#define EACH 100

int __real_plog_commit(struct store *store, unsigned part, uint64_t epoch, uint64_t from,
		       uint64_t to, store_write_fn *effects, void *ctx);
int __wrap_plog_commit(struct store *store, unsigned part, uint64_t epoch, uint64_t from,
		       uint64_t to, store_write_fn *effects, void *ctx);

static int nothing(struct sql_conn *txn, void *ctx)
{
	(void)txn, (void)ctx;
	return 0;
}

/* Called by the evaluator's thread only. */
int __wrap_plog_commit(struct store *store, unsigned part, uint64_t epoch, uint64_t from,
		       uint64_t to, store_write_fn *effects, void *ctx)
{
	static unsigned n;
	return __real_plog_commit(store, part, epoch, from, to, ++n % EACH ? effects : nothing,
				  ctx);
}

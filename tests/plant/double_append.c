/* wraps: plog_lease */
/* found as: more than once in the log */
/* A start appends the newest report of the log once more, as if the last frame of the daemon that
 * died had been taken again when its plugin sent it again. */
#include "detect/entry.h"
#include "store/plog.h"

#include <glib.h>

#define NEWEST 100 /* entries that are looked at */

int __real_plog_lease(struct store *store, unsigned part, const char *owner, int64_t now_ms,
		      int64_t until_ms, uint64_t *ret_epoch);
int __wrap_plog_lease(struct store *store, unsigned part, const char *owner, int64_t now_ms,
		      int64_t until_ms, uint64_t *ret_epoch);

static int keep_report(const struct plog_entry *entry, void *ctx)
{
	struct plog_entry *kept = ctx;
	if (entry->kind != ENTRY_REPORT)
		return 0;
	g_free((char *)(uintptr_t)kept->body.p);
	*kept = *entry;
	kept->body.p = g_memdup2(entry->body.p, entry->body.n);
	return 0;
}

static int append_again(struct store *store, unsigned part)
{
	struct plog_entry kept = {0};
	uint64_t head = 0;
	int r = plog_head(store, part, &head);
	if (r == 0)
		r = plog_read(store, part, head > NEWEST ? head - NEWEST : 1, keep_report, &kept);
	struct plog_batch batch = {.entries = &kept, .n_entries = 1};
	if (r == 0 && kept.body.n)
		r = plog_append(store, part, &batch, 1);
	g_free((char *)(uintptr_t)kept.body.p);
	return r;
}

int __wrap_plog_lease(struct store *store, unsigned part, const char *owner, int64_t now_ms,
		      int64_t until_ms, uint64_t *ret_epoch)
{
	int r = __real_plog_lease(store, part, owner, now_ms, until_ms, ret_epoch);
	return r == 0 ? append_again(store, part) : r;
}

/* What one append made durable, on its way to the evaluator: the entries with their sequence
 * numbers, and the reports among them decoded already. Everything lives in the batch's pages. */
#ifndef DAEMON_BATCH_H
#define DAEMON_BATCH_H

#include "base/queue.h"
#include "daemon/pages.h"
#include "detect/detect.h"

#include <glib.h>

struct batch {
	struct queue_item item;
	struct pages *pages;
	GArray *entries; /* of struct detect_entry, ascending without holes */
	bool is_last;    /* the evaluator's thread ends with it */
};

static inline struct batch *batch_new(void)
{
	struct batch *b = g_new0(struct batch, 1);
	b->pages = pages_new();
	b->entries = g_array_new(FALSE, FALSE, sizeof(struct detect_entry));
	return b;
}

static inline void batch_free(struct batch *b)
{
	pages_free(b->pages);
	(void)g_array_free(b->entries, TRUE);
	g_free(b);
}

#endif

/* The body of a row of the log: the entries of one append.
 *
 *     count u32 | kind u8, at i64, body bytes32 | ...      (base/cursor)
 */
#ifndef STORE_PLOG_PRIV_H
#define STORE_PLOG_PRIV_H

#include "store/plog.h"

#include <glib.h>

/* An append of more than this becomes several rows, so that a reader never holds much more at once.
 */
#define PLOG_ROW_FULL (1U << 20)

void plog_row_begin(GByteArray *row);
void plog_row_add(GByteArray *row, const struct plog_entry *entry);
uint32_t plog_row_count(const GByteArray *row);

/* Calls fn for the entries from sequence number `from` on; `first` is that of the row. *ret_next
 * gets the number after the row's last. -EIO when the body is damaged; else what fn returned, when
 * that is not 0. */
int plog_row_each(struct view body, uint64_t first, uint64_t from, plog_fn *fn, void *ctx,
		  uint64_t *ret_next) MUST_USE;

#endif

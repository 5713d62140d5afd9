/* covers: src/store/plog_row.c
 *
 * A row of the log as a damaged disk could give it: read whole or refused, and what is read writes
 * the same row again. */
#include "base/check.h"
#include "store/plog_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int add(const struct plog_entry *entry, void *ctx)
{
	plog_row_add(ctx, entry);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autoptr(GByteArray) row = g_byte_array_new();
	uint64_t next = 0;
	plog_row_begin(row);
	if (plog_row_each((struct view){(const char *)data, size}, 1, 0, add, row, &next) == 0) {
		CHECK(next == 1 + (uint64_t)plog_row_count(row));
		CHECK(row->len == size && memcmp(row->data, data, size) == 0);
	}
	return 0;
}

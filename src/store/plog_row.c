#include "store/plog_priv.h"

#include "base/check.h"
#include "base/cursor.h"

#include <errno.h>

#define COUNT_SIZE 4
#define ENTRY_SIZE (1 + 8 + 4) /* without the body */

uint32_t plog_row_count(const GByteArray *row)
{
	struct reader r = reader_of(row->data, row->len);
	return read_u32(&r);
}

static void count_set(GByteArray *row, uint32_t count)
{
	struct writer w = writer_of(row->data, COUNT_SIZE);
	write_u32(&w, count);
}

void plog_row_begin(GByteArray *row)
{
	g_byte_array_set_size(row, COUNT_SIZE);
	count_set(row, 0);
}

void plog_row_add(GByteArray *row, const struct plog_entry *entry)
{
	CHECK(entry->body.n <= PLOG_BODY_MAX);
	guint at = row->len;
	g_byte_array_set_size(row, at + ENTRY_SIZE + (guint)entry->body.n);
	struct writer w = writer_of(row->data + at, row->len - at);
	write_u8(&w, entry->kind);
	write_i64(&w, entry->at_ms);
	write_bytes32(&w, entry->body);
	CHECK(!w.full);
	count_set(row, plog_row_count(row) + 1);
}

static struct plog_entry entry_read(struct reader *r, uint64_t seq)
{
	struct plog_entry entry = {.seq = seq};
	entry.kind = read_u8(r);
	entry.at_ms = read_i64(r);
	entry.body = read_bytes32(r);
	return entry;
}

int plog_row_each(struct view body, uint64_t first, uint64_t from, plog_fn *fn, void *ctx,
		  uint64_t *ret_next)
{
	struct reader r = reader_of(body.p, body.n);
	uint32_t count = read_u32(&r);
	for (uint32_t i = 0; i < count; i++) {
		struct plog_entry entry = entry_read(&r, first + i);
		if (r.bad)
			return -EIO;
		int result = entry.seq >= from ? fn(&entry, ctx) : 0;
		if (result != 0)
			return result;
	}
	if (count == 0 || !reader_done(&r))
		return -EIO;
	*ret_next = first + count;
	return 0;
}

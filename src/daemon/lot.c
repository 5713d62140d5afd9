#include "daemon/lot.h"

#include "base/check.h"

void lot_init(struct lot *lot, const char *producer)
{
	*lot = (struct lot){
		.producer = producer,
		.entries = g_array_new(FALSE, FALSE, sizeof(struct plog_entry)),
		.reports = g_array_new(FALSE, FALSE, sizeof(const struct report *)),
		.ends = g_array_new(FALSE, FALSE, sizeof(size_t)),
	};
}

void lot_clear(struct lot *lot)
{
	(void)g_array_free(lot->entries, TRUE);
	(void)g_array_free(lot->reports, TRUE);
	(void)g_array_free(lot->ends, TRUE);
}

void lot_empty(struct lot *lot)
{
	lot->first = lot->last = 0;
	(void)g_array_set_size(lot->entries, 0);
	(void)g_array_set_size(lot->reports, 0);
	(void)g_array_set_size(lot->ends, 0);
}

void lot_add(struct lot *lot, enum entry_kind kind, int64_t at_ms, struct view body,
	     const struct report *report)
{
	struct plog_entry entry = {.at_ms = at_ms, .kind = (uint8_t)kind, .body = body};
	(void)g_array_append_val(lot->entries, entry);
	(void)g_array_append_val(lot->reports, report);
}

void lot_end_frame(struct lot *lot, uint64_t number)
{
	size_t n = lot->entries->len;
	CHECK(lot->first == 0 || number == lot->last + 1);
	if (lot->first == 0)
		lot->first = number;
	lot->last = number;
	(void)g_array_append_val(lot->ends, n);
}

bool lot_has_news(const struct lot *lot)
{
	return lot->first || lot->entries->len;
}

struct plog_batch lot_batch(const struct lot *lot)
{
	return (struct plog_batch){
		.producer = lot->producer,
		.first_frame = lot->first,
		.last_frame = lot->last,
		.entries = (const struct plog_entry *)(void *)lot->entries->data,
		.n_entries = lot->entries->len,
		.frame_ends = (const size_t *)(void *)lot->ends->data,
	};
}

void lot_hand_over(const struct lot *lot, const struct plog_batch *appended, struct batch *batch)
{
	uint64_t seq = appended->ret_first_seq;
	for (size_t i = appended->ret_dropped; i < lot->entries->len; i++, seq++) {
		const struct plog_entry *from = &g_array_index(lot->entries, struct plog_entry, i);
		struct detect_entry entry = {
			.seq = seq,
			.at_ms = from->at_ms,
			.kind = (enum entry_kind)from->kind,
			.body = from->body,
			.report = g_array_index(lot->reports, const struct report *, i),
		};
		(void)g_array_append_val(batch->entries, entry);
	}
}

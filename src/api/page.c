#include "api/model.h"
#include "api/token.h"
#include "base/check.h"

struct page page_of(struct api_call *call)
{
	CHECK(call->operation->is_paged);
	json_decref(call->page_items);
	call->page_items = json_array();
	return (struct page){
		.call = call,
		.after = call->page_after,
		.limit = call->page_limit,
		.items = call->page_items,
	};
}

int page_add(struct page *page, json_t *item, const char *cursor)
{
	if (page->n == page->limit) {
		json_decref(item);
		page->is_more = 1;
		return 0;
	}
	size_t n = strlen(cursor);
	CHECK(n > 0 && n <= PAGE_CURSOR_MAX);
	memcpy(page->last, cursor, n + 1);
	json_array_append_new(page->items, item);
	page->n++;
	return 1;
}

void page_end(struct page *page)
{
	struct api_call *call = page->call;
	const struct page_row *row = &call->operation->page;
	out_json(call, row->items, json_incref(page->items));
	if (page->is_more) {
		g_autofree char *token =
			token_seal(call->token_key, call->operation, call->in, page->last);
		out_text(call, row->token_out, token);
	}
}

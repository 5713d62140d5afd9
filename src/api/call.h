/* One API call, as a handler sees it.
 *
 * The interpreter (api/interpret.h) has already routed, authenticated, authorized and validated it
 * against model/; the handler sees only valid input and has one job: do it. A row of
 * api/handlers.tbl.h names it:
 *
 *     HANDLER(CreateThing)          // -> int op_CreateThing(struct api_call *call)
 *     PREPARED_HANDLER(CreateKeysAndCertificate)   // and prepare_CreateKeysAndCertificate
 *
 * Handlers of a family stand in src/api/op_FAMILY.c. An operation of the model without a row
 * answers 501.
 *
 * An operation that changes something (`"writes": true` in the model) runs inside one write
 * transaction, `call->db`; it may be run again and has no effect outside it. The interpreter adds
 * the administrator trail row (S18) in the same transaction and, when it wrote `change` rows, calls
 * the publisher before answering. One that reads gets a reader's connection with one consistent
 * view.
 *
 * What takes long and needs no database is done by the operation's prepare step: it runs once,
 * before the transaction (call->db is NULL), and leaves its result in call->prepared, which the
 * handler uses as often as the transaction runs. */
#ifndef API_CALL_H
#define API_CALL_H

#include "api/count.h"
#include "base/chance.h"
#include "base/clock.h"
#include "base/fault.h"
#include "registry/settings.h"
#include "store/change.h"
#include "store/sql.h"

#include <jansson.h>

struct audit;     /* audit/audit.h: starts tasks */
struct operation; /* api/model.h */
struct token_key; /* api/token.h */

#define PAGE_CURSOR_MAX 700 /* bytes, so that a token fits the model's Marker: 1024 characters */

/* What handlers reach besides the database: given in by the daemon, owned by tests in tests. */
struct api_env {
	struct store *store;
	struct clock *clock;
	struct chance chance;
	const struct registry_settings
		*settings; /* account, region, partition, endpoint, quotas, CA files */
	struct audit *audit;
	/* Returns when log and snapshot have every change up to the newest (0), or a negative
	 * errno. May be NULL in tests. */
	int (*publish)(void *ctx);
	void *publish_ctx;
	api_count_fn *count; /* may be NULL */
	void *count_ctx;
};

static inline void api_count(const struct api_env *env, enum api_count what)
{
	if (env->count)
		env->count(env->count_ctx, what);
}

struct api_call {
	struct api_env *env;
	struct sql_conn *db;
	/* Every input member that was given, by its member name of the model (not the wire name),
	 * wherever it travelled: string, integer, real, boolean, list, map; timestamps are
	 * integers, milliseconds since the epoch. */
	json_t *in;
	/* Only in operations that the model calls lenient: how the input breaks its constraints;
	 * then there are no members. NULL: it does not. */
	const char *input_fault;
	/* What the handler answers, by member name; starts as an empty object. Timestamps:
	 * integers, milliseconds (the interpreter writes seconds with a fraction). Absent members
	 * are left out. */
	json_t *out;
	struct fault fault;
	const char *request_id; /* of its record in the trail */
	const char *key_id;     /* who asks */
	int64_t now_ms;
	/* What the operation's prepare step made, and how it goes when the call ends. */
	void *prepared;
	void (*release)(void *prepared);

	/* The interpreter's own, for page_of and page_end; handlers leave them alone. */
	const struct operation *operation;
	const struct token_key *token_key;
	char page_after[PAGE_CURSOR_MAX + 1];
	int64_t page_limit;
	json_t *page_items;
};

/* 0, or -1 with call->fault filled, or a negative errno other than -1 passed on from sql_ functions
 * (-EAGAIN: run again). */
typedef int api_handler(struct api_call *call);

#define HANDLER(operation) int op_##operation(struct api_call *call);
#define PREPARED_HANDLER(operation)                                                                \
	HANDLER(operation)                                                                         \
	int prepare_##operation(struct api_call *call);
#include "api/handlers.tbl.h"
#undef PREPARED_HANDLER
#undef HANDLER

/* Input members; the default when absent. Strings are borrowed from call->in. */
const char *in_text(const struct api_call *call, const char *member);
int64_t in_int(const struct api_call *call, const char *member, int64_t absent);
int in_bool(const struct api_call *call, const char *member, int absent);
json_t *in_json(const struct api_call *call, const char *member);

/* Output members. The value is copied; out_json takes the reference. NULL text and NULL json are
 * left out. */
void out_text(struct api_call *call, const char *member, const char *value);
void out_int(struct api_call *call, const char *member, int64_t value);
void out_bool(struct api_call *call, const char *member, int value);
void out_json(struct api_call *call, const char *member, json_t *value);

/* Paging, for operations with a `page` row. The interpreter has taken the limit and the token of
 * the operation's `page` row apart: a page's cursor is the text that the handler gave for the last
 * item shown; the token that leaves is opaque and bound to operation and filters.
 *
 *     struct page page = page_of(call);                    // page.after: "" on the first page;
 * page.limit query "... where name > ?1 order by name limit ?2"   // with page.after and page.limit
 * + 1 for each row: if (!page_add(&page, item, name)) break;   // false: the page is full, there is
 * more page_end(&page);                                     // writes items and the next token
 *
 * Keys of several parts are joined by the handler in a form it can take apart again. */
struct page {
	struct api_call *call;
	const char *after;
	int64_t limit;
	json_t *items; /* borrowed: a handler that fails leaves it as it is */
	int64_t n;
	char last[PAGE_CURSOR_MAX + 1];
	int is_more;
};
struct page page_of(struct api_call *call);
/* Takes the item. False: it did not fit and was let go. A cursor has 1 to PAGE_CURSOR_MAX bytes. */
int page_add(struct page *page, json_t *item, const char *cursor);
void page_end(struct page *page);

#endif

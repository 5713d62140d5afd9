#include "mosquitto/refusal_table.h"

#include <stdlib.h>
#include <sys/queue.h>

#include "mosquitto/hash.h"
#include "policy/decide.h"

/* How much of a refusal a row keeps. */
enum width { WIDTH_EXACT, WIDTH_OWNER, WIDTH_CAUSE, WIDTHS };

struct row {
	TAILQ_ENTRY(row) link;
	struct row *next; /* in its bucket, which is its owner's */
	uint64_t owner;   /* hash */
	enum width width;
	int64_t told_ms;
	struct event_refused event; /* its texts lie behind the row */
	char texts[];
};

TAILQ_HEAD(row_list, row);

struct refusal_table {
	struct refusal_setup setup;
	struct row_list waiting, resting;
	struct row **by_owner;
	size_t buckets, n;
	uint64_t left_out;
	int64_t tokens_at_ms;
	int64_t tokens; /* thousandths of a telling */
};

struct refusal_table *refusal_table_new(const struct refusal_setup *setup)
{
	struct refusal_table *t = calloc(1, sizeof(*t));
	if (!t)
		return NULL;
	t->setup = *setup;
	t->buckets = hash_buckets(setup->rows_max);
	TAILQ_INIT(&t->waiting);
	TAILQ_INIT(&t->resting);
	t->by_owner = calloc(t->buckets, sizeof(struct row *));
	if (!t->by_owner) {
		free(t);
		return NULL;
	}
	return t;
}

static void free_all(struct row_list *list)
{
	struct row *row;
	while ((row = TAILQ_FIRST(list))) {
		TAILQ_REMOVE(list, row, link);
		free(row);
	}
}

void refusal_table_free(struct refusal_table *t)
{
	if (!t)
		return;
	free_all(&t->waiting);
	free_all(&t->resting);
	free(t->by_owner);
	free(t);
}

/* ---- Keys ---- */

/* Causes that leave it open who it was: anybody can show a certificate that nobody knows. */
static const bool is_of_stranger[CAUSES] = {
	[CAUSE_NO_SNAPSHOT] = true,     [CAUSE_CERT_UNKNOWN] = true,
	[CAUSE_CERT_UNREADABLE] = true, [CAUSE_NO_CERTIFICATE] = true,
	[CAUSE_TLS_FAILED] = true,      [CAUSE_CHAIN_NOT_TRUSTED] = true,
	[CAUSE_WEBSOCKET] = true,
};

static bool has_owner_by_name(const struct event_refused *e)
{
	static const uint8_t none[EVENT_FINGERPRINT];
	return !is_of_stranger[e->cause] &&
	       (e->who.username.n || memcmp(e->who.fingerprint, none, sizeof(none)) != 0);
}

static uint64_t owner_of(const struct refusal_table *t, const struct event_refused *e)
{
	if (!has_owner_by_name(e))
		return hash_text(t->setup.seed, e->who.address);
	return hash_text(hash_bytes(t->setup.seed, e->who.fingerprint, EVENT_FINGERPRINT),
			 e->who.username);
}

/* A session that may not go on is no connect that was refused: its number tells. */
static uint64_t session_kept(const struct event_refused *e)
{
	return e->action == POLICY_CONNECT ? e->who.session : 0;
}

static struct event_refused exact(const struct event_refused *e)
{
	struct event_refused same = *e;
	same.who.session = session_kept(e);
	return same;
}

/* What a row of that width keeps of e. */
static struct event_refused widened(const struct event_refused *e, enum width width)
{
	if (width == WIDTH_EXACT)
		return exact(e);
	struct event_refused wide = {.action = e->action,
				     .cause = e->cause,
				     .is_observed = e->is_observed,
				     .statement = -1};
	if (width == WIDTH_CAUSE)
		return wide;
	if (has_owner_by_name(e)) {
		memcpy(wide.who.fingerprint, e->who.fingerprint, EVENT_FINGERPRINT);
		wide.who.username = e->who.username;
		wide.who.session = session_kept(e);
	} else {
		wide.who.address = e->who.address;
	}
	return wide;
}

static bool same_client(const struct event_identity *a, const struct event_identity *b)
{
	return memcmp(a->fingerprint, b->fingerprint, EVENT_FINGERPRINT) == 0 &&
	       (a->session == 0) == (b->session == 0) && a->port == b->port &&
	       view_eq(a->client_id, b->client_id) && view_eq(a->address, b->address) &&
	       view_eq(a->username, b->username);
}

static bool same_refusal(const struct event_refused *a, const struct event_refused *b)
{
	return a->action == b->action && a->cause == b->cause && a->is_observed == b->is_observed &&
	       a->version == b->version && a->statement == b->statement &&
	       same_client(&a->who, &b->who) && view_eq(a->resource, b->resource) &&
	       view_eq(a->policy, b->policy) && view_eq(a->missing, b->missing);
}

/* ---- Rows ---- */

static struct row **bucket_of(const struct refusal_table *t, uint64_t owner)
{
	return &t->by_owner[owner & (t->buckets - 1)];
}

static struct row *find(const struct refusal_table *t, uint64_t owner, enum width width,
			const struct event_refused *e, size_t *ret_of_owner)
{
	*ret_of_owner = 0;
	for (struct row *row = *bucket_of(t, owner); row; row = row->next) {
		if (row->owner != owner)
			continue;
		if (row->width == width && same_refusal(&row->event, e))
			return row;
		++*ret_of_owner;
	}
	return NULL;
}

static void copy_text(struct writer *w, struct view *text)
{
	struct view from = *text;
	text->p = (const char *)w->buf + w->len;
	write_raw(w, from.p, from.n);
}

static struct row *add(struct refusal_table *t, uint64_t owner, enum width width,
		       const struct event_refused *e)
{
	size_t room = e->who.client_id.n + e->who.address.n + e->who.username.n + e->resource.n +
		      e->policy.n + e->missing.n;
	struct row *row = malloc(sizeof(*row) + room);
	if (!row)
		return NULL;
	*row = (struct row){.owner = owner, .width = width, .event = *e};
	row->event.count = 0;
	struct writer texts = writer_of(row->texts, room);
	copy_text(&texts, &row->event.who.client_id);
	copy_text(&texts, &row->event.who.address);
	copy_text(&texts, &row->event.who.username);
	copy_text(&texts, &row->event.resource);
	copy_text(&texts, &row->event.policy);
	copy_text(&texts, &row->event.missing);
	struct row **bucket = bucket_of(t, owner);
	row->next = *bucket;
	*bucket = row;
	TAILQ_INSERT_TAIL(&t->waiting, row, link);
	t->n++;
	return row;
}

/* Rows by cause alone are few and always find room. */
static bool may_add(const struct refusal_table *t, enum width width, size_t of_owner)
{
	return width == WIDTH_CAUSE ||
	       (t->n < t->setup.rows_max &&
		(width == WIDTH_OWNER || of_owner < t->setup.rows_an_owner_max));
}

static struct row *row_of(struct refusal_table *t, const struct event_refused *e)
{
	for (enum width width = WIDTH_EXACT; width < WIDTHS; width++) {
		struct event_refused wide = widened(e, width);
		uint64_t owner = width == WIDTH_CAUSE ? t->setup.seed : owner_of(t, e);
		size_t of_owner;
		struct row *row = find(t, owner, width, &wide, &of_owner);
		if (!row && may_add(t, width, of_owner))
			row = add(t, owner, width, &wide);
		if (row) {
			t->left_out += width != WIDTH_EXACT;
			return row;
		}
	}
	return NULL;
}

/* The texts as the event will hold them, so that a row is its event. */
static struct event_refused clipped(const struct event_refused *e)
{
	struct event_refused cut = *e;
	cut.who.client_id = event_clip(e->who.client_id, EVENT_CLIENT_ID_MAX);
	cut.who.address = event_clip(e->who.address, EVENT_ADDRESS_MAX);
	cut.who.username = event_clip(e->who.username, EVENT_USERNAME_MAX);
	cut.resource = event_clip(e->resource, EVENT_RESOURCE_MAX);
	cut.policy = event_clip(e->policy, EVENT_NAME_MAX);
	cut.missing = event_clip(e->missing, EVENT_NAME_MAX);
	return cut;
}

void refusal_count(struct refusal_table *t, const struct event_refused *e, int64_t at_ms)
{
	struct event_refused cut = clipped(e);
	struct row *row = row_of(t, &cut);
	if (!row) {
		t->left_out++;
		return;
	}
	if (row->event.count++ == 0)
		row->event.first_ms = at_ms;
	row->event.last_ms = at_ms < row->event.first_ms ? row->event.first_ms : at_ms;
}

/* ---- Telling ---- */

static void forget(struct refusal_table *t, struct row *row)
{
	struct row **at = bucket_of(t, row->owner);
	while (*at != row)
		at = &(*at)->next;
	*at = row->next;
	TAILQ_REMOVE(&t->resting, row, link);
	t->n--;
	free(row);
}

static void wake_rested(struct refusal_table *t, int64_t now_ms)
{
	struct row *row;
	while ((row = TAILQ_FIRST(&t->resting)) && now_ms - row->told_ms >= REFUSAL_REST_MS) {
		if (row->event.count == 0) {
			forget(t, row);
			continue;
		}
		TAILQ_REMOVE(&t->resting, row, link);
		TAILQ_INSERT_TAIL(&t->waiting, row, link);
	}
}

static bool tell_one(struct refusal_table *t, struct row *row)
{
	const struct event e = {.kind = EVENT_REFUSED, .refused = row->event};
	if (!t->setup.tell(t->setup.ctx, &e))
		return false;
	row->event.count = 0;
	return true;
}

/* Tells the rows that wait, at most n. How many it told. */
static size_t tell_waiting(struct refusal_table *t, int64_t now_ms, size_t n)
{
	struct row *row;
	size_t told = 0;
	while (told < n && (row = TAILQ_FIRST(&t->waiting)) && tell_one(t, row)) {
		TAILQ_REMOVE(&t->waiting, row, link);
		TAILQ_INSERT_TAIL(&t->resting, row, link);
		row->told_ms = now_ms;
		told++;
	}
	return told;
}

void refusal_tell(struct refusal_table *t, int64_t now_ms)
{
	if (t->n == 0)
		return;
	int64_t most = (int64_t)t->setup.tells_a_second_max * 1000;
	int64_t idle_ms = now_ms - t->tokens_at_ms;
	t->tokens += (idle_ms < 1000 ? idle_ms : 1000) * t->setup.tells_a_second_max;
	if (t->tokens > most)
		t->tokens = most;
	t->tokens_at_ms = now_ms;
	wake_rested(t, now_ms);
	t->tokens -= (int64_t)tell_waiting(t, now_ms, (size_t)(t->tokens / 1000)) * 1000;
}

void refusal_tell_all(struct refusal_table *t, int64_t now_ms)
{
	(void)tell_waiting(t, now_ms, SIZE_MAX);
	struct row *row;
	TAILQ_FOREACH(row, &t->resting, link)
	{
		if (row->event.count && !tell_one(t, row))
			return;
	}
}

struct event_table refusal_fill(const struct refusal_table *t)
{
	return (struct event_table){.name = VIEW_LIT("refusals"),
				    .n = t->n,
				    .cap = t->setup.rows_max,
				    .left_out = t->left_out};
}

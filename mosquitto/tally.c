#include "mosquitto/tally.h"

#include <stdlib.h>
#include <sys/queue.h>

#include "mosquitto/dimensions.h"
#include "mosquitto/hash.h"
#include "mosquitto/principal.h"
#include "mosquitto/slab.h"

struct counts {
	struct event_dimension all; /* whatever the topic; without a name */
	uint64_t connects, disconnects;
};

/* What is counted of one dimension. */
struct apart {
	struct apart *next;
	struct event_dimension counts; /* its name is the text below */
	char name[];
};

/* What a message touches stands together. */
struct tally {
	struct counts counts;
	struct apart *apart; /* by dimension, newest first */
	struct tallies *table;
	bool is_due;
	bool is_others; /* of several identities: in no bucket */
	uint16_t port;  /* of the newest session's listener */
	uint32_t sessions;
	TAILQ_ENTRY(tally) link;
	struct tally *next; /* in its bucket */
	struct principal *principal;
	char *thing;
	int64_t from_ms; /* the mark before the first that is counted */
	uint8_t client_id_n, thing_n;
	char client_id[];
};

TAILQ_HEAD(tally_list, tally);

struct tallies {
	struct tallies_setup setup;
	struct slab *slab;
	struct principals *principals;
	struct principal *nobody; /* strangers, and all that found no room */
	struct tally_list current, due;
	struct tally **by_key;
	size_t buckets, n;
	uint64_t left_out;
	int64_t window_ms; /* the last mark, 0: no time was heard of yet */
	int64_t due_ms;    /* the mark that those on `due` are due for */
	uint8_t by_dimension[EVENT_DIMENSIONS_MAX * EVENT_DIMENSION_SIZE]; /* of one delivery */
};

struct tallies *tallies_new(const struct tallies_setup *setup)
{
	struct tallies *t = calloc(1, sizeof(*t));
	if (!t)
		return NULL;
	t->setup = *setup;
	TAILQ_INIT(&t->current);
	TAILQ_INIT(&t->due);
	t->buckets = hash_buckets(setup->identities_max);
	t->by_key = calloc(t->buckets, sizeof(struct tally *));
	t->slab = slab_new();
	t->principals = setup->principals;
	t->nobody = principal_take(t->principals, &(struct event_identity){0});
	if (t->by_key && t->slab && t->nobody)
		return t;
	tallies_free(t);
	return NULL;
}

void tallies_free(struct tallies *t)
{
	if (!t)
		return;
	slab_free(t->slab);
	free(t->by_key);
	free(t);
}

/* ---- The table ---- */

static struct view client_id_of(const struct tally *y)
{
	return (struct view){y->client_id, y->client_id_n};
}

static struct view thing_of(const struct tally *y)
{
	return (struct view){y->thing, y->thing_n};
}

static struct tally **bucket_of(const struct tallies *t, const struct principal *principal,
				struct view client_id)
{
	uint64_t h = hash_bytes(t->setup.seed, &principal, sizeof(struct principal *));
	return &t->by_key[hash_text(h, client_id) & (t->buckets - 1)];
}

static struct tally *find(const struct tallies *t, const struct principal *principal,
			  struct view client_id)
{
	struct tally *y = *bucket_of(t, principal, client_id);
	while (y && (y->principal != principal || !view_eq(client_id_of(y), client_id)))
		y = y->next;
	return y;
}

/* Takes a reference to the principal. */
static struct tally *tally_new(struct tallies *t, struct principal *principal,
			       struct view client_id)
{
	struct tally *y = slab_take(t->slab, sizeof(*y) + client_id.n);
	if (!y)
		return NULL;
	y->table = t;
	y->principal = principal;
	y->from_ms = t->window_ms;
	y->client_id_n = (uint8_t)client_id.n;
	if (client_id.n)
		memcpy(y->client_id, client_id.p, client_id.n);
	principal->references++;
	TAILQ_INSERT_TAIL(&t->current, y, link);
	return y;
}

static struct tally *add(struct tallies *t, struct principal *principal, struct view client_id)
{
	struct tally *y = tally_new(t, principal, client_id);
	if (!y)
		return NULL;
	struct tally **bucket = bucket_of(t, principal, client_id);
	y->next = *bucket;
	*bucket = y;
	principal->identities++;
	t->n++;
	return y;
}

static struct tally *others_of(struct tallies *t, struct principal *principal)
{
	if (!principal->others) {
		principal->others = tally_new(t, principal, VIEW_LIT(""));
		if (principal->others)
			principal->others->is_others = true;
	}
	return principal->others;
}

static void leave_bucket(struct tallies *t, struct tally *y)
{
	struct tally **at = bucket_of(t, y->principal, client_id_of(y));
	while (*at != y)
		at = &(*at)->next;
	*at = y->next;
	y->principal->identities--;
	t->n--;
}

static void forget_apart(struct tally *y)
{
	while (y->apart) {
		struct apart *a = y->apart;
		y->apart = a->next;
		slab_give(y->table->slab, a, sizeof(*a) + a->counts.name.n);
	}
}

static void forget(struct tally *y)
{
	struct tallies *t = y->table;
	forget_apart(y);
	if (y->is_others)
		y->principal->others = NULL;
	else
		leave_bucket(t, y);
	TAILQ_REMOVE(y->is_due ? &t->due : &t->current, y, link);
	principal_release(t->principals, y->principal);
	slab_give(t->slab, y->thing, y->thing_n);
	slab_give(t->slab, y, sizeof(*y) + y->client_id_n);
}

/* Where an identity is counted that has no tally of its own. */
static struct tally *find_room(struct tallies *t, struct principal *principal,
			       struct view client_id)
{
	bool is_full = t->n >= t->setup.identities_max;
	if (!is_full && principal->identities < t->setup.identities_a_principal_max)
		return add(t, principal, client_id);
	t->left_out++;
	return others_of(t, is_full && !principal->others ? t->nobody : principal);
}

static struct view own_client_id(const struct event_identity *who)
{
	return event_clip(who->client_id, EVENT_CLIENT_ID_MAX);
}

static struct tally *tally_of(struct tallies *t, const struct event_identity *who)
{
	struct principal *principal = principal_take(t->principals, who);
	if (!principal)
		return others_of(t, t->nobody);
	struct view client_id = own_client_id(who);
	struct tally *y = find(t, principal, client_id);
	if (!y)
		y = find_room(t, principal, client_id);
	principal_release(t->principals, principal);
	return y;
}

/* ---- Delivering ---- */

static bool has_counted(const struct tally *y)
{
	const struct counts *c = &y->counts;
	return c->all.messages.sent || c->all.messages.received || c->all.refusals || c->connects ||
	       c->disconnects;
}

/* Who is connected is told, though nothing happened. */
static bool is_to_tell(const struct tally *y)
{
	return y->sessions > 0 || has_counted(y);
}

static void write_apart(struct tally *y, struct event_counters *ret)
{
	struct tallies *t = y->table;
	struct writer w = writer_of(t->by_dimension, sizeof(t->by_dimension));
	for (const struct apart *a = y->apart; a; a = a->next) {
		event_write_dimension(&w, &a->counts);
		ret->dimensions++;
	}
	ret->by_dimension = (struct view){(const char *)t->by_dimension, w.len};
}

static bool deliver(struct tally *y, int64_t to_ms)
{
	struct tallies *t = y->table;
	struct event e = {
		.kind = EVENT_COUNTERS,
		.counters = {.who = {.client_id = client_id_of(y),
				     .username = principal_username(y->principal),
				     .port = y->port},
			     .thing = thing_of(y),
			     .from_ms = y->from_ms,
			     .to_ms = to_ms,
			     .messages = y->counts.all.messages,
			     .refusals = y->counts.all.refusals,
			     .connects = y->counts.connects,
			     .disconnects = y->counts.disconnects,
			     .is_connected = y->sessions > 0}
        };
	memcpy(e.counters.who.fingerprint, y->principal->fingerprint, EVENT_FINGERPRINT);
	/* Server time went back, or nothing was heard of it before. */
	if (y->from_ms == 0 || y->from_ms >= to_ms)
		e.counters.from_ms = to_ms - TALLY_MARK_MS;
	write_apart(y, &e.counters);
	if (!t->setup.deliver(t->setup.ctx, &e))
		return false;
	y->counts = (struct counts){0};
	forget_apart(y);
	y->from_ms = t->window_ms;
	return true;
}

static void count_on(struct tally *y)
{
	struct tallies *t = y->table;
	TAILQ_REMOVE(&t->due, y, link);
	TAILQ_INSERT_TAIL(&t->current, y, link);
	y->is_due = false;
}

/* What is due of y goes before it counts more. Without room the two are merged. */
static void begin_window(struct tally *y)
{
	struct tallies *t = y->table;
	if (!y->is_due)
		return;
	if (!is_to_tell(y))
		y->from_ms = t->window_ms;
	else
		(void)deliver(y, t->due_ms);
	count_on(y);
}

static void make_all_due(struct tallies *t)
{
	struct tally *y;
	TAILQ_FOREACH(y, &t->current, link)
	{
		y->is_due = true;
	}
	TAILQ_CONCAT(&t->due, &t->current, link);
}

void tallies_pass(struct tallies *t, int64_t now_ms)
{
	int64_t mark = now_ms - now_ms % TALLY_MARK_MS;
	if (mark == t->window_ms)
		return;
	if (t->window_ms && mark > t->window_ms) {
		t->due_ms = t->window_ms + TALLY_MARK_MS;
		make_all_due(t);
	}
	t->window_ms = mark;
}

bool tallies_deliver(struct tallies *t, size_t n)
{
	struct tally *y;
	while ((y = TAILQ_FIRST(&t->due)) && n--) {
		if (is_to_tell(y) && !deliver(y, t->due_ms))
			return false;
		if (y->sessions > 0)
			count_on(y);
		else
			forget(y);
	}
	return !y;
}

void tallies_close(struct tallies *t, int64_t now_ms)
{
	if (!t->window_ms)
		return;
	(void)tallies_deliver(t, SIZE_MAX);
	struct tally *y;
	TAILQ_FOREACH(y, &t->current, link)
	{
		if (has_counted(y) && !deliver(y, now_ms))
			return;
	}
}

/* ---- Counting ---- */

static void set_thing(struct tally *y, struct view thing)
{
	struct slab *slab = y->table->slab;
	if (y->is_others || view_eq(thing_of(y), thing))
		return;
	slab_give(slab, y->thing, y->thing_n);
	y->thing_n = 0;
	y->thing = thing.n && thing.n <= EVENT_NAME_MAX ? slab_take(slab, thing.n) : NULL;
	if (!y->thing)
		return;
	memcpy(y->thing, thing.p, thing.n);
	y->thing_n = (uint8_t)thing.n;
}

struct tally *tally_open(struct tallies *t, const struct event_identity *who, struct view thing)
{
	struct tally *y = tally_absent(t, who, thing);
	if (!y)
		return NULL;
	y->sessions++;
	y->counts.connects++;
	y->port = who->port;
	return y;
}

struct tally *tally_absent(struct tallies *t, const struct event_identity *who, struct view thing)
{
	struct tally *y = tally_of(t, who);
	if (!y)
		return NULL;
	begin_window(y);
	set_thing(y, thing);
	return y;
}

/* A stranger makes no principal; of a certificate only its own thing gets counters by a refusal. */
static struct tally *tally_refused_to(struct tallies *t, const struct event_identity *who,
				      enum tally_standing standing)
{
	if (standing == TALLY_OWN)
		return tally_of(t, who);
	if (standing == TALLY_STRANGER)
		return others_of(t, t->nobody);
	struct principal *principal = principal_take(t->principals, who);
	if (!principal)
		return others_of(t, t->nobody);
	struct tally *y = find(t, principal, own_client_id(who));
	if (!y)
		y = others_of(t, principal);
	principal_release(t->principals, principal);
	return y;
}

void tally_attempt(struct tallies *t, const struct event_identity *who,
		   enum tally_standing standing)
{
	struct tally *y = tally_refused_to(t, who, standing);
	if (!y)
		return;
	begin_window(y);
	y->counts.connects++;
	y->counts.all.refusals++;
}

typedef void count_fn(struct event_dimension *counts, uint32_t bytes);

static void count_sent(struct event_dimension *counts, uint32_t bytes)
{
	struct event_messages *m = &counts->messages;
	if (m->sent == 0 || bytes < m->sent_min)
		m->sent_min = bytes;
	if (bytes > m->sent_max)
		m->sent_max = bytes;
	m->sent++;
	m->sent_bytes += bytes;
}

static void count_received(struct event_dimension *counts, uint32_t bytes)
{
	counts->messages.received++;
	counts->messages.received_bytes += bytes;
}

static void count_refused(struct event_dimension *counts, uint32_t bytes)
{
	(void)bytes;
	counts->refusals++;
}

/* The counters of a dimension; NULL without memory, and for more names in one window than an event
 * has room for. */
static struct apart *apart_of(struct tally *y, struct view name)
{
	unsigned n = 0;
	for (struct apart *a = y->apart; a; a = a->next, n++)
		if (view_eq(a->counts.name, name))
			return a;
	struct apart *a = n < EVENT_DIMENSIONS_MAX && name.n <= EVENT_NAME_MAX
				  ? slab_take(y->table->slab, sizeof(*a) + name.n)
				  : NULL;
	if (!a)
		return NULL;
	memcpy(a->name, name.p, name.n);
	a->counts.name = (struct view){a->name, name.n};
	a->next = y->apart;
	y->apart = a;
	return a;
}

static void count(struct tally *y, const struct tally_message *m, count_fn *fn)
{
	if (!y)
		return;
	begin_window(y);
	fn(&y->counts.all, m->bytes);
	const struct dimensions *d = y->table->setup.dimensions;
	for (unsigned i = 0; i < d->n; i++) {
		if (!dimension_holds(&d->all[i], m->topic, m->client_id))
			continue;
		struct apart *a = apart_of(y, d->all[i].name);
		if (a)
			fn(&a->counts, m->bytes);
	}
}

void tally_sent(struct tally *y, const struct tally_message *m)
{
	count(y, m, count_sent);
}

void tally_received(struct tally *y, const struct tally_message *m)
{
	count(y, m, count_received);
}

void tally_refused(struct tally *y, const struct tally_message *m)
{
	count(y, m, count_refused);
}

void tally_ended(struct tally *y)
{
	if (!y)
		return;
	begin_window(y);
	y->sessions--;
	y->counts.disconnects++;
}

struct event_table tallies_fill(const struct tallies *t)
{
	return (struct event_table){.name = VIEW_LIT("identities"),
				    .n = t->n,
				    .cap = t->setup.identities_max,
				    .left_out = t->left_out};
}

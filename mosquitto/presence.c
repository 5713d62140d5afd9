#include "mosquitto/presence.h"

#include <stdlib.h>
#include <sys/queue.h>

#define BUCKETS  65536 /* a power of two; session numbers count up, so they spread by themselves */
#define BODY_MAX 1024  /* bytes of a written CONNECT or DISCONNECT */

/* An event that found no room, as it was written. */
struct owed {
	TAILQ_ENTRY(owed) link;
	struct owed *next; /* a beginning: in its bucket */
	uint64_t session;
	enum event_kind kind;
	size_t n;
	uint8_t body[];
};

TAILQ_HEAD(owed_list, owed);

struct presence {
	struct presence_setup setup;
	struct owed_list beginnings, ends;
	uint64_t merged;
	struct owed *by_session[BUCKETS];
};

struct presence *presence_new(const struct presence_setup *setup)
{
	struct presence *p = calloc(1, sizeof(*p));
	if (!p)
		return NULL;
	p->setup = *setup;
	TAILQ_INIT(&p->beginnings);
	TAILQ_INIT(&p->ends);
	return p;
}

static void drop(struct owed_list *list, struct owed *o)
{
	TAILQ_REMOVE(list, o, link);
	free(o);
}

static void drop_all(struct owed_list *list)
{
	struct owed *o;
	while ((o = TAILQ_FIRST(list)))
		drop(list, o);
}

void presence_free(struct presence *p)
{
	if (!p)
		return;
	drop_all(&p->beginnings);
	drop_all(&p->ends);
	free(p);
}

/* Nothing is told before what is owed. */
static bool is_in_arrears(const struct presence *p)
{
	return !TAILQ_EMPTY(&p->beginnings) || !TAILQ_EMPTY(&p->ends);
}

static struct owed *owe(struct presence *p, struct owed_list *list, const struct event *e,
			uint64_t session)
{
	uint8_t body[BODY_MAX];
	struct writer w = writer_of(body, sizeof(body));
	event_write(&w, e);
	struct owed *o = w.full ? NULL : malloc(sizeof(*o) + w.len);
	if (!o) {
		p->merged++;
		return NULL;
	}
	*o = (struct owed){.session = session, .kind = e->kind, .n = w.len};
	memcpy(o->body, body, w.len);
	TAILQ_INSERT_TAIL(list, o, link);
	return o;
}

static struct owed **bucket_of(struct presence *p, uint64_t session)
{
	return &p->by_session[session % BUCKETS];
}

/* Takes a beginning that is owed out of its bucket; NULL when none is. */
static struct owed *take_beginning(struct presence *p, uint64_t session)
{
	struct owed **at = bucket_of(p, session);
	while (*at && (*at)->session != session)
		at = &(*at)->next;
	struct owed *o = *at;
	if (o)
		*at = o->next;
	return o;
}

void presence_began(struct presence *p, const struct event *e)
{
	if (!is_in_arrears(p) && p->setup.tell(p->setup.ctx, e))
		return;
	uint64_t session = e->connect.who.session;
	struct owed *o = owe(p, &p->beginnings, e, session);
	if (!o)
		return;
	struct owed **bucket = bucket_of(p, session);
	o->next = *bucket;
	*bucket = o;
}

void presence_ended(struct presence *p, const struct event *e)
{
	struct owed *beginning = take_beginning(p, e->disconnect.who.session);
	if (beginning) {
		drop(&p->beginnings, beginning);
		p->merged++;
		return;
	}
	if (!is_in_arrears(p) && p->setup.tell(p->setup.ctx, e))
		return;
	(void)owe(p, &p->ends, e, e->disconnect.who.session);
}

/* False when there is no room. */
static bool tell_owed(struct presence *p, const struct owed *o)
{
	struct event e;
	struct reader body = reader_of(o->body, o->n);
	return event_read(o->kind, &body, &e) < 0 || p->setup.tell(p->setup.ctx, &e);
}

void presence_catch_up(struct presence *p)
{
	struct owed *o;
	while ((o = TAILQ_FIRST(&p->ends))) {
		if (!tell_owed(p, o))
			return;
		drop(&p->ends, o);
	}
	while ((o = TAILQ_FIRST(&p->beginnings))) {
		if (!tell_owed(p, o))
			return;
		(void)take_beginning(p, o->session);
		drop(&p->beginnings, o);
	}
}

uint64_t presence_merged(const struct presence *p)
{
	return p->merged;
}

#include "mosquitto/session.h"

#include <stdlib.h>

#include "mosquitto/hash.h"

#define BUCKETS_MIN  1024
#define CUT_AGAIN_MS 1000

TAILQ_HEAD(session_list_head, session);

/* Two chained hash indexes of one size. */
struct session_table {
	struct principals *principals;
	struct policy_sets *sets;
	struct session_list_head lists[SESSION_LISTS];
	struct session **by_client, **by_id;
	struct session *found; /* last: the broker asks several times of one; NULL: nobody */
	size_t n, buckets;
};

static size_t client_bucket(const struct session_table *t, const struct mosquitto *client)
{
	uint64_t h = (uint64_t)(uintptr_t)client * 0x9E3779B97F4A7C15U;
	return (size_t)(h >> 32) & (t->buckets - 1);
}

static size_t id_bucket(const struct session_table *t, const char *client_id)
{
	uint64_t seed = principals_seed(t->principals);
	return (size_t)hash_text(seed, view_of(client_id)) & (t->buckets - 1);
}

struct session_table *session_table_new(struct principals *principals, struct policy_sets *sets)
{
	struct session_table *t = calloc(1, sizeof(*t));
	if (!t)
		return NULL;
	t->principals = principals;
	t->sets = sets;
	for (unsigned i = 0; i < SESSION_LISTS; i++)
		TAILQ_INIT(&t->lists[i]);
	t->buckets = BUCKETS_MIN;
	t->by_client = calloc(t->buckets, sizeof(struct session *));
	t->by_id = calloc(t->buckets, sizeof(struct session *));
	if (!t->by_client || !t->by_id) {
		session_table_free(t);
		return NULL;
	}
	return t;
}

void session_table_free(struct session_table *t)
{
	if (!t)
		return;
	for (unsigned i = 0; i < SESSION_LISTS; i++) {
		struct session *s;
		while ((s = TAILQ_FIRST(&t->lists[i])))
			session_remove(t, s);
	}
	free(t->by_client);
	free(t->by_id);
	free(t);
}

size_t session_table_count(const struct session_table *t)
{
	return t->n;
}

/* ---- One session ---- */

static size_t text_size(const char *s)
{
	return s ? strlen(s) + 1 : 0;
}

/* Copies a text behind the session and moves *at behind it. */
static const char *put_text(char **at, const char *s)
{
	size_t n = text_size(s);
	char *put = *at;
	if (n == 0)
		return NULL;
	memcpy(put, s, n);
	*at += n;
	return put;
}

struct session *session_new(struct session_table *t, const struct session_facts *facts)
{
	size_t text =
		text_size(facts->client_id) + text_size(facts->address) + text_size(facts->domain);
	struct session *s = calloc(1, sizeof(*s) + text);
	if (!s)
		return NULL;
	struct event_identity who = {.username = view_of(facts->username)};
	if (facts->fingerprint)
		memcpy(who.fingerprint, facts->fingerprint, EVENT_FINGERPRINT);
	s->principal = principal_take(t->principals, &who);
	if (!s->principal) {
		free(s);
		return NULL;
	}
	char *at = s->text;
	s->client_id = put_text(&at, facts->client_id);
	s->address = put_text(&at, facts->address);
	s->domain = put_text(&at, facts->domain);
	s->client = facts->client;
	s->fd = -1;
	return s;
}

void session_free(struct session_table *t, struct session *s)
{
	if (!s)
		return;
	policy_set_release(t->sets, s->policies);
	principal_release(t->principals, s->principal);
	free(s);
}

bool session_has_certificate(const struct session *s)
{
	return principal_has_certificate(s->principal);
}

struct event_identity session_identity(const struct session *s)
{
	struct event_identity who = {.session = s->number,
				     .client_id = view_of(s->client_id),
				     .address = view_of(s->address),
				     .username = principal_username(s->principal),
				     .port = s->port};
	memcpy(who.fingerprint, s->principal->fingerprint, EVENT_FINGERPRINT);
	return who;
}

/* ---- The table ---- */

struct session *session_find(struct session_table *t, const struct mosquitto *client)
{
	if (t->found && t->found->client == client)
		return t->found;
	struct session *s = t->by_client[client_bucket(t, client)];
	while (s && s->client != client)
		s = s->next_by_client;
	t->found = s;
	return s;
}

struct session *session_find_id(const struct session_table *t, const char *client_id)
{
	struct session *s = t->by_id[id_bucket(t, client_id)];
	while (s && strcmp(s->client_id, client_id) != 0)
		s = s->next_by_id;
	return s;
}

const struct session *session_other(const struct session *s)
{
	const struct session *newest = LIST_FIRST(&s->principal->sessions);
	return newest == s ? LIST_NEXT(s, of_principal) : newest;
}

static void index_insert(struct session_table *t, struct session *s)
{
	struct session **client = &t->by_client[client_bucket(t, s->client)];
	s->next_by_client = *client;
	*client = s;
	struct session **id = &t->by_id[id_bucket(t, s->client_id)];
	s->next_by_id = *id;
	*id = s;
}

static void index_remove(struct session_table *t, struct session *s)
{
	struct session **at = &t->by_client[client_bucket(t, s->client)];
	while (*at != s)
		at = &(*at)->next_by_client;
	*at = s->next_by_client;
	at = &t->by_id[id_bucket(t, s->client_id)];
	while (*at != s)
		at = &(*at)->next_by_id;
	*at = s->next_by_id;
}

static int grow(struct session_table *t)
{
	size_t buckets = t->buckets * 2;
	struct session **by_client = calloc(buckets, sizeof(struct session *));
	struct session **by_id = calloc(buckets, sizeof(struct session *));
	if (!by_client || !by_id) {
		free(by_client);
		free(by_id);
		return -1;
	}
	free(t->by_client);
	free(t->by_id);
	t->by_client = by_client;
	t->by_id = by_id;
	t->buckets = buckets;
	for (unsigned i = 0; i < SESSION_LISTS; i++) {
		struct session *s;
		TAILQ_FOREACH(s, &t->lists[i], link)
		{
			index_insert(t, s);
		}
	}
	return 0;
}

int session_add(struct session_table *t, struct session *s)
{
	if (t->n >= t->buckets && grow(t) < 0)
		return -1;
	index_insert(t, s);
	s->list = SESSION_FRESH;
	TAILQ_INSERT_TAIL(&t->lists[SESSION_FRESH], s, link);
	LIST_INSERT_HEAD(&s->principal->sessions, s, of_principal);
	s->principal->open++;
	t->n++;
	return 0;
}

void session_take(struct session_table *t, struct session *s)
{
	if (t->found == s)
		t->found = NULL;
	index_remove(t, s);
	TAILQ_REMOVE(&t->lists[s->list], s, link);
	LIST_REMOVE(s, of_principal);
	s->principal->open--;
	t->n--;
}

void session_remove(struct session_table *t, struct session *s)
{
	session_take(t, s);
	session_free(t, s);
}

/* ---- The lists ---- */

static void move_to(struct session_table *t, struct session *s, enum session_list list)
{
	TAILQ_REMOVE(&t->lists[s->list], s, link);
	/* Who resisted a cut does not hold up who is to be cut first. */
	if (list == SESSION_DOOMED && !s->cut_ms)
		TAILQ_INSERT_HEAD(&t->lists[list], s, link);
	else
		TAILQ_INSERT_TAIL(&t->lists[list], s, link);
	s->list = (uint8_t)list;
}

void session_table_outdate(struct session_table *t)
{
	struct session *s;
	TAILQ_FOREACH(s, &t->lists[SESSION_FRESH], link)
	{
		s->list = SESSION_STALE;
	}
	TAILQ_CONCAT(&t->lists[SESSION_STALE], &t->lists[SESSION_FRESH], link);
}

static struct principal *principal_of(const struct session_table *t, const uint8_t *fingerprint)
{
	struct event_identity who = {0};
	memcpy(who.fingerprint, fingerprint, EVENT_FINGERPRINT);
	return principal_find(t->principals, &who);
}

void session_outdate_cert(struct session_table *t, const uint8_t *fingerprint)
{
	const struct principal *principal = principal_of(t, fingerprint);
	struct session *s;
	if (!principal)
		return;
	LIST_FOREACH(s, &principal->sessions, of_principal)
	{
		if (s->list == SESSION_FRESH)
			move_to(t, s, SESSION_STALE);
	}
}

struct session *session_next_stale(const struct session_table *t)
{
	return TAILQ_FIRST(&t->lists[SESSION_STALE]);
}

struct session *session_next_fresh(struct session_table *t)
{
	struct session *s = TAILQ_FIRST(&t->lists[SESSION_FRESH]);
	if (s)
		move_to(t, s, SESSION_FRESH);
	return s;
}

void session_was_judged(struct session_table *t, struct session *s)
{
	bool is_refused = s->refusal && !session_is_observed(s);
	bool is_doomed = is_refused || s->list == SESSION_DOOMED;
	move_to(t, s, is_doomed ? SESSION_DOOMED : SESSION_FRESH);
}

struct session *session_next_doomed(struct session_table *t, int64_t now_ms)
{
	struct session *s = TAILQ_FIRST(&t->lists[SESSION_DOOMED]);
	if (!s || (s->cut_ms && now_ms - s->cut_ms < CUT_AGAIN_MS))
		return NULL;
	s->cut_ms = now_ms;
	move_to(t, s, SESSION_DOOMED);
	return s;
}

bool session_table_is_settled(const struct session_table *t)
{
	return TAILQ_EMPTY(&t->lists[SESSION_STALE]) && TAILQ_EMPTY(&t->lists[SESSION_DOOMED]);
}

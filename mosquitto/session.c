#include "mosquitto/session.h"

#include <stdlib.h>

#include "mosquitto/hex.h"

int session_init(struct session *s, struct mosquitto *client, const uint8_t *fingerprint,
		 const char *client_id, const char *address)
{
	*s = (struct session){.client = client};
	if (fingerprint) {
		memcpy(s->fingerprint, fingerprint, SNAPSHOT_FINGERPRINT);
		hex_write(fingerprint, SNAPSHOT_FINGERPRINT, s->username);
	}
	s->client_id = strdup(client_id);
	s->address = address ? strdup(address) : NULL;
	if (s->client_id && (s->address || !address))
		return 0;
	session_release(s);
	return -1;
}

void session_release(struct session *s)
{
	free(s->client_id);
	free(s->address);
	free(s->programs);
}

/* Fills request and programs from the snapshot. A reason when that cannot be. */
static const char *resolve(struct session *s, const struct rules *rules)
{
	struct snapshot_policy found[SNAPSHOT_PROGRAMS_MAX];
	bool is_quarantined;
	unsigned n =
		snapshot_programs(rules->snapshot, &s->cert, view_of(s->client_id), &s->request,
				  found, SNAPSHOT_PROGRAMS_MAX, &is_quarantined);
	if (n > SNAPSHOT_PROGRAMS_MAX)
		return "more policies apply than the plugin takes";
	struct view *programs = malloc((n ? n : 1) * sizeof(*programs));
	if (!programs)
		return "no memory";
	for (unsigned i = 0; i < n; i++)
		programs[i] = found[i].program;
	free(s->programs);
	s->programs = programs;
	s->n_programs = n;
	s->request.certificate_id = view_of(s->username);
	s->request.source_ip = view_of(s->address);
	return NULL;
}

static const char *judge(struct session *s, const struct rules *rules, int64_t now_s)
{
	if (s->is_doorbell)
		return NULL;
	const char *refusal = rules_refusal(rules, s->fingerprint, now_s, &s->cert);
	if (!refusal)
		refusal = resolve(s, rules);
	if (!refusal && !session_may(s, POLICY_CONNECT, VIEW_LIT("client"), view_of(s->client_id)))
		refusal = "policy does not allow iot:Connect";
	return refusal;
}

void session_judge(struct session *s, const struct rules *rules, int64_t now_s)
{
	s->n_programs = 0; /* views into an earlier snapshot are gone */
	s->refusal = judge(s, rules, now_s);
	s->epoch = rules->epoch;
}

bool session_may(const struct session *s, enum policy_action action, struct view type,
		 struct view name)
{
	struct policy_request request = s->request;
	request.action = action;
	request.type = type;
	request.name = name;
	return policy_decide(s->programs, s->n_programs, &request).decision == POLICY_ALLOWED;
}

struct event_identity session_identity(const struct session *s)
{
	struct event_identity who = {.session = s->number,
				     .client_id = view_of(s->client_id),
				     .address = view_of(s->address)};
	memcpy(who.fingerprint, s->fingerprint, EVENT_FINGERPRINT);
	return who;
}

/* ---- The table: two chained hash indexes of one size ---- */

TAILQ_HEAD(session_list_head, session);

struct session_table {
	struct session_list_head lists[SESSION_LISTS];
	struct session **by_client, **by_cert;
	size_t n, buckets;
};

#define BUCKETS_MIN  1024
#define CUT_AGAIN_MS 1000

static size_t client_bucket(const struct session_table *t, const struct mosquitto *client)
{
	uint64_t h = (uint64_t)(uintptr_t)client * 0x9E3779B97F4A7C15U;
	return (size_t)(h >> 32) & (t->buckets - 1);
}

static size_t cert_bucket(const struct session_table *t, const uint8_t *fingerprint)
{
	uint64_t h;
	memcpy(&h, fingerprint, sizeof(h));
	return (size_t)h & (t->buckets - 1);
}

struct session_table *session_table_new(void)
{
	struct session_table *t = calloc(1, sizeof(*t));
	if (!t)
		return NULL;
	for (unsigned i = 0; i < SESSION_LISTS; i++)
		TAILQ_INIT(&t->lists[i]);
	t->buckets = BUCKETS_MIN;
	t->by_client = calloc(t->buckets, sizeof(*t->by_client));
	t->by_cert = calloc(t->buckets, sizeof(*t->by_cert));
	if (!t->by_client || !t->by_cert) {
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
		while ((s = TAILQ_FIRST(&t->lists[i]))) {
			TAILQ_REMOVE(&t->lists[i], s, link);
			session_release(s);
			free(s);
		}
	}
	free(t->by_client);
	free(t->by_cert);
	free(t);
}

struct session *session_find(const struct session_table *t, const struct mosquitto *client)
{
	struct session *s = t->by_client[client_bucket(t, client)];
	while (s && s->client != client)
		s = s->next_by_client;
	return s;
}

static void move_to(struct session_table *t, struct session *s, enum session_list list)
{
	TAILQ_REMOVE(&t->lists[s->list], s, link);
	/* Who resisted a cut does not hold up who is to be cut first. */
	if (list == SESSION_DOOMED && !s->cut_ms)
		TAILQ_INSERT_HEAD(&t->lists[list], s, link);
	else
		TAILQ_INSERT_TAIL(&t->lists[list], s, link);
	s->list = list;
}

static void index_insert(struct session_table *t, struct session *s)
{
	struct session **client = &t->by_client[client_bucket(t, s->client)];
	s->next_by_client = *client;
	*client = s;
	struct session **cert = &t->by_cert[cert_bucket(t, s->fingerprint)];
	s->next_by_cert = *cert;
	*cert = s;
}

static int grow(struct session_table *t)
{
	size_t buckets = t->buckets * 2;
	struct session **by_client = calloc(buckets, sizeof(*by_client));
	struct session **by_cert = calloc(buckets, sizeof(*by_cert));
	if (!by_client || !by_cert) {
		free(by_client);
		free(by_cert);
		return -1;
	}
	free(t->by_client);
	free(t->by_cert);
	t->by_client = by_client;
	t->by_cert = by_cert;
	t->buckets = buckets;
	for (unsigned i = 0; i < SESSION_LISTS; i++) {
		struct session *s;
		TAILQ_FOREACH(s, &t->lists[i], link)
		index_insert(t, s);
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
	t->n++;
	return 0;
}

static void index_remove(struct session_table *t, struct session *s)
{
	struct session **at = &t->by_client[client_bucket(t, s->client)];
	while (*at != s)
		at = &(*at)->next_by_client;
	*at = s->next_by_client;
	at = &t->by_cert[cert_bucket(t, s->fingerprint)];
	while (*at != s)
		at = &(*at)->next_by_cert;
	*at = s->next_by_cert;
}

void session_remove(struct session_table *t, struct session *s)
{
	index_remove(t, s);
	TAILQ_REMOVE(&t->lists[s->list], s, link);
	t->n--;
	session_release(s);
	free(s);
}

void session_table_outdate(struct session_table *t)
{
	struct session *s;
	TAILQ_FOREACH(s, &t->lists[SESSION_FRESH], link)
	s->list = SESSION_STALE;
	TAILQ_CONCAT(&t->lists[SESSION_STALE], &t->lists[SESSION_FRESH], link);
}

static void judge_again(struct session_table *t, struct session *s, const struct rules *rules,
			int64_t now_s)
{
	session_judge(s, rules, now_s);
	/* New rules save nobody from a kick. */
	bool is_doomed = s->refusal || s->list == SESSION_DOOMED;
	move_to(t, s, is_doomed ? SESSION_DOOMED : SESSION_FRESH);
}

void session_table_sweep(struct session_table *t, const struct rules *rules, int64_t now_s,
			 unsigned n)
{
	struct session *s;
	while (n-- && (s = TAILQ_FIRST(&t->lists[SESSION_STALE])))
		judge_again(t, s, rules, now_s);
}

bool session_stands(struct session_table *t, struct session *s, const struct rules *rules,
		    int64_t now_s)
{
	if (s->epoch != rules->epoch)
		judge_again(t, s, rules, now_s);
	return !s->refusal;
}

void session_doom_cert(struct session_table *t, const uint8_t *fingerprint)
{
	struct session *s = t->by_cert[cert_bucket(t, fingerprint)];
	for (; s; s = s->next_by_cert)
		if (!s->is_doorbell &&
		    memcmp(s->fingerprint, fingerprint, SNAPSHOT_FINGERPRINT) == 0)
			move_to(t, s, SESSION_DOOMED);
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

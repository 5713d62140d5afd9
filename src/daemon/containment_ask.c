#include "daemon/containment_ask.h"

#include "base/log.h"
#include "broker/snapshot.h"
#include "contain/escape.h"
#include "registry/containment.h"

#include <errno.h>
#include <glib.h>
#include <sys/stat.h>
#include <unistd.h>

struct containment_asker {
	const char *path;
	char random_client[ID_HEX_SIZE];
	struct snapshot *snapshot; /* as the brokers read it; NULL: nothing was asked lately */
	bool has_asked;            /* in this round */
};

/* ---- The snapshot ---- */

/* What was loaded before is the file in its place, followed as the brokers follow it. */
static bool is_in_force(const struct containment_asker *a, uint64_t generation)
{
	char why[SNAPSHOT_WHY_SIZE];
	struct stat st;
	int r = 1;
	if (!a->snapshot || stat(a->path, &st) < 0 || !snapshot_is_file(a->snapshot, &st))
		return false;
	while (r == 1)
		r = snapshot_follow(a->snapshot, NULL, why, sizeof(why));
	return r == 0 && snapshot_in_force(a->snapshot) >= generation;
}

static void drop_snapshot(struct containment_asker *a)
{
	snapshot_free(a->snapshot);
	a->snapshot = NULL;
}

/* The file that the brokers read, in this generation or a later one. */
static int need_snapshot(struct containment_asker *a, uint64_t generation)
{
	char why[SNAPSHOT_WHY_SIZE];
	a->has_asked = true;
	if (is_in_force(a, generation))
		return 0;
	drop_snapshot(a);
	if (snapshot_load(a->path, geteuid(), generation, &a->snapshot, why, sizeof(why)) == 0)
		return 0;
	log_warning("containment", "%s: %s; it is looked at again", a->path, why);
	return -EAGAIN;
}

/* ---- Asking it ---- */

/* One question on its way. */
struct asking {
	const struct containment_asker *asker;
	const struct containment_question *question;
	struct sql_conn *reader;
	GArray *documents; /* of struct escape_document: what was taken away, or denies */
	GArray *own;       /* likewise: of the certificate at hand */
	GPtrArray *things; /* of it */
	GPtrArray *texts;  /* what documents point to */
	char policy[256];  /* of the last answer */
	struct escape_search search;
	struct contain_asked asked;
	char *escape;
};

static bool find_active(const struct asking *a, const char *certificate, struct snapshot_cert *ret)
{
	uint8_t fingerprint[SNAPSHOT_FINGERPRINT];
	return strlen(certificate) == 2 * sizeof(fingerprint) &&
	       hex_decode(certificate, fingerprint, sizeof(fingerprint)) == 0 &&
	       snapshot_find(a->asker->snapshot, fingerprint, ret) &&
	       ret->status == SNAPSHOT_CERT_ACTIVE;
}

static void tell_answer(struct asking *a, const struct snapshot_policy *policies,
			const struct policy_verdict *verdict, struct escape_answer *ret)
{
	ret->decision = verdict->decision;
	ret->policy = a->policy;
	a->policy[0] = '\0';
	if (verdict->program < 0)
		return;
	const struct snapshot_policy *policy = &policies[verdict->program];
	(void)g_snprintf(a->policy, sizeof(a->policy), "%.*s", (int)policy->name.n, policy->name.p);
	ret->version = policy->version;
	ret->statement = verdict->statement;
}

static int ask(const char *certificate, struct policy_request *request, void *ctx,
	       struct escape_answer *ret)
{
	struct asking *a = ctx;
	struct snapshot_cert cert;
	struct snapshot_policy policies[SNAPSHOT_PROGRAMS_MAX];
	struct view programs[SNAPSHOT_PROGRAMS_MAX];
	*ret = (struct escape_answer){.decision = POLICY_IMPLICIT_DENY, .policy = ""};
	if (!find_active(a, certificate, &cert))
		return 0;
	unsigned n = snapshot_programs(a->asker->snapshot, &cert, request->client_id, request,
				       policies, ARRAY_LEN(policies), &ret->is_quarantined);
	request->certificate_id = view_of(certificate);
	if (n > ARRAY_LEN(policies))
		return 0; /* the plugin lets nobody connect by so many */
	for (unsigned i = 0; i < n; i++)
		programs[i] = policies[i].program;
	struct policy_verdict verdict = policy_decide(programs, n, request);
	tell_answer(a, policies, &verdict, ret);
	return 0;
}

static const char *keep(struct asking *a, const char *text)
{
	char *mine = g_strdup(text);
	g_ptr_array_add(a->texts, mine);
	return mine;
}

static struct escape_document copy_of(struct asking *a, const char *policy, int64_t version,
				      const char *document)
{
	return (struct escape_document){keep(a, policy), version, keep(a, document)};
}

static int take_document(const char *policy, int64_t version, const char *document, void *ctx)
{
	struct asking *a = ctx;
	struct escape_document one = copy_of(a, policy, version, document);
	(void)g_array_append_val(a->documents, one);
	return 0;
}

static int take_own(const char *policy, int64_t version, const char *document, void *ctx)
{
	struct asking *a = ctx;
	struct escape_document one = copy_of(a, policy, version, document);
	(void)g_array_append_val(a->own, one);
	return 0;
}

static int take_thing(const char *name, void *ctx)
{
	struct asking *a = ctx;
	g_ptr_array_add(a->things, g_strdup(name));
	return 0;
}

static const char *thing_of(const struct containment_question *q)
{
	const char *const texts[] = {
		[CONTAIN_THING_NONE] = NULL,
		[CONTAIN_THING_TARGET] = q->target,
		[CONTAIN_THING_DETAIL] = q->detail,
	};
	return texts[contain_thing(q->kind)];
}

static int find_escape(struct asking *a, const char *certificate)
{
	struct snapshot_cert cert;
	if (!find_active(a, certificate, &cert)) {
		a->asked.certificates++; /* it can do nothing */
		return 0;
	}
	int r = containment_each_own_document(a->reader, certificate, take_own, a);
	if (r == 0)
		r = containment_each_thing(a->reader, certificate, take_thing, a);
	const struct escape_identity identity = {
		.certificate = certificate,
		.thing = thing_of(a->question),
		.things = (const char *const *)(void *)a->things->pdata,
		.n_things = a->things->len,
		.own = (const struct escape_document *)(void *)a->own->data,
		.n_own = a->own->len,
	};
	if (r == 0)
		r = escape_find(&a->search, &identity, &a->asked, &a->escape);
	(void)g_array_set_size(a->own, 0);
	(void)g_ptr_array_set_size(a->things, 0);
	return r;
}

static int take_certificate(const char *certificate, void *ids)
{
	g_ptr_array_add(ids, g_strdup(certificate));
	return 0;
}

static int ask_all(struct asking *a)
{
	const struct containment_question *q = a->question;
	g_autoptr(GPtrArray) ids = g_ptr_array_new_with_free_func(g_free);
	int r = containment_each_document(a->reader, q->id, take_document, a);
	if (r == 0)
		r = containment_each_certificate(a->reader, q->id, take_certificate, ids);
	a->search = (struct escape_search){
		.kind = q->kind,
		.documents = (const struct escape_document *)(void *)a->documents->data,
		.n_documents = a->documents->len,
		.random_client = a->asker->random_client,
		.ask = ask,
		.ctx = a,
	};
	a->asked.is_sample = q->is_sample;
	for (guint i = 0; i < ids->len && r == 0 && !a->escape; i++)
		r = find_escape(a, ids->pdata[i]);
	a->asked.escape = a->escape;
	return r;
}

int containment_ask(struct containment_asker *asker, struct sql_conn *reader,
		    const struct containment_question *question, struct contain_asked *ret,
		    char **ret_escape)
{
	int r = need_snapshot(asker, question->generation);
	if (r < 0)
		return r;
	struct asking a = {.asker = asker, .question = question, .reader = reader};
	a.documents = g_array_new(FALSE, FALSE, sizeof(struct escape_document));
	a.own = g_array_new(FALSE, FALSE, sizeof(struct escape_document));
	a.things = g_ptr_array_new_with_free_func(g_free);
	a.texts = g_ptr_array_new_with_free_func(g_free);
	r = ask_all(&a);
	(void)g_array_free(a.documents, TRUE);
	(void)g_array_free(a.own, TRUE);
	g_ptr_array_unref(a.things);
	g_ptr_array_unref(a.texts);
	*ret = a.asked;
	*ret_escape = a.escape;
	return r;
}

/* ---- Life ---- */

struct containment_asker *containment_asker_new(const char *snapshot, struct chance chance)
{
	struct containment_asker *a = g_new0(struct containment_asker, 1);
	a->path = snapshot;
	id_hex(chance, a->random_client);
	return a;
}

void containment_asker_end_round(struct containment_asker *a)
{
	if (!a->has_asked)
		drop_snapshot(a);
	a->has_asked = false;
}

void containment_asker_free(struct containment_asker *a)
{
	if (!a)
		return;
	drop_snapshot(a);
	g_free(a);
}

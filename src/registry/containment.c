#include "registry/containment.h"

#include "contain/escape.h"
#include "registry/rows.h"
#include "store/change.h"

#include <glib.h>

#define FORGET_SLICE 1000
#define ROWS_MAX     (INT64_C(4) * CONTAINMENT_CERTIFICATES_MAX) /* looked at for certificates */

/* ---- Beginning ---- */

/* What one is about, while it is gathered. */
struct gathering {
	struct registry *r;
	enum contain_kind kind;
	const char *target, *detail;
	int64_t id;
	GPtrArray *certificates, *documents;
	GHashTable *known; /* the certificates */
	int64_t rows;
	bool is_sample;
	const char *effect; /* of the statements that matter */
};

static int take_certificate(const char *id, void *ctx)
{
	struct gathering *g = ctx;
	bool is_known = g_hash_table_contains(g->known, id);
	bool is_full = g->certificates->len == CONTAINMENT_CERTIFICATES_MAX;
	g->is_sample |= ++g->rows == ROWS_MAX || (is_full && !is_known);
	if (is_full || is_known)
		return 0;
	char *mine = g_strdup(id);
	g_ptr_array_add(g->certificates, mine);
	(void)g_hash_table_add(g->known, mine);
	return 0;
}

static int certificates_by(struct gathering *g, enum sql_statement statement, const char *key)
{
	struct rows_names each = {take_certificate, g};
	return rows_each(g->r->db, statement, SQL_ARGS(sql_text(key), sql_int(ROWS_MAX - g->rows)),
			 rows_name, &each);
}

static int of_itself(struct gathering *g)
{
	return take_certificate(g->target, g);
}

static int of_thing(struct gathering *g)
{
	return certificates_by(g, SQL_containment_of_thing, g->target);
}

static int of_group(struct gathering *g)
{
	return certificates_by(g, SQL_containment_of_group, g->target);
}

static int of_policy(struct gathering *g)
{
	int err = certificates_by(g, SQL_containment_of_policy, g->target);
	return err ? err : certificates_by(g, SQL_containment_of_policy_groups, g->target);
}

static int of_attached(struct gathering *g)
{
	const char *name = strchr(g->detail, '/') + 1;
	if (g_str_has_prefix(g->detail, "cert/"))
		return take_certificate(name, g);
	return certificates_by(g, SQL_containment_of_group, name);
}

struct document {
	char *policy, *text;
	int64_t version;
};

static void document_free(void *p)
{
	struct document *document = p;
	g_free(document->policy);
	g_free(document->text);
	g_free(document);
}

static int take_document(struct sql_rows *row, void *documents)
{
	struct document *document = g_new0(struct document, 1);
	document->policy = g_strdup(sql_col_text(row, 0));
	document->version = sql_col_int(row, 1);
	document->text = g_strdup(sql_col_text(row, 2));
	g_ptr_array_add(documents, document);
	return 0;
}

/* Keeps those that say anything of the effect. */
static int documents_by(struct gathering *g, enum sql_statement statement,
			const struct sql_arg *args, size_t n_args)
{
	g_autoptr(GPtrArray) found = g_ptr_array_new_with_free_func(document_free);
	int err = rows_each(g->r->db, statement, args, n_args, take_document, found);
	while (!err && found->len) {
		struct document *document = g_ptr_array_steal_index(found, 0);
		if (escape_has_effect(document->text, g->effect))
			g_ptr_array_add(g->documents, document);
		else
			document_free(document);
	}
	return err;
}

static int of_version(struct gathering *g)
{
	return documents_by(
		g, SQL_containment_documents_version,
		SQL_ARGS(sql_text(g->target), sql_int(g_ascii_strtoll(g->detail, NULL, 10))));
}

static int of_default(struct gathering *g)
{
	return documents_by(g, SQL_containment_documents_policy, SQL_ARGS(sql_text(g->target)));
}

static int of_target_group(struct gathering *g)
{
	return documents_by(g, SQL_containment_documents_group, SQL_ARGS(sql_text(g->target)));
}

static int of_detail_group(struct gathering *g)
{
	return documents_by(g, SQL_containment_documents_group, SQL_ARGS(sql_text(g->detail)));
}

/* What the certificate was granted as this thing: by the thing's groups, and by its own policies
 * that speak of the thing. */
static int of_both(struct gathering *g)
{
	int err = documents_by(g, SQL_containment_documents_thing, SQL_ARGS(sql_text(g->detail)));
	return err ? err
		   : documents_by(g, SQL_containment_documents_certificate,
				  SQL_ARGS(sql_text(g->target)));
}

static const struct {
	int (*certificates)(struct gathering *g);
	int (*documents)(struct gathering *g); /* NULL: none are needed */
} gatherers[] = {
	[CONTAIN_CERT_DEACTIVATED] = {of_itself,   NULL           },
	[CONTAIN_CERT_DELETED] = {of_itself,   NULL           },
	[CONTAIN_GROUP_DELETED] = {of_group,    of_target_group},
	[CONTAIN_GROUP_QUARANTINED] = {of_group,    NULL           },
	[CONTAIN_POLICY_ATTACHED] = {of_attached, of_default     },
	[CONTAIN_POLICY_CHANGED] = {of_policy,   of_version     },
	[CONTAIN_POLICY_DETACHED] = {of_attached, of_default     },
	[CONTAIN_GROUP_ENTERED] = {of_thing,    of_detail_group},
	[CONTAIN_THING_DETACHED] = {of_itself,   of_both        },
	[CONTAIN_QUARANTINED] = {of_thing,    NULL           },
	[CONTAIN_GROUP_LEFT] = {of_thing,    of_detail_group},
};

static int next_id(struct registry *r, int64_t *ret)
{
	int err = sql_exec(r->db, SQL_counter_next, SQL_ARGS(sql_text("containment")), NULL);
	return err ? err
		   : rows_number(r->db, SQL_counter_get, SQL_ARGS(sql_text("containment")), ret);
}

static int add_record(struct gathering *g)
{
	struct registry *r = g->r;
	int64_t generation;
	int err = change_newest(r->db, &generation);
	if (!err)
		err = next_id(r, &g->id);
	return err ? err
		   : sql_exec(r->db, SQL_containment_add,
			      SQL_ARGS(sql_int(g->id), sql_text(contain_kind_word(g->kind)),
				       sql_int(contain_goal(g->kind)), sql_text(g->target),
				       sql_text(g->detail),
				       sql_text(r->request_id ? r->request_id : ""),
				       sql_text(r->key_id ? r->key_id : ""), sql_int(generation),
				       sql_int(r->now_ms), sql_int(g->is_sample)),
			      NULL);
}

static int add_certificate(struct gathering *g, const char *certificate)
{
	return sql_exec(g->r->db, SQL_containment_add_certificate,
			SQL_ARGS(sql_int(g->id), sql_text(certificate)), NULL);
}

static int add_document(struct gathering *g, int64_t n, const struct document *document)
{
	return sql_exec(g->r->db, SQL_containment_add_document,
			SQL_ARGS(sql_int(g->id), sql_int(n), sql_text(document->policy),
				 sql_int(document->version), sql_text(document->text)),
			NULL);
}

static int add(struct gathering *g)
{
	int err = add_record(g);
	for (guint i = 0; !err && i < g->certificates->len; i++)
		err = add_certificate(g, g->certificates->pdata[i]);
	for (guint i = 0; !err && i < g->documents->len; i++)
		err = add_document(g, i, g->documents->pdata[i]);
	return err;
}

static int gather(struct gathering *g)
{
	int (*documents)(struct gathering *) = gatherers[g->kind].documents;
	int err = gatherers[g->kind].certificates(g);
	if (err || g->certificates->len == 0)
		return err;
	if (documents)
		err = documents(g);
	bool takes_nothing = documents && g->documents->len == 0;
	return err || takes_nothing ? err : add(g);
}

int containment_begin(struct registry *r, enum contain_kind kind, const char *target,
		      const char *detail)
{
	struct gathering g = {
		.r = r,
		.kind = kind,
		.target = target,
		.detail = detail,
		.certificates = g_ptr_array_new_with_free_func(g_free),
		.known = g_hash_table_new(g_str_hash, g_str_equal),
		.documents = g_ptr_array_new_with_free_func(document_free),
		.effect = contain_goal(kind) == CONTAIN_DENY ? "Deny" : "Allow",
	};
	int err = gather(&g);
	g_hash_table_destroy(g.known);
	g_ptr_array_unref(g.certificates);
	g_ptr_array_unref(g.documents);
	return err;
}

int containment_lift(struct registry *r, enum contain_goal goal, const char *target)
{
	return sql_exec(r->db, SQL_containment_lift,
			SQL_ARGS(sql_int(goal), sql_text(target), sql_int(r->now_ms)), NULL);
}

/* ---- What brokers tell ---- */

int containment_note_applied(struct sql_conn *txn, const char *broker, uint64_t generation,
			     int64_t at_ms)
{
	return sql_exec(txn, SQL_containment_note_applied,
			SQL_ARGS(sql_int((int64_t)generation), sql_text(broker), sql_int(at_ms)),
			NULL);
}

int containment_note_session(struct sql_conn *txn, const char *certificate, const char *broker,
			     const char *words, int64_t at_ms)
{
	return sql_exec(
		txn, SQL_containment_note_session,
		SQL_ARGS(sql_text(certificate), sql_text(broker), sql_text(words), sql_int(at_ms)),
		NULL);
}

int containment_note_refused(struct sql_conn *txn, const char *certificate, const char *words,
			     int64_t at_ms)
{
	return sql_exec(txn, SQL_containment_note_refused,
			SQL_ARGS(sql_text(certificate), sql_text(words), sql_int(at_ms)), NULL);
}

/* ---- Records ---- */

struct giving {
	containment_fn *fn;
	void *ctx;
};

static int give(struct sql_rows *row, void *ctx)
{
	const struct giving *giving = ctx;
	const struct containment c = {
		.id = sql_col_int(row, 0),
		.is = {.kind = contain_kind_of(sql_col_text(row, 1)),
		       .state = contain_state_of(sql_col_text(row, 4)),
		       .generation = (uint64_t)sql_col_int(row, 5),
		       .requested_ms = sql_col_int(row, 8),
		       .applied_ms = sql_col_int(row, 9)},
		.target = sql_col_text(row, 2),
		.detail = sql_col_text(row, 3),
		.request = sql_col_text(row, 6),
		.key_id = sql_col_text(row, 7),
		.is_watched = sql_col_int(row, 10) != 0,
		.lifted_ms = sql_col_int(row, 11),
		.is_sample = sql_col_int(row, 12) != 0,
		.session = sql_col_text(row, 13),
		.refused = sql_col_text(row, 14),
	};
	return giving->fn(&c, giving->ctx);
}

int containment_get(struct sql_conn *db, int64_t id, containment_fn *fn, void *ctx)
{
	struct giving giving = {fn, ctx};
	return rows_find(db, SQL_containment_get, SQL_ARGS(sql_int(id)), give, &giving);
}

int containment_list(struct sql_conn *db, int64_t before, const char *state, int64_t limit,
		     containment_fn *fn, void *ctx)
{
	struct giving giving = {fn, ctx};
	return rows_each(db, SQL_containment_list,
			 SQL_ARGS(sql_int(before), sql_text(state), sql_int(limit)), give, &giving);
}

int containment_next(struct sql_conn *db, int64_t after, int64_t *ret_id)
{
	return rows_number(db, SQL_containment_next, SQL_ARGS(sql_int(after)), ret_id);
}

int containment_unwatch(struct sql_conn *txn, int64_t before_ms)
{
	return sql_exec(txn, SQL_containment_unwatch, SQL_ARGS(sql_int(before_ms)), NULL);
}

/* ---- What is known now ---- */

static int take_text(struct sql_rows *row, void *ret)
{
	*(char **)ret = g_strdup(sql_col_text(row, 0));
	return 0;
}

static int take_session(struct sql_rows *row, void *ret)
{
	*(char **)ret =
		g_strdup_printf("the session of client \"%s\" from %s is still open on "
				"broker %s",
				sql_col_text(row, 0), sql_col_text(row, 1), sql_col_text(row, 2));
	return 0;
}

static int take_time(const char *broker, int64_t at_ms, void *ret)
{
	(void)broker;
	*(int64_t *)ret = at_ms; /* the last one stays */
	return 0;
}

int containment_look(struct sql_conn *db, int64_t id, int64_t since_ms,
		     struct containment_seen *ret)
{
	*ret = (struct containment_seen){0};
	int r = rows_number(db, SQL_containment_brokers, SQL_ARGS(sql_int(since_ms)),
			    &ret->brokers);
	if (r >= 0)
		r = rows_find(db, SQL_containment_waiting, SQL_ARGS(sql_int(id), sql_int(since_ms)),
			      take_text, &ret->waiting);
	if (r >= 0)
		r = containment_each_applied(db, id, take_time, &ret->applied_ms);
	if (r >= 0)
		r = rows_find(db, SQL_containment_session, SQL_ARGS(sql_int(id)), take_session,
			      &ret->session);
	return r < 0 ? r : 0;
}

void containment_seen_clear(struct containment_seen *seen)
{
	g_free(seen->waiting);
	g_free(seen->session);
}

/* ---- Moving on ---- */

int containment_move(struct sql_conn *txn, int64_t id, const struct contain *is, bool is_watched,
		     int64_t at_ms, const char *evidence, bool *ret_moved)
{
	const char *state = contain_state_word(is->state);
	int64_t n;
	int err = sql_exec(txn, SQL_containment_set,
			   SQL_ARGS(sql_int(id), sql_text(state), sql_int(is->applied_ms),
				    sql_int(is_watched)),
			   &n);
	*ret_moved = !err && n > 0;
	return err || n == 0 ? err
			     : sql_exec(txn, SQL_containment_add_evidence,
					SQL_ARGS(sql_int(id), sql_int(at_ms), sql_text(state),
						 sql_text(evidence)),
					NULL);
}

struct giving_evidence {
	containment_evidence_fn *fn;
	void *ctx;
};

static int give_evidence(struct sql_rows *row, void *ctx)
{
	const struct giving_evidence *giving = ctx;
	return giving->fn(sql_col_int(row, 0), sql_col_text(row, 1), sql_col_text(row, 2),
			  giving->ctx);
}

int containment_each_evidence(struct sql_conn *db, int64_t id, containment_evidence_fn *fn,
			      void *ctx)
{
	struct giving_evidence giving = {fn, ctx};
	return rows_each(db, SQL_containment_evidence, SQL_ARGS(sql_int(id)), give_evidence,
			 &giving);
}

int containment_each_applied(struct sql_conn *db, int64_t id, containment_applied_fn *fn, void *ctx)
{
	struct rows_dated_names each = {fn, ctx};
	return rows_each(db, SQL_containment_applied, SQL_ARGS(sql_int(id)), rows_dated_name,
			 &each);
}

int containment_each_certificate(struct sql_conn *db, int64_t id, name_fn *fn, void *ctx)
{
	struct rows_names each = {fn, ctx};
	return rows_each(db, SQL_containment_certificates,
			 SQL_ARGS(sql_int(id), sql_text(""), sql_int(CONTAINMENT_CERTIFICATES_MAX)),
			 rows_name, &each);
}

int containment_each_thing(struct sql_conn *db, const char *certificate, name_fn *fn, void *ctx)
{
	struct rows_names each = {fn, ctx};
	return rows_each(db, SQL_principal_list_things,
			 SQL_ARGS(sql_text(certificate), sql_text(""), sql_int(0), sql_int(1),
				  sql_int(CONTAINMENT_THINGS_MAX)),
			 rows_name, &each);
}

struct giving_documents {
	containment_document_fn *fn;
	void *ctx;
};

static int give_document(struct sql_rows *row, void *ctx)
{
	const struct giving_documents *giving = ctx;
	return giving->fn(sql_col_text(row, 0), sql_col_int(row, 1), sql_col_text(row, 2),
			  giving->ctx);
}

int containment_each_document(struct sql_conn *db, int64_t id, containment_document_fn *fn,
			      void *ctx)
{
	struct giving_documents giving = {fn, ctx};
	return rows_each(db, SQL_containment_documents, SQL_ARGS(sql_int(id)), give_document,
			 &giving);
}

int containment_each_own_document(struct sql_conn *db, const char *certificate,
				  containment_document_fn *fn, void *ctx)
{
	struct giving_documents giving = {fn, ctx};
	return rows_each(db, SQL_containment_documents_certificate, SQL_ARGS(sql_text(certificate)),
			 give_document, &giving);
}

struct slice {
	int64_t last, n;
};

static int take_slice(struct sql_rows *row, void *ret)
{
	*(struct slice *)ret = (struct slice){sql_col_int(row, 0), sql_col_int(row, 1)};
	return 0;
}

int containment_forget(struct sql_conn *txn, int64_t before_ms, bool *ret_more)
{
	static const enum sql_statement tables[] = {
		SQL_containment_forget_certificates, SQL_containment_forget_documents,
		SQL_containment_forget_evidence, SQL_containment_forget_applied,
		SQL_containment_forget};
	struct slice slice;
	int err =
		rows_find(txn, SQL_containment_forget_slice,
			  SQL_ARGS(sql_int(before_ms), sql_int(FORGET_SLICE)), take_slice, &slice);
	for (size_t i = 0; err >= 0 && slice.n > 0 && i < ARRAY_LEN(tables); i++)
		err = sql_exec(txn, tables[i], SQL_ARGS(sql_int(slice.last)), NULL);
	*ret_more = err >= 0 && slice.n == FORGET_SLICE;
	return MIN(err, 0);
}

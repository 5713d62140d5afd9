#include "registry/certificate.h"

#include "registry/containment.h"
#include "registry/facts.h"
#include "registry/place.h"
#include "registry/rows.h"
#include "registry/rules.h"
#include "store/change.h"

#include <glib.h>

void certificate_clear(struct certificate *certificate)
{
	g_free(certificate->status);
	g_free(certificate->mode);
	g_free(certificate->generation_id);
	*certificate = (struct certificate){0};
}

void certificate_id(const char *id, char out[X509_ID_SIZE])
{
	size_t n = 0;
	for (; n < X509_ID_SIZE - 1 && id[n] != '\0'; n++)
		out[n] = g_ascii_tolower(id[n]);
	out[n] = '\0';
}

static int take_certificate(struct sql_rows *row, void *ctx)
{
	struct certificate *c = ctx;
	*c = (struct certificate){
		.status = g_strdup(sql_col_text(row, 0)),
		.mode = g_strdup(sql_col_text(row, 1)),
		.not_before = sql_col_int(row, 2),
		.not_after = sql_col_int(row, 3),
		.created = sql_col_int(row, 4),
		.modified = sql_col_int(row, 5),
		.version = sql_col_int(row, 6),
		.generation_id = g_strdup(sql_col_text(row, 7)),
	};
	return 0;
}

static int must_find(struct registry *r, const char *id, enum sql_statement statement, row_fn *take,
		     void *ctx)
{
	int found = rows_find(r->db, statement, SQL_ARGS(sql_text(id)), take, ctx);
	if (found < 0)
		return found;
	return found ? 0 : refuse_unknown(r, &noun_certificate, id);
}

int certificate_get(struct registry *r, const char *id, struct certificate *ret)
{
	return must_find(r, id, SQL_certificate_get, take_certificate, ret);
}

static int take_text(struct sql_rows *row, void *ret)
{
	*(char **)ret = g_strdup(sql_col_text(row, 0));
	return 0;
}

int certificate_pem(struct registry *r, const char *id, char **ret)
{
	return must_find(r, id, SQL_certificate_pem, take_text, ret);
}

int certificate_check(struct registry *r, const char *id)
{
	return must_find(r, id, SQL_certificate_get, NULL, NULL);
}

static int add_facts(struct registry *r, const struct x509_facts *f)
{
	g_autoptr(GByteArray) facts = g_byte_array_new();
	facts_of_certificate(f, facts);
	return sql_exec(r->db, SQL_certificate_facts_add,
			SQL_ARGS(sql_text(f->id), sql_blob(facts->data, facts->len)), NULL);
}

static int add(struct registry *r, const struct x509_facts *f, const char *status, const char *mode)
{
	char generation[ID_UUID_SIZE];
	id_uuid(r->chance, generation);
	int err = sql_exec(r->db, SQL_certificate_add,
			   SQL_ARGS(sql_text(f->id), sql_text(status), sql_text(f->pem),
				    sql_text(mode), sql_text(f->subject), sql_text(f->issuer),
				    sql_text(f->serial), sql_text(f->ski), sql_text(f->aki),
				    sql_text(f->key_type), sql_int(f->key_bits), sql_int(f->is_ca),
				    sql_int(f->not_before), sql_int(f->not_after),
				    sql_int(r->now_ms), sql_text(generation)),
			   NULL);
	if (!err)
		err = add_facts(r, f);
	return err ? err : change_add(r->db, CHANGE_CERT, f->id, NULL);
}

/* ---- Issuing ---- */

static int read_ca_file(struct registry *r, const char *file, char **ret, gsize *ret_n)
{
	g_autoptr(GError) error = NULL;
	if (g_file_get_contents(file, ret, ret_n, &error))
		return 0;
	return fault_set(r->fault, FAULT_SERVICE_UNAVAILABLE, "The device CA cannot sign: %s.",
			 error->message);
}

static int load_ca_files(struct registry *r, struct x509_ca **ret)
{
	char *cert = NULL;
	char *key = NULL;
	gsize n_cert = 0;
	gsize n_key = 0;
	int err = read_ca_file(r, r->settings->device_ca_cert_file, &cert, &n_cert);
	if (!err)
		err = read_ca_file(r, r->settings->device_ca_key_file, &key, &n_key);
	if (!err)
		err = x509_ca_load((struct view){cert, n_cert}, (struct view){key, n_key}, ret,
				   r->fault);
	g_free(cert);
	x509_free_text(key);
	return err;
}

static int load_ca(struct registry *r, struct x509_ca **ret)
{
	if (!r->settings->device_ca_cert_file || !r->settings->device_ca_key_file)
		return fault_set(r->fault, FAULT_INVALID_REQUEST,
				 "Issuing is off: this server has no device CA. Issue the "
				 "certificate elsewhere and "
				 "register it with RegisterCertificateWithoutCA.");
	return load_ca_files(r, ret);
}

int certificate_issue_key(struct registry *r, struct x509_key_pair *ret)
{
	struct x509_ca *ca = NULL;
	int err = load_ca(r, &ca);
	if (!err)
		err = x509_issue_key(ca, ret, r->fault);
	x509_ca_free(ca);
	return err;
}

int certificate_issue_csr(struct registry *r, const char *csr, char **ret_pem)
{
	struct x509_ca *ca = NULL;
	int err = load_ca(r, &ca);
	if (!err)
		err = x509_issue_csr(ca, view_of(csr), ret_pem, r->fault);
	x509_ca_free(ca);
	return err;
}

int certificate_add_issued(struct registry *r, const char *pem, bool is_active,
			   char ret_id[X509_ID_SIZE])
{
	struct x509_facts facts = {0};
	int err = x509_read(view_of(pem), &facts, r->fault);
	if (!err)
		err = add(r, &facts, is_active ? "ACTIVE" : "INACTIVE", "DEFAULT");
	memcpy(ret_id, facts.id, X509_ID_SIZE);
	x509_facts_clear(&facts);
	return err;
}

/* ---- Status ---- */

/* What a caller may do with each status: set it, and leave it again. */
static const struct {
	const char *name;
	bool is_settable, is_leavable;
} statuses[] = {
	{"ACTIVE",             true,  true },
	{"INACTIVE",           true,  true },
	{"REVOKED",            true,  false},
	{"PENDING_TRANSFER",   false, false},
	{"REGISTER_INACTIVE",  false, true },
	{"PENDING_ACTIVATION", false, true },
};

static int check_settable(struct registry *r, const char *status)
{
	for (size_t i = 0; i < ARRAY_LEN(statuses); i++)
		if (statuses[i].is_settable && strcmp(statuses[i].name, status) == 0)
			return 0;
	return fault_set(r->fault, FAULT_INVALID_REQUEST,
			 "Status %s cannot be set; use ACTIVE, INACTIVE or REVOKED.", status);
}

static int check_leavable(struct registry *r, const char *id, const char *present,
			  const char *status)
{
	for (size_t i = 0; i < ARRAY_LEN(statuses); i++)
		if (statuses[i].is_leavable && strcmp(statuses[i].name, present) == 0)
			return 0;
	return fault_set(r->fault, FAULT_CERTIFICATE_STATE,
			 "Certificate %s is %s and cannot become %s.", id, present, status);
}

/* The snapshot is to have it, and somebody will ask whether the brokers obeyed. */
static int note_status(struct registry *r, const char *id, const char *status)
{
	int err = change_add(r->db, CHANGE_CERT, id, NULL);
	if (err)
		return err;
	return strcmp(status, "ACTIVE") == 0
		       ? containment_lift(r, CONTAIN_NO_SESSION, id)
		       : containment_begin(r, CONTAIN_CERT_DEACTIVATED, id, "");
}

int certificate_set_status(struct registry *r, const char *id, const char *status)
{
	struct certificate there = {0};
	int err = check_settable(r, status);
	if (!err)
		err = certificate_get(r, id, &there);
	bool is_same = !err && strcmp(there.status, status) == 0;
	if (!err && !is_same)
		err = check_leavable(r, id, there.status, status);
	if (!err && !is_same)
		err = sql_exec(r->db, SQL_certificate_set_status,
			       SQL_ARGS(sql_text(id), sql_text(status), sql_int(r->now_ms)), NULL);
	certificate_clear(&there);
	return err || is_same ? err : note_status(r, id, status);
}

/* ---- Registering ---- */

static int check_new(struct registry *r, const char *id)
{
	int found = rows_find(r->db, SQL_certificate_get, SQL_ARGS(sql_text(id)), NULL, NULL);
	if (found < 0)
		return found;
	return found ? refuse_exists(r, &noun_certificate, id, "") : 0;
}

int certificate_register(struct registry *r, const char *pem, const char *status,
			 char ret_id[X509_ID_SIZE])
{
	struct x509_facts facts = {0};
	int err = check_settable(r, status);
	if (!err)
		err = x509_read(view_of(pem), &facts, r->fault);
	if (!err)
		err = x509_key_strong(&facts, r->fault);
	if (!err)
		err = check_new(r, facts.id);
	if (!err)
		err = add(r, &facts, status, "SNI_ONLY");
	memcpy(ret_id, facts.id, X509_ID_SIZE);
	x509_facts_clear(&facts);
	return err;
}

/* ---- Deleting ---- */

static int check_attached(struct registry *r, const char *id, bool is_forced)
{
	int64_t things;
	int64_t policies;
	int err = rows_number(r->db, SQL_principal_count_certificate, SQL_ARGS(sql_text(id)),
			      &things);
	if (!err)
		err = rows_number(r->db, SQL_attachment_count_target,
				  SQL_ARGS(sql_text("cert"), sql_text(id)), &policies);
	if (err)
		return err;
	if (things > 0)
		return fault_set(r->fault, FAULT_DELETE_CONFLICT,
				 "Things must be detached before deletion (arn: certificate %s is "
				 "attached to %" G_GINT64_FORMAT ")",
				 id, things);
	if (policies > 0 && !is_forced)
		return fault_set(r->fault, FAULT_DELETE_CONFLICT,
				 "Certificate policies must be detached before deletion "
				 "(certificate %s); or set forceDelete.",
				 id);
	return 0;
}

static int check_deletable(struct registry *r, const char *id, bool is_forced)
{
	struct certificate there = {0};
	int err = certificate_get(r, id, &there);
	if (!err && strcmp(there.status, "ACTIVE") == 0)
		err = fault_set(
			r->fault, FAULT_CERTIFICATE_STATE,
			"Certificate must be deactivated (not ACTIVE) before deletion. Id: %s", id);
	certificate_clear(&there);
	return err ? err : check_attached(r, id, is_forced);
}

int certificate_delete(struct registry *r, const char *id, bool is_forced)
{
	int err = check_deletable(r, id, is_forced);
	if (!err)
		err = sql_exec(r->db, SQL_attachment_delete_target,
			       SQL_ARGS(sql_text("cert"), sql_text(id)), NULL);
	if (!err)
		err = sql_exec(r->db, SQL_certificate_facts_delete, SQL_ARGS(sql_text(id)), NULL);
	if (!err)
		err = sql_exec(r->db, SQL_certificate_delete, SQL_ARGS(sql_text(id)), NULL);
	if (!err)
		err = change_add(r->db, CHANGE_CERT, id, NULL);
	return err ? err : containment_begin(r, CONTAIN_CERT_DELETED, id, "");
}

/* ---- Listing ---- */

struct listing {
	certificate_item_fn *fn;
	void *ctx;
};

static int give_item(struct sql_rows *row, void *ctx)
{
	const struct listing *listing = ctx;
	struct certificate_item item = {sql_col_text(row, 0), sql_col_text(row, 1),
					sql_col_text(row, 2), sql_col_int(row, 3)};
	return listing->fn(&item, listing->ctx);
}

int certificate_list(struct registry *r, const struct list_place *place, int64_t limit,
		     certificate_item_fn *fn, void *ctx)
{
	struct listing listing = {fn, ctx};
	return rows_each(r->db,
			 place->is_ascending ? SQL_certificate_list_up : SQL_certificate_list_down,
			 SQL_ARGS(place_created(place), place_key(place), sql_int(limit)),
			 give_item, &listing);
}

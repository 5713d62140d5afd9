#include "registry/principal.h"

#include "registry/certificate.h"
#include "registry/containment.h"
#include "registry/member.h"
#include "registry/rows.h"
#include "registry/rules.h"
#include "registry/thing.h"
#include "store/change.h"

#include <glib.h>

struct other {
	char *thing;
	bool is_exclusive;
};

static int check_both(struct registry *r, const char *thing, const char *certificate)
{
	int err = thing_check(r, thing);
	return err ? err : certificate_check(r, certificate);
}

static int take_other(struct sql_rows *row, void *ctx)
{
	struct other *other = ctx;
	*other = (struct other){g_strdup(sql_col_text(row, 0)), sql_col_int(row, 1) != 0};
	return 0;
}

/* Another thing of the certificate stands in the way of an exclusive attachment, or has one itself.
 */
static int check_others(struct registry *r, const char *thing, const char *certificate,
			bool is_exclusive)
{
	struct other other = {0};
	int found = rows_find(r->db, SQL_principal_other_thing,
			      SQL_ARGS(sql_text(certificate), sql_text(thing)), take_other, &other);
	int err = found < 0 ? found : 0;
	if (found == 1 && other.is_exclusive)
		err = fault_set(r->fault, FAULT_INVALID_REQUEST,
				"Certificate %s is attached to thing %s with EXCLUSIVE_THING; "
				"detach it there first.",
				certificate, other.thing);
	else if (found == 1 && is_exclusive)
		err = fault_set(r->fault, FAULT_INVALID_REQUEST,
				"Certificate %s is attached to thing %s; EXCLUSIVE_THING needs a "
				"certificate without "
				"another thing.",
				certificate, other.thing);
	g_free(other.thing);
	return err;
}

/* 1: attached in this way already; 0: not yet. */
static int is_there(struct registry *r, const char *thing, const char *certificate,
		    bool is_exclusive)
{
	int64_t has_exclusive;
	int found = rows_find(r->db, SQL_principal_get,
			      SQL_ARGS(sql_text(thing), sql_text(certificate)), NULL, NULL);
	if (found != 1)
		return found;
	int err = rows_number(r->db, SQL_principal_get,
			      SQL_ARGS(sql_text(thing), sql_text(certificate)), &has_exclusive);
	if (err)
		return err;
	if (has_exclusive && !is_exclusive)
		return fault_set(r->fault, FAULT_INVALID_REQUEST,
				 "Certificate %s is attached to thing %s with EXCLUSIVE_THING; "
				 "detach it first.",
				 certificate, thing);
	return has_exclusive == (is_exclusive ? 1 : 0);
}

static int note(struct registry *r, const char *thing, const char *certificate)
{
	int err = change_add(r->db, CHANGE_CERT, certificate, NULL);
	return err ? err : change_add(r->db, CHANGE_THING, thing, NULL);
}

int principal_attach(struct registry *r, const char *thing, const char *certificate,
		     bool is_exclusive)
{
	int err = check_both(r, thing, certificate);
	if (err)
		return err;
	int there = is_there(r, thing, certificate, is_exclusive);
	if (there != 0)
		return there == 1 ? 0 : there;
	err = check_others(r, thing, certificate, is_exclusive);
	if (!err)
		err = sql_exec(
			r->db, SQL_principal_add,
			SQL_ARGS(sql_text(thing), sql_text(certificate), sql_int(is_exclusive)),
			NULL);
	if (!err)
		err = note(r, thing, certificate);
	return err ? err : member_note_certificate(r, thing);
}

int principal_detach(struct registry *r, const char *thing, const char *certificate)
{
	int64_t removed = 0;
	int err = check_both(r, thing, certificate);
	if (!err)
		err = sql_exec(r->db, SQL_principal_delete,
			       SQL_ARGS(sql_text(thing), sql_text(certificate)), &removed);
	if (err || removed == 0)
		return err;
	err = note(r, thing, certificate);
	return err ? err : containment_begin(r, CONTAIN_THING_DETACHED, certificate, thing);
}

/* The range of is_exclusive that a filter lets through. */
static const struct {
	int64_t low, high;
} ranges[] = {
	[PRINCIPAL_ANY] = {0, 1},
	[PRINCIPAL_NON_EXCLUSIVE] = {0, 0},
	[PRINCIPAL_EXCLUSIVE] = {1, 1},
};

struct listing {
	principal_fn *fn;
	void *ctx;
};

static int give(struct sql_rows *row, void *ctx)
{
	const struct listing *listing = ctx;
	return listing->fn(sql_col_text(row, 0), sql_col_int(row, 1) != 0, listing->ctx);
}

static int list(struct registry *r, enum sql_statement statement, const char *key,
		enum principal_filter filter, const char *after, int64_t limit,
		struct listing *listing)
{
	return rows_each(r->db, statement,
			 SQL_ARGS(sql_text(key), sql_text(after), sql_int(ranges[filter].low),
				  sql_int(ranges[filter].high), sql_int(limit)),
			 give, listing);
}

int principal_each_certificate(struct registry *r, const char *thing, enum principal_filter filter,
			       const char *after, int64_t limit, principal_fn *fn, void *ctx)
{
	struct listing listing = {fn, ctx};
	int err = thing_check(r, thing);
	return err ? err
		   : list(r, SQL_principal_list_certificates, thing, filter, after, limit,
			  &listing);
}

int principal_each_thing(struct registry *r, const char *certificate, enum principal_filter filter,
			 const char *after, int64_t limit, principal_fn *fn, void *ctx)
{
	struct listing listing = {fn, ctx};
	int err = certificate_check(r, certificate);
	return err ? err
		   : list(r, SQL_principal_list_things, certificate, filter, after, limit,
			  &listing);
}

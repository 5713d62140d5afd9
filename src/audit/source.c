/* Where the checks' resources come from: the registry's tables, read behind a key. */
#include "audit/check.h"

#include "registry/rows.h"

struct handover {
	audit_resource_fn *fn;
	void *ctx;
};

static int take_certificate(struct sql_rows *row, void *ctx)
{
	const struct handover *to = ctx;
	const char *id = sql_col_text(row, 0);
	const struct audit_resource resource = {
		.key = id, .certificate = {id, sql_col_int(row, 1)}
        };
	return to->fn(&resource, to->ctx);
}

int source_certificates(struct sql_conn *reader, const char *after, int64_t limit,
			audit_resource_fn *fn, void *ctx)
{
	struct handover to = {fn, ctx};
	return rows_each(reader, SQL_audit_certificates, SQL_ARGS(sql_text(after), sql_int(limit)),
			 take_certificate, &to);
}

static int take_policy(struct sql_rows *row, void *ctx)
{
	const struct handover *to = ctx;
	const char *name = sql_col_text(row, 0);
	const struct audit_resource resource = {
		.key = name, .policy = {name, sql_col_int(row, 1), sql_col_text(row, 2)}
        };
	return to->fn(&resource, to->ctx);
}

int source_policies(struct sql_conn *reader, const char *after, int64_t limit,
		    audit_resource_fn *fn, void *ctx)
{
	struct handover to = {fn, ctx};
	return rows_each(reader, SQL_audit_policies, SQL_ARGS(sql_text(after), sql_int(limit)),
			 take_policy, &to);
}

#define ACCOUNT_KEY "account"

static int take_logging(struct sql_rows *row, void *ctx)
{
	const struct handover *to = ctx;
	const struct audit_resource resource = {
		.key = ACCOUNT_KEY,
		.logging = {true, sql_col_int(row, 0) != 0, sql_col_text(row, 1),
			    sql_col_int(row, 2)}
        };
	return to->fn(&resource, to->ctx);
}

/* The account is one resource, also when nothing was ever set. */
int source_logging(struct sql_conn *reader, const char *after, int64_t limit, audit_resource_fn *fn,
		   void *ctx)
{
	(void)limit;
	if (*after)
		return 0;
	struct handover to = {fn, ctx};
	int found = rows_find(reader, SQL_audit_logging, SQL_NO_ARGS, take_logging, &to);
	if (found != 0)
		return found < 0 ? found : 0;
	const struct audit_resource unset = {
		.key = ACCOUNT_KEY, .logging = {.is_set = false, .default_level = ""}
        };
	return fn(&unset, ctx);
}

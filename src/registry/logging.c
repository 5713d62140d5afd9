#include "registry/logging.h"

#include "registry/rows.h"

#include <glib.h>

void logging_options_clear(struct logging_options *options)
{
	g_free(options->role_arn);
	g_free(options->default_level);
	g_free(options->events);
	*options = (struct logging_options){0};
}

static int take_options(struct sql_rows *row, void *ctx)
{
	struct logging_options *options = ctx;
	*options = (struct logging_options){
		.role_arn = g_strdup(sql_col_text(row, 0)),
		.default_level = g_strdup(sql_col_text(row, 1)),
		.is_disabled = sql_col_int(row, 2) != 0,
		.events = g_strdup(sql_col_text(row, 3)),
	};
	return 0;
}

/* 1 found, 0 never set. */
static int find(struct registry *r, struct logging_options *ret)
{
	return rows_find(r->db, SQL_logging_get, SQL_NO_ARGS, take_options, ret);
}

int logging_get(struct registry *r, struct logging_options *ret)
{
	int found = find(r, ret);
	if (found < 0)
		return found;
	return found ? 0
		     : fault_set(r->fault, FAULT_NOT_CONFIGURED,
				 "Logging is not configured; call SetV2LoggingOptions with roleArn "
				 "and defaultLogLevel.");
}

static int check_first(struct registry *r, const struct logging_update *update)
{
	if (update->role_arn && update->default_level)
		return 0;
	return fault_set(
		r->fault, FAULT_INVALID_REQUEST,
		"The first SetV2LoggingOptions needs roleArn and defaultLogLevel; %s is missing.",
		update->role_arn ? "defaultLogLevel" : "roleArn");
}

int logging_set(struct registry *r, const struct logging_update *update)
{
	struct logging_options there = {0};
	int found = find(r, &there);
	int err = found == 0 ? check_first(r, update) : found < 0 ? found : 0;
	const char *events = there.events ? there.events : "[]";
	if (!err)
		err = sql_exec(
			r->db, SQL_logging_set,
			SQL_ARGS(sql_text(update->role_arn ? update->role_arn : there.role_arn),
				 sql_text(update->default_level ? update->default_level
								: there.default_level),
				 sql_int(update->is_disabled),
				 sql_text(update->events ? update->events : events)),
			NULL);
	logging_options_clear(&there);
	return err;
}

static int check_configured(struct registry *r)
{
	struct logging_options there = {0};
	int err = logging_get(r, &there);
	logging_options_clear(&there);
	return err;
}

int logging_level_set(struct registry *r, const char *type, const char *name, const char *level)
{
	int err = check_configured(r);
	return err ? err
		   : sql_exec(r->db, SQL_logging_level_set,
			      SQL_ARGS(sql_text(type), sql_text(name), sql_text(level)), NULL);
}

int logging_level_delete(struct registry *r, const char *type, const char *name)
{
	return sql_exec(r->db, SQL_logging_level_delete, SQL_ARGS(sql_text(type), sql_text(name)),
			NULL);
}

struct listing {
	logging_level_fn *fn;
	void *ctx;
};

static int give_level(struct sql_rows *row, void *ctx)
{
	const struct listing *listing = ctx;
	struct logging_level level = {sql_col_text(row, 0), sql_col_text(row, 1),
				      sql_col_text(row, 2)};
	return listing->fn(&level, listing->ctx);
}

int logging_level_each(struct registry *r, const char *after_type, const char *after_name,
		       int64_t limit, logging_level_fn *fn, void *ctx)
{
	struct listing listing = {fn, ctx};
	int err = check_configured(r);
	return err ? err
		   : rows_each(r->db, SQL_logging_level_list,
			       SQL_ARGS(sql_text(after_type), sql_text(after_name), sql_int(limit)),
			       give_level, &listing);
}

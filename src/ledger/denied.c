#include "ledger/denied.h"

#include "event/cause.h"
#include "policy/explain.h"
#include "registry/rows.h"

#include <string.h>

#define HOUR_MS (3600 * INT64_C(1000))

struct telling {
	denied_fn *fn;
	void *ctx;
};

static int tell(struct sql_rows *row, void *ctx)
{
	const struct telling *t = ctx;
	g_autofree char *sid =
		policy_sid(view_of(sql_col_text(row, 17)), (int)sql_col_int(row, 12));
	const struct denied d = {
		.broker = sql_col_text(row, 0),
		.certificate = sql_col_text(row, 1),
		.client_id = sql_col_text(row, 2),
		.username = sql_col_text(row, 3),
		.address = sql_col_text(row, 4),
		.action = sql_col_text(row, 5),
		.is_observed = sql_col_int(row, 6) != 0,
		.cause = sql_col_text(row, 7),
		.resource = sql_col_text(row, 8),
		.is_rest = sql_col_int(row, 9) != 0,
		.policy = sql_col_text(row, 10),
		.version = sql_col_int(row, 11),
		.statement = sql_col_int(row, 12),
		.sid = sid ? sid : "",
		.missing = sql_col_text(row, 13),
		.times = sql_col_int(row, 14),
		.first_ms = sql_col_int(row, 15),
		.last_ms = sql_col_int(row, 16),
	};
	return t->fn(&d, t->ctx);
}

int denied_each(struct sql_conn *reader, const struct denied_filter *f, denied_fn *fn, void *ctx)
{
	struct telling t = {fn, ctx};
	return rows_each(reader, SQL_denial_list,
			 SQL_ARGS(sql_int(f->since_ms / HOUR_MS), sql_int(f->since_ms),
				  sql_text(f->client_id), sql_text(f->certificate),
				  sql_text(f->address), sql_text(f->thing), sql_int(f->is_observed),
				  sql_int(f->limit)),
			 tell, &t);
}

/* ---- Words ---- */

static enum cause cause_of(const struct denied *d)
{
	for (unsigned i = 0; i < CAUSES; i++) {
		if (strcmp(cause_word((enum cause)i), d->cause) == 0)
			return (enum cause)i;
	}
	return CAUSE_NONE; /* of a later version */
}

void denied_tell_rule(const struct denied *d, GString *text)
{
	g_string_append(text, cause_text(cause_of(d)));
	if (*d->policy)
		g_string_append_printf(text, ": policy \"%s\" version %" G_GINT64_FORMAT, d->policy,
				       d->version);
	if (*d->policy && d->statement >= 0)
		g_string_append_printf(text, ", statement %" G_GINT64_FORMAT, d->statement + 1);
	if (*d->sid)
		g_string_append_printf(text, " (%s)", d->sid);
	if (*d->missing)
		g_string_append_printf(text, "; %s kept a grant from matching", d->missing);
}

void denied_tell_quoted(const char *chosen, GString *text)
{
	g_string_append_c(text, '"');
	for (const char *c = chosen; *c; c++) {
		if (*c == '"' || *c == '\\')
			g_string_append_printf(text, "\\x%02x", (unsigned)*c);
		else
			g_string_append_c(text, *c);
	}
	g_string_append_c(text, '"');
}

/* The type of the resource in the words of a policy. */
static const char *resource_type(const char *action)
{
	static const char *const types[][2] = {
		{"iot:Connect",   "client/"     },
		{"iot:Subscribe", "topicfilter/"},
		{"iot:Publish",   "topic/"      },
		{"iot:Receive",   "topic/"      },
	};
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		if (strcmp(types[i][0], action) == 0)
			return types[i][1];
	}
	return "";
}

void denied_tell_cure(const struct denied *d, GString *text)
{
	static const char *const cures[CAUSES] = {
#define CURE(id, text) [CAUSE_##id] = text,
#include "ledger/cure.tbl.h"
#undef CURE
	};
	const char *cure = cures[cause_of(d)] ? cures[cause_of(d)] : cures[CAUSE_NONE];
	const char *place = strstr(cure, "%s");
	g_string_append_len(text, cure, place ? place - cure : (gssize)strlen(cure));
	if (!place)
		return;
	g_autofree char *resource = g_strconcat(resource_type(d->action), d->resource, NULL);
	g_string_append_printf(text, "%s on ", d->action);
	denied_tell_quoted(resource, text);
	g_string_append(text, place + 2);
}

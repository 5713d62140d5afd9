#include "daemon/denials.h"

#include <stdio.h>
#include <string.h>

#define LISTED 1000 /* kinds of refusal */

struct asking {
	struct denied_filter filter;
	json_t *list; /* with --json; NULL: lines are printed */
	int64_t n;
};

/* `client "pump-7" from 192.0.2.7, certificate 3fa9...` */
static void tell_who(const struct denied *d, GString *text)
{
	if (*d->client_id) {
		g_string_append(text, " by client ");
		denied_tell_quoted(d->client_id, text);
	}
	if (*d->username) {
		g_string_append(text, " of user ");
		denied_tell_quoted(d->username, text);
	}
	if (*d->address)
		g_string_append_printf(text, " from %s", d->address);
	if (*d->certificate)
		g_string_append_printf(text, ", certificate %s", d->certificate);
	g_string_append_printf(text, ", broker %s", d->broker);
}

static void print_one(const struct denied *d)
{
	g_autoptr(GString) what = g_string_new(NULL), why = g_string_new("    why:  "),
			   cure = g_string_new("    cure: ");
	g_autofree char *first = denials_time(d->first_ms), *last = denials_time(d->last_ms);
	g_string_printf(what, "%s  %" G_GINT64_FORMAT "x since %s  %s", last, d->times, first,
			d->is_observed ? "would be refused: " : "");
	denials_tell_request(d, what);
	tell_who(d, what);
	denied_tell_rule(d, why);
	denied_tell_cure(d, cure);
	tool_print(what->str);
	tool_print(why->str);
	tool_print(cure->str);
}

static int take(const struct denied *d, void *ctx)
{
	struct asking *a = ctx;
	a->n++;
	if (a->list)
		(void)json_array_append_new(a->list, denials_json(d));
	else
		print_one(d);
	return 0;
}

static int answer(const struct common *common, struct asking *a)
{
	struct tool tool;
	int r = tool_open(&tool, common);
	if (r != 0)
		return r;
	r = denied_each(tool.reader, &a->filter, take, a) < 0 ? EXIT_FAILED : EXIT_OK;
	if (r != EXIT_OK)
		complain("why-denied: %s", sql_error(tool.reader));
	tool_close(&tool);
	if (r == EXIT_OK && a->list &&
	    json_dumpf(a->list, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII) == 0)
		(void)puts("");
	if (a->n == a->filter.limit)
		complain("why-denied: only the newest %d are shown: say a shorter --since, or of "
			 "whom",
			 LISTED);
	if (r == EXIT_OK && a->n == 0) {
		complain("why-denied: the ledger has no such refusal since then");
		r = EXIT_NOT_FOUND;
	}
	return r;
}

/* The id at the end of an ARN, too. */
static const char *certificate_id(const char *given)
{
	const char *slash = strrchr(given, '/');
	return slash ? slash + 1 : given;
}

static const char *any(const char *given)
{
	return given ? given : "";
}

struct words {
	char *client, *certificate, *address, *thing, *since;
	gboolean is_json;
};

static void words_clear(struct words *w)
{
	g_free(w->client);
	g_free(w->certificate);
	g_free(w->address);
	g_free(w->thing);
	g_free(w->since);
}

static int ask(const struct common *common, const struct words *w)
{
	struct asking a = {
		.filter = {.client_id = any(w->client),
			   .certificate = certificate_id(any(w->certificate)),
			   .address = any(w->address),
			   .thing = any(w->thing),
			   .is_observed = -1,
			   .limit = LISTED}
        };
	int r = denials_since(common, w->since ? w->since : "24h", &a.filter.since_ms);
	if (r != 0)
		return r;
	a.list = w->is_json ? json_array() : NULL;
	r = answer(common, &a);
	json_decref(a.list);
	return r;
}

enum exit_code cmd_why_denied(const struct command *command, const struct call_line *line)
{
	struct common common = {0};
	struct words w = {0};
	const GOptionEntry own[] = {
		{"client",        0, 0, G_OPTION_ARG_STRING, &w.client, "Refused to this client id", "ID"},
		{"certificate",              0, 0, G_OPTION_ARG_STRING, &w.certificate,
		 "Refused to this certificate (id or ARN)", "ID"},
		{"address",      0, 0, G_OPTION_ARG_STRING, &w.address, "Refused to this address", "A"},
		{"thing",           0, 0, G_OPTION_ARG_STRING, &w.thing,
		 "Refused to this thing: to its name as client id, or to its certificates", "NAME"},
		{"since",   0, 0, G_OPTION_ARG_STRING, &w.since,
		 "How far back: 90s, 30m, 24h, 7d (default 24h)", "TIME"},
		{"json",              0, 0, G_OPTION_ARG_NONE, &w.is_json, "Print a JSON array", NULL},
		{0},
	};
	int r = command_parse(command, line, own, &common, NULL, 0);
	if (r == 0)
		r = command_settings(&common);
	if (r == 0)
		r = ask(&common, &w);
	words_clear(&w);
	common_clear(&common);
	return (enum exit_code)r;
}

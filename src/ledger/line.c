#include "ledger/line.h"

#include "ledger/ledger_priv.h"
#include "policy/decide.h"

#include <arpa/inet.h>
#include <inttypes.h>

#define QUOTED_MAX 200 /* bytes of a text that are shown */

/* What is no address is not shown at all: nothing else may stand in its place. */
static void add_address(GString *line, struct view v)
{
	struct in6_addr any;
	g_autofree char *text = g_strndup(v.p ? v.p : "", v.n);
	bool is_address =
		inet_pton(AF_INET, text, &any) == 1 || inet_pton(AF_INET6, text, &any) == 1;
	g_string_append(line, is_address ? text : "-");
}

static void add_quoted(GString *line, const char *name, struct view v)
{
	g_string_append_printf(line, " %s=\"", name);
	for (size_t i = 0; i < v.n && i < QUOTED_MAX; i++) {
		char c = v.p[i];
		if (g_ascii_isprint(c) && c != '"' && c != '\\')
			g_string_append_c(line, c);
		else
			g_string_append_printf(line, "\\x%02x", (unsigned)(uint8_t)c);
	}
	g_string_append(line, v.n > QUOTED_MAX ? "...\"" : "\"");
}

static void add_rule(GString *line, const struct event_refused *e)
{
	add_quoted(line, "policy", e->policy);
	if (e->policy.n)
		g_string_append_printf(line, " version=%" PRIu32 " statement=%" PRId32, e->version,
				       e->statement + 1);
	add_quoted(line, "missing", e->missing);
}

char *denial_line(struct view broker, const struct event_refused *e)
{
	GString *line = g_string_new(e->is_observed ? "would-deny " : "denied ");
	char certificate[LEDGER_CERTIFICATE_SIZE];
	ledger_certificate(e->who.fingerprint, certificate);
	add_address(line, e->who.address);
	g_string_append_printf(
		line, " cause=%s action=%s count=%" PRIu64 " certificate=%s", cause_word(e->cause),
		e->action == EVENT_ACTION_TLS ? "tls"
					      : policy_action_name((enum policy_action)e->action),
		e->count, *certificate ? certificate : "-");
	add_quoted(line, "client", e->who.client_id);
	add_quoted(line, "user", e->who.username);
	add_quoted(line, "resource", e->resource);
	add_rule(line, e);
	add_quoted(line, "broker", broker);
	return g_string_free(line, FALSE);
}

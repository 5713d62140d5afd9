/* What the ledger says of refusals: for people who ask why. */
#ifndef LEDGER_DENIED_H
#define LEDGER_DENIED_H

#include "base/compiler.h"
#include "store/sql.h"

#include <glib.h>
#include <stdbool.h>

/* Texts: "" for any. */
struct denied_filter {
	const char *client_id, *certificate, *address;
	const char *thing; /* of that client id, or by a certificate that is attached to it now */
	int64_t since_ms;  /* last seen not before */
	int is_observed;   /* 0 or 1; -1: any */
	int64_t limit;
};

/* Refusals that were alike, over all hours. Texts live during the call. */
struct denied {
	const char *broker, *certificate, *client_id, *username, *address;
	const char *action, *cause, *resource;
	const char *policy;  /* that decided; "": none */
	const char *missing; /* the variable or key that kept a grant from matching; "" */
	int64_t version;
	int64_t statement; /* from 0; -1: none */
	const char *sid;   /* the statement's, "" when it has none or the version is gone */
	bool is_observed;  /* it was let pass, and would be refused */
	bool is_rest;      /* the sum of what had no room of its own */
	int64_t times, first_ms, last_ms;
};

/* Calls fn for each, newest first, until it returns non-zero (which is returned). Else 0, or a
 * negative errno. */
typedef int denied_fn(const struct denied *d, void *ctx);
int denied_each(struct sql_conn *reader, const struct denied_filter *filter, denied_fn *fn,
		void *ctx) MUST_USE;

/* Why, in words: `a policy statement denies it: policy "base" version 3, statement 2 (NoSecrets)`.
 * Statements are counted from 1 for people. */
void denied_tell_rule(const struct denied *d, GString *text);
/* What helps, a sentence. */
void denied_tell_cure(const struct denied *d, GString *text);
/* A text that a client chose, in quotes that it cannot end: '"' and '\' leave as \x22 and \x5c. */
void denied_tell_quoted(const char *chosen, GString *text);

#endif

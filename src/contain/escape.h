/* Escape analysis: can a device still do what was taken away?
 *
 * Policies are patterns, so the search instantiates them: the variables by the identity's values,
 * a wildcard by a word that means nothing. What a policy granted (or denies) is found by asking
 * the engine about that policy alone; whether it still holds, by asking what is in force now, which
 * the caller looks up in the brokers' snapshot. So no rule of the language is written here a second
 * time.
 *
 *   NO_GRANT     what a document granted the identity, and the present policies still allow
 *   DENY         what a document denies the thing, and the certificate may do when it connects with
 *                another client id: its own policies' patterns are tried for one, and a random one
 *   QUARANTINE   a client id under which the certificate is not judged by the quarantine alone
 *
 * Pure but for the question; uses GLib. */
#ifndef CONTAIN_ESCAPE_H
#define CONTAIN_ESCAPE_H

#include "contain/contain.h"
#include "policy/decide.h"

#include <glib.h>

#define ESCAPE_QUESTIONS_MAX 100000 /* of one containment */
#define ESCAPE_CLIENTS_MAX   64     /* client ids tried of one certificate */

/* A policy's version, as it is or was in force. Texts are borrowed. */
struct escape_document {
	const char *policy;
	int64_t version;
	const char *text; /* JSON */
};

/* One certificate concerned. */
struct escape_identity {
	const char *certificate;   /* 64 hex digits */
	const char *thing;         /* that it is about; NULL: none in particular */
	const char *const *things; /* that the certificate is attached to */
	size_t n_things;
	const struct escape_document *own; /* policies attached to the certificate itself */
	size_t n_own;
};

/* What is in force now for this certificate under this client id? `request` has action, type, name
 * and client_id and gets the rest, for the same question to be put to one policy alone. 0, or a
 * negative errno. */
struct escape_answer {
	enum policy_decision decision;
	bool is_quarantined;
	const char *policy; /* that decided, "" when none; lives until the next question */
	uint32_t version;
	int statement; /* from 0 */
};
typedef int escape_ask_fn(const char *certificate, struct policy_request *request, void *ctx,
			  struct escape_answer *ret);

struct escape_search {
	enum contain_kind kind;
	const struct escape_document *documents; /* what was taken away, or denies */
	size_t n_documents;
	const char *random_client; /* a client id that nobody has */
	escape_ask_fn *ask;
	void *ctx;
};

/* Asks about one certificate, and adds to *asked. *ret_escape becomes the first way out, in words
 * (g_free), or stays NULL. 0, or what ask returned. */
int escape_find(const struct escape_search *s, const struct escape_identity *identity,
		struct contain_asked *asked, char **ret_escape);

/* True when the document has a statement of this effect ("Allow", "Deny"). */
bool escape_has_effect(const char *document, const char *effect);

#endif

#include "contain/escape.h"

#include "base/compiler.h"
#include "policy/policy.h"

#include <jansson.h>
#include <string.h>

#define WORD  "tw-probe" /* stands for what a wildcard matches */
#define CHARS 65536      /* more than any quota lets in */

/* What a session can ask for. */
static const struct doing {
	enum policy_action action;
	const char *type;
} doings[] = {
	{POLICY_CONNECT,        "client"     },
        {POLICY_PUBLISH,        "topic"      },
	{POLICY_RETAIN_PUBLISH, "topic"      },
        {POLICY_SUBSCRIBE,      "topicfilter"},
	{POLICY_RECEIVE,        "topic"      },
};

/* A document, and the resources that its statements name. */
struct source {
	const struct escape_document *document;
	struct policy_program program;
	GPtrArray *patterns; /* behind the fifth colon: "topic/a/b", "*" */
};

struct find {
	const struct escape_search *s;
	const struct escape_identity *identity;
	struct contain_asked *asked;
	GPtrArray *clients; /* ids to try */
	GArray *sources;    /* of struct source: what was taken away, or denies */
	GArray *own;        /* of the certificate's own policies */
	char **ret_escape;
	int result;
};

/* One try: a resource under a client id. */
struct
try {
	struct find *f;
	const char *client;
	const struct source *source;
	const struct doing *doing;
	const char *name;
};

/* ---- Documents ---- */

static void add_pattern(GPtrArray *patterns, const char *resource)
{
	const char *p = resource;
	for (int colons = 0; colons < 5 && p; colons++) {
		p = strchr(p, ':');
		p = p ? p + 1 : NULL;
	}
	g_ptr_array_add(patterns, g_strdup(p ? p : "*"));
}

static void add_resources(GPtrArray *patterns, const json_t *resource)
{
	size_t i;
	json_t *one;
	if (!resource)
		add_pattern(patterns, "*"); /* NotResource */
	if (json_is_string(resource))
		add_pattern(patterns, json_string_value(resource));
	json_array_foreach(resource, i, one)
	{
		if (json_is_string(one))
			add_pattern(patterns, json_string_value(one));
	}
}

static bool has_effect(const json_t *statement, const char *effect)
{
	return g_strcmp0(json_string_value(json_object_get(statement, "Effect")), effect) == 0;
}

/* Calls fn for every statement of the effect; the document was compiled when it was taken. */
static void each_statement(const char *text, const char *effect,
			   void (*fn)(const json_t *statement, void *ctx), void *ctx)
{
	json_t *document = json_loads(text, 0, NULL);
	json_t *statements = json_object_get(document, "Statement"), *one;
	size_t i;
	if (json_is_object(statements) && has_effect(statements, effect))
		fn(statements, ctx);
	json_array_foreach(statements, i, one)
	{
		if (has_effect(one, effect))
			fn(one, ctx);
	}
	json_decref(document);
}

static void take_patterns(const json_t *statement, void *patterns)
{
	add_resources(patterns, json_object_get(statement, "Resource"));
}

static void note(const json_t *statement, void *ret)
{
	(void)statement;
	*(bool *)ret = true;
}

bool escape_has_effect(const char *document, const char *effect)
{
	bool found = false;
	each_statement(document, effect, note, &found);
	return found;
}

static GArray *read_sources(const struct escape_document *documents, size_t n, const char *effect)
{
	GArray *sources = g_array_new(FALSE, TRUE, sizeof(struct source));
	for (size_t i = 0; i < n; i++) {
		struct fault fault = {0};
		struct source source = {.document = &documents[i]};
		if (policy_compile(view_of(documents[i].text), CHARS, &source.program, &fault) < 0)
			continue;
		source.patterns = g_ptr_array_new_with_free_func(g_free);
		each_statement(documents[i].text, effect, take_patterns, source.patterns);
		(void)g_array_append_val(sources, source);
	}
	return sources;
}

static void free_sources(GArray *sources)
{
	for (guint i = 0; i < sources->len; i++) {
		struct source *source = &g_array_index(sources, struct source, i);
		policy_program_clear(&source->program);
		g_ptr_array_unref(source->patterns);
	}
	(void)g_array_free(sources, TRUE);
}

/* ---- Patterns ---- */

struct names {
	const char *client, *thing, *certificate, *wildcard;
};

static const char *value_of(const struct names *names, const char *variable, size_t n)
{
	const struct {
		const char *name, *value;
	} rows[] = {
		{"iot:ClientId",                   names->client     },
		{"iot:Connection.Thing.ThingName", names->thing      },
		{"iot:CertificateId",              names->certificate},
		{"*",			      "*"               },
		{"?",			      "?"               },
		{"$",			      "$"               },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (strlen(rows[i].name) == n && memcmp(rows[i].name, variable, n) == 0)
			return rows[i].value;
	return NULL;
}

/* Appends what stands for the head of the pattern; returns what follows, NULL when there is no
 * value for a variable. */
static const char *take_piece(const struct names *names, const char *p, GString *out)
{
	const char *end = strncmp(p, "${", 2) == 0 ? strchr(p, '}') : NULL;
	if (end) {
		const char *value = value_of(names, p + 2, (size_t)(end - p - 2));
		if (value)
			g_string_append(out, value);
		return value ? end + 1 : NULL;
	}
	if (*p == '*')
		g_string_append(out, names->wildcard);
	else
		g_string_append_c(out, *p == '?' ? 'z' : *p);
	return p + 1;
}

/* The resource's name that the pattern gives for this type, or NULL. g_free. */
static char *instantiate(const char *pattern, const char *type, const struct names *names)
{
	size_t n = strlen(type);
	if (pattern[0] == '*')
		return g_strdup(names->wildcard);
	if (strncmp(pattern, type, n) != 0 || pattern[n] != '/')
		return NULL;
	GString *out = g_string_new(NULL);
	const char *p = pattern + n + 1;
	while (p && *p)
		p = take_piece(names, p, out);
	return g_string_free(out, p == NULL);
}

/* ---- Client ids ---- */

static void add_client(struct find *f, const char *client)
{
	if (!client || !*client || f->clients->len >= ESCAPE_CLIENTS_MAX ||
	    g_ptr_array_find_with_equal_func(f->clients, client, g_str_equal, NULL))
		return;
	g_ptr_array_add(f->clients, g_strdup(client));
}

static void add_pattern_clients(struct find *f, const char *pattern)
{
	const struct escape_identity *who = f->identity;
	for (size_t i = 0; i < who->n_things + 1; i++) {
		const char *thing = i < who->n_things ? who->things[i] : NULL;
		const struct names names = {thing, thing, who->certificate, f->s->random_client};
		g_autofree char *client = instantiate(pattern, "client", &names);
		add_client(f, client);
	}
}

static void find_clients(struct find *f)
{
	add_client(f, f->identity->thing);
	for (size_t i = 0; i < f->identity->n_things; i++)
		add_client(f, f->identity->things[i]);
	add_client(f, f->s->random_client);
	for (guint i = 0; i < f->own->len; i++) {
		GPtrArray *patterns = g_array_index(f->own, struct source, i).patterns;
		for (guint k = 0; k < patterns->len; k++)
			add_pattern_clients(f, patterns->pdata[k]);
	}
}

/* ---- Questions ---- */

static bool is_over(const struct find *f)
{
	return f->result < 0 || *f->ret_escape;
}

static struct policy_request request_for(const char *client, const struct doing *doing,
					 const char *name)
{
	return (struct policy_request){
		.action = doing->action,
		.type = view_of(doing->type),
		.name = view_of(name),
		.client_id = view_of(client),
		.are_connect_attributes_known = true,
	};
}

/* Asks what is in force; false when that failed or there were too many questions. */
static bool ask(struct find *f, struct policy_request *request, struct escape_answer *ret)
{
	if (f->asked->questions >= ESCAPE_QUESTIONS_MAX) {
		f->asked->is_sample = true;
		return false;
	}
	f->asked->questions++;
	f->result = f->s->ask(f->identity->certificate, request, f->s->ctx, ret);
	return f->result == 0;
}

static bool may_connect(struct find *f, const char *client, struct escape_answer *ret)
{
	struct policy_request request = request_for(client, &doings[0], client);
	return ask(f, &request, ret) && ret->decision == POLICY_ALLOWED;
}

/* The policy alone, as it is or was: what does it say to the client that is the thing? */
static enum policy_decision alone(const struct try *t, const char *client,
				  const struct policy_request *known)
{
	struct policy_request request = *known;
	const char *thing = t->f->identity->thing;
	const struct view program = {(const char *)t->source->program.bytes, t->source->program.n};
	request.client_id = view_of(client);
	if (thing && strcmp(client, thing) == 0) {
		request.thing_name = view_of(thing);
		request.is_thing_attached = true;
	}
	return policy_decide(&program, 1, &request).decision;
}

static void tell(const struct try *t, const struct escape_answer *now,
		 const struct escape_answer *connect)
{
	g_autofree char *door =
		t->doing->action == POLICY_CONNECT
			? g_strdup("")
			: g_strdup_printf(" as client %s, which policy %s version %u statement %d "
					  "lets connect",
					  t->client, connect->policy, connect->version,
					  connect->statement + 1);
	*t->f->ret_escape = g_strdup_printf(
		"policy %s version %u statement %d allows %s %s %s/%s%s; certificate %s",
		now->policy, now->version, now->statement + 1, policy_action_name(t->doing->action),
		t->doing->action == POLICY_CONNECT ? "as" : "on", t->doing->type, t->name, door,
		t->f->identity->certificate);
}

/* What a policy granted is still there. The new version of the policy that was changed may grant
 * what it grants: that was not taken away. */
static void try_grant(const struct try *t)
{
	struct find *f = t->f;
	struct policy_request request = request_for(t->client, t->doing, t->name);
	struct escape_answer now, connect;
	if (!ask(f, &request, &now) || now.decision != POLICY_ALLOWED ||
	    alone(t, t->client, &request) != POLICY_ALLOWED)
		return;
	if (f->s->kind == CONTAIN_POLICY_CHANGED &&
	    strcmp(now.policy, t->source->document->policy) == 0)
		return;
	g_autofree char *policy = g_strdup(now.policy);
	now.policy = policy;
	if (may_connect(f, t->client, &connect))
		tell(t, &now, &connect);
}

/* What a policy denies the thing is allowed to the certificate under this client id. */
static void try_deny(const struct try *t)
{
	struct find *f = t->f;
	const char *thing = f->identity->thing;
	struct policy_request request = request_for(t->client, t->doing, t->name);
	struct policy_request denied = request;
	struct escape_answer now, connect;
	if (t->doing->action == POLICY_CONNECT && thing)
		denied.name = view_of(thing);
	if (!ask(f, &request, &now) || now.decision != POLICY_ALLOWED)
		return;
	denied.partition = request.partition;
	denied.region = request.region;
	denied.account = request.account;
	denied.certificate_id = request.certificate_id;
	denied.cert_facts = request.cert_facts;
	if (alone(t, thing ? thing : t->client, &denied) != POLICY_EXPLICIT_DENY)
		return;
	g_autofree char *policy = g_strdup(now.policy);
	now.policy = policy;
	if (may_connect(f, t->client, &connect))
		tell(t, &now, &connect);
}

typedef void try_fn(const struct try *t);

/* Every doing that the pattern can stand for, under every client id. */
static void try_pattern(struct try *t, const char *pattern, try_fn *fn)
{
	const struct escape_identity *who = t->f->identity;
	const struct names names = {t->client, who->thing ? who->thing : t->client,
				    who->certificate, WORD};
	for (size_t i = 0; i < ARRAY_LEN(doings) && !is_over(t->f); i++) {
		g_autofree char *name = instantiate(pattern, doings[i].type, &names);
		t->doing = &doings[i];
		t->name = doings[i].action == POLICY_CONNECT ? t->client : name;
		if (name)
			fn(t);
	}
}

static void try_patterns(struct try *t, const GPtrArray *patterns, try_fn *fn)
{
	for (guint i = 0; i < t->f->clients->len; i++) {
		t->client = t->f->clients->pdata[i];
		for (guint k = 0; k < patterns->len && !is_over(t->f); k++)
			try_pattern(t, patterns->pdata[k], fn);
	}
}

/* ---- By goal ---- */

static void find_grant(struct find *f)
{
	for (guint i = 0; i < f->sources->len; i++) {
		struct try t = {.f = f, .source = &g_array_index(f->sources, struct source, i)};
		try_patterns(&t, t.source->patterns, try_grant);
	}
}

/* What it denies may be written wider than what the certificate may do: its own policies' patterns
 * are tried, too. */
static void find_denied(struct find *f)
{
	for (guint i = 0; i < f->sources->len; i++) {
		struct try t = {.f = f, .source = &g_array_index(f->sources, struct source, i)};
		try_patterns(&t, t.source->patterns, try_deny);
		for (guint k = 0; k < f->own->len; k++)
			try_patterns(&t, g_array_index(f->own, struct source, k).patterns,
				     try_deny);
	}
}

static void find_unquarantined(struct find *f)
{
	for (guint i = 0; i < f->clients->len && !is_over(f); i++) {
		const char *client = f->clients->pdata[i];
		struct policy_request request = request_for(client, &doings[0], client);
		struct escape_answer now;
		if (ask(f, &request, &now) && !now.is_quarantined)
			*f->ret_escape = g_strdup_printf("as client %s, certificate %s is not "
							 "judged by the quarantine's policies",
							 client, f->identity->certificate);
	}
}

static const struct goal_row {
	void (*find)(struct find *f);
	const char *effect; /* of the statements that matter */
} goals[] = {
	[CONTAIN_NO_SESSION] = {NULL,               ""     },
	[CONTAIN_NO_GRANT] = {find_grant,         "Allow"},
	[CONTAIN_DENY] = {find_denied,        "Deny" },
	[CONTAIN_QUARANTINE] = {find_unquarantined, "Deny" },
};

int escape_find(const struct escape_search *s, const struct escape_identity *identity,
		struct contain_asked *asked, char **ret_escape)
{
	const struct goal_row *goal = &goals[contain_goal(s->kind)];
	if (!goal->find)
		return 0;
	struct find f = {
		.s = s,
		.identity = identity,
		.asked = asked,
		.clients = g_ptr_array_new_with_free_func(g_free),
		.sources = read_sources(s->documents, s->n_documents, goal->effect),
		.own = read_sources(identity->own, identity->n_own, "Allow"),
		.ret_escape = ret_escape,
	};
	find_clients(&f);
	goal->find(&f);
	asked->certificates++;
	free_sources(f.sources);
	free_sources(f.own);
	g_ptr_array_unref(f.clients);
	return f.result;
}

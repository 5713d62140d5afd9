#include "policy/compile.h"

#include "policy/condition.h"
#include "policy/decide.h"
#include "policy/glob.h"
#include "policy/glob_compile.h"
#include "policy/program.h"

struct compiler {
	GByteArray *out;
	struct fault *fault;
	size_t statement;   /* from 1, for words */
	bool has_variables; /* the document's Version has them */
	uint32_t actions, needs;
};

static const char *const document_members[] = {"Version", "Statement"};
static const char *const statement_members[] = {"Sid",      "Effect",      "Action",   "NotAction",
						"Resource", "NotResource", "Condition"};

/* ---- Words ---- */

static int PRINTF_LIKE(2, 3) refuse(struct compiler *c, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	g_autofree char *what = g_strdup_vprintf(fmt, args);
	va_end(args);
	if (c->statement == 0)
		return fault_set(c->fault, FAULT_MALFORMED_POLICY, "%s", what);
	return fault_set(c->fault, FAULT_MALFORMED_POLICY, "Statement %zu: %s", c->statement, what);
}

static int check_members(struct compiler *c, json_t *object, const char *const *known,
			 size_t n_known)
{
	const char *name;
	json_t *value;
	json_object_foreach(object, name, value)
	{
		bool is_known = false;
		for (size_t i = 0; i < n_known && !is_known; i++)
			is_known = strcmp(known[i], name) == 0;
		if (is_known)
			continue;
		g_autoptr(GString) all = g_string_new(known[0]);
		for (size_t i = 1; i < n_known; i++)
			g_string_append_printf(all, ", %s", known[i]);
		return refuse(c, "'%.128s' is no member of the policy language here; known are: %s",
			      name, all->str);
	}
	return 0;
}

/* ---- Lists: a string stands for a list of one ---- */

typedef int string_fn(struct compiler *c, const char *member, const char *value);

static int each_string(struct compiler *c, const char *member, json_t *value, string_fn *fn)
{
	if (json_is_string(value))
		return fn(c, member, json_string_value(value));
	if (json_array_size(value) == 0)
		return refuse(c,
			      "%s is neither a string nor a list with strings; write for instance "
			      "\"%s\": \"*\"",
			      member, member);
	size_t i;
	json_t *item;
	json_array_foreach(value, i, item)
	{
		if (!json_is_string(item))
			return refuse(c, "%s %zu is no string; put it in quotes", member, i + 1);
		if (fn(c, member, json_string_value(item)) != 0)
			return -1;
	}
	return 0;
}

/* The one of two members that is there: Action or NotAction, Resource or NotResource. */
static int either(struct compiler *c, json_t *statement, const char *plain, const char *negated,
		  bool *ret_is_negated)
{
	bool has_plain = json_object_get(statement, plain) != NULL;
	*ret_is_negated = json_object_get(statement, negated) != NULL;
	if (has_plain != *ret_is_negated)
		return 0;
	return refuse(c, "%s %s and %s; give exactly one of them",
		      has_plain ? "there are both" : "there is neither of", plain, negated);
}

/* ---- Actions ---- */

/* Names compare without case, so both sides are put into lower case. */
static int add_action(struct compiler *c, const char *member, const char *value)
{
	g_autofree char *lower = g_ascii_strdown(value, -1);
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	g_autofree char *why = NULL;
	uint32_t no_needs = 0, actions = 0;
	if (glob_compile(view_of(lower), (struct glob_options){true, false}, bytes, &no_needs,
			 &why) != 0)
		return refuse(c, "%s '%.128s' holds a variable; name the action", member, value);
	struct view pattern = {(const char *)bytes->data + sizeof(uint32_t),
			       bytes->len - sizeof(uint32_t)};
	for (unsigned i = 0; i < POLICY_ACTIONS; i++) {
		g_autofree char *name =
			g_ascii_strdown(policy_action_name((enum policy_action)i), -1);
		struct view text = view_of(name);
		uint64_t steps = 0;
		if (glob_match(pattern, (struct glob_text){&text, 1}, NULL, &steps))
			actions |= UINT32_C(1) << i;
	}
	if (actions == 0)
		return refuse(c,
			      "%s '%.128s' names no action of a device; write for instance "
			      "iot:Publish or iot:*",
			      member, value);
	c->actions |= actions;
	return 0;
}

static int compile_actions(struct compiler *c, json_t *statement)
{
	bool is_negated;
	if (either(c, statement, "Action", "NotAction", &is_negated) != 0)
		return -1;
	const char *member = is_negated ? "NotAction" : "Action";
	if (each_string(c, member, json_object_get(statement, member), add_action) != 0)
		return -1;
	const uint32_t all = (UINT32_C(1) << POLICY_ACTIONS) - 1;
	c->actions = is_negated ? all & ~c->actions : c->actions;
	return 0;
}

/* ---- Resources ---- */

static int add_pattern(struct compiler *c, const char *member, struct view text)
{
	g_autofree char *why = NULL;
	if (glob_compile(text, (struct glob_options){true, c->has_variables}, c->out, &c->needs,
			 &why) == 0)
		return 0;
	return refuse(c, "%s '%.*s': %s", member, (int)MIN(text.n, 256), text.p, why);
}

/* Splits at the first five colons that stand outside a variable. Returns the number of parts. */
static unsigned split_arn(struct view text, struct view parts[PROGRAM_ARN_PARTS])
{
	unsigned n = 1;
	parts[0] = (struct view){text.p, 0};
	for (size_t at = 0, unit; at < text.n; at += unit) {
		unit = glob_unit((struct view){text.p + at, text.n - at});
		if (unit == 0)
			return 1;
		if (text.p[at] == ':' && n < PROGRAM_ARN_PARTS)
			parts[n++] = (struct view){text.p + at + 1, 0};
		else
			parts[n - 1].n += unit;
	}
	return n;
}

static int add_resource(struct compiler *c, const char *member, const char *value)
{
	struct view text = view_of(value), parts[PROGRAM_ARN_PARTS];
	if (split_arn(text, parts) < PROGRAM_ARN_PARTS) {
		bytes_u8(c->out, PROGRAM_WHOLE);
		return add_pattern(c, member, text);
	}
	bytes_u8(c->out, PROGRAM_ARN_PARTS);
	for (unsigned i = 0; i < PROGRAM_ARN_PARTS; i++)
		if (add_pattern(c, member, parts[i]) != 0)
			return -1;
	return 0;
}

static int compile_resources(struct compiler *c, json_t *statement, bool is_negated)
{
	const char *member = is_negated ? "NotResource" : "Resource";
	guint list = bytes_open(c->out);
	if (each_string(c, member, json_object_get(statement, member), add_resource) != 0)
		return -1;
	bytes_close(c->out, list);
	return 0;
}

/* ---- Statements ---- */

static int compile_effect(struct compiler *c, json_t *statement)
{
	static const char *const effects[PROGRAM_EFFECTS] = {
		[PROGRAM_DENY] = "Deny", [PROGRAM_ALLOW] = "Allow"};
	const char *effect = json_string_value(json_object_get(statement, "Effect"));
	for (unsigned i = 0; effect && i < PROGRAM_EFFECTS; i++) {
		if (strcmp(effect, effects[i]) == 0) {
			bytes_u8(c->out, (uint8_t)i);
			return 0;
		}
	}
	return refuse(c, "Effect is not \"Allow\" or \"Deny\"; write one of the two, in this case");
}

static int compile_condition(struct compiler *c, json_t *statement)
{
	json_t *condition = json_object_get(statement, "Condition");
	if (!condition)
		return 0;
	if (!json_is_object(condition))
		return refuse(c, "Condition is no object; write {\"Bool\": "
				 "{\"iot:Connection.Thing.IsAttached\": "
				 "\"true\"}} or leave it out");
	g_autofree char *why = NULL;
	if (condition_compile(condition, c->has_variables, c->out, &c->needs, &why) == 0)
		return 0;
	return refuse(c, "Condition: %s", why);
}

static int check_statement(struct compiler *c, json_t *statement)
{
	if (!json_is_object(statement))
		return refuse(c, "it is no object; write {\"Effect\": ..., \"Action\": ..., "
				 "\"Resource\": ...}");
	if (json_object_get(statement, "Principal") || json_object_get(statement, "NotPrincipal"))
		return refuse(c, "Principal has no place in an IoT policy; attach the policy to "
				 "what it is for");
	json_t *sid = json_object_get(statement, "Sid");
	if (sid && !json_is_string(sid))
		return refuse(c, "Sid is no string; put it in quotes");
	return check_members(c, statement, statement_members, G_N_ELEMENTS(statement_members));
}

static int compile_statement(struct compiler *c, json_t *statement)
{
	c->actions = c->needs = 0;
	guint body = bytes_open(c->out);
	bool is_negated;
	if (check_statement(c, statement) != 0 || compile_effect(c, statement) != 0 ||
	    compile_actions(c, statement) != 0 ||
	    either(c, statement, "Resource", "NotResource", &is_negated) != 0)
		return -1;
	bytes_u8(c->out, is_negated);
	bytes_u32(c->out, c->actions);
	guint needs = bytes_open(c->out);
	if (compile_resources(c, statement, is_negated) != 0 ||
	    compile_condition(c, statement) != 0)
		return -1;
	uint32_t le = GUINT32_TO_LE(c->needs);
	memcpy(c->out->data + needs - sizeof(le), &le, sizeof(le));
	bytes_close(c->out, body);
	return 0;
}

static int compile_statements(struct compiler *c, json_t *statements)
{
	if (json_is_object(statements))
		return compile_statement(c, statements);
	if (!json_is_array(statements))
		return refuse(c, "Statement is missing, or neither an object nor a list; write "
				 "\"Statement\": [...]");
	size_t i;
	json_t *statement;
	json_array_foreach(statements, i, statement)
	{
		c->statement = i + 1;
		if (compile_statement(c, statement) != 0)
			return -1;
	}
	return 0;
}

/* ---- Documents ---- */

/* Variables came with the language of 2012. In an older document, or one that does not say,
 * "${...}" would be plain text to one reader and a variable to the next: there it is refused. */
static int compile_version(struct compiler *c, json_t *version)
{
	const char *text = json_string_value(version);
	c->has_variables = text && strcmp(text, "2012-10-17") == 0;
	if (!version || c->has_variables || (text && strcmp(text, "2008-10-17") == 0))
		return 0;
	return refuse(c, "Version is not known; write \"Version\": \"2012-10-17\"");
}

static int compile_document(struct compiler *c, json_t *document)
{
	if (!json_is_object(document))
		return refuse(c, "the policy document is no JSON object; write {\"Version\": "
				 "\"2012-10-17\", "
				 "\"Statement\": [...]}");
	if (check_members(c, document, document_members, G_N_ELEMENTS(document_members)) != 0 ||
	    compile_version(c, json_object_get(document, "Version")) != 0)
		return -1;
	bytes_u32(c->out, PROGRAM_MAGIC);
	return compile_statements(c, json_object_get(document, "Statement"));
}

json_t *document_read(struct view text, struct fault *fault)
{
	json_error_t error;
	json_t *document =
		json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
	if (!document)
		(void)fault_set(fault, FAULT_MALFORMED_POLICY,
				"the policy document is no JSON: line %d, column %d: %s",
				error.line, error.column, error.text);
	return document;
}

int document_compile(json_t *document, struct policy_program *ret, struct fault *fault)
{
	struct compiler c = {.out = g_byte_array_new(), .fault = fault};
	if (compile_document(&c, document) != 0) {
		g_byte_array_unref(c.out);
		return -1;
	}
	ret->n = c.out->len;
	ret->bytes = g_byte_array_free(c.out, FALSE);
	return 0;
}

/* Characters are code points: every byte but UTF-8's continuation bytes. */
static size_t count_chars(struct view document)
{
	size_t n = 0;
	for (size_t i = 0; i < document.n; i++)
		n += !g_ascii_isspace(document.p[i]) &&
		     ((unsigned char)document.p[i] & 0xc0) != 0x80;
	return n;
}

int policy_compile(struct view document, size_t max_chars, struct policy_program *ret,
		   struct fault *fault)
{
	size_t n = count_chars(document);
	if (n > max_chars)
		return fault_set(fault, FAULT_MALFORMED_POLICY,
				 "the policy document has %zu characters without white space, the "
				 "limit is %zu; split it "
				 "into several policies",
				 n, max_chars);
	json_t *json = document_read(document, fault);
	if (!json)
		return -1;
	int result = document_compile(json, ret, fault);
	json_decref(json);
	return result;
}

void policy_program_clear(struct policy_program *program)
{
	g_free(program->bytes);
	*program = (struct policy_program){NULL, 0};
}

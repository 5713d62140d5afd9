#include "policy/compile.h"

#include "policy/condition.h"
#include "policy/decide.h"
#include "policy/glob.h"
#include "policy/glob_compile.h"
#include "policy/program.h"

/* What is needed of a statement for the lists of the program. */
struct place {
	uint32_t at; /* in `statements` */
	uint32_t actions;
	enum policy_effect effect;
};

struct compiler {
	struct fault *fault;
	size_t number;      /* of the statement, from 1, for words; 0: there is only one, or none */
	bool has_variables; /* the document's Version has them */
	GByteArray *statements;
	GArray *places; /* struct place, one a statement */
	struct references references;
	/* of the statement */
	struct place place;
	uint64_t needs;
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
	if (c->number == 0)
		return fault_set(c->fault, FAULT_MALFORMED_POLICY, "%s", what);
	return fault_set(c->fault, FAULT_MALFORMED_POLICY, "Statement %zu: %s", c->number, what);
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

static bool matches(const GByteArray *pattern, const char *text)
{
	struct view piece = view_of(text);
	struct glob_terms terms = {NULL, true, 0};
	return glob_match((struct view){(const char *)pattern->data, pattern->len},
			  (struct glob_text){&piece, 1}, &terms);
}

/* "greengrass:Discover": AWS takes actions of other services, and no device asks for them. What
 * begins with "iot:" and is no device's is a slip of the pen, and a Deny with one would be a hole.
 */
static bool is_of_another_service(const char *action)
{
	const char *colon = strchr(action, ':');
	return colon && colon != action && g_ascii_strncasecmp(action, "iot:", strlen("iot:")) != 0;
}

static int add_action(struct compiler *c, const char *member, const char *value)
{
	g_autoptr(GByteArray) pattern = g_byte_array_new();
	g_autofree char *why = NULL;
	const struct glob_options options = {.has_wildcards = true};
	uint32_t actions = 0;
	if (glob_compile(view_of(value), &options, pattern, &why) != 0)
		return refuse(c, "%s '%.128s' holds a variable; name the action", member, value);
	for (unsigned i = 0; i < POLICY_ACTIONS; i++)
		if (matches(pattern, policy_action_name((enum policy_action)i)))
			actions |= UINT32_C(1) << i;
	if (actions == 0 && !is_of_another_service(value))
		return refuse(c,
			      "%s '%.128s' names no action of a device; write for instance "
			      "iot:Publish or iot:*",
			      member, value);
	c->place.actions |= actions;
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
	c->place.actions = is_negated ? all & ~c->place.actions : c->place.actions;
	return 0;
}

/* ---- Resources ---- */

static struct glob_options options_of(struct compiler *c)
{
	return (struct glob_options){true, c->has_variables, &c->references, &c->needs};
}

static int add_resource(struct compiler *c, const char *member, const char *value)
{
	g_autofree char *why = NULL;
	struct glob_options options = options_of(c);
	struct view text = view_of(value);
	guint resource = bytes_open(c->statements);
	if (resource_compile(text, true, &options, c->statements, &why) != 0)
		return refuse(c, "%s '%.*s': %s", member, (int)MIN(text.n, 256), text.p, why);
	bytes_close(c->statements, resource);
	return 0;
}

static int compile_resources(struct compiler *c, json_t *statement, bool is_negated)
{
	const char *member = is_negated ? "NotResource" : "Resource";
	guint list = bytes_open(c->statements);
	if (each_string(c, member, json_object_get(statement, member), add_resource) != 0)
		return -1;
	bytes_close(c->statements, list);
	return 0;
}

/* ---- Statements ---- */

static int compile_effect(struct compiler *c, json_t *statement)
{
	static const char *const effects[POLICY_EFFECTS] = {
		[POLICY_EFFECT_DENY] = "Deny", [POLICY_EFFECT_ALLOW] = "Allow"};
	const char *effect = json_string_value(json_object_get(statement, "Effect"));
	for (unsigned i = 0; effect && i < POLICY_EFFECTS; i++) {
		if (strcmp(effect, effects[i]) == 0) {
			c->place.effect = (enum policy_effect)i;
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
	struct glob_options options = options_of(c);
	if (condition_compile(condition, &options, c->statements, &why) == 0)
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
	bool is_negated;
	c->needs = 0;
	c->place = (struct place){.at = c->statements->len};
	if (check_statement(c, statement) != 0 || compile_effect(c, statement) != 0 ||
	    compile_actions(c, statement) != 0 ||
	    either(c, statement, "Resource", "NotResource", &is_negated) != 0)
		return -1;
	bytes_u8(c->statements, is_negated);
	guint needs = c->statements->len;
	bytes_u64(c->statements, 0);
	if (compile_resources(c, statement, is_negated) != 0 ||
	    compile_condition(c, statement) != 0)
		return -1;
	uint64_t le = GUINT64_TO_LE(c->needs);
	memcpy(c->statements->data + needs, &le, sizeof(le));
	g_array_append_val(c->places, c->place);
	return 0;
}

static int compile_statements(struct compiler *c, json_t *statements)
{
	if (json_is_object(statements))
		return compile_statement(c, statements);
	if (!json_is_array(statements))
		return refuse(c, "Statement is missing, or neither an object nor a list; write "
				 "\"Statement\": [...]");
	if (json_array_size(statements) > PROGRAM_STATEMENTS)
		return refuse(c, "there are %zu statements, at most %d are taken; split the policy",
			      json_array_size(statements), PROGRAM_STATEMENTS);
	size_t i;
	json_t *statement;
	json_array_foreach(statements, i, statement)
	{
		c->number = i + 1;
		if (compile_statement(c, statement) != 0)
			return -1;
	}
	return 0;
}

/* ---- The program ---- */

/* The numbers of the statements by action and effect; *starts gets where each list begins. */
static void write_lists(const struct compiler *c, GByteArray *starts, GByteArray *order)
{
	for (unsigned list = 0; list < PROGRAM_LISTS; list++) {
		bytes_u32(starts, order->len / (guint)sizeof(uint16_t));
		for (guint i = 0; i < c->places->len; i++) {
			const struct place *place = &g_array_index(c->places, struct place, i);
			if (place->effect == (enum policy_effect)(list % POLICY_EFFECTS) &&
			    (place->actions >> (list / POLICY_EFFECTS) & 1) != 0)
				bytes_u16(order, (uint16_t)i);
		}
	}
	bytes_u32(starts, order->len / (guint)sizeof(uint16_t));
}

static void write_offsets(const struct compiler *c, guint first, GByteArray *out)
{
	for (guint i = 0; i < c->places->len; i++)
		bytes_u32(out, first + g_array_index(c->places, struct place, i).at);
	bytes_u32(out, first + c->statements->len);
}

static GByteArray *write_program(const struct compiler *c)
{
	g_autoptr(GByteArray) starts = g_byte_array_new(), order = g_byte_array_new();
	GByteArray *out = g_byte_array_new();
	const GByteArray *references = c->references.rows;
	write_lists(c, starts, order);
	guint offsets = (c->places->len + 1) * (guint)sizeof(uint32_t);
	guint head = (guint)(2 * sizeof(uint32_t)) + offsets + starts->len + order->len + 1;
	bytes_u32(out, PROGRAM_MAGIC);
	bytes_u32(out, c->places->len);
	write_offsets(c, head + references->len, out);
	g_byte_array_append(out, starts->data, starts->len);
	g_byte_array_append(out, order->data, order->len);
	bytes_u8(out, (uint8_t)c->references.names->len);
	g_byte_array_append(out, references->data, references->len);
	g_byte_array_append(out, c->statements->data, c->statements->len);
	return out;
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
	struct compiler c = {
		.fault = fault,
		.statements = g_byte_array_new(),
		.places = g_array_new(FALSE, FALSE, sizeof(struct place)),
		.references = references_new(),
	};
	int result = compile_document(&c, document);
	if (result == 0) {
		GByteArray *program = write_program(&c);
		ret->n = program->len;
		ret->bytes = g_byte_array_free(program, FALSE);
	}
	g_byte_array_unref(c.statements);
	g_array_unref(c.places);
	references_clear(&c.references);
	return result;
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

#include "policy/glob_compile.h"

#include "policy/glob.h"
#include "policy/program.h"

static const char *const key_names[POLICY_KEYS] = {
#define KEY(id, name, type, value) [KEY_##id] = name,
#include "policy/key.tbl.h"
#undef KEY
};

struct pattern {
	GByteArray *out;
	uint32_t *needs;
	struct glob_options options;
	guint literal; /* the open literal, 0 when none is */
	char **ret_why;
};

void bytes_u8(GByteArray *out, uint8_t v)
{
	g_byte_array_append(out, &v, 1);
}

void bytes_u32(GByteArray *out, uint32_t v)
{
	uint32_t le = GUINT32_TO_LE(v);
	g_byte_array_append(out, (const guint8 *)&le, sizeof(le));
}

void bytes_view(GByteArray *out, struct view v)
{
	g_byte_array_append(out, (const guint8 *)v.p, (guint)v.n);
}

guint bytes_open(GByteArray *out)
{
	bytes_u32(out, 0);
	return out->len;
}

void bytes_close(GByteArray *out, guint place)
{
	uint32_t le = GUINT32_TO_LE(out->len - place);
	memcpy(out->data + place - sizeof(le), &le, sizeof(le));
}

static void end_literal(struct pattern *p)
{
	if (p->literal)
		bytes_close(p->out, p->literal);
	p->literal = 0;
}

static void add_literal(struct pattern *p, char c)
{
	if (!p->literal) {
		bytes_u8(p->out, GLOB_LITERAL);
		p->literal = bytes_open(p->out);
	}
	bytes_u8(p->out, (uint8_t)c);
}

static void add_op(struct pattern *p, enum glob_op op)
{
	end_literal(p);
	bytes_u8(p->out, (uint8_t)op);
}

static int refuse_variable(struct pattern *p, struct view name)
{
	g_autoptr(GString) known = g_string_new(NULL);
	for (unsigned i = 0; i < POLICY_KEYS; i++)
		g_string_append_printf(known, "%s%s", i ? ", " : "", key_names[i]);
	*p->ret_why = g_strdup_printf(
		"variable '${%.*s}' is not supported yet; known are: %s, and ${*} ${?} ${$}",
		(int)MIN(name.n, 128), name.p, known->str);
	return -1;
}

static int add_variable(struct pattern *p, struct view name)
{
	if (name.n == 1 && strchr("*?$", name.p[0])) {
		add_literal(p, name.p[0]);
		return 0;
	}
	for (unsigned i = 0; i < POLICY_KEYS; i++) {
		if (!view_is(name, key_names[i]))
			continue;
		add_op(p, GLOB_VALUE);
		bytes_u8(p->out, (uint8_t)i);
		*p->needs |= UINT32_C(1) << i;
		return 0;
	}
	return refuse_variable(p, name);
}

size_t glob_unit(struct view text)
{
	if (text.n < 2 || text.p[0] != '$' || text.p[1] != '{')
		return 1;
	const char *end = memchr(text.p, '}', text.n);
	return end ? (size_t)(end - text.p) + 1 : 0;
}

static int add_unit(struct pattern *p, struct view unit)
{
	if (unit.n == 0) {
		*p->ret_why = g_strdup(
			"a variable opened with '${' is not closed; write '}' behind its name, or "
			"'${$}' for a plain '$'");
		return -1;
	}
	if (unit.n > 1 && !p->options.has_variables) {
		*p->ret_why = g_strdup(
			"variables need the language of 2012: write \"Version\": \"2012-10-17\"");
		return -1;
	}
	if (unit.n > 1)
		return add_variable(p, (struct view){unit.p + 2, unit.n - 3});
	if (p->options.has_wildcards && unit.p[0] == '*')
		add_op(p, GLOB_RUN);
	else if (p->options.has_wildcards && unit.p[0] == '?')
		add_op(p, GLOB_ONE);
	else
		add_literal(p, unit.p[0]);
	return 0;
}

int glob_compile(struct view text, struct glob_options options, GByteArray *out, uint32_t *needs,
		 char **ret_why)
{
	struct pattern p = {.out = out, .needs = needs, .options = options, .ret_why = ret_why};
	guint pattern = bytes_open(out);
	while (text.n > 0) {
		size_t n = glob_unit(text);
		if (add_unit(&p, (struct view){text.p, n}) != 0)
			return -1;
		text = (struct view){text.p + n, text.n - n};
	}
	end_literal(&p);
	bytes_close(out, pattern);
	return 0;
}

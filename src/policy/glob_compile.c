#include "policy/glob_compile.h"

#include "policy/glob.h"
#include "policy/program.h"

struct pattern {
	GByteArray *out;
	const struct glob_options *options;
	guint literal; /* the open literal, 0 when none is */
	uint32_t least;
	char **ret_why;
};

/* ---- Appending ---- */

void bytes_u8(GByteArray *out, uint8_t v)
{
	g_byte_array_append(out, &v, 1);
}

void bytes_u16(GByteArray *out, uint16_t v)
{
	uint16_t le = GUINT16_TO_LE(v);
	g_byte_array_append(out, (const guint8 *)&le, sizeof(le));
}

void bytes_u32(GByteArray *out, uint32_t v)
{
	uint32_t le = GUINT32_TO_LE(v);
	g_byte_array_append(out, (const guint8 *)&le, sizeof(le));
}

void bytes_u64(GByteArray *out, uint64_t v)
{
	uint64_t le = GUINT64_TO_LE(v);
	g_byte_array_append(out, (const guint8 *)&le, sizeof(le));
}

void bytes_view(GByteArray *out, struct view v)
{
	g_byte_array_append(out, (const guint8 *)v.p, (guint)v.n);
}

void bytes_set_u32(GByteArray *out, guint place, uint32_t v)
{
	uint32_t le = GUINT32_TO_LE(v);
	memcpy(out->data + place, &le, sizeof(le));
}

guint bytes_open(GByteArray *out)
{
	bytes_u32(out, 0);
	return out->len;
}

void bytes_close(GByteArray *out, guint place)
{
	bytes_set_u32(out, place - (guint)sizeof(uint32_t), out->len - place);
}

/* ---- Patterns ---- */

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
	p->least++;
}

static void add_op(struct pattern *p, enum glob_op op)
{
	end_literal(p);
	bytes_u8(p->out, (uint8_t)op);
	p->least += op == GLOB_ONE;
}

static int add_variable(struct pattern *p, struct view name)
{
	uint8_t number;
	if (name.n == 1 && strchr("*?$", name.p[0])) {
		add_literal(p, name.p[0]);
		return 0;
	}
	if (name.n == 0) {
		*p->ret_why = g_strdup("the variable '${}' has no name; write for instance "
				       "${iot:ClientId}, or '${$}' for a plain '$'");
		return -1;
	}
	if (reference_add(p->options->references, name, &number, p->ret_why) != 0)
		return -1;
	add_op(p, GLOB_VALUE);
	bytes_u8(p->out, number);
	*p->options->needs |= UINT64_C(1) << number;
	return 0;
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
	if (unit.n > 1 && !p->options->has_variables) {
		*p->ret_why = g_strdup(
			"variables need the language of 2012: write \"Version\": \"2012-10-17\"");
		return -1;
	}
	if (unit.n > 1)
		return add_variable(p, (struct view){unit.p + 2, unit.n - 3});
	if (p->options->has_wildcards && unit.p[0] == '*')
		add_op(p, GLOB_RUN);
	else if (p->options->has_wildcards && unit.p[0] == '?')
		add_op(p, GLOB_ONE);
	else
		add_literal(p, unit.p[0]);
	return 0;
}

int glob_compile(struct view text, const struct glob_options *options, GByteArray *out,
		 char **ret_why)
{
	struct pattern p = {.out = out, .options = options, .ret_why = ret_why};
	guint least = out->len;
	bytes_u32(out, 0);
	while (text.n > 0) {
		size_t n = glob_unit(text);
		if (add_unit(&p, (struct view){text.p, n}) != 0)
			return -1;
		text = (struct view){text.p + n, text.n - n};
	}
	end_literal(&p);
	bytes_set_u32(out, least, p.least);
	return 0;
}

/* ---- Resources ---- */

/* Splits at the first five colons that stand outside a variable. Returns the number of parts. */
static unsigned split_arn(struct view text, struct view parts[PROGRAM_HEADS + 1])
{
	unsigned n = 1;
	parts[0] = (struct view){text.p, 0};
	for (size_t at = 0, unit; at < text.n; at += unit) {
		unit = glob_unit((struct view){text.p + at, text.n - at});
		if (unit == 0)
			return 1;
		if (text.p[at] == ':' && n <= PROGRAM_HEADS)
			parts[n++] = (struct view){text.p + at + 1, 0};
		else
			parts[n - 1].n += unit;
	}
	return n;
}

/* The length of a type that is plain text, without its '/'; 0 when there is none. */
static size_t plain_type(struct view text)
{
	for (size_t i = 0; i < text.n && i <= UINT8_MAX; i++) {
		if (text.p[i] == '/')
			return i;
		if (text.p[i] == '*' || text.p[i] == '?' || text.p[i] == '$')
			return 0;
	}
	return 0;
}

static bool goes_without_saying(unsigned part, struct view pattern, bool is_ours)
{
	static const char *const fixed[PROGRAM_HEADS] = {"arn", NULL, "iot", NULL, NULL};
	return view_is(pattern, "*") || (is_ours && fixed[part] && view_is(pattern, fixed[part]));
}

static int add_part(struct view text, const struct glob_options *options, GByteArray *out,
		    char **ret_why)
{
	guint pattern = bytes_open(out);
	if (glob_compile(text, options, out, ret_why) != 0)
		return -1;
	bytes_close(out, pattern);
	return 0;
}

int resource_compile(struct view text, bool is_ours, const struct glob_options *options,
		     GByteArray *out, char **ret_why)
{
	struct view parts[PROGRAM_HEADS + 1];
	if (split_arn(text, parts) <= PROGRAM_HEADS) {
		bytes_u8(out, PROGRAM_WHOLE);
		return glob_compile(text, options, out, ret_why);
	}
	struct view name = parts[PROGRAM_HEADS];
	size_t type = is_ours ? plain_type(name) : 0;
	bytes_u8(out, PROGRAM_ARN);
	bytes_u8(out, (uint8_t)type);
	bytes_view(out, (struct view){name.p, type});
	if (type > 0)
		name = (struct view){name.p + type + 1, name.n - type - 1};
	if (add_part(name, options, out, ret_why) != 0)
		return -1;
	for (unsigned i = 0; i < PROGRAM_HEADS; i++) {
		if (goes_without_saying(i, parts[i], is_ours))
			continue;
		bytes_u8(out, (uint8_t)i);
		if (add_part(parts[i], options, out, ret_why) != 0)
			return -1;
	}
	return 0;
}

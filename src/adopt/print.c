/* A plan in words, or as JSON. What stands in a configuration acts on no terminal (S23). */
#include "adopt/plan.h"

#include "base/log.h"

#include <jansson.h>

/* ---- Words ---- */

static char *inert(const char *text)
{
	size_t n = strlen(text), cap = 4 * n + 1;
	char *ret = g_malloc(cap);
	(void)log_inert(text, n, ret, cap);
	return ret;
}

static char *show_line(const struct adopt_note *note)
{
	const struct conf_line *line = note->line;
	g_autofree char *text = g_strdup_printf("%s:%u  %s %s", line->file, line->number,
						line->name, note->is_secret ? "..." : line->value);
	return inert(text);
}

/* `of`: the option's name, or "". */
static void print_reasons(const struct adopt_note *note, const char *indent, const char *of,
			  FILE *out)
{
	if (note->says)
		(void)fprintf(out, "%s%s%s%s\n", indent, of, *of ? ": " : "", note->says);
	if (note->cure)
		(void)fprintf(out, "%scure: %s\n", indent, note->cure);
}

static void print_notes(const struct adopt_plan *plan, enum adopt_effect effect, FILE *out)
{
	bool is_first = true;
	for (guint i = 0; i < plan->notes->len; i++) {
		const struct adopt_note *note = &g_array_index(plan->notes, struct adopt_note, i);
		if (note->effect != effect)
			continue;
		if (is_first)
			(void)fprintf(out, "%s\n", adopt_effect_heading(effect));
		is_first = false;
		g_autofree char *line = show_line(note);
		(void)fprintf(out, "  %s\n", line);
		print_reasons(note, "      ", "", out);
	}
	if (!is_first)
		(void)fputc('\n', out);
}

/* What can be said of enforcing a listener, by the worst effect on it. */
struct verdict {
	enum adopt_effect from;
	const char *word, *says;
};

static const struct verdict *verdict_of(enum adopt_effect worst)
{
	static const struct verdict verdicts[] = {
		{ADOPT_NO_ENFORCE, "impossible", "enforce: not as it is:"                                 },
		{ADOPT_REFUSES,    "refuses",
		 "enforce: possible, but clients would be refused or reports lost:"                       },
		{ADOPT_STAYS,      "ready",      "enforce: ready for devices with registered certificates"},
	};
	const struct verdict *verdict = verdicts;
	while (worst < verdict->from)
		verdict++;
	return verdict;
}

static char *listener_name(const struct adopt_listener *listener)
{
	g_autofree char *name =
		listener->port == 0
			? g_strdup_printf("unix socket %s", listener->address)
			: g_strdup_printf("port %u, %s", listener->port,
					  *listener->address ? listener->address : "all addresses");
	return inert(name);
}

static void print_listener(const struct adopt_listener *listener, FILE *out)
{
	g_autofree char *name = listener_name(listener);
	(void)fprintf(out,
		      "  %s\n      observe: nobody is refused, nothing a client sees changes\n"
		      "      %s\n",
		      name, verdict_of(listener->worst)->says);
	for (guint i = 0; i < listener->notes->len; i++) {
		const struct adopt_note *note =
			&g_array_index(listener->notes, struct adopt_note, i);
		print_reasons(note, "        ", note->line ? note->line->name : "", out);
	}
}

static void print_lines(const struct conf *conf, const struct adopt_lines *lines, FILE *out)
{
	g_autofree char *file = inert(conf->files->pdata[0]);
	(void)fprintf(
		out,
		"Lines to add\n"
		"# ---- at the top of %s ----\n%s"
		"# ---- at its end ----\n%s\n"
		"Restart the broker then. `thingward would-refuse` lists whom enforcing would "
		"refuse, and why.\n"
		"When a listener's list is empty, enforce it: plugin_opt_mode_PORT enforce\n",
		file, lines->top, lines->end);
}

void adopt_print_text(const struct conf *conf, const struct adopt_plan *plan,
		      const struct adopt_lines *lines, FILE *out)
{
	for (int effect = ADOPT_EFFECTS - 1; effect >= 0; effect--)
		print_notes(plan, (enum adopt_effect)effect, out);
	(void)fprintf(out, "Listeners\n");
	for (guint i = 0; i < plan->listeners->len; i++)
		print_listener(&g_array_index(plan->listeners, struct adopt_listener, i), out);
	(void)fputc('\n', out);
	if (plan->worst < ADOPT_BLOCKS)
		print_lines(conf, lines, out);
}

/* ---- JSON ---- */

static json_t *json_text(const char *text)
{
	g_autofree char *valid = g_utf8_make_valid(text, -1);
	return json_string(valid);
}

static json_t *json_or_null(const char *text)
{
	return text ? json_string(text) : json_null();
}

static json_t *json_note(const struct adopt_note *note)
{
	json_t *object =
		json_pack("{s:s, s:o, s:o}", "effect", adopt_effect_word(note->effect), "says",
			  json_or_null(note->says), "cure", json_or_null(note->cure));
	if (!note->line)
		return object;
	json_object_set_new(object, "file", json_text(note->line->file));
	json_object_set_new(object, "line", json_integer(note->line->number));
	json_object_set_new(object, "name", json_text(note->line->name));
	json_object_set_new(object, "value",
			    note->is_secret ? json_null() : json_text(note->line->value));
	return object;
}

static json_t *json_notes(const GArray *notes)
{
	json_t *array = json_array();
	for (guint i = 0; i < notes->len; i++)
		json_array_append_new(array,
				      json_note(&g_array_index(notes, struct adopt_note, i)));
	return array;
}

static json_t *json_listeners(const GArray *listeners)
{
	json_t *array = json_array();
	for (guint i = 0; i < listeners->len; i++) {
		const struct adopt_listener *listener =
			&g_array_index(listeners, struct adopt_listener, i);
		json_array_append_new(
			array, json_pack("{s:i, s:o, s:s, s:s, s:o}", "port", listener->port,
					 "address", json_text(listener->address), "mode", "observe",
					 "enforce", verdict_of(listener->worst)->word, "notes",
					 json_notes(listener->notes)));
	}
	return array;
}

void adopt_print_json(const struct conf *conf, const struct adopt_plan *plan,
		      const struct adopt_lines *lines, FILE *out)
{
	json_t *object = json_pack("{s:o, s:b, s:o, s:o, s:{s:o, s:o}}", "file",
				   json_text(conf->files->pdata[0]), "blocked",
				   plan->worst == ADOPT_BLOCKS, "options", json_notes(plan->notes),
				   "listeners", json_listeners(plan->listeners), "add", "top",
				   json_text(lines->top), "end", json_text(lines->end));
	(void)json_dumpf(object, out, JSON_INDENT(1));
	(void)fputc('\n', out);
	json_decref(object);
}

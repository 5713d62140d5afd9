/* `thingward containment` and `thingward clones`: what the store knows of both. */
#include "api/containment_json.h"
#include "daemon/command.h"
#include "daemon/tool.h"

#include <inttypes.h>
#include <stdio.h>

#define LISTED 50

static void print_line(const char *fmt, ...) PRINTF_LIKE(1, 2);

static void print_line(const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	g_autofree char *line = g_strdup_vprintf(fmt, args);
	va_end(args);
	tool_print(line);
}

static void print_json(json_t *value)
{
	char *text = json_dumps(value, JSON_INDENT(2) | JSON_ENSURE_ASCII);
	(void)puts(text);
	free(text);
	json_decref(value);
}

static char *time_text(int64_t ms)
{
	g_autoptr(GDateTime) at = g_date_time_new_from_unix_utc(ms / 1000);
	g_autofree char *seconds = g_date_time_format(at, "%Y-%m-%dT%H:%M:%S");
	return g_strdup_printf("%s.%03dZ", seconds, (int)(ms % 1000));
}

/* ---- Containments ---- */

static char *delay_text(const struct containment *c)
{
	if (!c->is.applied_ms)
		return g_strdup("not applied");
	return g_strdup_printf("applied in %" PRId64 " ms", c->is.applied_ms - c->is.requested_ms);
}

static void print_record(const struct containment *c)
{
	g_autofree char *when = time_text(c->is.requested_ms);
	g_autofree char *delay = delay_text(c);
	print_line("%" PRId64 "  %s  %-11s  %s  %s %s%s%s%s", c->id, when,
		   contain_state_word(c->is.state), delay, contain_kind_word(c->is.kind), c->target,
		   *c->detail ? " " : "", c->detail, c->lifted_ms ? "  (lifted since)" : "");
}

static int print_listed(const struct containment *c, void *ctx)
{
	(void)ctx;
	print_record(c);
	return 0;
}

static int add_listed(const struct containment *c, void *list)
{
	return json_array_append_new(list, containment_json(c));
}

static int list_containments(struct sql_conn *reader, bool is_json)
{
	if (!is_json)
		return containment_list(reader, INT64_MAX, "", LISTED, print_listed, NULL);
	json_t *list = json_array();
	int r = containment_list(reader, INT64_MAX, "", LISTED, add_listed, list);
	print_json(list);
	return r;
}

static int take_json(const struct containment *c, void *ret)
{
	return json_object_set_new(ret, "containment", containment_json(c));
}

static int print_one(const struct containment *c, void *ctx)
{
	(void)ctx;
	print_record(c);
	print_line("    asked for by key %s, record %s of `thingward log api`",
		   *c->key_id ? c->key_id : "-", *c->request ? c->request : "-");
	print_line("    generation %" PRIu64 " of the snapshot", c->is.generation);
	return 0;
}

static int print_broker(const char *broker, int64_t at_ms, void *ctx)
{
	(void)ctx;
	g_autofree char *when = time_text(at_ms);
	print_line("    %s  broker %s confirmed", when, broker);
	return 0;
}

static int print_evidence(int64_t at_ms, const char *state, const char *text, void *ctx)
{
	(void)ctx;
	g_autofree char *when = time_text(at_ms);
	print_line("    %s  %s: %s", when, state, text);
	return 0;
}

static int show_json(struct sql_conn *reader, int64_t id)
{
	json_t *object = json_object();
	int r = containment_get(reader, id, take_json, object);
	if (r == 1 && (r = containment_details(reader, id, object)) == 0)
		r = 1;
	if (r == 1)
		print_json(object);
	else
		json_decref(object);
	return r;
}

/* 1, 0 when there is none of that id, or a negative errno. */
static int show(struct sql_conn *reader, int64_t id, bool is_json)
{
	if (is_json)
		return show_json(reader, id);
	int r = containment_get(reader, id, print_one, NULL);
	if (r != 1)
		return r;
	r = containment_each_applied(reader, id, print_broker, NULL);
	if (r == 0)
		r = containment_each_evidence(reader, id, print_evidence, NULL);
	return r < 0 ? r : 1;
}

static int answer_containment(struct sql_conn *reader, const char *word, bool is_json)
{
	gint64 id;
	if (!word)
		return list_containments(reader, is_json) < 0 ? EXIT_FAILED : EXIT_OK;
	if (!g_ascii_string_to_signed(word, 10, 1, G_MAXINT64, &id, NULL)) {
		complain("containment: %s is no id: it is the number in front of each line of "
			 "`thingward containment`",
			 word);
		return EXIT_USAGE;
	}
	int r = show(reader, id, is_json);
	if (r == 0)
		complain("containment: there is no %s", word);
	return r < 0 ? EXIT_FAILED : r == 0 ? EXIT_NOT_FOUND : EXIT_OK;
}

/* ---- Clone cases ---- */

static int print_case(const char *key, const struct clone_subject *subject,
		      const struct clone_case *c, void *ctx)
{
	(void)key, (void)ctx;
	g_autofree char *when = time_text(c->last_ms);
	print_line("%s  %-13s  %s %s: %u take-overs, last seen from %s and %s", when,
		   clone_verdict_name(c->verdict),
		   subject->is_certificate ? "certificate" : "client", subject->id, c->takeovers,
		   c->a.address, c->b.address);
	for (int i = 0; i < CLONE_SIGNS; i++) {
		if (c->seen[i])
			print_line("    %u x %s", c->seen[i], clone_sign_text((enum clone_sign)i));
	}
	return 0;
}

static int add_case(const char *key, const struct clone_subject *subject,
		    const struct clone_case *c, void *list)
{
	(void)key;
	return json_array_append_new(list, clone_case_json(subject, c));
}

static int list_cases(struct sql_conn *reader, bool is_json)
{
	if (!is_json)
		return clone_case_list(reader, INT64_MAX, "", LISTED, print_case, NULL);
	json_t *list = json_array();
	int r = clone_case_list(reader, INT64_MAX, "", LISTED, add_case, list);
	print_json(list);
	return r;
}

static int answer_clones(struct sql_conn *reader, const char *word, bool is_json)
{
	(void)word;
	return list_cases(reader, is_json) < 0 ? EXIT_FAILED : EXIT_OK;
}

/* ---- Both ---- */

typedef int answer_fn(struct sql_conn *reader, const char *word, bool is_json);

static int answer_from_store(const struct common *common, const char *name, answer_fn *fn,
			     const char *word, bool is_json)
{
	struct tool tool;
	int r = tool_open(&tool, common);
	if (r != 0)
		return r;
	r = fn(tool.reader, word, is_json);
	if (r == EXIT_FAILED)
		complain("%s: %s", name, sql_error(tool.reader));
	tool_close(&tool);
	return r;
}

static enum exit_code run(const struct command *command, const struct call_line *line,
			  int max_words, answer_fn *fn)
{
	struct common common = {0};
	const char *words[1] = {NULL};
	gboolean is_json = FALSE;
	const GOptionEntry own[] = {
		{"json", 0, 0, G_OPTION_ARG_NONE, &is_json, "Print JSON", NULL},
		{0    },
	};
	int r = command_parse(command, line, own, &common, words, max_words);
	if (r == 0)
		r = command_settings(&common);
	if (r == 0)
		r = answer_from_store(&common, command->name, fn, words[0], is_json);
	common_clear(&common);
	return (enum exit_code)r;
}

enum exit_code cmd_containment(const struct command *command, const struct call_line *line)
{
	return run(command, line, 1, answer_containment);
}

enum exit_code cmd_clones(const struct command *command, const struct call_line *line)
{
	return run(command, line, 0, answer_clones);
}

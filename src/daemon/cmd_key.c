#include "daemon/command.h"
#include "daemon/tool.h"

#include <stdio.h>
#include <string.h>

struct key_call {
	struct tool tool;
	const char *word; /* create: the role; delete: the id */
	const char *out;
};

static struct access access_of(struct key_call *call)
{
	return (struct access){call->tool.store, chance_system(), &call->tool.seal_key};
}

/* The key exists only when it could be shown. */
static int create(struct key_call *call)
{
	struct access access = access_of(call);
	struct access_key key = {0};
	struct fault fault = {0};
	key.role = call->word ? role_of(call->word) : 0;
	if (!key.role) {
		complain("key create --role %s: must be admin, operator or viewer",
			 call->word ? call->word : "");
		return EXIT_USAGE;
	}
	int r = EXIT_FAILED;
	if (access_key_create(&access, g_get_real_time() / 1000, &key, &fault) < 0)
		complain("%s", fault.message);
	else
		r = tool_show_key(&key, call->out);
	if (r != EXIT_OK && key.id[0] && access_key_delete(&access, key.id, &fault) < 0)
		complain("key %s stays: %s", key.id, fault.message);
	access_key_wipe(&key);
	return r;
}

static int print_key(const char *id, enum role role, int64_t created_ms, void *ctx)
{
	(void)ctx;
	g_autoptr(GDateTime) at = g_date_time_new_from_unix_utc(created_ms / 1000);
	g_autofree char *when = g_date_time_format(at, "%Y-%m-%dT%H:%M:%SZ");
	(void)printf("%-24s %-8s %s\n", id, role_name(role), when);
	return 0;
}

static int list(struct key_call *call)
{
	if (access_key_each(call->tool.reader, print_key, NULL) == 0)
		return EXIT_OK;
	complain("key list: %s", sql_error(call->tool.reader));
	return EXIT_FAILED;
}

static int delete (struct key_call *call)
{
	struct access access = access_of(call);
	struct fault fault = {0};
	if (!call->word) {
		complain("key delete: which? say `thingward key delete ID`");
		return EXIT_USAGE;
	}
	if (access_key_delete(&access, call->word, &fault) == 0)
		return EXIT_OK;
	complain("%s", fault.message);
	return fault.kind == FAULT_RESOURCE_NOT_FOUND ? EXIT_NOT_FOUND : EXIT_FAILED;
}

static const struct {
	const char *word;
	int (*run)(struct key_call *call);
} verbs[] = {
	{"create", create},
        {"delete", delete},
        {"list",   list  }
};

static int run(const struct common *common, const char *verb, struct key_call *call)
{
	for (size_t i = 0; verb && i < ARRAY_LEN(verbs); i++) {
		if (strcmp(verbs[i].word, verb) != 0)
			continue;
		int r = tool_open(&call->tool, common);
		if (r != 0)
			return r;
		r = verbs[i].run(call);
		tool_close(&call->tool);
		return r;
	}
	complain("key: say create, list or delete; see `thingward key --help`");
	return EXIT_USAGE;
}

enum exit_code cmd_key(const struct command *command, const struct call_line *line)
{
	struct common common = {0};
	const char *words[2] = {NULL, NULL};
	g_autofree char *role = NULL, *out = NULL;
	const GOptionEntry own[] = {
		{"role", 0, 0, G_OPTION_ARG_STRING, &role, "Of the new key",
		 "admin|operator|viewer"},
		{"out",     0, 0, G_OPTION_ARG_FILENAME, &out, "Write the new key to a new file",
		 "FILE"},
		{0},
	};
	int r = command_parse(command, line, own, &common, words, 2);
	if (r == 0)
		r = command_settings(&common);
	if (r == 0) {
		struct key_call call = {.word = role ? role : words[1], .out = out};
		r = run(&common, words[0], &call);
	}
	common_clear(&common);
	return (enum exit_code)r;
}

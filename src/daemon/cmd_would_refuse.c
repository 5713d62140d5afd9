#include "daemon/denials.h"

#include <stdio.h>

#define ROWS_MAX 100000 /* read of the ledger; more are told to be left out */

/* One device, and the reasons it would be refused for, newest first. */
struct device {
	char *name; /* for people: client "pump-7", user "x", certificate ... */
	int64_t times;
	json_t *reasons;  /* as denials_json */
	GPtrArray *lines; /* of char * */
};

struct devices {
	GHashTable *by_name;
	GPtrArray *all; /* of struct device */
	int64_t rows;
};

static void device_free(void *item)
{
	struct device *d = item;
	g_free(d->name);
	json_decref(d->reasons);
	g_ptr_array_free(d->lines, TRUE);
	g_free(d);
}

static char *device_name(const struct denied *d)
{
	GString *name = g_string_new("");
	if (*d->client_id) {
		g_string_append(name, "client ");
		denied_tell_quoted(d->client_id, name);
	} else {
		g_string_append_printf(name, "clients from %s",
				       *d->address ? d->address : "anywhere");
	}
	if (*d->username) {
		g_string_append(name, ", user ");
		denied_tell_quoted(d->username, name);
	}
	if (*d->certificate)
		g_string_append_printf(name, ", certificate %s", d->certificate);
	return g_string_free(name, FALSE);
}

static struct device *device_of(struct devices *all, const struct denied *d)
{
	g_autofree char *name = device_name(d);
	struct device *device = g_hash_table_lookup(all->by_name, name);
	if (device)
		return device;
	device = g_new0(struct device, 1);
	device->name = g_steal_pointer(&name);
	device->reasons = json_array();
	device->lines = g_ptr_array_new_with_free_func(g_free);
	g_ptr_array_add(all->all, device);
	(void)g_hash_table_insert(all->by_name, device->name, device);
	return device;
}

static char *reason_line(const struct denied *d)
{
	GString *line = g_string_new(NULL);
	g_string_printf(line, "  %8" G_GINT64_FORMAT "x ", d->times);
	denials_tell_request(d, line);
	g_string_append(line, ": ");
	denied_tell_rule(d, line);
	g_string_append(line, "; cure: ");
	denied_tell_cure(d, line);
	return g_string_free(line, FALSE);
}

static int take(const struct denied *d, void *ctx)
{
	struct devices *all = ctx;
	struct device *device = device_of(all, d);
	device->times += d->times;
	all->rows++;
	(void)json_array_append_new(device->reasons, denials_json(d));
	g_ptr_array_add(device->lines, reason_line(d));
	return 0;
}

static gint by_times(gconstpointer a, gconstpointer b)
{
	const struct device *x = *(struct device *const *)a, *y = *(struct device *const *)b;
	return (x->times < y->times) - (x->times > y->times);
}

static void print_all(const struct devices *all, int64_t since_ms)
{
	g_autofree char *since = denials_time(since_ms);
	(void)printf("%u %s would be refused (observed since %s)\n", all->all->len,
		     all->all->len == 1 ? "device" : "devices", since);
	for (guint i = 0; i < all->all->len; i++) {
		const struct device *d = g_ptr_array_index(all->all, i);
		g_autofree char *head =
			g_strdup_printf("%s: %" G_GINT64_FORMAT " times", d->name, d->times);
		tool_print(head);
		for (guint k = 0; k < d->lines->len; k++)
			tool_print(g_ptr_array_index(d->lines, k));
	}
	if (all->rows == ROWS_MAX)
		(void)printf("only the newest %d reasons are shown: say a shorter --since\n",
			     ROWS_MAX);
}

static void print_json(const struct devices *all, int64_t since_ms)
{
	g_autofree char *since = denials_time(since_ms);
	json_t *list = json_array();
	for (guint i = 0; i < all->all->len; i++) {
		const struct device *d = g_ptr_array_index(all->all, i);
		(void)json_array_append_new(list,
					    json_pack("{s:s, s:I, s:O}", "device", d->name, "count",
						      (json_int_t)d->times, "reasons", d->reasons));
	}
	json_t *answer = json_pack("{s:s, s:o}", "since", since, "devices", list);
	if (json_dumpf(answer, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII) == 0)
		(void)puts("");
	json_decref(answer);
}

static int gather(const struct common *common, int64_t since_ms, struct devices *all)
{
	const struct denied_filter filter = {.client_id = "",
					     .certificate = "",
					     .address = "",
					     .thing = "",
					     .since_ms = since_ms,
					     .is_observed = 1,
					     .limit = ROWS_MAX};
	struct tool tool;
	int r = tool_open(&tool, common);
	if (r != 0)
		return r;
	if (denied_each(tool.reader, &filter, take, all) < 0) {
		complain("would-refuse: %s", sql_error(tool.reader));
		r = EXIT_FAILED;
	}
	tool_close(&tool);
	g_ptr_array_sort(all->all, by_times);
	return r;
}

struct words {
	char *since;
	gboolean is_json, fails_on_any;
};

static int tell(const struct common *common, const struct words *w)
{
	struct devices all = {g_hash_table_new(g_str_hash, g_str_equal),
			      g_ptr_array_new_with_free_func(device_free), 0};
	int64_t since_ms;
	int r = denials_since(common, w->since ? w->since : "7d", &since_ms);
	if (r == 0)
		r = gather(common, since_ms, &all);
	if (r == 0)
		(w->is_json ? print_json : print_all)(&all, since_ms);
	if (r == 0 && w->fails_on_any && all.all->len)
		r = EXIT_FINDINGS;
	g_hash_table_destroy(all.by_name);
	g_ptr_array_free(all.all, TRUE);
	return r;
}

enum exit_code cmd_would_refuse(const struct command *command, const struct call_line *line)
{
	struct common common = {0};
	struct words w = {0};
	const GOptionEntry own[] = {
		{"since",   0, 0, G_OPTION_ARG_STRING, &w.since,
		 "How far back: 90s, 30m, 24h, 7d (default 7d)", "TIME"},
		{"json",        0, 0, G_OPTION_ARG_NONE, &w.is_json, "Print a JSON object", NULL},
		{"fail-on-any", 0, 0, G_OPTION_ARG_NONE, &w.fails_on_any,
		 "Exit code 3 when a device would be refused", NULL},
		{0  },
	};
	int r = command_parse(command, line, own, &common, NULL, 0);
	if (r == 0)
		r = command_settings(&common);
	if (r == 0)
		r = tell(&common, &w);
	g_free(w.since);
	common_clear(&common);
	return (enum exit_code)r;
}

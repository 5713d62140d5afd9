#include "daemon/settings.h"

#include <errno.h>
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum row_type { ROW_TEXT, ROW_SECRET, ROW_NUMBER, ROW_FLAG, ROW_CHOICE };

struct row {
	const char *section, *key;
	enum row_type type;
	size_t offset;
	const char *absent; /* the default, as text */
	int64_t min, max, test_below;
	const char *words, *test_word;
	const char *help;
};

#define FIELD(field) offsetof(struct settings, field)
static const struct row rows[] = {
#define TEXT(section, key, field, absent, help)                                                    \
	{#section, #key, ROW_TEXT, FIELD(field), absent, 0, 0, 0, NULL, NULL, help},
#define SECRET(section, key, field, absent, help)                                                  \
	{#section, #key, ROW_SECRET, FIELD(field), absent, 0, 0, 0, NULL, NULL, help},
#define NUMBER(section, key, field, absent, min, max, below, help)                                 \
	{#section, #key, ROW_NUMBER, FIELD(field), #absent, min, max, below, NULL, NULL, help},
#define FLAG(section, key, field, absent, help)                                                    \
	{#section, #key, ROW_FLAG, FIELD(field), #absent, 0, 0, 0, NULL, NULL, help},
#define CHOICE(section, key, field, absent, words, test, help)                                     \
	{#section, #key, ROW_CHOICE, FIELD(field), absent, 0, 0, 0, words, test, help},
#include "daemon/settings.tbl.h"
#undef TEXT
#undef SECRET
#undef NUMBER
#undef FLAG
#undef CHOICE
};

#define ENV_PREFIX      "THINGWARD_"
#define ENV_ROOT_ID     "THINGWARD_ROOT_ACCESS_KEY_ID"
#define ENV_ROOT_SECRET "THINGWARD_ROOT_SECRET_ACCESS_KEY"
#define KEY_MAX         96

static void *field_of(const struct settings *s, const struct row *row)
{
	return (char *)(uintptr_t)s + row->offset;
}

static void name_of(const struct row *row, char out[KEY_MAX])
{
	(void)g_snprintf(out, KEY_MAX, "%s.%s", row->section, row->key);
}

/* How many characters must be put in, taken out or exchanged to make b of a; both at most KEY_MAX
 * long. */
static unsigned edit_distance(const char *a, const char *b)
{
	unsigned row[KEY_MAX + 1];
	size_t n = strnlen(b, KEY_MAX);
	for (size_t j = 0; j <= n; j++)
		row[j] = (unsigned)j;
	for (size_t i = 0; i < KEY_MAX && a[i]; i++) {
		unsigned corner = row[0];
		row[0] = (unsigned)i + 1;
		for (size_t j = 1; j <= n; j++) {
			unsigned same = corner + (a[i] != b[j - 1]);
			corner = row[j];
			row[j] = MIN(same, MIN(row[j], row[j - 1]) + 1);
		}
	}
	return row[n];
}

static const struct row *find_row(const char *name)
{
	char have[KEY_MAX];
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		name_of(&rows[i], have);
		if (strcmp(have, name) == 0)
			return &rows[i];
	}
	return NULL;
}

static int refuse_unknown(const char *name, const char *source, struct fault *fault)
{
	char have[KEY_MAX], best[KEY_MAX] = "";
	unsigned least = UINT32_MAX;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		name_of(&rows[i], have);
		unsigned distance = edit_distance(name, have);
		if (distance < least) {
			least = distance;
			memcpy(best, have, sizeof(best));
		}
	}
	return fault_set(
		fault, FAULT_INVALID_REQUEST,
		"%s: there is no setting %.80s; did you mean %s? (`thingward settings` lists them)",
		source, name, best);
}

static int take_number(const struct row *row, const char *name, const char *text, int64_t *field,
		       struct fault *fault)
{
	char *end;
	errno = 0;
	long long v = strtoll(text, &end, 10);
	if (errno || end == text || *end || v < row->min || v > row->max)
		return fault_set(fault, FAULT_INVALID_REQUEST,
				 "%s = %.40s: must be a whole number from %lld to %lld", name, text,
				 (long long)row->min, (long long)row->max);
	*field = v;
	return 0;
}

static int take_flag(const char *name, const char *text, bool *field, struct fault *fault)
{
	static const char *const words[] = {"false", "true", "no", "yes", "off", "on", "0", "1"};
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (strcasecmp(words[i], text) == 0) {
			*field = i % 2;
			return 0;
		}
	}
	return fault_set(fault, FAULT_INVALID_REQUEST, "%s = %.40s: must be true or false", name,
			 text);
}

static int take_choice(const struct row *row, const char *name, const char *text, int64_t *field,
		       struct fault *fault)
{
	g_auto(GStrv) words = g_strsplit(row->words, "|", -1);
	for (int64_t i = 0; words[i]; i++) {
		if (strcmp(words[i], text) == 0) {
			*field = i;
			return 0;
		}
	}
	return fault_set(fault, FAULT_INVALID_REQUEST, "%s = %.40s: must be one of %s", name, text,
			 row->words);
}

static int take(struct settings *s, const struct row *row, const char *text, struct fault *fault)
{
	char name[KEY_MAX];
	name_of(row, name);
	void *field = field_of(s, row);
	switch (row->type) {
	case ROW_TEXT:
	case ROW_SECRET:
		if (!g_utf8_validate(text, -1, NULL) || strpbrk(text, "\r\n"))
			return fault_set(fault, FAULT_INVALID_REQUEST,
					 "%s: must be one line of UTF-8", name);
		g_free(*(char **)field);
		*(char **)field = g_strdup(text);
		return 0;
	case ROW_NUMBER:
		return take_number(row, name, text, field, fault);
	case ROW_FLAG:
		return take_flag(name, text, field, fault);
	case ROW_CHOICE:
		return take_choice(row, name, text, field, fault);
	}
	return -1;
}

static int take_named(struct settings *s, const char *name, const char *text, const char *source,
		      struct fault *fault)
{
	const struct row *row = find_row(name);
	if (!row)
		return refuse_unknown(name, source, fault);
	struct fault why = {0};
	if (take(s, row, text, &why) == 0)
		return 0;
	return fault_set(fault, why.kind, "%s: %s", source, why.message);
}

static int read_section(struct settings *s, GKeyFile *file, const char *path, const char *section,
			struct fault *fault)
{
	g_auto(GStrv) keys = g_key_file_get_keys(file, section, NULL, NULL);
	for (size_t i = 0; keys && keys[i]; i++) {
		g_autofree char *name = g_strconcat(section, ".", keys[i], NULL);
		g_autofree char *value = g_key_file_get_string(file, section, keys[i], NULL);
		if (!value)
			return fault_set(fault, FAULT_INVALID_REQUEST, "%s: %s: cannot be read",
					 path, name);
		if (take_named(s, name, value, path, fault) < 0)
			return -1;
	}
	return 0;
}

static int read_file(struct settings *s, const struct settings_sources *from, struct fault *fault)
{
	if (!from->file)
		return 0;
	g_autoptr(GKeyFile) file = g_key_file_new();
	g_autoptr(GError) error = NULL;
	if (!g_key_file_load_from_file(file, from->file, G_KEY_FILE_NONE, &error)) {
		if (from->is_file_optional &&
		    g_error_matches(error, G_FILE_ERROR, G_FILE_ERROR_NOENT))
			return 0;
		return fault_set(fault, FAULT_INVALID_REQUEST, "%s: %s", from->file,
				 error->message);
	}
	g_auto(GStrv) sections = g_key_file_get_groups(file, NULL);
	for (size_t i = 0; sections[i]; i++) {
		if (read_section(s, file, from->file, sections[i], fault) < 0)
			return -1;
	}
	return 0;
}

/* "THINGWARD_AWS_ACCOUNT_ID": no section has an underscore, so the first one ends it. A name
 * without one cannot mean a setting and is somebody else's. */
static int read_variable(struct settings *s, const char *variable, struct fault *fault)
{
	const char *rest = variable + strlen(ENV_PREFIX), *equals = strchr(rest, '=');
	if (!equals || !memchr(rest, '_', (size_t)(equals - rest)))
		return 0;
	g_autofree char *source = g_strndup(variable, (size_t)(equals - variable));
	if (strcmp(source, ENV_ROOT_ID) == 0 || strcmp(source, ENV_ROOT_SECRET) == 0)
		return 0;
	g_autofree char *lower = g_ascii_strdown(rest, equals - rest);
	char *underscore = strchr(lower, '_');
	*underscore = '.';
	return take_named(s, lower, equals + 1, source, fault);
}

static int read_environment(struct settings *s, const char *const *environment, struct fault *fault)
{
	for (size_t i = 0; environment && environment[i]; i++) {
		if (g_str_has_prefix(environment[i], ENV_PREFIX) &&
		    read_variable(s, environment[i], fault) < 0)
			return -1;
	}
	return 0;
}

static int read_set(struct settings *s, const char *const *set, struct fault *fault)
{
	for (size_t i = 0; set && set[i]; i++) {
		const char *equals = strchr(set[i], '=');
		if (!equals)
			return fault_set(fault, FAULT_INVALID_REQUEST,
					 "--set %s: must be section.key=value", set[i]);
		g_autofree char *name = g_strndup(set[i], (size_t)(equals - set[i]));
		if (take_named(s, name, equals + 1, "--set", fault) < 0)
			return -1;
	}
	return 0;
}

static void note_test_value(struct settings *s, const struct row *row)
{
	bool is_test = false;
	const int64_t *number = field_of(s, row);
	if (row->type == ROW_NUMBER)
		is_test = *number < row->test_below;
	if (row->type == ROW_CHOICE && row->test_word) {
		g_auto(GStrv) words = g_strsplit(row->words, "|", -1);
		is_test = strcmp(words[*number], row->test_word) == 0;
	}
	if (!is_test || s->is_test)
		return;
	s->is_test = true;
	(void)g_snprintf(s->test_reason, sizeof(s->test_reason), "%s.%s has a value for tests",
			 row->section, row->key);
}

static int check_names(const struct settings *s, struct fault *fault)
{
	if (strlen(s->account_id) != 12 || strspn(s->account_id, "0123456789") != 12)
		return fault_set(fault, FAULT_INVALID_REQUEST,
				 "aws.account_id = %.40s: must be 12 digits", s->account_id);
	if (!*s->partition || !*s->region || strpbrk(s->partition, ": */") ||
	    strpbrk(s->region, ": */"))
		return fault_set(
			fault, FAULT_INVALID_REQUEST,
			"aws.partition and aws.region: must be words like aws and us-east-1");
	return 0;
}

static int finish(struct settings *s, struct fault *fault)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		note_test_value(s, &rows[i]);
	s->registry.partition = s->partition;
	s->registry.region = s->region;
	s->registry.account_id = s->account_id;
	s->registry.endpoint = s->endpoint;
	return check_names(s, fault);
}

int settings_load(const struct settings_sources *from, struct settings *ret, struct fault *fault)
{
	*ret = (struct settings){0};
	int r = 0;
	for (size_t i = 0; i < ARRAY_LEN(rows) && r == 0; i++)
		r = take(ret, &rows[i], rows[i].absent, fault);
	if (r == 0)
		r = read_file(ret, from, fault);
	if (r == 0)
		r = read_environment(ret, from->environment, fault);
	if (r == 0)
		r = read_set(ret, from->set, fault);
	if (r == 0)
		r = finish(ret, fault);
	if (r < 0)
		settings_clear(ret);
	return r;
}

void settings_clear(struct settings *s)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (rows[i].type == ROW_TEXT || rows[i].type == ROW_SECRET)
			g_free(*(char **)field_of(s, &rows[i]));
	}
	*s = (struct settings){0};
}

static char *value_text(const struct settings *s, const struct row *row)
{
	const void *field = field_of(s, row);
	switch (row->type) {
	case ROW_TEXT:
		return g_strdup(*(char *const *)field);
	case ROW_SECRET:
		return g_strdup(**(char *const *)field ? "(set)" : "");
	case ROW_NUMBER:
		return g_strdup_printf("%lld", (long long)*(const int64_t *)field);
	case ROW_FLAG:
		return g_strdup(*(const bool *)field ? "true" : "false");
	case ROW_CHOICE:
		break;
	}
	g_auto(GStrv) words = g_strsplit(row->words, "|", -1);
	return g_strdup(words[*(const int64_t *)field]);
}

void settings_each(const struct settings *s, settings_fn *fn, void *ctx)
{
	char name[KEY_MAX];
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		g_autofree char *value = value_text(s, &rows[i]);
		name_of(&rows[i], name);
		fn(name, value, rows[i].absent, rows[i].help, ctx);
	}
}

static void take_variable(const char *name, char *out, size_t cap)
{
	char *value = getenv(name); /* NOLINT(concurrency-mt-unsafe): before any thread */
	if (!value)
		return;
	(void)g_strlcpy(out, value, cap);
	explicit_bzero(value, strlen(value));
	(void)unsetenv(name); /* NOLINT(concurrency-mt-unsafe) */
}

void settings_take_root_key(struct root_key *ret)
{
	*ret = (struct root_key){0};
	take_variable(ENV_ROOT_ID, ret->id, sizeof(ret->id));
	take_variable(ENV_ROOT_SECRET, ret->secret, sizeof(ret->secret));
}

void root_key_clear(struct root_key *key)
{
	explicit_bzero(key, sizeof(*key));
}

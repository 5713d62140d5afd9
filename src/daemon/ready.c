#include "daemon/ready.h"

#include "base/check.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

static const char *const part_names[READY_PARTS] = {
	[READY_STORE] = "store",         [READY_BROKER] = "broker",   [READY_CLOCK] = "clock",
	[READY_EVALUATOR] = "evaluator", [READY_PUBLISH] = "publish", [READY_SNAPSHOT] = "snapshot",
};

struct metric_row {
	const char *name, *kind, *help;
};

static const struct metric_row counter_rows[COUNTERS] = {
#define COUNTER(name, kind, help) {#name, kind, help},
#define FAMILY(name, kind, help)
#include "daemon/counters.tbl.h"
#undef COUNTER
#undef FAMILY
};

static const struct metric_row family_rows[FAMILIES] = {
#define COUNTER(name, kind, help)
#define FAMILY(name, kind, help) {#name, kind, help},
#include "daemon/counters.tbl.h"
#undef COUNTER
#undef FAMILY
};

struct ready {
	pthread_mutex_t lock;
	char *reason[READY_PARTS]; /* NULL: good */
	char *note;
	atomic_uint_least64_t counters[COUNTERS];
	GTree *families[FAMILIES]; /* labels -> uint64_t */
};

static gint compare_labels(gconstpointer a, gconstpointer b, gpointer ctx)
{
	(void)ctx;
	return strcmp(a, b);
}

struct ready *ready_new(void)
{
	struct ready *r = g_new0(struct ready, 1);
	CHECK(pthread_mutex_init(&r->lock, NULL) == 0);
	for (size_t i = 0; i < FAMILIES; i++)
		r->families[i] = g_tree_new_full(compare_labels, NULL, g_free, g_free);
	for (size_t i = 0; i < READY_PARTS; i++)
		r->reason[i] =
			i == READY_CLOCK || i == READY_SNAPSHOT ? NULL : g_strdup("starting");
	return r;
}

void ready_free(struct ready *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < READY_PARTS; i++)
		g_free(r->reason[i]);
	for (size_t i = 0; i < FAMILIES; i++)
		g_tree_destroy(r->families[i]);
	g_free(r->note);
	(void)pthread_mutex_destroy(&r->lock);
	g_free(r);
}

/* Takes `text`. */
static void set(struct ready *r, char **field, char *text)
{
	CHECK(pthread_mutex_lock(&r->lock) == 0);
	g_free(*field);
	*field = text;
	CHECK(pthread_mutex_unlock(&r->lock) == 0);
}

void ready_good(struct ready *r, enum ready_part part)
{
	set(r, &r->reason[part], NULL);
}

void ready_bad(struct ready *r, enum ready_part part, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	set(r, &r->reason[part], g_strdup_vprintf(fmt, args));
	va_end(args);
}

void ready_note(struct ready *r, const char *note)
{
	set(r, &r->note, g_strdup(note));
}

bool ready_tell(struct ready *r, bool without_broker, GString *text)
{
	bool is_good = true;
	CHECK(pthread_mutex_lock(&r->lock) == 0);
	for (size_t i = 0; i < READY_PARTS; i++) {
		if (!r->reason[i] || (i == READY_BROKER && without_broker))
			continue;
		is_good = false;
		g_string_append_printf(text, "%s: %s\n", part_names[i], r->reason[i]);
	}
	if (r->note)
		g_string_append_printf(text, "note: %s\n", r->note);
	CHECK(pthread_mutex_unlock(&r->lock) == 0);
	return is_good;
}

void counter_add(struct ready *r, enum counter counter, uint64_t n)
{
	(void)atomic_fetch_add_explicit(&r->counters[counter], n, memory_order_relaxed);
}

void counter_set(struct ready *r, enum counter gauge, uint64_t value)
{
	atomic_store_explicit(&r->counters[gauge], value, memory_order_relaxed);
}

uint64_t counter_get(struct ready *r, enum counter counter)
{
	return atomic_load_explicit(&r->counters[counter], memory_order_relaxed);
}

/* The member's value, made when there is room for one more; else NULL. Under the lock. */
static uint64_t *member(struct ready *r, enum family family, const char *labels)
{
	GTree *all = r->families[family];
	uint64_t *value = g_tree_lookup(all, labels);
	if (value || g_tree_nnodes(all) >= FAMILY_MAX)
		return value;
	value = g_new0(uint64_t, 1);
	g_tree_insert(all, g_strdup(labels), value);
	return value;
}

void family_add(struct ready *r, enum family family, const char *labels, uint64_t n)
{
	CHECK(pthread_mutex_lock(&r->lock) == 0);
	uint64_t *value = member(r, family, labels);
	if (value)
		*value += n;
	CHECK(pthread_mutex_unlock(&r->lock) == 0);
}

void family_set(struct ready *r, enum family family, const char *labels, uint64_t new_value)
{
	CHECK(pthread_mutex_lock(&r->lock) == 0);
	uint64_t *value = member(r, family, labels);
	if (value)
		*value = new_value;
	CHECK(pthread_mutex_unlock(&r->lock) == 0);
}

uint64_t family_get(struct ready *r, enum family family, const char *labels)
{
	CHECK(pthread_mutex_lock(&r->lock) == 0);
	const uint64_t *value = g_tree_lookup(r->families[family], labels);
	uint64_t n = value ? *value : 0;
	CHECK(pthread_mutex_unlock(&r->lock) == 0);
	return n;
}

static void tell_head(const struct metric_row *row, GString *text)
{
	g_string_append_printf(text, "# HELP thingward_%s %s\n# TYPE thingward_%s %s\n", row->name,
			       row->help, row->name, row->kind);
}

struct telling {
	const struct metric_row *row;
	GString *text;
};

static gboolean tell_member(gpointer labels, gpointer value, gpointer ctx)
{
	const struct telling *t = ctx;
	g_string_append_printf(t->text, "thingward_%s{%s} %" G_GUINT64_FORMAT "\n", t->row->name,
			       (const char *)labels, *(const uint64_t *)value);
	return FALSE;
}

void counters_tell(struct ready *r, GString *text)
{
	for (size_t i = 0; i < COUNTERS; i++) {
		tell_head(&counter_rows[i], text);
		g_string_append_printf(text, "thingward_%s %" G_GUINT64_FORMAT "\n",
				       counter_rows[i].name, counter_get(r, (enum counter)i));
	}
	CHECK(pthread_mutex_lock(&r->lock) == 0);
	for (size_t i = 0; i < FAMILIES; i++) {
		struct telling t = {&family_rows[i], text};
		tell_head(t.row, text);
		g_tree_foreach(r->families[i], tell_member, &t);
	}
	CHECK(pthread_mutex_unlock(&r->lock) == 0);
}

#include "daemon/effects.h"

#include <glib.h>

struct effects {
	struct pages *pages;
	GArray *all;  /* of struct effect */
	GArray *kept; /* of struct detect_entry */
};

struct effects *effects_new(void)
{
	struct effects *e = g_new0(struct effects, 1);
	e->all = g_array_new(FALSE, FALSE, sizeof(struct effect));
	e->kept = g_array_new(FALSE, FALSE, sizeof(struct detect_entry));
	return e;
}

void effects_free(struct effects *e)
{
	if (!e)
		return;
	pages_free(e->pages);
	(void)g_array_free(e->all, TRUE);
	(void)g_array_free(e->kept, TRUE);
	g_free(e);
}

static const void *copy(struct effects *e, const void *p, size_t n)
{
	return p && n ? pages_copy(e->pages, (struct view){p, n}).p : NULL;
}

static const struct view *copy_strings(struct effects *e, const struct view *from, size_t n)
{
	struct view *to = pages_take(e->pages, n * sizeof(*to));
	for (size_t i = 0; i < n; i++)
		to[i] = pages_copy(e->pages, from[i]);
	return to;
}

static void copy_value(struct effects *e, struct value *v)
{
	v->numbers = copy(e, v->numbers, v->n * sizeof(*v->numbers));
	v->ports = copy(e, v->ports, v->n * sizeof(*v->ports));
	v->addrs = copy(e, v->addrs, v->n * sizeof(*v->addrs));
	if (v->strings)
		v->strings = copy_strings(e, v->strings, v->n);
}

static void need_pages(struct effects *e)
{
	if (!e->pages)
		e->pages = pages_new();
}

int effects_add(const struct effect *effect, void *effects)
{
	struct effects *e = effects;
	need_pages(e);
	struct effect mine = *effect;
	mine.thing = pages_copy(e->pages, mine.thing);
	mine.profile = pages_copy(e->pages, mine.profile);
	mine.behavior = pages_copy(e->pages, mine.behavior);
	mine.behavior_json = pages_copy(e->pages, mine.behavior_json);
	copy_value(e, &mine.value);
	(void)g_array_append_val(e->all, mine);
	return 0;
}

size_t effects_count(const struct effects *e)
{
	return e->all->len;
}

const struct effect *effects_at(const struct effects *e, size_t i)
{
	return &g_array_index(e->all, struct effect, i);
}

void effects_keep(struct effects *e, const struct detect_entry *entry)
{
	need_pages(e);
	struct detect_entry mine = *entry;
	mine.body = pages_copy(e->pages, entry->body);
	mine.report = NULL;
	(void)g_array_append_val(e->kept, mine);
}

const struct detect_entry *effects_kept(const struct effects *e, size_t *ret_n)
{
	*ret_n = e->kept->len;
	return (const struct detect_entry *)(void *)e->kept->data;
}

bool effects_empty(const struct effects *e)
{
	return e->all->len == 0 && e->kept->len == 0;
}

void effects_clear(struct effects *e)
{
	pages_free(e->pages);
	e->pages = NULL;
	(void)g_array_set_size(e->all, 0);
	(void)g_array_set_size(e->kept, 0);
}

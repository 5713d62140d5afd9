/* What a log must have raised: one evaluator steps over all of it, uninterrupted, with no store.
 *
 *     logread -b DIR/log.db | crash_replay
 *
 * Reads lines "seq kind at body-in-hex". Prints, with tabs between, what the tables of violations
 * must hold:
 *     event   seq idx violation type thing profile behavior-json value-json criteria suppressed own
 * at active  id thing profile behavior behavior-json value-json criteria suppressed own started
 * last seq idx                                                           (ordered by id) Only the
 * evaluator and the writing of values as JSON are the daemon's code. */
#include "detect/detect.h"
#include "registry/violation.h"

#include <errno.h>
#include <glib.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct open_alarm {
	char *thing, *profile, *behavior, *behavior_json, *value;
	unsigned criteria, is_suppressed, is_own, idx;
	int64_t started, last;
	uint64_t seq;
};

struct replay {
	struct detect *state;
	GTree *open; /* violation id -> open_alarm */
};

static const char *const event_types[] = {
	[EFFECT_IN_ALARM] = "in-alarm",
	[EFFECT_CLEARED] = "alarm-cleared",
	[EFFECT_INVALIDATED] = "alarm-invalidated",
};

static char *text_of(struct view v)
{
	return g_strndup(v.p, v.n);
}

static char *value_of(const struct effect *e)
{
	if (e->kind == EFFECT_INVALIDATED)
		return g_strdup("");
	json_t *json = metric_value_json(&e->value);
	char *text = json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(15));
	json_decref(json);
	return text;
}

static void alarm_free(void *item)
{
	struct open_alarm *a = item;
	g_free(a->thing);
	g_free(a->profile);
	g_free(a->behavior);
	g_free(a->behavior_json);
	free(a->value);
	g_free(a);
}

static void open_alarm(struct replay *r, const struct effect *e)
{
	struct open_alarm *a = g_new(struct open_alarm, 1);
	*a = (struct open_alarm){text_of(e->thing),
				 text_of(e->profile),
				 text_of(e->behavior),
				 text_of(e->behavior_json),
				 value_of(e),
				 e->criteria,
				 e->is_suppressed,
				 e->is_own,
				 e->index,
				 e->start_ms,
				 e->start_ms,
				 e->seq};
	g_tree_insert(r->open, g_strdup(e->violation_id), a);
}

static void move_alarm(struct replay *r, const struct effect *e)
{
	struct open_alarm *a = g_tree_lookup(r->open, e->violation_id);
	if (!a)
		return;
	g_free(a->behavior_json);
	free(a->value);
	a->behavior_json = text_of(e->behavior_json);
	a->value = value_of(e);
	a->is_suppressed = e->is_suppressed;
	a->is_own &= e->is_own;
	a->last = e->at_ms;
	a->seq = e->seq;
	a->idx = e->index;
}

static void close_alarm(struct replay *r, const struct effect *e)
{
	(void)g_tree_remove(r->open, e->violation_id);
}

static void print_event(const struct effect *e)
{
	char *value = value_of(e);
	printf("event\t%" PRIu64 "\t%u\t%s\t%s\t%.*s\t%.*s\t%.*s\t%s\t%u\t%d\t%d\t%" PRId64 "\n",
	       e->seq, e->index, e->violation_id, event_types[e->kind], (int)e->thing.n, e->thing.p,
	       (int)e->profile.n, e->profile.p, (int)e->behavior_json.n, e->behavior_json.p, value,
	       (unsigned)e->criteria, e->is_suppressed, e->is_own, e->at_ms);
	free(value);
}

static int take_effect(const struct effect *e, void *ctx)
{
	static void (*const take[])(struct replay * r, const struct effect *e) = {
		[EFFECT_IN_ALARM] = open_alarm,
		[EFFECT_STILL] = move_alarm,
		[EFFECT_CLEARED] = close_alarm,
		[EFFECT_INVALIDATED] = close_alarm,
	};
	take[e->kind](ctx, e);
	if (e->kind != EFFECT_STILL)
		print_event(e);
	return 0;
}

static gboolean print_active(gpointer id, gpointer item, gpointer ctx)
{
	const struct open_alarm *a = item;
	(void)ctx;
	printf("active\t%s\t%s\t%s\t%s\t%s\t%s\t%u\t%u\t%u\t%" PRId64 "\t%" PRId64 "\t%" PRIu64
	       "\t%u\n",
	       (const char *)id, a->thing, a->profile, a->behavior, a->behavior_json, a->value,
	       a->criteria, a->is_suppressed, a->is_own, a->started, a->last, a->seq, a->idx);
	return FALSE;
}

/* The bytes of pairs of hex digits, in their place. -1: there is something else. */
static gssize unhex(char *text)
{
	size_t n = strlen(text) / 2;
	for (size_t i = 0; i < n; i++) {
		int high = g_ascii_xdigit_value(text[2 * i]);
		int low = g_ascii_xdigit_value(text[2 * i + 1]);
		if (high < 0 || low < 0)
			return -1;
		text[i] = (char)(high << 4 | low);
	}
	return (gssize)n;
}

static int step(struct replay *r, char *line)
{
	char *rest = line;
	struct detect_entry entry = {.seq = strtoull(rest, &rest, 10)};
	entry.kind = (enum entry_kind)strtoul(rest, &rest, 10);
	entry.at_ms = strtoll(rest, &rest, 10);
	rest = g_strstrip(rest);
	gssize n = unhex(rest);
	if (n < 0)
		return -EINVAL;
	entry.body = (struct view){rest, (size_t)n};
	int rc = detect_step(r->state, &entry, take_effect, r);
	if (rc < 0)
		fprintf(stderr, "crash_replay: entry %" PRIu64 ": %s\n", entry.seq,
			g_strerror(-rc));
	return rc;
}

static int by_name(gconstpointer a, gconstpointer b, gpointer ctx)
{
	(void)ctx;
	return strcmp(a, b);
}

int main(void)
{
	static const struct detect_limits limits = {
		.min_report_delta_ms = 300000, .max_unregistered = 10000, .secret = {1, 2}
        };
	struct replay r = {.open = g_tree_new_full(by_name, NULL, g_free, alarm_free)};
	char *line = NULL;
	size_t cap = 0;
	int rc = detect_new(&limits, &r.state);
	while (rc == 0 && getline(&line, &cap, stdin) > 0)
		rc = step(&r, line);
	g_tree_foreach(r.open, print_active, NULL);
	free(line);
	g_tree_destroy(r.open);
	detect_free(r.state);
	return rc == 0 ? 0 : 1;
}

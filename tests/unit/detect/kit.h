/* For tests of the evaluator: entries written in a line, effects kept as lines of text. */
#ifndef UNIT_DETECT_KIT_H
#define UNIT_DETECT_KIT_H

#include "detect/config.h"
#include "detect/detect.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define KIT_MINUTE_MS 60000LL
#define KIT_DAY_MS    (24 * 60 * KIT_MINUTE_MS)

struct kit {
	struct detect *detect;
	uint64_t seq;
	int64_t now_ms;
	int n_lines;
	char lines[1 << 16]; /* "in-alarm thing profile behavior value" and so on, a line each */
	size_t n;
	char last_id[VIOLATION_ID_SIZE];
};

struct kit_behavior {
	const char *name, *metric, *op; /* operator by its API name */
	struct config_value value;
	uint32_t duration_s;
	uint8_t to_alarm, to_clear; /* 0: 1 */
	bool is_suppressed;
};

struct kit_profile {
	const char *name;
	uint8_t targets;
	uint64_t groups[4];
	uint32_t n_groups;
	struct kit_behavior behaviors[8]; /* up to the first without a name */
};

#define KIT_COUNT(c)                                                                               \
	{                                                                                          \
		.kind = VALUE_COUNT, .count = (c)                                                  \
	}

static const struct detect_limits kit_limits = {
	.min_report_delta_ms = 300000, .max_unregistered = 100, .secret = {1, 2}
};

static inline void kit_start(struct kit *k)
{
	memset(k, 0, sizeof(*k));
	k->now_ms = 1700000000000;
	assert_int_equal(detect_new(&kit_limits, &k->detect), 0);
}

static inline void kit_stop(struct kit *k)
{
	detect_free(k->detect);
}

/* Saves, frees, loads under another secret: what follows must be the same. */
static inline void kit_restart(struct kit *k)
{
	static const struct detect_limits other = {
		.min_report_delta_ms = 300000, .max_unregistered = 100, .secret = {3, 4}
        };
	uint8_t *bytes;
	size_t n;
	uint64_t seq = 0;
	assert_int_equal(detect_save(k->detect, k->seq, &bytes, &n), 0);
	detect_free(k->detect);
	assert_int_equal(detect_load(&other, bytes, n, &k->detect, &seq), 0);
	assert_int_equal(seq, k->seq);
	free(bytes);
}

/* The body of a configuration; returns its length. */
static inline size_t kit_config_body(uint8_t *buf, size_t cap, const struct kit_profile *profiles,
				     uint32_t n)
{
	struct writer w = writer_of(buf, cap);
	config_write_begin(&w, n);
	for (uint32_t i = 0; i < n; i++) {
		const struct kit_profile *p = &profiles[i];
		uint16_t n_behaviors = 0;
		while (n_behaviors < 8 && p->behaviors[n_behaviors].name)
			n_behaviors++;
		config_write_profile(&w, view_of(p->name), p->targets, p->groups, p->n_groups,
				     n_behaviors);
		for (uint16_t k = 0; k < n_behaviors; k++) {
			const struct kit_behavior *b = &p->behaviors[k];
			const struct comparison_row *op = comparison_find(view_of(b->op));
			assert_non_null(op);
			struct config_rule rule = {.op = op->id,
						   .duration_s = b->duration_s,
						   .to_alarm = b->to_alarm ? b->to_alarm : 1,
						   .to_clear = b->to_clear ? b->to_clear : 1,
						   .is_suppressed = b->is_suppressed,
						   .value = b->value};
			config_write_behavior(&w, view_of(b->name), VIEW_LIT("{}"),
					      view_of(b->metric), CRITERIA_STATIC, &rule);
		}
	}
	assert_false(w.full);
	return w.len;
}

static inline void kit_line_value(struct kit *k, const struct value *v)
{
	char *at = k->lines + k->n;
	size_t room = sizeof(k->lines) - k->n;
	int n = v->kind == VALUE_COUNT    ? snprintf(at, room, " %" PRIu64, v->count)
		: v->kind == VALUE_NUMBER ? snprintf(at, room, " %.17g", v->number)
					  : snprintf(at, room, " n=%u", (unsigned)v->n);
	k->n += (size_t)n;
}

static inline int kit_take_effect(const struct effect *e, void *ctx)
{
	static const char *const names[] = {
		[EFFECT_IN_ALARM] = "in-alarm",
		[EFFECT_STILL] = "still",
		[EFFECT_CLEARED] = "cleared",
		[EFFECT_INVALIDATED] = "invalidated",
	};
	struct kit *k = ctx;
	assert_int_equal(e->seq, k->seq);
	k->n += (size_t)snprintf(k->lines + k->n, sizeof(k->lines) - k->n, "%s %.*s %.*s %.*s%s%s",
				 names[e->kind], (int)e->thing.n, e->thing.p, (int)e->profile.n,
				 e->profile.p, (int)e->behavior.n, e->behavior.p,
				 e->is_own ? "" : " foreign", e->is_suppressed ? " quiet" : "");
	if (e->kind != EFFECT_INVALIDATED)
		kit_line_value(k, &e->value);
	k->n += (size_t)snprintf(k->lines + k->n, sizeof(k->lines) - k->n, "\n");
	memcpy(k->last_id, e->violation_id, sizeof(k->last_id));
	k->n_lines++;
	return 0;
}

static inline void kit_entry(struct kit *k, enum entry_kind kind, const struct writer *body,
			     const struct report *report)
{
	assert_false(body->full);
	struct detect_entry entry = {
		.seq = ++k->seq,
		.at_ms = k->now_ms,
		.kind = kind,
		.body = {(const char *)body->buf, body->len},
		.report = report
        };
	assert_int_equal(detect_step(k->detect, &entry, kit_take_effect, k), 0);
}

static inline void kit_config(struct kit *k, const struct kit_profile *profiles, uint32_t n)
{
	uint8_t buf[16384];
	struct writer w = writer_of(buf, sizeof(buf));
	w.len = kit_config_body(buf, sizeof(buf), profiles, n);
	kit_entry(k, ENTRY_CONFIG, &w, NULL);
}

static inline void kit_thing(struct kit *k, const char *name, bool is_registered,
			     const uint64_t *groups, uint32_t n)
{
	uint8_t buf[1024];
	struct writer w = writer_of(buf, sizeof(buf));
	entry_write_thing(&w, view_of(name), is_registered, groups, n);
	kit_entry(k, ENTRY_THING, &w, NULL);
}

static inline void kit_report_by(struct kit *k, const char *thing, const struct report *report,
				 bool is_own)
{
	uint8_t buf[1024];
	struct writer w = writer_of(buf, sizeof(buf));
	struct entry_report e = {
		.thing = view_of(thing), .is_own = is_own, .payload = view_of("{}")};
	entry_write_report(&w, &e);
	kit_entry(k, ENTRY_REPORT, &w, report);
}

static inline void kit_report(struct kit *k, const char *thing, const struct report *report)
{
	kit_report_by(k, thing, report, true);
}

static inline void kit_mark(struct kit *k)
{
	uint8_t buf[16];
	struct writer w = writer_of(buf, sizeof(buf));
	entry_write_mark(&w, &(struct entry_mark){k->now_ms});
	kit_entry(k, ENTRY_MARK, &w, NULL);
}

/* The lines since the last call, or "". */
static inline const char *kit_take(struct kit *k)
{
	k->lines[k->n] = '\0';
	k->n = 0;
	return k->lines;
}

#endif

/* The metrics of model/metrics.tbl.h: what devices report and the broker counts, with the rules
 * that a behavior on each must keep (spec/detect.md section 4). Validation, evaluation and the
 * reference walk the same rows. A metric whose name does not begin with "aws:" is a custom one and
 * has no row. */
#ifndef DETECT_METRICS_H
#define DETECT_METRICS_H

#include "base/view.h"

#include <stdint.h>

/* The kinds of MetricValue: what a metric yields and a criterion compares with. */
enum value_kind {
	VALUE_COUNT,
	VALUE_NUMBER,
	VALUE_NUMBERS,
	VALUE_PORTS,
	VALUE_ADDRS, /* `cidrs` of the API */
	VALUE_STRINGS
};

enum comparison {
#define COMPARISON(id, name, kinds, is_set, is_negated) COMPARE_##id,
#include "model/comparisons.tbl.h"
#undef COMPARISON
};

enum metric_duration { DURATION_NONE, DURATION_OPTIONAL, DURATION_REQUIRED };
enum metric_side { SIDE_CLOUD, SIDE_DEVICE };

enum metric_id {
#define METRIC(id, name, unit, kind, duration, stat, ml, dimension, side, doc) METRIC_##id,
#include "model/metrics.tbl.h"
#undef METRIC
};

struct metric {
	enum metric_id id;
	const char *name; /* "aws:all-bytes-out" */
	const char *unit; /* "bytes"; "" for lists */
	const char *doc;
	enum value_kind kind;
	enum metric_duration duration;
	enum metric_side side;
	bool has_statistic, has_ml, has_dimension;
};

struct comparison_row {
	enum comparison id;
	const char *name; /* "less-than" */
	uint8_t kinds;    /* bit 1 << value_kind: what it compares */
	bool is_set, is_negated;
};

#define METRIC_COUNT     18
#define COMPARISON_COUNT 10
extern const struct metric metrics[METRIC_COUNT];
extern const struct comparison_row comparisons[COMPARISON_COUNT];

/* The row of that name, or NULL. */
const struct metric *metric_find(struct view name);
const struct comparison_row *comparison_find(struct view name);

/* Does the name belong to the system ("aws:...")? A custom metric's does not. */
bool metric_is_builtin(struct view name);

/* The member of the API's MetricValue that carries this kind: "count", "number", ... */
const char *value_kind_member(enum value_kind kind);

#endif

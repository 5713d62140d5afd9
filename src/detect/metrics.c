#include "detect/metrics.h"

#include "base/compiler.h"

const struct metric metrics[METRIC_COUNT] = {
#define METRIC(id_, name_, unit_, kind_, duration_, stat_, ml_, dimension_, side_, doc_)           \
	{.id = METRIC_##id_,                                                                       \
	 .name = name_,                                                                            \
	 .unit = unit_,                                                                            \
	 .doc = doc_,                                                                              \
	 .kind = VALUE_##kind_,                                                                    \
	 .duration = DURATION_##duration_,                                                         \
	 .side = SIDE_##side_,                                                                     \
	 .has_statistic = stat_,                                                                   \
	 .has_ml = ml_,                                                                            \
	 .has_dimension = dimension_},
#include "model/metrics.tbl.h"
#undef METRIC
};

#define KINDS_NUMERIC (1U << VALUE_COUNT | 1U << VALUE_NUMBER)
#define KINDS_ADDRS   (1U << VALUE_ADDRS)
#define KINDS_PORTS   (1U << VALUE_PORTS)
#define KINDS_LISTS   (1U << VALUE_NUMBERS | 1U << VALUE_STRINGS)

const struct comparison_row comparisons[COMPARISON_COUNT] = {
#define COMPARISON(id_, name_, kinds_, is_set_, is_negated_)                                       \
	{COMPARE_##id_, name_, KINDS_##kinds_, is_set_, is_negated_},
#include "model/comparisons.tbl.h"
#undef COMPARISON
};

const struct metric *metric_find(struct view name)
{
	for (size_t i = 0; i < ARRAY_LEN(metrics); i++)
		if (view_is(name, metrics[i].name))
			return &metrics[i];
	return NULL;
}

const struct comparison_row *comparison_find(struct view name)
{
	for (size_t i = 0; i < ARRAY_LEN(comparisons); i++)
		if (view_is(name, comparisons[i].name))
			return &comparisons[i];
	return NULL;
}

bool metric_is_builtin(struct view name)
{
	static const char prefix[] = "aws:";
	size_t n = sizeof(prefix) - 1;
	return name.n >= n && memcmp(name.p, prefix, n) == 0;
}

const char *value_kind_member(enum value_kind kind)
{
	static const char *const members[] = {
		[VALUE_COUNT] = "count", [VALUE_NUMBER] = "number", [VALUE_NUMBERS] = "numbers",
		[VALUE_PORTS] = "ports", [VALUE_ADDRS] = "cidrs",   [VALUE_STRINGS] = "strings",
	};
	return members[kind];
}

#include "registry/behavior.h"

#include "detect/config.h"

#include <errno.h>
#include <inttypes.h>

static const char not_yet[] = "not available in this version";

/* One behavior under examination. A rule that is broken writes the detail and ends it. */
struct exam {
	const struct behavior_rules *rules;
	const json_t *behaviors, *behavior, *criteria;
	size_t index;
	const char *name, *metric_name;
	const struct metric *metric;
	const struct comparison_row *comparison;
	int64_t n_values; /* value elements of the behaviors so far */
	char *detail;     /* g_free */
};

static bool broken(struct exam *e, const char *fmt, ...) PRINTF_LIKE(2, 3);

static bool broken(struct exam *e, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	e->detail = g_strdup_vprintf(fmt, args);
	va_end(args);
	return false;
}

static const char *text_of(const json_t *object, const char *member)
{
	return json_string_value(json_object_get(object, member));
}

/* ---- The rules, in the order they are told ---- */

static bool check_name(struct exam *e)
{
	for (size_t i = 0; i < e->index; i++)
		if (g_strcmp0(text_of(json_array_get(e->behaviors, i), "name"), e->name) == 0)
			return broken(e, "Another behavior of the profile has the same name");
	int64_t quota = e->rules->settings->quota_behaviors_per_profile;
	if ((int64_t)e->index >= quota)
		return broken(e, "A profile has at most %" PRId64 " behaviors", quota);
	return true;
}

/* NULL, or what is wrong with the name of a metric. */
static char *metric_fault(const char *name)
{
	const struct metric *metric = metric_find(view_of(name));
	if (metric && metric->side == SIDE_DEVICE)
		return NULL;
	if (metric)
		return g_strdup_printf("metric %s: cloud-side metrics are %s", name, not_yet);
	if (metric_is_builtin(view_of(name)))
		return g_strdup_printf("metric %s is unknown", name);
	return g_strdup_printf("metric %s is not a defined custom metric; custom metrics are %s",
			       name, not_yet);
}

static char *dimension_fault(const struct metric *metric, const char *name)
{
	return metric && metric->has_dimension
		       ? g_strdup_printf("metricDimension: dimensions are %s", not_yet)
		       : g_strdup_printf("metricDimension cannot be used with metric %s", name);
}

static bool check_metric(struct exam *e)
{
	if (!e->metric_name)
		return broken(e, "metric is missing");
	e->detail = metric_fault(e->metric_name);
	e->metric = metric_find(view_of(e->metric_name));
	return e->detail == NULL;
}

static bool check_dimension(struct exam *e)
{
	if (json_object_get(e->behavior, "metricDimension"))
		e->detail = dimension_fault(e->metric, e->metric_name);
	return e->detail == NULL;
}

static bool check_criteria_type(struct exam *e)
{
	if (!e->criteria)
		return broken(e, "criteria is missing");
	bool has_value = json_object_get(e->criteria, "value") != NULL;
	bool has_statistic = json_object_get(e->criteria, "statisticalThreshold") != NULL;
	bool has_ml = json_object_get(e->criteria, "mlDetectionConfig") != NULL;
	if (has_value + has_statistic + has_ml != 1)
		return broken(e, "criteria must have exactly one of value, statisticalThreshold "
				 "and mlDetectionConfig");
	if (has_statistic && !e->metric->has_statistic)
		return broken(e, "statisticalThreshold cannot be used with metric %s",
			      e->metric_name);
	if (has_ml && !e->metric->has_ml)
		return broken(e, "mlDetectionConfig cannot be used with metric %s", e->metric_name);
	if (!has_value)
		return broken(e, "%s is %s", has_ml ? "mlDetectionConfig" : "statisticalThreshold",
			      not_yet);
	return true;
}

/* "less-than, greater-than, ...": the operators for a kind of value. */
static char *operators_for(enum value_kind kind)
{
	g_autoptr(GString) text = g_string_new(NULL);
	for (size_t i = 0; i < ARRAY_LEN(comparisons); i++)
		if (comparisons[i].kinds & 1U << kind)
			g_string_append_printf(text, "%s%s", text->len ? ", " : "",
					       comparisons[i].name);
	return g_strdup(text->str);
}

static bool check_operator(struct exam *e)
{
	const char *name = text_of(e->criteria, "comparisonOperator");
	g_autofree char *fitting = operators_for(e->metric->kind);
	if (!name)
		return broken(e, "comparisonOperator is missing; metric %s takes one of %s",
			      e->metric_name, fitting);
	e->comparison = comparison_find(view_of(name));
	if (!e->comparison || !(e->comparison->kinds & 1U << e->metric->kind))
		return broken(e, "comparisonOperator %s does not fit metric %s; use one of %s",
			      name, e->metric_name, fitting);
	return true;
}

static bool check_cidrs(struct exam *e, const json_t *cidrs)
{
	size_t i;
	const json_t *text;
	json_array_foreach((json_t *)(uintptr_t)cidrs, i, text)
	{
		struct config_cidr cidr;
		if (config_read_cidr(view_of(json_string_value(text)), &cidr) != 0)
			return broken(e, "value.cidrs: '%s' is no IPv4 or IPv6 address or network",
				      json_string_value(text));
	}
	return true;
}

static bool check_ports(struct exam *e, const json_t *ports)
{
	size_t i;
	const json_t *port;
	json_array_foreach((json_t *)(uintptr_t)ports, i, port)
	{
		json_int_t v = json_integer_value(port);
		if (v < 0 || v > UINT16_MAX)
			return broken(e, "value.ports: %" PRId64 " should be in range[0,65535]",
				      (int64_t)v);
	}
	return true;
}

static bool check_count(struct exam *e, const json_t *count)
{
	json_int_t v = json_integer_value(count);
	return v >= 0 || broken(e, "value.count %" PRId64 " should not be negative", (int64_t)v);
}

static bool check_elements(struct exam *e, const json_t *value)
{
	static bool (*const check_kind[])(struct exam *,
					  const json_t *) = {[VALUE_COUNT] = check_count,
							     [VALUE_PORTS] = check_ports,
							     [VALUE_ADDRS] = check_cidrs,
							     [VALUE_STRINGS] = NULL};
	return !check_kind[e->metric->kind] || check_kind[e->metric->kind](e, value);
}

static bool check_quota_of_values(struct exam *e, const json_t *value)
{
	int64_t quota = e->rules->settings->quota_behavior_values_per_profile;
	e->n_values += json_is_array(value) ? (int64_t)json_array_size(value) : 1;
	return e->n_values <= quota ||
	       broken(e, "With it the profile has %" PRId64 " value elements; at most %" PRId64,
		      e->n_values, quota);
}

static bool check_value(struct exam *e)
{
	const json_t *values = json_object_get(e->criteria, "value");
	const char *member = value_kind_member(e->metric->kind);
	const json_t *value = json_object_get(values, member);
	if (!value || json_object_size(values) != 1)
		return broken(e, "value must have exactly the member %s for metric %s", member,
			      e->metric_name);
	if (json_is_array(value) && json_array_size(value) == 0)
		return broken(e, "value.%s must not be empty", member);
	return check_elements(e, value) && check_quota_of_values(e, value);
}

static bool check_duration(struct exam *e)
{
	static const int allowed[] = {300, 600, 900, 1800, 3600};
	const json_t *given = json_object_get(e->criteria, "durationSeconds");
	if (!given)
		return e->metric->duration != DURATION_REQUIRED ||
		       broken(e,
			      "durationSeconds is missing; metric %s needs one of 300, 600, 900, "
			      "1800, 3600",
			      e->metric_name);
	if (e->metric->duration == DURATION_NONE)
		return broken(e, "durationSeconds cannot be used with metric %s", e->metric_name);
	for (size_t i = 0; i < ARRAY_LEN(allowed); i++)
		if (json_integer_value(given) == allowed[i])
			return true;
	return broken(e, "durationSeconds %" PRId64 " should be one of 300, 600, 900, 1800, 3600",
		      (int64_t)json_integer_value(given));
}

static bool check_datapoints(struct exam *e)
{
	static const char *const members[] = {"consecutiveDatapointsToAlarm",
					      "consecutiveDatapointsToClear"};
	for (size_t i = 0; i < ARRAY_LEN(members); i++) {
		const json_t *given = json_object_get(e->criteria, members[i]);
		json_int_t v = given ? json_integer_value(given) : 1;
		if (v < 1 || v > 10)
			return broken(e, "%s %" PRId64 " should be in range[1,10]", members[i],
				      (int64_t)v);
	}
	return true;
}

static bool check_export(struct exam *e)
{
	return e->rules->may_export ||
	       !json_is_true(json_object_get(e->behavior, "exportMetric")) ||
	       broken(e, "exportMetric needs the profile's metricsExportConfig");
}

typedef bool rule_fn(struct exam *e);

static rule_fn *const rules_in_order[] = {
	check_name,  check_metric,   check_dimension,  check_criteria_type, check_operator,
	check_value, check_duration, check_datapoints, check_export,
};

static void examine(struct exam *e, json_t *errors)
{
	for (size_t i = 0; i < ARRAY_LEN(rules_in_order); i++) {
		if (rules_in_order[i](e))
			continue;
		(void)json_array_append_new(errors,
					    json_sprintf("Behavior %s is malformed. %s",
							 e->name ? e->name : "", e->detail));
		g_free(e->detail);
		return;
	}
}

void behaviors_check(const json_t *behaviors, const struct behavior_rules *rules, json_t *errors)
{
	int64_t n_values = 0;
	for (size_t i = 0; i < json_array_size(behaviors); i++) {
		const json_t *behavior = json_array_get(behaviors, i);
		struct exam e = {.rules = rules,
				 .behaviors = behaviors,
				 .behavior = behavior,
				 .criteria = json_object_get(behavior, "criteria"),
				 .index = i,
				 .name = text_of(behavior, "name"),
				 .metric_name = text_of(behavior, "metric"),
				 .n_values = n_values};
		examine(&e, errors);
		n_values = e.n_values;
	}
}

char *retained_metric_check(const char *metric, const json_t *dimension)
{
	char *fault = metric_fault(metric);
	if (!fault && dimension)
		fault = dimension_fault(metric_find(view_of(metric)), metric);
	return fault;
}

/* ---- To the evaluator ---- */

/* A value as the configuration takes it; `list` owns what it points to. */
struct encoded {
	struct config_value value;
	void *list;
};

static bool encode_count(const json_t *json, struct encoded *ret)
{
	ret->value.count = (uint64_t)json_integer_value(json);
	return json_is_integer(json) && json_integer_value(json) >= 0;
}

static bool encode_ports(const json_t *json, struct encoded *ret)
{
	uint16_t *ports = g_new0(uint16_t, json_array_size(json) + 1);
	ret->list = ports;
	ret->value.ports = ports;
	ret->value.n = (uint32_t)json_array_size(json);
	for (uint32_t i = 0; i < ret->value.n; i++)
		ports[i] = (uint16_t)json_integer_value(json_array_get(json, i));
	return json_is_array(json);
}

static bool encode_cidrs(const json_t *json, struct encoded *ret)
{
	struct config_cidr *cidrs = g_new0(struct config_cidr, json_array_size(json) + 1);
	bool is_good = json_is_array(json);
	ret->list = cidrs;
	ret->value.cidrs = cidrs;
	ret->value.n = (uint32_t)json_array_size(json);
	for (uint32_t i = 0; is_good && i < ret->value.n; i++) {
		const char *text = json_string_value(json_array_get(json, i));
		is_good = config_read_cidr(view_of(text), &cidrs[i]) == 0;
	}
	return is_good;
}

static bool encode_value(const json_t *criteria, enum value_kind kind, struct encoded *ret)
{
	static bool (*const encode_kind[])(const json_t *, struct encoded *) = {
		[VALUE_COUNT] = encode_count,
		[VALUE_PORTS] = encode_ports,
		[VALUE_ADDRS] = encode_cidrs,
	};
	const json_t *value = json_object_get(criteria, "value");
	*ret = (struct encoded){.value.kind = kind};
	return encode_kind[kind](json_object_get(value, value_kind_member(kind)), ret);
}

static int64_t int_of(const json_t *object, const char *member, int64_t absent)
{
	const json_t *v = json_object_get(object, member);
	return json_is_integer(v) ? json_integer_value(v) : absent;
}

#define VALUE_WIRE_MAX 17 /* bytes of one element: an address and its prefix */

static void append_behavior(GByteArray *config, const json_t *behavior, const char *json,
			    const struct config_rule *rule)
{
	struct view name = view_of(text_of(behavior, "name"));
	struct view metric = view_of(text_of(behavior, "metric"));
	size_t room =
		64 + name.n + metric.n + strlen(json) + (size_t)rule->value.n * VALUE_WIRE_MAX;
	guint at = config->len;
	g_byte_array_set_size(config, (guint)(at + room));
	struct writer w = writer_of(config->data + at, room);
	config_write_behavior(&w, name, view_of(json), metric, CRITERIA_STATIC, rule);
	g_byte_array_set_size(config, (guint)(at + w.len));
}

int behavior_encode(const json_t *behavior, GByteArray *config)
{
	const json_t *criteria = json_object_get(behavior, "criteria");
	const char *metric_name = text_of(behavior, "metric");
	const char *op_name = text_of(criteria, "comparisonOperator");
	const struct metric *metric = metric_name ? metric_find(view_of(metric_name)) : NULL;
	const struct comparison_row *op = op_name ? comparison_find(view_of(op_name)) : NULL;
	struct encoded encoded = {.list = NULL};
	if (!metric || !op || !encode_value(criteria, metric->kind, &encoded)) {
		g_free(encoded.list);
		return -EBADMSG;
	}
	struct config_rule rule = {
		.op = op->id,
		.duration_s = (uint32_t)int_of(criteria, "durationSeconds", 0),
		.to_alarm = (uint8_t)int_of(criteria, "consecutiveDatapointsToAlarm", 1),
		.to_clear = (uint8_t)int_of(criteria, "consecutiveDatapointsToClear", 1),
		.is_suppressed = json_is_true(json_object_get(behavior, "suppressAlerts")),
		.value = encoded.value,
	};
	char *json = json_dumps(behavior, JSON_COMPACT);
	append_behavior(config, behavior, json, &rule);
	free(json);
	g_free(encoded.list);
	return 0;
}
